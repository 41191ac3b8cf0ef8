"""Hostile requests to the embedded host: each is answered by name, none by a 5xx, and none starts
anything.
"""

import socket
from typing import Any

import httpx2
import pytest

from tests.patience import patience
from tests.runs.stack import Stack

pytestmark = pytest.mark.timeout(150)
JSON = {"Content-Type": "application/json"}
UTF_16 = {"Content-Type": "application/json; charset=utf-16"}


def ask(stack: Stack, method: str, path: str, **request: Any) -> httpx2.Response:
    """One request to the host, with the key unless told otherwise."""
    headers = {"x-functions-key": stack.key, **request.pop("headers", {})}
    headers = {name: value for name, value in headers.items() if value is not None}
    return httpx2.request(
        method,
        f"http://127.0.0.1:{stack.port}{path}",
        headers=headers,
        timeout=patience(30),
        verify=False,
        **request,
    )


BODIES: list[Any] = [
    pytest.param(b"", "syntax error", id="no body"),
    pytest.param(b"[]", "the whole must be an object in braces", id="an array"),
    pytest.param(b'"run"', "the whole must be an object in braces", id="a string"),
    pytest.param(b"null", "the whole must be an object in braces", id="null"),
    pytest.param(b'{"run": 1}', "`run`", id="a number for the name"),
    pytest.param(b'{"run": null}', "`run`", id="null for the name"),
    pytest.param(b'{"run": ["a"]}', "`run`", id="a list for the name"),
    pytest.param(b'{"run": ""}', "`run`", id="empty name"),
    pytest.param(b'{"run": "../etc"}', "`run`", id="traversal in the name"),
    pytest.param(b'{"run": "a/b"}', "`run`", id="slash in the name"),
    pytest.param(b'{"run": "a\\n"}', "`run`", id="newline after the name"),
    pytest.param(b'{"run": "\\ud800"}', "`run`", id="lone surrogate in the name"),
    pytest.param('{"run": "tr\u0430vel"}'.encode(), "`run`", id="Cyrillic letter in the name"),
    pytest.param('{"run": "\u0661"}'.encode(), "`run`", id="Arabic digit for the name"),
    pytest.param(b'{"run": "' + b"a" * 1000 + b'"}', "`run`", id="name of a thousand characters"),
    pytest.param(b'{"rum": "a"}', "did you mean `run`", id="misspelt field"),
    pytest.param(
        b'{"run": "a", "__proto__": {"x": 1}}', "an unknown field", id="prototype pollution"
    ),
    pytest.param(
        b'{"run": "a", "__class__": "C", "__module__": "os", "__data__": "x"}',
        "an unknown field",
        id="custom-object envelope",
    ),
    pytest.param(
        b'{"run": "a", "job": {"__class__": "C", "__module__": "os", "__data__": "x"}}',
        "in job",
        id="envelope in the settings",
    ),
    pytest.param(b'{"run": "a", "run": "b"}', "same field twice", id="the name twice"),
    pytest.param(
        b'{"run": "a", "job": {"seed": 1, "seed": 2}}', "same field twice", id="a setting twice"
    ),
    pytest.param(b'{"run": "a", "job": []}', "`job`", id="a list for the settings"),
    pytest.param(
        b'{"run": "a", "job": {"modle": "x"}}', "did you mean `job.model`", id="misspelt setting"
    ),
    pytest.param(
        b'{"run": "a", "job": {"budget": {"usd": -1}}}', "`job.budget.usd`", id="negative budget"
    ),
    pytest.param(
        b'{"run": "a", "job": {"budget": {"usd": NaN}}}', "NaN and Infinity", id="budget NaN"
    ),
    pytest.param(
        b'{"run": "a", "job": {"budget": {"usd": 1e999}}}', "too large", id="budget 1e999"
    ),
    pytest.param(
        b'{"run": "a", "job": {"seed": ' + b"9" * 5000 + b"}}",
        "too large",
        id="integer of 5,000 digits",
    ),
    pytest.param(
        b'{"run": "a", "job": ' + b'{"a":' * 65 + b"1" + b"}" * 66,
        "nested deeper",
        id="depth of 66",
    ),
    pytest.param(b"[" * 100_000, "nested deeper", id="depth of 100,000"),
    pytest.param(b'{"run": "a",}', "syntax error at line 1", id="trailing comma"),
    pytest.param(b'{"run": "a"} // go', "syntax error at line 1", id="comment"),
    pytest.param(b'\xff\xfe{"run": "a"}', "not UTF-8 at byte 0", id="UTF-16"),
    pytest.param(b'{"run": "a\x00"}', "syntax error", id="NUL in a string"),
    pytest.param(b"run=a", "syntax error", id="a form"),
    pytest.param(b"<run>a</run>", "syntax error", id="XML"),
]


