"""Calls that create, at the transport: sent once, and told apart by whether the service can have
taken them.
"""

import io
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable, TuneDropError
from shared.services.azure_openai import AzureOpenAI, JobOrder
from tests.unit.adapters.openai_wire import (
    OLDER,
    SECRET,
    Answering,
    Wire,
    fails,
    file_body,
    job_body,
    raw,
    refused,
    told,
)

NO_BODY = b""


def an_order(**changes: Any) -> JobOrder:
    """A job with nothing special in it."""
    given: dict[str, Any] = {
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-1",
        "validation_file": None,
        "suffix": None,
        "seed": None,
        "method": "supervised",
        "training_type": None,
        "hyperparameters": {},
    }
    return JobOrder(**given | changes)


def create_job(service: AzureOpenAI) -> object:
    """The call that costs money."""
    return service.create_job(an_order(suffix=SECRET), 5)


def upload(service: AzureOpenAI) -> object:
    """The call that moves the data."""
    return service.upload("travel.jsonl", io.BytesIO(SECRET.encode()), 5)


CREATING = pytest.mark.parametrize("create", [create_job, upload])
SURFACES = pytest.mark.parametrize("api_version", [None, OLDER], ids=["v1", "api-version"])

ENDINGS: dict[str, tuple[Answering, type[TuneDropError]]] = {
    "read-timeout": (fails(httpx2.ReadTimeout), OutcomeUnknown),
    "write-timeout": (fails(httpx2.WriteTimeout), OutcomeUnknown),
    "connection-reset": (fails(httpx2.ReadError), OutcomeUnknown),
    "disconnected": (fails(httpx2.RemoteProtocolError), OutcomeUnknown),
    "connection-refused": (fails(httpx2.ConnectError), OutcomeUnknown),
    "408": (refused(408, "Timeout"), OutcomeUnknown),
    "409": (refused(409, "conflict"), OutcomeUnknown),
    "429-with-body": (refused(429, "429"), ServiceUnavailable),
    "429-without-body": (raw(429, NO_BODY), OutcomeUnknown),
    "429-of-a-gateway": (raw(429, b"<html>slow down</html>", "text/html"), OutcomeUnknown),
    "500": (refused(500, "InternalServerError"), OutcomeUnknown),
    "500-without-body": (raw(500, NO_BODY), OutcomeUnknown),
    "503": (refused(503, "ServiceUnavailable"), OutcomeUnknown),
    "2xx-truncated": (raw(200, b'{"id": "ft'), OutcomeUnknown),
    "2xx-empty": (raw(200, NO_BODY), OutcomeUnknown),
    "2xx-page": (raw(200, b"<html>hello</html>", "text/html"), OutcomeUnknown),
    "2xx-not-utf-8": (raw(200, b'{"id": "\xff"}'), OutcomeUnknown),
    "2xx-null": (raw(200, b"null"), OutcomeUnknown),
    "2xx-list": (raw(200, b"[]"), OutcomeUnknown),
    "2xx-empty-object": (told({}), OutcomeUnknown),
    "2xx-id-null": (told(job_body(id=None) | {"filename": "f", "bytes": 1}), OutcomeUnknown),
    "2xx-id-empty": (told(job_body(id="") | {"filename": "f", "bytes": 1}), OutcomeUnknown),
    "400": (refused(400, "invalidPayload"), ServiceRejected),
    "400-of-a-moment": (refused(400, "unexpectedEntityState"), ServiceUnavailable),
    "401": (refused(401, "PermissionDenied"), ServiceRejected),
    "403": (refused(403, "PermissionDenied"), ServiceRejected),
    "404": (refused(404, "ResourceNotFound"), ServiceRejected),
    "307": (raw(307, NO_BODY, location="https://elsewhere.test/"), ServiceRejected),
}
TABLE = pytest.mark.parametrize(("answering", "ending"), ENDINGS.values(), ids=ENDINGS.keys())


@CREATING
@SURFACES
@TABLE
def test_creating_call_is_sent_once_and_ends_as_promised(
    create: Callable[[AzureOpenAI], object],
    api_version: str | None,
    answering: Answering,
    ending: type[TuneDropError],
) -> None:
    """Only an answer that says no is a no; what may have been taken has an unknown outcome, and is
    not sent twice.
    """
    wire = Wire(answering)
    with pytest.raises(TuneDropError) as raised:
        create(wire.service(api_version))
    assert type(raised.value) is ending
    without_token = (
        create is upload
        and isinstance(raised.value, ServiceRejected)
        and raised.value.status == 401
    )
    assert len(wire.requests) == (2 if without_token else 1)


def test_upload_is_sent_again_when_its_token_ran_out_on_the_way() -> None:
    """401 took nothing: the whole file goes once more, with the token of the moment."""
    wire = Wire(refused(401, "unauthorized"), told(file_body()))
    assert wire.service().upload("travel.jsonl", io.BytesIO(SECRET.encode()), 5).id == "file-1"
    assert [SECRET.encode() in sent.content for sent in wire.requests] == [True, True]


