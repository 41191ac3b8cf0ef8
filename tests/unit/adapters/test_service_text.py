"""Texts of services: without secrets, in one line, and short, wherever they come from."""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InternalError, ServiceRejected, TuneDropError
from shared.services import service_text
from shared.settings import settings, storage_connection
from tests.unit.adapters import arm_wire, openai_wire
from tests.unit.adapters.misbehaving import Service, connected, container, serving
from tests.unit.adapters.openai_wire import file_body, job_body, refused
from tests.unit.adapters.test_azure_openai_creating import create_job
from tests.unit.adapters.test_resource_manager import put

__all__ = ["connected"]

KEY = "a1b2c3d4" * 4
ACCOUNT_KEY = "bm90IGEgcmVhbCBrZXkgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIG9uZQ=="
SIGNATURE = "Zm9yZ2VkIHNpZ25hdHVyZQ%3D%3D"
TOKEN = "eyJ0eXAiOiJKV1QifQ." + "eyJzdWIiOiJuIn0." + "c2lnbmVk"
SECRETS = {"key": KEY, "account-key": ACCOUNT_KEY, "signature": SIGNATURE, "token": TOKEN}
TOLD = {
    "key": f"Incorrect API key provided: {KEY}.",
    "key-in-address": f"GET https://lab.test/?code=1&api-key={KEY}&x=1 was refused",
    "key-in-json": json.dumps({"api_key": KEY}),
    "account-key": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={ACCOUNT_KEY};",
    "foreign-account-key": f"AccountName=b;AccountKey=other{ACCOUNT_KEY[5:]};EndpointSuffix=x",
    "signature": f"https://a.blob.test/c/b?sv=2026-01-01&sig={SIGNATURE}&se=2027",
    "bearer": f"Authorization: Bearer {TOKEN}",
    "bearer-of-no-form": f"authorization: bearer {KEY[::-1]}",
    "token": f"The token {TOKEN} has expired.",
    "token-in-json": json.dumps({"access_token": KEY[::-1], "expires_in": 1}),
    "foreign-key": f"sk-{KEY[::-1]} is not yours",
}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app sends these."""
    monkeypatch.setenv("TUNEDROP_OPENAI_API_KEY", KEY)
    monkeypatch.setenv(
        "DropStorage", f"AccountName=a;AccountKey={ACCOUNT_KEY};BlobEndpoint=http://127.0.0.1:1/a;"
    )
    for cached in (settings, storage_connection):
        cached.cache_clear()
    yield
    for cached in (settings, storage_connection):
        cached.cache_clear()


@pytest.mark.parametrize("text", TOLD.values(), ids=TOLD.keys())
def test_no_secret_is_told(text: str) -> None:
    """Keys that we send, and what looks like anybody's: none of it is left, in whatever the service
    wraps it.
    """
    for said in (
        text,
        f'{{"error": "{text}"}}',
        " ".join([text] * 200),
        "x" * 32_760 + text,
        "x " * 16_370 + text,
    ):
        told = service_text.told(said)
        for secret in (*SECRETS.values(), KEY[::-1], ACCOUNT_KEY[5:]):
            assert secret not in told
            assert secret[:16] not in told
            assert secret not in service_text.code(said)
            assert secret not in (service_text.ident(said) or "")


@given(st.text())
def test_any_text_becomes_one_short_line(text: str) -> None:
    """No control character, no line break, and no more than its room."""
    told = service_text.told(text, 50)
    assert told.isprintable()
    assert len(told) <= 50


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()), st.floats()))
def test_any_code_becomes_a_short_word(code: object) -> None:
    """A code stands in sentences, tables and addresses of the documentation."""
    word = service_text.code(code)
    assert 0 < len(word) <= 64
    assert word.isascii()
    assert not set(word) & set(" \n<>|`\"'")


@pytest.mark.parametrize(
    "code", ["InsufficientQuota", "content_filter", "429", "invalid_request_error"]
)
def test_codes_of_azure_are_told_as_they_are(code: str) -> None:
    """What is fit already is not changed."""
    assert service_text.code(code) == code


def test_words_of_a_service_stay_readable() -> None:
    """Only secrets go; letters of any script stay, and lines are joined."""
    assert (
        service_text.told("Die Datei „x“ fehlt.\n\tBitte prüfen: 日本.")
        == "Die Datei „x“ fehlt. Bitte prüfen: 日本."
    )
    assert (
        service_text.told("signature=none of the tokens; bearer of news")
        == "signature=none of the tokens; bearer of news"
    )


FIVE_MEGABYTES = "x" * 5_000_000
EVIL = f"{KEY} Bearer {TOKEN} sig={SIGNATURE} AccountKey={ACCOUNT_KEY} " + FIVE_MEGABYTES

REFUSALS: dict[str, Callable[[], object]] = {
    "openai": lambda: create_job(
        openai_wire.Wire(refused(400, EVIL, EVIL, x_request_id=KEY * 100)).service()
    ),
    "openai-busy": lambda: create_job(openai_wire.Wire(refused(503, EVIL, EVIL)).service()),
    "openai-429": lambda: create_job(openai_wire.Wire(refused(429, EVIL, EVIL)).service()),
    "openai-chat": lambda: openai_wire.Wire(refused(404, EVIL, EVIL)).service().chat("d", [], 5),
    "arm": lambda: put(
        arm_wire.Wire(arm_wire.refused(400, EVIL, EVIL, x_ms_request_id=KEY * 100)).manager()
    ),
    "arm-busy": lambda: put(arm_wire.Wire(arm_wire.refused(500, EVIL, EVIL)).manager()),
    "arm-conflict": lambda: put(
        arm_wire.Wire(arm_wire.refused(409, "RequestConflict", EVIL)).manager()
    ),
    "internal": lambda: _raise(InternalError(FIVE_MEGABYTES)),
    "rejected": lambda: _raise(
        ServiceRejected("x", 400, FIVE_MEGABYTES, FIVE_MEGABYTES, FIVE_MEGABYTES)
    ),
}


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("call", REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal_holds_neither_the_key_nor_megabytes(call: Callable[[], object]) -> None:
    """Code, message, what helps and request id: what ledger, answers and report are made of."""
    with pytest.raises(TuneDropError) as raised:
        call()
    for told in (raised.value.problem.model_dump_json(), str(raised.value)):
        assert len(told) < 4_000
        assert not [secret for secret in SECRETS.values() if secret in told]


@pytest.mark.parametrize("header", ["x-ms-error-code", "reason"])
def test_refusal_of_storage_holds_neither_the_key_nor_much(
    connected: Callable[[Service], None], header: str
) -> None:
    """Its code comes in a header, its reason in the first line."""
    evil = f"{ACCOUNT_KEY} sig={SIGNATURE} " + "x" * 30_000
    answer = (
        f"HTTP/1.1 400 {evil if header == 'reason' else 'no'}\r\nx-ms-error-code: "
        f"{evil if header != 'reason' else 'No'}\r\n"
    )
    with serving(
        lambda asked: asked.send(f"{answer}Content-Length: 0\r\n\r\n".encode())
    ) as service:
        connected(service)
        with pytest.raises(ServiceRejected) as raised:
            container().read("b")
    told = raised.value.problem.model_dump_json()
    assert len(told) < 2_000
    assert SIGNATURE not in told


def test_what_is_kept_of_files_jobs_and_events_is_clean() -> None:
    """Reasons and messages come with a yes, and stand in the report."""
    file = (
        openai_wire.Wire(openai_wire.told(file_body(status="error", status_details=EVIL)))
        .service()
        .file("file-1")
    )
    job = (
        openai_wire.Wire(
            openai_wire.told(job_body(status="failed", error={"code": EVIL, "message": EVIL}))
        )
        .service()
        .job("ftjob-1")
    )
    event = {"id": KEY, "created_at": 1, "level": EVIL, "message": EVIL, "data": {EVIL: 1}}
    (kept,) = (
        openai_wire.Wire(openai_wire.told({"data": [event], "has_more": False}))
        .service()
        .events("ftjob-1", 5)
    )
    assert file is not None
    assert job is not None
    texts = (
        file.reason,
        job.error_code,
        job.error_message,
        kept.message,
        kept.level,
        *kept.metrics,
    )
    assert [len(text or "") <= 1_000 for text in texts] == [True] * len(texts)
    assert not [secret for secret in SECRETS.values() for text in texts if secret in (text or "")]