@pytest.mark.parametrize(("body", "told"), BODIES)
def test_body_is_refused_by_name(stack: Stack, body: bytes, told: str) -> None:
    """400 with what is wrong, and nothing of what was sent."""
    refused = ask(stack, "POST", "/api/runs", content=body, headers=JSON)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "TD-HTTP-001")
    assert told in error["message"]
    assert error["fix"]


REQUESTS: list[Any] = [
    pytest.param(
        "POST",
        "/api/runs",
        {"content": b'{"run": "a"}', "headers": {"Content-Type": "text/plain"}},
        415,
        id="text",
    ),
    pytest.param(
        "POST",
        "/api/runs",
        {"content": b'{"run": "a"}', "headers": {"Content-Type": None}},
        415,
        id="no content type",
    ),
    pytest.param(
        "POST", "/api/runs", {"content": b'{"run": "a"}', "headers": UTF_16}, 415, id="charset"
    ),
    pytest.param("POST", "/api/runs", {"files": {"run": b"a"}}, 415, id="multipart"),
    pytest.param(
        "POST",
        "/api/runs",
        {"content": b" " * (256 * 1024 + 1), "headers": JSON},
        413,
        id="body of 256 KB and a byte",
    ),
    pytest.param(
        "POST",
        "/api/runs",
        {"content": b" " * (2 * 2**20), "headers": JSON},
        413,
        id="body of 2 MB",
    ),
    pytest.param(
        "POST", "/api/runs", {"json": {"run": "nothing-here"}}, 404, id="run without a file"
    ),
    pytest.param("GET", "/api/runs?limit=0", {}, 400, id="limit 0"),
    pytest.param("GET", "/api/runs?limit=-1", {}, 400, id="limit -1"),
    pytest.param("GET", "/api/runs?limit=1e3", {}, 400, id="limit 1e3"),
    pytest.param("GET", "/api/runs?limit=%D9%A1", {}, 400, id="limit in Arabic digits"),
    pytest.param("GET", "/api/runs?limit=10001", {}, 400, id="limit over the most"),
    pytest.param("GET", f"/api/runs?limit=000001{'9' * 5000}", {}, 400, id="limit of 5,000 digits"),
    pytest.param("GET", "/api/runs?limit=", {}, 400, id="empty limit"),
    pytest.param("GET", "/api/runs?limit=1%00", {}, 400, id="NUL in the limit"),
    pytest.param("GET", "/api/runs/nobody", {}, 404, id="unknown run"),
    pytest.param("GET", f"/api/runs/{'a' * 1000}", {}, 404, id="id of a thousand characters"),
    pytest.param(
        "GET", "/api/runs/..%2F..%2Fhost.lock", {}, 404, id="traversal by encoded slashes"
    ),
    pytest.param("GET", "/api/runs/../../etc/passwd", {}, 404, id="traversal"),
    pytest.param("GET", "/api/runs/%2e%2e", {}, 404, id="encoded dots"),
    pytest.param("GET", "/api/runs/%252e%252e", {}, 404, id="dots encoded twice"),
    pytest.param("GET", "/api/runs/@entity@x", {}, 404, id="an entity's id"),
    pytest.param(
        "GET", "/api/runs/a%0d%0aSet-Cookie:%20a=b", {}, 404, id="header injection in the id"
    ),
    pytest.param("GET", "/api/runs/%F0%9F%92%A3", {}, 404, id="emoji id"),
    pytest.param("GET", "/api/runs/TRAVEL-1", {}, 404, id="id in capitals"),
    pytest.param("POST", "/api/runs/nobody/cancel", {}, 404, id="cancel of nobody"),
    pytest.param("POST", "/api/runs/@entity@x/cancel", {}, 404, id="cancel of an entity"),
    pytest.param("GET", "/api/runs/a/cancel", {}, 405, id="cancel by GET"),
    pytest.param("DELETE", "/api/runs/a", {}, 405, id="DELETE of a run"),
    pytest.param("PUT", "/api/runs", {"json": {}}, 405, id="PUT of runs"),
    pytest.param("TRACE", "/api/runs", {}, 405, id="TRACE"),
    pytest.param(
        "OPTIONS",
        "/api/runs",
        {"headers": {"Origin": "https://evil.example"}},
        403,
        id="CORS preflight",
    ),
    pytest.param(
        "POST",
        "/api/runs",
        {"json": {"run": "a"}, "headers": {"x-functions-key": None}},
        401,
        id="no key",
    ),
    pytest.param(
        "GET", "/api/runs", {"headers": {"x-functions-key": "guess"}}, 401, id="wrong key"
    ),
    pytest.param(
        "GET",
        "/api/runs?code=guess",
        {"headers": {"x-functions-key": None}},
        401,
        id="wrong key in the query",
    ),
    pytest.param(
        "GET",
        "/api/openapi.json",
        {"headers": {"x-functions-key": None}},
        401,
        id="description without a key",
    ),
    pytest.param(
        "GET",
        "/api/runs",
        {"headers": {"x-functions-key": None, "X-MS-CLIENT-PRINCIPAL": "e30="}},
        401,
        id="forged principal for a key",
    ),
    pytest.param("GET", "/api/runs", {"headers": {"Host": "evil.example"}}, 403, id="foreign Host"),
    pytest.param(
        "GET",
        "/api/health",
        {"headers": {"Host": "rebound.evil.example:7071"}},
        403,
        id="DNS rebinding",
    ),
    pytest.param(
        "GET",
        "/api/runs",
        {"headers": {"Host": "169.254.169.254"}},
        403,
        id="metadata address as Host",
    ),
    pytest.param(
        "POST",
        "/admin/events",
        {"json": {"name": "x"}, "headers": {"x-functions-key": None}},
        401,
        id="events without a key",
    ),
    pytest.param(
        "GET", "/runtime/webhooks/durabletask/instances", {}, 404, id="Durable's management API"
    ),
    pytest.param(
        "POST",
        "/runtime/webhooks/durabletask/orchestrators/run",
        {"json": {}},
        404,
        id="start by Durable's API",
    ),
    pytest.param("GET", "/admin/host/keys", {}, 404, id="the host's keys"),
    pytest.param("GET", "/api/../host.json", {}, 404, id="traversal to a file"),
]


