"""Azure OpenAI and ARM: the stand-in's own state machines, without its HTTP server, on the virtual
clock.

Its record of what was asked and made is the oracle of the invariants; nothing of our ledger is.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.runs.marks import run_of_file
from tests.faults.simulator.stage import Stage
from tunedrop.emulator import multipart, pace, regions, roles, switches
from tunedrop.emulator.arm import errors as arm_errors
from tunedrop.emulator.call import Call, Operation, Reply
from tunedrop.emulator.openai import errors, routes
from tunedrop.emulator.openai.requests import V1
from tunedrop.emulator.pace import Pace
from tunedrop.emulator.refusal import Refusal
from tunedrop.emulator.service import Service
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import Config

BASE = "http://127.0.0.1:9"
ARM = "arm"
CREATING = frozenset({"files.create", "fine_tuning.jobs.create", "deployments.create_or_update"})
PLENTY = {
    **{
        "files_max": 10_000,
        "jobs_max": 10_000,
        "fine_tuned_deployments_max": 1000,
        "deployments_max": 1000,
    },
    **{"quota_units": 1_000_000, "fine_tuned_quota_units": 1_000_000},
}


@dataclass(frozen=True)
class Request:
    """One request, before it is known what it asks for."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes


@dataclass(frozen=True)
class Answer:
    """One answer on the wire."""

    status: int
    content: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Asked:
    """One line of the provider's record: a request that reached it, and what came of it."""

    operation: str
    at: float
    sent_at: float
    status: int
    id: str | None
    about: str
    """The run of a job by its file, the name of a file or of a deployment: whose it is."""
    committed: bool
    retry_count: str
    digest: str | None
    """The SHA-256 of an uploaded file."""


@dataclass(frozen=True)
class Matched:
    """A request with the operation that it asks for."""

    surface: str
    operation: Operation
    path: dict[str, str]
    query: dict[str, str]
    request: Request


class Provider:
    """One account of Azure OpenAI, and ARM in front of it."""

    def __init__(
        self,
        stage: Stage,
        seed: int,
        speed: Pace,
        limits: dict[str, int] | None = None,
        region: str = regions.DEFAULT,
    ) -> None:
        self.record: list[Asked] = []
        self._stage = stage
        self._names: dict[str, str] = {}
        limits = PLENTY | (limits or {})
        self.service = Service(
            Config(
                seed=seed,
                time_source=lambda: stage.now.timestamp(),
                limits=limits,
                pace=speed,
                region=region,
            )
        )
        plane = self.service.data_plane
        self._routes = [
            *(_route(V1, "/openai/v1", operation) for operation in plane.operations(V1)),
            *(
                _route("api-version", "/openai", operation)
                for operation in plane.operations("api-version")
            ),
            *(
                _route(ARM, "", operation)
                for operation in self.service.management_plane.operations()
            ),
        ]

    def close(self) -> None:
        """Gives the stand-in's database back."""
        self.service.world.store.close()

    def matched(self, request: Request) -> Matched:
        """What a request asks for."""
        parts = urlsplit(request.url)
        for surface, method, pattern, operation in self._routes:
            if method == request.method and (found := pattern.fullmatch(parts.path)):
                return Matched(
                    surface,
                    operation,
                    found.groupdict(),
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    request,
                )
        message = f"the stand-in has no {request.method} {parts.path}"
        raise LookupError(message)

    def answer(self, wanted: Matched, sent_at: float, lag_s: float) -> Answer:
        """Does what is asked, keeps it in the record, and answers."""
        world, operation = self.service.world, wanted.operation
        call = _call(wanted, lag_s, world.limits.file_max_bytes)
        with world.store.transaction():
            self.service.advance()
            try:
                self._check_role(wanted)
                reply = operation.run(call)
                status, answer = reply.status, _encoded(reply)
            except Refusal as refusal:
                reply, status, answer = None, refusal.status, _refused(wanted, call, refusal)
        made = operation.writes and reply is not None and status != 204
        about = self._about(call)
        digest = (
            hashlib.sha256(b"".join(call.form.files["file"].chunks())).hexdigest()
            if call.form.files
            else None
        )
        retries = wanted.request.headers.get("x-stainless-retry-count", "0")
        id_ = (reply.id if reply else None) or call.path.get("id")
        if made and call.form.files:
            self._names[str(id_)] = about
        self.record.append(
            Asked(operation.name, world.now(), sent_at, status, id_, about, made, retries, digest)
        )
        self._stage.note("provider", operation.name, status, about)
        return answer

    def _check_role(self, wanted: Matched) -> None:
        """As `tunedrop/emulator/dispatch.py` does it for a caller who has no key."""
        operation, held = wanted.operation, self.service.world.switches
        if roles.allowed(held, operation.action, operation.scope):
            return
        if wanted.surface != ARM:
            raise errors.forbidden(held.missing_data_role_status)
        raise arm_errors.forbidden(operation.action, operation.scope)

    def switch(self, **positions: bool) -> None:
        """Puts switches of the stand-in in other positions."""
        with self.service.world.store.transaction():
            self.service.world.switches = switches.changed(self.service.world.switches, positions)
        self._stage.note("switched", positions)

    def _about(self, call: Call) -> str:
        if call.form.files:
            return str(call.form.files["file"].filename)
        return self.run_of(call.body) or str(call.path.get("name") or "")

    def run_of(self, job: Doc) -> str | None:
        """The run whose training file a job has: the suffix is anybody's to choose."""
        return run_of_file(self._names.get(str(job.get("training_file")), ""))

    def training_bills(self) -> Counter[str]:
        """Dollars that each job's training was charged with, by the job's id."""
        with self.service.world.store.transaction():
            self.service.advance()
            bills: Counter[str] = Counter()
            for entry in self.service.world.store.entries():
                if entry["operation"] == "fine_tuning.jobs.billed":
                    bills[entry["id"]] += entry["cost_usd"]
            return bills

    def hosting(self) -> list[Doc]:
        """What stood, from when until when, and its price an hour."""
        with self.service.world.store.transaction():
            self.service.advance()
            return self.service.deployments.costs()

    def docs(self, kind: str) -> list[Doc]:
        """The things of a kind as they are now: file, job or deployment."""
        with self.service.world.store.transaction():
            self.service.advance()
            return self.service.world.store.all(kind)

    def doom(self, thing: str, then: Doc | str) -> None:
        """Decides the fate of the next thing of a kind."""
        with self.service.world.store.transaction():
            self.service.world.add_faults([{"on": thing, "then": then}])

    def own_deployment(self, name: str) -> None:
        """Puts a deployment of a base model that belongs to somebody else, as it stands when it is
        ready.
        """
        body: Doc = {"sku": {"name": "GlobalStandard", "capacity": 1}}
        body["properties"] = {
            "model": {"format": "OpenAI", "name": "gpt-4.1-mini", "version": "2025-04-14"}
        }
        with self.service.world.store.transaction():
            self.service.deployments.put(name, body)
        speed, self.service.world.pace = self.service.world.pace, pace.INSTANT
        self.docs("deployment")
        self.service.world.pace = speed


