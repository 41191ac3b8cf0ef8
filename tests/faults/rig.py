"""The whole app in this process: real orchestrators and activities on the real engine, at a pace
that waits for next to nothing.

Azurite is the storage and the stand-in the service, both over HTTP. What the embedded host adds,
triggers and restarts, is tested with processes (tests/runs/, the kill matrix).
"""

import faulthandler
import functools
import inspect
import logging
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from azure.durable_functions import SyncDurableFunctionsClient
from azure.storage.blob import BlobServiceClient, ContainerClient
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient
from durabletask.task import ActivityContext
from durabletask.worker import ConcurrencyOptions, TaskHubGrpcWorker

from orchestrators.names import VERSION, WAKE, Activity, Orchestrator
from shared import settings
from shared.models.base import wire
from shared.models.drop import Drop, drop_of
from shared.models.messages import RunStep, StartRun
from shared.models.pace import Pace
from shared.models.record import RunRecord
from shared.runs.ledger import Ledger, open_ledger
from shared.runs.result_files import report_path
from shared.services import azure_openai, credentials, resource_manager, storage
from tests.azurite import running_azurite
from tests.faults.blob_roles import APP
from tests.faults.proxy import Proxy, before
from tests.patience import patience, until
from tests.runs.stack import ACCOUNT, PLENTY, WALLET, running_emulator, unhurried
from triggers.starting import start_once
from tunedrop.host.engine import Engine
from tunedrop.host.worker import LOOPBACK

NETS = ("smoke_deadline_s", "file_deadline_s", "job_deadline_s", "deployment_deadline_s")
# A second stands for a minute and more.
PACE = unhurried(
    Pace(
        settle_s=0,
        poll_first_s=0.05,
        poll_most_s=0.3,
        brief_s=0.1,
        retry_first_s=0.05,
        retry_most_s=0.2,
        call_s=1.5,
        list_lag_s=1.5,
        first_answer_s=0.05,
        smoke_deadline_s=2,
        file_deadline_s=20,
        job_deadline_s=20,
        deployment_deadline_s=20,
        take_back_s=10,
        upload_s=3,
    ),
    *NETS,
)
STOP_S = 60
SERVICE_KEY = {"api-key": "stand-in-key"}
SERVICE = {"file": 0.1, "job": 0.4, "deployment": 0.2, "readiness": 0.1, "deletion": 0.1}
CACHES: tuple[Any, ...] = (
    settings.settings,
    settings.storage_connection,
    vars(storage)["_service"],
    azure_openai.connect,
    resource_manager.connect,
    credentials.credential,
)


@dataclass
class Rig:
    """The app, and what a test asks of it and of the service."""

    emulator: str
    hub: TaskHubGrpcClient
    ledger: Ledger
    proxy: Proxy
    """What stands between the app and its storage; the app has the roles of
    docs/security.md there.
    """
    uploads: ContainerClient
    """The container of the drops, as an uploader reaches it."""
    http: httpx2.Client = field(
        default_factory=lambda: httpx2.Client(
            verify=False, headers=SERVICE_KEY, timeout=patience(30)
        )
    )

    def put(self, name: str, training: bytes, blob: str = "{}.jsonl") -> Drop:
        """Puts a training file, and answers the drop; nothing is started yet."""
        container, blob = storage.training(), blob.format(name)
        self.upload(blob, training)
        facts = container.facts(blob)
        drop = drop_of(container.account, container.name, blob, facts.etag if facts else "")
        assert drop is not None
        return drop

    def upload(self, blob: str, content: bytes) -> None:
        """Puts a blob into the container of the drops, as an uploader does: the app itself may only
        read there.
        """
        self.uploads.upload_blob(blob, content, overwrite=True)

    def start(self, drop: Drop, pace: Pace = PACE, job: dict[str, Any] | None = None) -> str:
        """Claims and starts the run of a drop, as a trigger does; its id."""
        now = datetime.now(UTC)
        assert self.ledger.claim(
            RunRecord(id=drop.run_id, drop=drop, created_at=now, updated_at=now, job_settings=job)
        )
        given = wire(StartRun(run_id=drop.run_id, pace=pace, version=VERSION))
        return self.hub.schedule_new_orchestration(
            Orchestrator.RUN.value, input=given, instance_id=drop.run_id
        )

    def hear(self, drop: Drop) -> bool:
        """What a trigger or a sweep does with a drop; whether it started the run."""
        return start_once(cast("SyncDurableFunctionsClient", self.hub), self.ledger, drop)

    def cancel(self, run_id: str) -> None:
        """Cancels a run, as the HTTP API does."""
        self.ledger.change(
            run_id, lambda record, now: record.model_copy(update={"cancel_requested_at": now})
        )
        self.hub.raise_orchestration_event(run_id, WAKE)
        self.hub.raise_orchestration_event(f"{run_id}-train", WAKE)

    def ended(self, run_id: str, seconds: float = 40) -> RunRecord:
        """The record of a run, once its orchestration has ended."""
        state = self.hub.wait_for_orchestration_completion(run_id, timeout=patience(seconds))
        assert state is not None
        assert state.runtime_status is OrchestrationStatus.COMPLETED, state.failure_details
        return self.ledger.get(run_id).record

    def execute(self, activity: Activity, run_id: str) -> dict[str, Any]:
        """One more execution of an activity, now; what it answers."""
        return inspect.unwrap(_written(f"activities.{activity}"))(
            wire(RunStep(run_id=run_id, pace=PACE))
        )

    def fault(
        self,
        on: str,
        then: object,
        *,
        about: str | None = None,
        when: str = "before",
        times: int | None = 1,
        skip: int = 0,
    ) -> None:
        """Plans a fault of the service."""
        told = {"on": on, "then": then, "when": when, "times": times, "skip": skip}
        self.control("POST", "faults", told | ({"about": about} if about else {}))

    def control(self, method: str, path: str, body: object = None) -> Any:
        """The stand-in's control surface."""
        return (
            self.http.request(method, f"{self.emulator}/_tunedrop/{path}", json=body)
            .raise_for_status()
            .json()
        )

    def asked(self, operation: str, run_id: str) -> list[dict[str, Any]]:
        """What the service did for a run, by its own ledger: committed calls of one operation whose
        request names the run.
        """
        entries: list[dict[str, Any]] = self.control("GET", "ledger")["entries"]
        return [
            e
            for e in entries
            if e["operation"] == operation and e["committed"] and run_id in str(e)
        ]

    def jobs(self, run_id: str) -> list[dict[str, Any]]:
        """The jobs that the service made for a run, oldest first, as they are now."""
        there = {job["id"]: job for job in self.control("GET", "state")["jobs"]}
        return [
            there.get(e["id"], {"status": "deleted"})
            for e in self.asked("fine_tuning.jobs.create", run_id)
        ]

    def left(self, run_id: str) -> list[str]:
        """What the service still holds of a run: files and deployments."""
        state = self.control("GET", "state")
        return [
            text
            for kind in ("files", "deployments")
            for thing in state[kind]
            if run_id in (text := str(thing))
        ]

    def reported(self, record: RunRecord) -> str:
        """The report of a run, as JSON text; empty where there is none."""
        return self.page(record, "report.json")

    def page(self, record: RunRecord, name: str = "report.html") -> str:
        """A file of a run's report; empty where there is none."""
        stored = storage.reports().read(report_path(record, name))
        return stored.content.decode() if stored else ""

    def until[T](self, ask: Callable[[], T | None]) -> T:
        """The first answer that is neither None nor False."""
        return until(ask)


