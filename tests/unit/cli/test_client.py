"""The commands' client of the HTTP API, against a fake transport."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tunedrop.cli.client import Api, Refused, Unreachable, api_of
from tunedrop.cli.output import ERRORS, UNAVAILABLE, Trouble
from tunedrop.local.session import Addresses, remembered

BASE = "https://app.example/api"
HERE = Addresses("http://127.0.0.1:7071/api", "key-of-here", "storage", "http://127.0.0.1:4010")


def an_api(answer: Callable[[httpx2.Request], httpx2.Response]) -> Api:
    """A client whose requests end in this function."""
    return Api(BASE, "the-key", httpx2.MockTransport(answer))


def test_request_goes_to_the_base_url_with_the_function_key() -> None:
    """The base URL includes /api; the key goes in its header."""
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"runs": [{"id": "a"}]})

    assert an_api(answer).runs() == [{"id": "a"}]
    assert [(r.method, str(r.url), r.headers["x-functions-key"]) for r in asked] == [
        ("GET", f"{BASE}/runs", "the-key")
    ]


def test_hostile_run_id_stays_one_segment_of_the_path() -> None:
    """An id can't lead to another route."""
    paths: list[bytes] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.raw_path)
        return httpx2.Response(202, json={"id": "x"})

    an_api(answer).cancel("../../admin?x=1#")
    assert paths == [b"/api/runs/..%2F..%2Fadmin%3Fx%3D1%23/cancel"]


UNKNOWN = {
    "error": {
        "code": "TD-HTTP-004",
        "message": "There is no such run.",
        "fix": "GET /api/runs lists the runs.",
    }
}
ENDED = {"error": {"code": "TD-HTTP-005", "message": "The run has ended.", "fix": "Look."}}


@pytest.mark.parametrize(
    ("response", "kind", "sentence", "code"),
    [
        pytest.param(
            httpx2.Response(401),
            Unreachable,
            "The API refuses the key. Give its function key with --key.",
            UNAVAILABLE,
            id="wrong key",
        ),
        pytest.param(
            httpx2.Response(404, json=UNKNOWN),
            Refused,
            "TD-HTTP-004: There is no such run. GET /api/runs lists the runs.",
            ERRORS,
            id="no such run",
        ),
        pytest.param(
            httpx2.Response(409, json=ENDED),
            Refused,
            "TD-HTTP-005: The run has ended. Look.",
            ERRORS,
            id="ended",
        ),
        pytest.param(
            httpx2.Response(404, text="<html>"),
            Unreachable,
            (
                "The API answers with status 404, and not as TuneDrop does. Its address ends with "
                "/api."
            ),
            UNAVAILABLE,
            id="another web site",
        ),
        pytest.param(
            httpx2.Response(200, text="<html>"),
            Unreachable,
            (
                "The API answers with status 200, and not as TuneDrop does. Its address ends with "
                "/api."
            ),
            UNAVAILABLE,
            id="a page for every address",
        ),
    ],
)
def test_answer_that_is_an_error_ends_the_command(
    response: httpx2.Response, kind: type[Trouble], sentence: str, code: int
) -> None:
    """Errors of the API are usage errors with its own words; what isn't TuneDrop's API is an
    unavailable service.
    """
    with pytest.raises(kind) as ended:
        an_api(lambda _request: response).run("a-1")
    assert (str(ended.value), ended.value.code) == (sentence, code)


def test_refused_connection_is_an_unavailable_service() -> None:
    """The message names the kind of failure and what to do, and nothing of the request."""

    def refuse(_request: httpx2.Request) -> httpx2.Response:
        message = "secret"
        raise httpx2.ConnectError(message)

    with pytest.raises(
        Unreachable, match=r"^The API does not answer \(ConnectError\)\. Start TuneDrop with"
    ) as ended:
        an_api(refuse).runs()
    assert ended.value.code == UNAVAILABLE
    assert "secret" not in str(ended.value)


def test_address_without_a_scheme_is_refused() -> None:
    """A host name alone is no base URL."""
    with pytest.raises(Trouble, match="must begin with https://") as ended:
        Api("app.example/api", "k")
    assert ended.value.code == ERRORS


def test_no_stack_and_no_address_is_an_unavailable_service(tmp_path: Path) -> None:
    """Where nothing runs, the message says how to start it."""
    with pytest.raises(Unreachable, match="No TuneDrop is running here"):
        api_of(None, None, tmp_path)


def test_key_of_the_local_stack_goes_to_no_other_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --api, only the key given by --key is sent."""
    made: list[tuple[str, str]] = []

    def note(_self: Api, base: str, key: str) -> None:
        made.append((base, key))

    monkeypatch.setattr(Api, "__init__", note)
    with remembered(tmp_path, HERE):
        api_of(None, None, tmp_path)
        api_of(None, "given", tmp_path)
        api_of(BASE, None, tmp_path)
    assert made == [(HERE.api, HERE.key), (HERE.api, "given"), (BASE, "")]
