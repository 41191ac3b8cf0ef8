"""The HTTP side of the host, without an app: every refusal and every decoding."""

import logging
from typing import Any

import httpx2
import pytest

from tests.unit.host.builders import an_http_function
from tunedrop.host.errors import FunctionFailed
from tunedrop.host.functions import Function
from tunedrop.host.http import BODY_MAX_BYTES, application
from tunedrop.host.messages import Message, TriggerData, TypedData
from tunedrop.host.routes import routes

KEY = "a-key"


class Site:
    """The application under test with what it handed on."""

    def __init__(
        self, *functions: Function, answer: TypedData | FunctionFailed | None = None
    ) -> None:
        self.seen: list[Message] = []
        self.told: TriggerData = {}
        self.events: list[tuple[str, str, int]] = []
        self._answer = answer
        app = application(routes(functions, "api"), self._invoke, self._deliver, KEY, 7071)
        self._transport = httpx2.ASGITransport(app=app)

    async def _invoke(
        self, function: Function, request: Message, told: TriggerData
    ) -> TypedData | None:
        self.seen.append(request)
        self.told = told
        if isinstance(self._answer, FunctionFailed):
            raise self._answer
        return self._answer

    async def _deliver(self, name: str, etag: str, times: int) -> dict[str, int]:
        self.events.append((name, etag, times))
        return {"delivered": times, "failed": 0}

    async def ask(
        self, method: str, path: str, key: str | None = KEY, **request: Any
    ) -> httpx2.Response:
        """One request, with the key unless told otherwise."""
        headers = {**({"x-functions-key": key} if key else {}), **request.pop("headers", {})}
        async with httpx2.AsyncClient(
            transport=self._transport, base_url="http://127.0.0.1:7071"
        ) as client:
            return await client.request(method, path, headers=headers, **request)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7071", 204),
        ("localhost:7071", 204),
        ("[::1]:7071", 204),
        ("evil.example:7071", 403),
        ("127.0.0.1:7071.evil.example", 403),
        ("127.0.0.1", 403),
        ("localhost:80", 403),
    ],
)
async def test_request_is_refused_when_its_host_is_not_this_machine(host: str, status: int) -> None:
    """Only loopback names with this port are answered, so that no page can rebind its name
    to us.
    """
    site = Site(an_http_function("runs"))
    assert (await site.ask("GET", "/api/runs", headers={"host": host})).status_code == status


@pytest.mark.parametrize("path", ["/api/runs", "/api/health", "/admin/events", "/nothing"])
@pytest.mark.parametrize(
    ("origin", "foreign"),
    [
        ("http://127.0.0.1:7071", False),
        ("http://localhost:7071", False),
        ("http://[::1]:7071", False),
        ("https://evil.example", True),
        ("http://127.0.0.1:4010", True),
        ("http://localhost:7071.evil.example", True),
        ("null", True),
        ("", True),
    ],
)
async def test_request_of_a_page_of_another_origin_is_refused(
    path: str, origin: str, foreign: bool
) -> None:
    """On every route, whatever key it has: a page may send `text/plain` anywhere without asking,
    and nothing is handed on.
    """
    site = Site(
        an_http_function("runs"), an_http_function("health", level="anonymous", name="health")
    )
    answer = await site.ask(
        "POST",
        path,
        headers={"origin": origin, "content-type": "text/plain"},
        content=b'{"name": "a"}',
    )
    assert (answer.status_code == 403) is foreign
    assert not foreign or (site.seen, site.events) == ([], [])


@pytest.mark.parametrize(
    ("level", "key", "path", "status"),
    [
        ("function", KEY, "/api/runs", 204),
        ("function", None, f"/api/runs?code={KEY}", 204),
        ("function", None, "/api/runs", 401),
        ("function", "wrong", "/api/runs", 401),
        ("function", "", "/api/runs?code=", 401),
        ("admin", None, "/api/runs", 401),
        ("anonymous", None, "/api/runs", 204),
    ],
)
async def test_function_needs_the_key_unless_it_is_anonymous(
    level: str, key: str | None, path: str, status: int
) -> None:
    """A key in the header or the query opens what is not anonymous; nothing is handed on without
    one.
    """
    site = Site(an_http_function("runs", level=level))
    assert (await site.ask("GET", path, key)).status_code == status
    assert len(site.seen) == (status == 204)


async def test_unknown_route_answers_404() -> None:
    """What no function serves is not found."""
    assert (await Site(an_http_function("runs")).ask("GET", "/api/other")).status_code == 404


async def test_wrong_method_answers_405_with_those_allowed() -> None:
    """The methods of all functions on the path are named."""
    site = Site(
        an_http_function("runs", "GET", name="list"), an_http_function("runs", "POST", name="start")
    )
    answer = await site.ask("DELETE", "/api/runs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("size", "status"),
    [(BODY_MAX_BYTES, 204), (BODY_MAX_BYTES + 1, 413)],
    ids=["just fits", "one too many"],
)
async def test_body_is_refused_when_it_is_larger_than_a_megabyte(size: int, status: int) -> None:
    """1 MiB passes; a byte more does not."""
    assert (
        await Site(an_http_function("runs")).ask("POST", "/api/runs", content=b"x" * size)
    ).status_code == status