@contextmanager
def running_rig(**app: str) -> Generator[Rig]:
    """A rig on a storage and a service of its own; `app` are more app settings."""
    with ExitStack() as ending:
        direct = ending.enter_context(running_azurite())
        connection, proxy = ending.enter_context(before(direct))
        folder = ending.enter_context(tempfile.TemporaryDirectory())
        emulator = ending.enter_context(running_emulator(Path(folder), "fast"))
        ending.enter_context(_settings(connection, emulator, app))
        for container in (storage.training(), storage.reports(), storage.ledger()):
            container.create()
        proxy.roles = APP
        uploads = BlobServiceClient.from_connection_string(direct).get_container_client("training")
        yield Rig(emulator, ending.enter_context(_working()), open_ledger(), proxy, uploads)


@contextmanager
def _settings(connection: str, emulator: str, app: dict[str, str]) -> Generator[None]:
    given = {
        "DropStorage": connection,
        "TUNEDROP_OPENAI_ENDPOINT": emulator,
        "TUNEDROP_ARM_ENDPOINT": emulator,
        "TUNEDROP_ACCOUNT": ACCOUNT,
        "TUNEDROP_CREDENTIAL": "stand-in",
        "TUNEDROP_PACE": PACE.model_dump_json(),
        "TUNEDROP_LIMITS": str(PLENTY).replace("'", '"'),
        **WALLET,
        **app,
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value)
        _forget()
        try:
            yield
        finally:
            _forget()


def _forget() -> None:
    """What the app caches of its settings is read anew."""
    for cache in CACHES:
        cache.cache_clear()


@contextmanager
def _working() -> Generator[TaskHubGrpcClient]:
    """An engine, and a worker with every orchestrator and activity of the app."""
    # A logger of its own has no handler of durabletask's.
    quiet = logging.getLogger("tests.faults.rig")
    quiet.setLevel(logging.CRITICAL)
    engine = Engine()
    address = engine.start()
    at_once = ConcurrencyOptions(
        maximum_concurrent_activity_work_items=24, maximum_thread_pool_workers=36
    )
    worker = TaskHubGrpcWorker(
        host_address=address,
        metadata=engine.metadata,
        concurrency_options=at_once,
        resiliency_options=LOOPBACK,
        emit_trace_spans=False,
        logger=quiet,
    )
    for name in Orchestrator:
        worker.add_orchestrator(_written(f"orchestrators.{name}").orchestrator_function)
    hub = TaskHubGrpcClient(host_address=address, metadata=engine.metadata, logger=quiet)
    for name in Activity:
        worker.add_activity(_activity(name, hub))
    worker.start()
    try:
        yield hub
    finally:
        hub.close()
        _stop(worker)
        engine.stop(0)


def _stop(worker: TaskHubGrpcWorker) -> None:
    """Stops a worker, whose own stop waits without an end: by now every run has been judged, so a
    hang shows its threads and goes on.
    """
    stopping = threading.Thread(target=worker.stop, daemon=True)
    stopping.start()
    stopping.join(STOP_S)
    if stopping.is_alive():
        faulthandler.dump_traceback()


def _activity(
    name: str, hub: TaskHubGrpcClient
) -> Callable[[ActivityContext, dict[str, Any]], dict[str, Any]]:
    """An activity as the engine calls it; what the app registers takes the request, and a client of
    the engine where it wants one.
    """
    registered = inspect.unwrap(_written(f"activities.{name}"))
    more = {"client": hub} if "client" in inspect.signature(registered).parameters else {}

    @functools.wraps(registered)
    def act(_context: ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
        return registered(request, **more)

    return act


def _written(module: str) -> Any:
    """The function as it was written, below what the decorators made of it."""
    builder = getattr(import_module(module), module.rpartition(".")[2])
    return builder._function.get_user_function()
