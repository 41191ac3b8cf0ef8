"""From request to answer: who asks, what for, which fault strikes, what the ledger keeps."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tunedrop.emulator import multipart, roles
from tunedrop.emulator.arm import errors as arm_errors
from tunedrop.emulator.arm import routes as arm
from tunedrop.emulator.call import Call, Operation, Reply
from tunedrop.emulator.connection import Dropped
from tunedrop.emulator.openai import errors, routes
from tunedrop.emulator.openai.requests import V1
from tunedrop.emulator.refusal import Refusal
from tunedrop.emulator.service import Service
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import SUBSCRIPTION

_BODY_MAX_BYTES = 32 * 2**20
ARM = "arm"


class Dispatcher:
    """Serves the operations of one surface: "v1", "api-version" or "arm"."""

    def __init__(self, service: Service, surface: str) -> None:
        self._service = service
        self._world = service.world
        self._surface = surface

    async def serve(self, request: Request, operation: Operation) -> Response:
        """Answer one request; raises Dropped where a fault says that the caller gets none."""
        call = self._call(request)
        then: Doc | None = None
        try:
            by_key = self._authenticate(request)
            self._check_version(request, call, operation)
            if not by_key:
                self._check_role(operation)
            await self._read_body(request, call, operation)
            self._check_retries(request, operation)
            then = await self._strike(operation, call, "before")
            call.lag_s = max(float((then or {}).get("lag_s", 0.0)), self._world.switches.list_lag_s)
            reply = await run_in_threadpool(self._work, operation, call, request)
        except Refusal as refusal:
            return await self._refused(operation, call, request, refusal)
        except _FaultDrop:
            await self._note(operation, call, request, None, Refusal(0, "dropped", ""))
            raise Dropped from None
        try:
            then = await self._after(operation, call) or then
        except Refusal as refusal:
            return self._error(operation.name, call, refusal)
        return self._encoded(reply, then or {})

    async def missing(self, request: Request, known: list[str]) -> Response:
        """Answer a request for an operation that does not exist here."""
        refusal = (
            arm_errors.not_implemented(known)
            if self._surface == ARM
            else errors.not_implemented(known)
        )
        return self._error("missing", self._call(request), refusal)

    def _call(self, request: Request) -> Call:
        query = dict(request.query_params)
        version = query.pop("api-version", "") if self._surface != V1 else V1
        path = {name: str(value) for name, value in request.path_params.items()}
        return Call(version, str(request.base_url).rstrip("/"), path, query)

    def _authenticate(self, request: Request) -> bool:
        """Whether the caller has the account's key, and not a token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        # The data plane takes the key in either header.
        given = [key.encode() for key in (request.headers.get("api-key", ""), bearer)]
        if self._surface != ARM and any(
            # In constant time, so that no timing tells how much of a key is right.
            hmac.compare_digest(key, self._world.config.api_key.encode())
            for key in given
        ):
            return True
        if bearer:
            return False
        raise arm_errors.unauthenticated() if self._surface == ARM else errors.unauthorized()

    def _check_version(self, request: Request, call: Call, operation: Operation) -> None:
        if self._surface == V1:
            if "api-version" in call.query:
                raise errors.api_version_not_allowed()
        elif self._surface == ARM:
            known = arm.versions(operation)
            if call.version not in known:
                raise arm_errors.api_version(known)
            self._service.management_plane.check_address(call)
        elif call.version not in routes.VERSIONS:
            raise errors.api_version_unknown(routes.VERSIONS)
        if unknown := set(call.query) - operation.query:
            raise errors.unknown_fields(list(unknown), "query")

    def _check_role(self, operation: Operation) -> None:
        """Whether a role of the local identity allows the operation's action, asked anew for each
        call.
        """
        if roles.allowed(self._world.switches, operation.action, operation.scope):
            return
        if self._surface != ARM:
            raise errors.forbidden(self._world.switches.missing_data_role_status)
        subscription = operation.scope == roles.SUBSCRIPTION
        raise arm_errors.forbidden(
            operation.action, f"/subscriptions/{SUBSCRIPTION}" if subscription else arm.ACCOUNT_ID
        )

    def _check_retries(self, request: Request, operation: Operation) -> None:
        """A client that repeats a creating call by itself makes, and pays for, a second thing."""
        creating = operation.name in {
            "files.create",
            "fine_tuning.jobs.create",
            "deployments.create_or_update",
        }
        repeated = request.headers.get("x-stainless-retry-count", "0") != "0"
        if creating and repeated and self._world.switches.client_retries == "refused":
            raise errors.client_retried()

    async def _strike(self, operation: Operation, call: Call, when: str) -> Doc | None:
        """The fault that meets the operation at this time; waits, drops or refuses where it says
        so.
        """

        def ask() -> Doc | None:
            with self._world.store.transaction():
                return self._world.fault(operation.name, when, self._all_told(operation, call))

        then = await run_in_threadpool(ask)
        if then is None:
            return None
        if "drop_connection" in then:
            raise _FaultDrop
        if "delay_s" in then:
            await asyncio.sleep(float(then["delay_s"]))
        if "status" in then:
            raise _answer(then)
        return then

    def _all_told(self, operation: Operation, call: Call) -> str:
        """Where a fault's `about` is looked for: the request, and the file or job that it names."""
        named = [
            self._world.store.get(kind, call.path.get("id", "")) or {} for kind in ("file", "job")
        ]
        marks = [
            str(doc[mark])
            for doc in named
            for mark in ("filename", "suffix", "training_file")
            if mark in doc
        ]
        return " ".join([json.dumps(_told(operation, call)), *call.path.values(), *marks])

    async def _after(self, operation: Operation, call: Call) -> Doc | None:
        """The fault that strikes when the work is done and noted."""
        try:
            return await self._strike(operation, call, "after_commit")
        except _FaultDrop:
            raise Dropped from None

    async def _read_body(self, request: Request, call: Call, operation: Operation) -> None:
        if operation.takes == "form":
            limit = self._world.limits.file_max_bytes
            call.form = await multipart.read(
                request.stream(), request.headers.get("content-type", ""), limit
            )
            if operation.prepare is not None:
                await run_in_threadpool(operation.prepare, call)
            return
        body = await _bounded(request.stream())
        if operation.takes == "nothing" or not body.strip():
            return
        try:
            decoded: Any = json.loads(body)
        except (ValueError, RecursionError):
            decoded = None
        if not isinstance(decoded, dict):
            raise (
                errors.invalid("The body is a JSON object.")
                if self._surface != ARM
                else arm_errors.invalid("The body is a JSON object.")
            )
        call.body = cast("Doc", decoded)

    def _work(self, operation: Operation, call: Call, request: Request) -> Reply:
        # The state machines' work and its ledger entry are one transaction: a killed process never
        # leaves one without the other.
        with self._world.store.transaction():
            self._service.advance()
            try:
                reply = operation.run(call)
            except Refusal as refusal:
                self._append(operation, call, request, None, refusal)
                refusal.noted = True
                failed = refusal
            else:
                self._append(operation, call, request, reply, None)
                return reply
        raise failed

    async def _refused(
        self, operation: Operation, call: Call, request: Request, refusal: Refusal
    ) -> Response:
        if not refusal.noted:
            await self._note(operation, call, request, None, refusal)
        return self._error(operation.name, call, refusal)

    async def _note(
        self,
        operation: Operation,
        call: Call,
        request: Request,
        reply: Reply | None,
        refusal: Refusal | None,
    ) -> None:
        def write() -> None:
            with self._world.store.transaction():
                self._append(operation, call, request, reply, refusal)

        await run_in_threadpool(write)

    def _append(
        self,
        operation: Operation,
        call: Call,
        request: Request,
        reply: Reply | None,
        refusal: Refusal | None,
    ) -> None:
        status = reply.status if reply else refusal.status if refusal and refusal.status else None
        entry: Doc = {
            "operation": operation.name,
            "at": self._world.now(),
            "status": status,
            "cost_usd": 0.0,
            "id": reply.id if reply else call.path.get("id") or call.path.get("name"),
            "request": _told(operation, call),
            "api_version": call.version,
            "retry_count": request.headers.get("x-stainless-retry-count"),
            "committed": operation.writes and reply is not None and reply.status != 204,
        }
        self._world.store.append_entry(entry | ({"code": refusal.code} if refusal else {}))

    def _headers(self) -> dict[str, str]:
        with self._world.store.transaction():
            number = self._world.store.next_hex()
        identity = f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}"
        return dict.fromkeys(
            (
                "x-request-id",
                "apim-request-id",
                *(["x-ms-request-id"] if self._surface == ARM else []),
            ),
            identity,
        )

    def _error(self, name: str, call: Call, refusal: Refusal) -> Response:
        parts: Doc = {
            "code": refusal.code,
            "message": refusal.message,
            "param": refusal.param,
            "inner": refusal.inner,
        }
        if self._surface == ARM:
            body: Doc = {"error": {"code": refusal.code, "message": refusal.message}}
        else:
            body = routes.error_body(
                call.version, name, refusal.status, parts, self._world.switches.v1_error_shape
            )
        return JSONResponse(body, refusal.status, headers={**self._headers(), **refusal.headers})

    def _encoded(self, reply: Reply, then: Doc) -> Response:
        """The answer on the wire, as a fault leaves it."""
        headers = {**self._headers(), **reply.headers}
        if reply.content is not None:
            return StreamingResponse(
                self._pieces(reply), reply.status, headers, "application/octet-stream"
            )
        if reply.body is None:
            return Response(status_code=reply.status, headers=headers)
        text = json.dumps(_patched(reply.body, then.get("patch", {}))).encode()
        match then.get("body"):
            case "truncated":
                text = text[: len(text) // 2]
            case "empty":
                text = b""
            case "page":
                return Response(
                    "<html>The gateway has nothing to say.</html>",
                    reply.status,
                    headers,
                    "text/html",
                )
            case _:
                pass
        return Response(text, reply.status, headers, "application/json")

    def _pieces(self, reply: Reply) -> AsyncIterator[bytes]:
        """File content, read in turns so that a slow reader holds nobody up."""

        async def pieces() -> AsyncIterator[bytes]:
            source = reply.content
            while source is not None and (piece := await run_in_threadpool(self._next, source)):
                yield piece

        return pieces()

    def _next(self, source: Any) -> bytes:
        with self._world.store.transaction():
            return next(source, b"")


class _FaultDrop(Exception):
    """A fault that says: no answer."""


def _patched(body: Doc, patch: Doc) -> Doc:
    """The body with the patch laid over it, object by object."""
    laid = body | patch
    for name, value in patch.items():
        if isinstance(value, dict):
            laid[name] = _patched(body.get(name) or {}, cast("Doc", value))
    return laid


def _answer(then: Doc) -> Refusal:
    if then.get("code") == "content_filter":
        return errors.content_filtered()
    headers = {str(name): str(value) for name, value in then.get("headers", {}).items()}
    if "retry_after" in then:
        headers["retry-after"] = str(then["retry_after"])
    code, message = (
        then.get("code", "serviceUnavailable"),
        then.get("message", "The stand-in was told to answer so."),
    )
    return Refusal(then["status"], code, message, param=then.get("param"), headers=headers)


async def _bounded(stream: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > _BODY_MAX_BYTES:
            raise errors.invalid("The body is too large.")
    return bytes(body)


def _told(operation: Operation, call: Call) -> Doc:
    """What the ledger keeps of a request."""
    # No content of files; chat messages whole, since they are the local oracle.
    if operation.takes == "form":
        upload = call.form.files.get("file")
        return {
            "purpose": call.form.fields.get("purpose"),
            **({"filename": upload.filename, "bytes": upload.size} if upload else {}),
        }
    told: Doc = {"name": call.path["name"]} if "name" in call.path else {}
    return (
        told
        | ({"body": call.body} if call.body else {})
        | ({"query": call.query} if call.query else {})
    )