async def test_request_is_handed_on_whole() -> None:
    """Method, parameters, query, headers and body reach the function."""
    site = Site(an_http_function("runs/{id}"))
    await site.ask("PUT", "/api/runs/a%20b?top=3", content=b"body", headers={"x-own": "1"})
    (seen,) = site.seen
    assert (seen.method, seen.params, seen.query, seen.body.bytes) == (
        "PUT",
        {"id": "a b"},
        {"top": "3"},
        b"body",
    )
    assert seen.headers["x-own"] == "1"


async def test_members_of_a_json_body_are_told_by_name() -> None:
    """As Microsoft's host tells them, with query, headers and the route's parameters; a body that
    is no object tells nothing.
    """
    site = Site(an_http_function("runs/{id}"))
    await site.ask(
        "PUT",
        "/api/runs/7?top=3",
        json={"run": "a", "job": {"seed": 1}, "none": None, "Query": "mine"},
    )
    assert {name: vars(value) for name, value in site.told.items() if name != "Headers"} == {
        "run": {"string": "a"},
        "job": {"json": '{"seed": 1}'},
        "id": {"string": "7"},
        "Query": {"json": '{"top": "3"}'},
    }
    assert '"X-Functions-Key": "a-key"' in site.told["Headers"].json
    for body in (b"[1]", b"{", b"\xff"):
        await site.ask(
            "PUT", "/api/runs/7", content=body, headers={"content-type": "application/json"}
        )
        assert set(site.told) == {"id", "Query", "Headers"}


@pytest.mark.parametrize(
    ("level", "key", "claims"),
    [("function", KEY, 3), ("anonymous", KEY, 3), ("anonymous", None, 0)],
)
async def test_function_is_told_who_calls(level: str, key: str | None, claims: int) -> None:
    """One identity: that of the key with its claims, or one that claims nothing."""
    site = Site(an_http_function("runs", level=level))
    await site.ask("GET", "/api/runs", key)
    [identity] = site.seen[0].identities
    assert (len(identity.claims), identity.authentication_type is not None) == (claims, claims > 0)


async def test_forged_identity_is_dropped() -> None:
    """Headers with which Azure tells who signed in are not taken from a caller."""
    site = Site(an_http_function("runs"))
    await site.ask(
        "GET",
        "/api/runs",
        headers={"X-MS-CLIENT-PRINCIPAL": "forged", "X-MS-CLIENT-PRINCIPAL-ID": "forged"},
    )
    assert not [name for name in site.seen[0].headers if "principal" in name]


async def test_answer_is_sent_as_the_function_gave_it() -> None:
    """Status, headers and the body's bytes are the function's."""
    http = Message(
        status_code="207",
        headers={"x-own": "1", "content-type": "image/png"},
        body=TypedData(bytes=b"\x89PNG"),
    )
    answer = await Site(an_http_function("runs"), answer=TypedData(http=http)).ask(
        "GET", "/api/runs"
    )
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (
        207,
        "image/png",
        b"\x89PNG",
    )


async def test_failure_answers_500_without_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    """The caller learns that the function failed, the log learns why."""
    site = Site(an_http_function("runs"), answer=FunctionFailed("act", "ValueError", "the cause"))
    with caplog.at_level(logging.ERROR, "tunedrop.host"):
        answer = await site.ask("GET", "/api/runs")
    assert (answer.status_code, "the cause" in answer.text) == (500, False)
    assert vars(caplog.records[0])["error"] == "the cause"


async def test_event_is_delivered_as_often_as_asked() -> None:
    """POST /admin/events repeats one blob event."""
    site = Site()
    answer = await site.ask(
        "POST", "/admin/events", json={"name": "a.jsonl", "etag": "0x1", "times": 20}
    )
    assert (answer.json()["delivered"], site.events) == (20, [("a.jsonl", "0x1", 20)])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "POST", "key": None, "json": {"name": "a"}}, 401),
        ({"method": "GET"}, 405),
        ({"method": "POST", "content": b"{"}, 400),
        ({"method": "POST", "json": []}, 400),
        ({"method": "POST", "json": {"name": "a", "times": 101}}, 400),
        ({"method": "POST", "json": {"name": "a", "times": "x"}}, 400),
    ],
    ids=["no key", "get", "no json", "no object", "too often", "no number"],
)
async def test_event_is_refused_when_it_is_not_well_asked(
    request_: dict[str, Any], status: int
) -> None:
    """Nothing is delivered without the key and a well-formed body."""
    site = Site()
    method = request_.pop("method")
    assert (await site.ask(method, "/admin/events", **request_)).status_code == status
    assert site.events == []