@CREATING
@TABLE
def test_error_of_a_creating_call_holds_nothing_of_its_body(
    create: Callable[[AzureOpenAI], object], answering: Answering, ending: type[TuneDropError]
) -> None:
    """Neither the text, nor the problem, nor a chained exception tells what was sent."""
    with pytest.raises(ending) as raised:
        create(Wire(answering).service())
    assert SECRET not in str(raised.value)
    assert SECRET not in raised.value.problem.model_dump_json()
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@CREATING
def test_creating_call_is_sent_once_when_the_client_would_retry(
    create: Callable[[AzureOpenAI], object],
) -> None:
    """The adapter turns off the retries of the client that it was given."""
    import openai

    wire = Wire(refused(503, "busy", retry_after="0"))
    http = httpx2.Client(transport=httpx2.MockTransport(wire))
    client = openai.OpenAI(
        api_key="key", base_url="https://lab.test/openai/v1/", http_client=http, max_retries=5
    )
    with pytest.raises(OutcomeUnknown):
        create(AzureOpenAI(client, None))
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("999999999", 3600.0),
        ("inf", 3600.0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_between_nothing_and_an_hour(
    header: str, seconds: float | None
) -> None:
    """The service's wish is heard, bounded, and ignored where it is not a number."""
    with pytest.raises(ServiceUnavailable) as raised:
        create_job(Wire(refused(429, "429", retry_after=header)).service())
    assert raised.value.retry_after_s == seconds


def test_retry_after_is_none_when_the_header_is_a_date() -> None:
    """A date would need a clock that agrees with the service's: the run's own pace is used."""
    with pytest.raises(ServiceUnavailable) as raised:
        create_job(Wire(refused(429, "429", retry_after="Wed, 21 Oct 2026 07:28:00 GMT")).service())
    assert raised.value.retry_after_s is None


def test_refusal_keeps_the_services_code_text_and_request_id() -> None:
    """What a person needs for a question to Azure's support stands in the problem."""
    wire = Wire(
        refused(
            400,
            "invalidPayload",
            "The specified base model does not support fine-tuning.",
            x_request_id="req-1",
        )
    )
    with pytest.raises(
        ServiceRejected, match=r"400 invalidPayload: The specified base model"
    ) as raised:
        create_job(wire.service())
    assert (raised.value.status, raised.value.azure_code, raised.value.problem.request_id) == (
        400,
        "invalidPayload",
        "req-1",
    )


def test_refusal_is_cut_when_the_service_tells_a_novel() -> None:
    """A message of any length becomes one of at most 1000 characters."""
    with pytest.raises(ServiceRejected) as raised:
        create_job(Wire(refused(400, "invalidPayload", "x" * 100_000)).service())
    assert len(raised.value.problem.message) <= 1000


@pytest.mark.parametrize(
    "api_version", [None, "2025-04-01-preview", "2026-01-01"], ids=["v1", "first", "later"]
)
def test_method_and_training_type_are_sent_when_the_surface_knows_them(
    api_version: str | None,
) -> None:
    """On v1 and from 2025-04-01-preview the hyperparameters stand under the method."""
    wire = Wire(told(job_body()))
    wire.service(api_version).create_job(
        an_order(training_type="GlobalStandard", hyperparameters={"n_epochs": 2}, seed=7), 5
    )
    assert wire.sent() == {
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-1",
        "seed": 7,
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
        "trainingType": "GlobalStandard",
    }


@pytest.mark.parametrize("api_version", ["2024-10-21", "2025-03-01-preview"])
def test_method_and_training_type_stay_out_when_the_surface_is_older(api_version: str) -> None:
    """An older api-version gets the hyperparameters where it looks for them, and nothing that it
    refuses.
    """
    wire = Wire(told(job_body()))
    wire.service(api_version).create_job(
        an_order(training_type="GlobalStandard", hyperparameters={"n_epochs": 2}, suffix="travel"),
        5,
    )
    assert wire.sent() == {
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-1",
        "suffix": "travel",
        "hyperparameters": {"n_epochs": 2},
    }
    assert wire.requests[0].url.params["api-version"] == api_version


@SURFACES
def test_upload_sends_name_purpose_and_content_once(api_version: str | None) -> None:
    """The file goes as it is, under the run's own name, for fine-tuning."""
    wire = Wire(told(file_body()))
    made = wire.service(api_version).upload("travel.jsonl", io.BytesIO(SECRET.encode()), 5)
    body = wire.requests[0].content
    assert (made.id, made.status, len(wire.requests)) == ("file-1", "processed", 1)
    assert all(part in body for part in (b'filename="travel.jsonl"', b"fine-tune", SECRET.encode()))
