"""HTTP triggers: an ASGI application for callers on this machine. Functions that are not anonymous
need the key, in `x-functions-key` or `?code=`; one that fails answers 500 and nothing of its error.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tunedrop.host.errors import FunctionFailed
from tunedrop.host.functions import Function
from tunedrop.host.logs import log_failure
from tunedrop.host.messages import Message, TriggerData, TypedData
from tunedrop.host.request import anonymous, metadata_of, with_the_key
from tunedrop.host.routes import Route

BODY_MAX_BYTES = 2**20
EVENTS_MAX = 100  # deliveries by one request of /admin/events

type Invoke = Callable[[Function, Message, TriggerData], Awaitable[TypedData | None]]
type Deliver = Callable[[str, str, int], Awaitable[dict[str, int]]]


def application(
    routes: Sequence[Route], invoke: Invoke, deliver: Deliver, key: str, port: int
) -> ASGIApp:
    """The ASGI application; `deliver`, for tests, takes a blob's name, its ETag and how often."""

    async def answer(request: Request) -> Response:
        # A page elsewhere can't reach it by DNS rebinding, since the Host header must name loopback
        # and the port, nor send to it, since an Origin must be the host's own; there is no CORS.
        if request.headers.get("host", "") not in _own_hosts(port):
            return refusal(
                HTTPStatus.FORBIDDEN, "The Host header must name this machine and this port."
            )
        if (origin := request.headers.get("origin")) is not None and origin not in _own_origins(
            port
        ):
            return refusal(HTTPStatus.FORBIDDEN, "A page of another origin may not ask this host.")
        if request.url.path == "/admin/events":
            return await _events(request, deliver, key)
        return await _function(request, routes, invoke, key)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            response = await answer(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    return app


def refusal(
    status: HTTPStatus, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The body of each error that the host itself answers, in the form of the app's own errors."""
    code = status.phrase.title().replace(" ", "")
    return JSONResponse({"error": {"code": code, "message": message, "fix": None}}, status, headers)


def _own_hosts(port: int) -> frozenset[str]:
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


def _own_origins(port: int) -> frozenset[str]:
    return frozenset(f"http://{host}" for host in _own_hosts(port))


async def _function(
    request: Request, routes: Sequence[Route], invoke: Invoke, key: str
) -> Response:
    matching = [
        (route, params) for route in routes if (params := route.match(request.url.path)) is not None
    ]
    if not matching:
        return refusal(HTTPStatus.NOT_FOUND, "There is no such route.")
    allowed = next(
        (pair for pair in matching if not pair[0].methods or request.method in pair[0].methods),
        None,
    )
    if allowed is None:
        methods = sorted({method for route, _ in matching for method in route.methods})
        return refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "This route has no such method.",
            {"Allow": ", ".join(methods)},
        )
    route, params = allowed
    known = _authorized(request, key)
    if (
        str(route.function.trigger.get("authLevel", "function")).lower() != "anonymous"
        and not known
    ):
        return _unauthorized()
    body = await _body(request)
    if body is None:
        return _too_large()
    try:
        message = _message(request, params, body, with_the_key() if known else anonymous())
        return _response(await invoke(route.function, message, metadata_of(message)))
    except FunctionFailed as failure:
        log_failure(failure)
        return refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"The function {route.function.name} failed; the host's log tells why.",
        )


def _authorized(request: Request, key: str) -> bool:
    given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
    return secrets.compare_digest(given.encode(), key.encode())


def _unauthorized() -> Response:
    return refusal(
        HTTPStatus.UNAUTHORIZED, "A function key is needed, in the header x-functions-key."
    )


def _too_large() -> Response:
    return refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"A body has at most {BODY_MAX_BYTES} bytes.",
        {"Connection": "close"},
    )


async def _body(request: Request) -> bytes | None:
    """The whole body, or None where it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            return None
    return bytes(body)


def _message(request: Request, params: dict[str, str], body: bytes, identity: Message) -> Message:
    # Only Azure's own sign-in may say who the caller is, and there is none here.
    headers = {
        name: value
        for name, value in request.headers.items()
        if not name.startswith("x-ms-client-principal")
    }
    return Message(
        method=request.method,
        url=str(request.url),
        headers=headers,
        body=TypedData(bytes=body) if body else TypedData(),
        params=params,
        query=dict(request.query_params),
        identities=[identity],
    )


def _response(value: TypedData | None) -> Response:
    match value.WhichOneof("data") if value else None:
        case None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        case "http":
            http = value.http if value else Message()
            return Response(http.body.bytes, int(http.status_code), http.headers)
        case _:
            return Response(next(iter(vars(value).values())), media_type="text/plain")


async def _events(request: Request, deliver: Deliver, key: str) -> Response:
    if request.method != "POST":
        return refusal(
            HTTPStatus.METHOD_NOT_ALLOWED, "This route has no such method.", {"Allow": "POST"}
        )
    if not _authorized(request, key):
        return _unauthorized()
    body = await _body(request)
    if body is None:
        return _too_large()
    try:
        wanted = json.loads(body)
        name, etag, times = (
            str(wanted["name"]),
            str(wanted.get("etag", "")),
            int(wanted.get("times", 1)),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return refusal(
            HTTPStatus.BAD_REQUEST,
            'The body must be {"name": blob, "etag": ETag, "times": number}.',
        )
    if not 1 <= times <= EVENTS_MAX:
        return refusal(
            HTTPStatus.BAD_REQUEST, f"An event can be delivered 1 to {EVENTS_MAX} times."
        )
    return JSONResponse(await deliver(name, etag, times))