@pytest.mark.parametrize(("method", "path", "request_", "status"), REQUESTS)
def test_request_is_refused(
    stack: Stack, method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    """By its status, as JSON, and with no header that opens anything to another origin."""
    refused = ask(stack, method, path, **request_)
    assert refused.status_code == status
    assert refused.json()["error"]["message"]
    assert not [
        name
        for name in refused.headers
        if name.lower().startswith(("access-control", "set-cookie"))
    ]


RAW: list[Any] = [
    pytest.param(b"GET /api/runs HTTP/1.1\r\n\r\n", b"400", id="no Host at all"),
    pytest.param(
        b"GET /api/health HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n",
        b"400",
        id="two Hosts",
    ),
    pytest.param(
        (
            b"POST /api/runs HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: "
            b"chunked\r\n\r\n0\r\n\r\n"
        ),
        b"40",
        id="length and chunks",
    ),
    pytest.param(
        b"POST /api/runs HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"40",
        id="chunk that lies",
    ),
    pytest.param(
        b"GET /api/health HTTP/1.1\r\nHost: {host}\r\nX-A: a\x00b\r\n\r\n",
        b"400",
        id="NUL in a header",
    ),
    pytest.param(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"400",
        id="TLS to a plain port",
    ),
    pytest.param(
        b"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"404",
        id="absolute address of another host",
    ),
]


@pytest.mark.parametrize(("sent", "status"), RAW)
def test_bytes_that_no_client_sends_are_refused(stack: Stack, sent: bytes, status: bytes) -> None:
    """A 4xx, or a closed line: never a 5xx, and the host goes on."""
    with socket.create_connection(("127.0.0.1", stack.port), 10) as line:
        line.sendall(sent.replace(b"{host}", f"127.0.0.1:{stack.port}".encode()))
        first = line.recv(1024).split(b"\r\n")[0]
    assert first == b"" or status in first
    assert ask(stack, "GET", "/api/health").json() == {"status": "ok", "missing": []}


def test_key_in_the_query_is_taken_as_azure_takes_it(stack: Stack) -> None:
    """Clients of Azure Functions may send it so; the log has no word of it
    (tests/runs/test_secrets.py).
    """
    answered = ask(stack, "GET", f"/api/runs?code={stack.key}", headers={"x-functions-key": None})
    assert answered.status_code == 200


def test_forged_forwarding_changes_no_answer(stack: Stack) -> None:
    """No answer holds an address that a caller could have named."""
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "10.0.0.1",
        "Forwarded": "host=evil.example",
    }
    for path in ("/api/runs", "/api/health", "/api/openapi.json"):
        answered = ask(stack, "GET", path, headers=forged)
        assert "evil.example" not in answered.text + str(answered.headers)


def test_no_hostile_request_started_anything(stack: Stack) -> None:
    """After all of them, no run is called like one of theirs."""
    for body in BODIES:
        ask(stack, "POST", "/api/runs", content=body.values[0], headers=JSON)
    assert not stack.runs("a")