def _route(
    surface: str, root: str, operation: Operation
) -> tuple[str, str, re.Pattern[str], Operation]:
    pattern = re.sub(
        r"\{(\w+)\}",
        r"(?P<\1>[^/]+)",
        re.escape(root + operation.path).replace(r"\{", "{").replace(r"\}", "}"),
    )
    return surface, operation.method, re.compile(pattern), operation


def _call(wanted: Matched, lag_s: float, most_bytes: int) -> Call:
    query = dict(wanted.query)
    version = V1 if wanted.surface == V1 else query.pop("api-version", "")
    call = Call(version, BASE, dict(wanted.path), query, lag_s=lag_s)
    if wanted.operation.takes == "form":
        call.form = _driven(
            multipart.read(
                _stream(wanted.request.content), wanted.request.headers["content-type"], most_bytes
            )
        )
    elif wanted.operation.takes == "json" and wanted.request.content.strip():
        call.body = json.loads(wanted.request.content)
    return call


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _driven[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    message = "the coroutine waits for something"
    raise RuntimeError(message)


def _encoded(reply: Reply) -> Answer:
    headers = {"content-type": "application/json", "x-request-id": "simulated", **reply.headers}
    if reply.content is not None:
        return Answer(
            reply.status,
            b"".join(reply.content),
            headers | {"content-type": "application/octet-stream"},
        )
    return Answer(
        reply.status, json.dumps(reply.body).encode() if reply.body is not None else b"", headers
    )


def _refused(wanted: Matched, call: Call, refusal: Refusal) -> Answer:
    parts: Doc = {
        "code": refusal.code,
        "message": refusal.message,
        "param": refusal.param,
        "inner": refusal.inner,
    }
    if wanted.surface == ARM:
        body: Doc = {"error": {"code": refusal.code, "message": refusal.message}}
    else:
        body = routes.error_body(
            call.version, wanted.operation.name, refusal.status, parts, "openai"
        )
    return Answer(
        refusal.status,
        json.dumps(body).encode(),
        {"content-type": "application/json", **refusal.headers},
    )
