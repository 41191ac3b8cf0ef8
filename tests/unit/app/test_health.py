"""Health names what is missing, the sweep makes what it may, and no error of storage or engine
leaves a caller without an answer.
"""

import inspect
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import azure.functions as func
import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
import pytest
from azure.storage.blob import BlobServiceClient
from durabletask.client import TaskHubGrpcClient

from shared import settings
from shared.errors import InternalError, RecordUnreadable, ServiceRejected, ServiceUnavailable
from shared.models.record import Entered, Step
from shared.runs.ledger import open_ledger
from shared.services import storage
from shared.services.storage import ContainerMissing, NotAllowed, TooLarge
from tests.azurite import azurite, connection_string, free_port
from tests.builders import a_record
from triggers import health, starting
from triggers import sweep as sweeping
from triggers.answers import served
from tunedrop.host.engine import Engine

__all__ = ["azurite"]


@pytest.fixture
def account(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlobServiceClient]:
    """A storage whose containers for TuneDrop have names that nobody has used."""
    mark = secrets.token_hex(6)
    monkeypatch.setenv("DropStorage", azurite)
    monkeypatch.setenv("TUNEDROP_OPENAI_ENDPOINT", "http://127.0.0.1:9")
    for kind in ("TRAINING", "REPORTS", "LEDGER"):
        monkeypatch.setenv(f"TUNEDROP_{kind}_CONTAINER", f"{kind.lower()}-{mark}")
    forget()
    with BlobServiceClient.from_connection_string(azurite) as service:
        yield service
    forget()


def forget() -> None:
    """What the app caches of its settings is read anew."""
    for cached in (settings.settings, settings.storage_connection, vars(storage)["_service"]):
        cached.cache_clear()


class Stuck(Engine):
    """An engine that takes orchestrations and never hands one out, as where the host refuses the
    orchestrators; some calls lose a race.
    """

    def __init__(self) -> None:
        super().__init__()
        self.races: dict[str, grpc.StatusCode] = {}

    def TerminateInstance(
        self, request: pb.TerminateRequest, context: grpc.ServicerContext
    ) -> pb.TerminateResponse:
        """Refused where the instance changed meanwhile."""
        self._lose("terminate", context)
        return super().TerminateInstance(request, context)

    def PurgeInstances(
        self, request: pb.PurgeInstancesRequest, context: grpc.ServicerContext
    ) -> pb.PurgeInstancesResponse:
        """Refused where the instance changed meanwhile."""
        self._lose("purge", context)
        return super().PurgeInstances(request, context)

    def end(self, instance: str) -> None:
        """It is terminated, without a worker that would see to it."""
        self._instances[instance].status = pb.ORCHESTRATION_STATUS_TERMINATED

    def _lose(self, call: str, context: grpc.ServicerContext) -> None:
        if call in self.races:
            context.abort(self.races[call], "it is not what it was")


@pytest.fixture
def engine() -> Iterator[Stuck]:
    """It, and it answers."""
    made = Stuck()
    made.start()
    yield made
    made.stop(0)


@pytest.fixture
def client(engine: Stuck) -> Iterator[TaskHubGrpcClient]:
    """A client of the engine."""
    made = TaskHubGrpcClient(host_address=f"127.0.0.1:{engine._port}", metadata=engine.metadata)  # pyright: ignore[reportPrivateUsage]
    yield made
    made.close()


def undecorated(function: Any) -> Any:
    """What the app registers, below its decorators."""
    return inspect.unwrap(function._function.get_user_function())


def asked() -> tuple[int, dict[str, Any]]:
    """Status and body of GET /api/health."""
    answer: func.HttpResponse = undecorated(health.health)(
        func.HttpRequest("GET", "/api/health", body=b"")
    )
    return answer.status_code, json.loads(answer.get_body())


def sweep(client: TaskHubGrpcClient) -> None:
    """What the timer does."""
    undecorated(sweeping.sweep)(None, client)


def test_health_names_each_container_that_is_missing(account: BlobServiceClient) -> None:
    """Before, it said ok, and the first drop ended in the poison queue."""
    missing = ["ledger container", "training container", "reports container"]
    assert asked() == (503, {"status": "incomplete", "missing": missing})
    storage.training().create()
    storage.ledger().create()
    assert asked() == (503, {"status": "incomplete", "missing": ["reports container"]})


def test_sweep_makes_what_is_missing(account: BlobServiceClient, client: TaskHubGrpcClient) -> None:
    """So the app is whole within one sweep of its first start, and health says so."""
    sweep(client)
    assert asked() == (200, {"status": "ok", "missing": []})


def test_health_says_that_storage_is_away(
    account: BlobServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else is missing can't be known then."""
    monkeypatch.setenv("DropStorage", connection_string(free_port()))
    forget()
    assert asked() == (503, {"status": "storage unavailable", "missing": []})


def test_sweep_starts_nothing_where_the_ledger_was_lost(
    account: BlobServiceClient, client: TaskHubGrpcClient
) -> None:
    """Every drop would be trained again; what is lost is named until somebody brings it back."""
    storage.reports().put("travel-1/report.html", b"")
    storage.training().put("travel.jsonl", b"{}\n")
    with pytest.raises(ContainerMissing):
        sweep(client)
    assert asked()[1]["missing"] == ["ledger container"]


def test_drops_that_can_not_be_looked_through_keep_nothing_else_from_being_done(
    account: BlobServiceClient, client: TaskHubGrpcClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that is missing there keeps no place from those that wait, and no deployment that
    nobody owns standing.
    """
    done: list[str] = []

    def refused(*_: object) -> None:
        raise NotAllowed("training", "AuthorizationPermissionMismatch")

    monkeypatch.setattr(sweeping, "start_unheard", refused)

    def looked(*_: object) -> list[str]:
        done.append("line")
        return []

    def deleted(*_: object) -> None:
        done.append("unowned")

    monkeypatch.setattr(sweeping, "look_for_all", looked)
    monkeypatch.setattr(sweeping, "delete_unowned", deleted)
    sweep(client)
    assert done == ["line", "unowned"]


def test_health_says_when_orchestrators_are_not_there(
    account: BlobServiceClient, client: TaskHubGrpcClient
) -> None:
    """A host that refuses them says that it runs; runs that stay claimed tell, to two sweeps in a
    row.
    """
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    record = a_record(
        "standing",
        created_at=long_ago,
        updated_at=long_ago,
        timeline=(Entered(step=Step.CLAIMED, at=long_ago),),
    )
    storage.ledger().create()
    open_ledger().claim(record)
    starting.schedule(client, record.id, None)
    told: list[list[str]] = []
    for _ in range(3):
        sweep(client)
        told.append(asked()[1]["missing"])
    assert told == [[], ["orchestrators"], ["orchestrators"]]
    open_ledger().change(
        record.id,
        lambda current, now: current.model_copy(
            update={"timeline": (Entered(step=Step.GATE, at=now),)}
        ),
    )
    sweep(client)
    assert asked() == (200, {"status": "ok", "missing": []})


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION],
    ids=lambda code: code.name,
)
@pytest.mark.parametrize("call", ["terminate", "purge"])
def test_run_that_somebody_else_ended_meanwhile_waits_for_the_next_sweep(
    engine: Stuck, client: TaskHubGrpcClient, call: str, code: grpc.StatusCode
) -> None:
    """One lost race ends no sweep."""
    starting.schedule(client, "travel-00000000", None)
    if call == "purge":
        engine.end("travel-00000000")
    engine.races[call] = code
    assert starting.schedule_anew(client, "travel-00000000") is False
    engine.races.clear()
    assert starting.schedule_anew(client, "travel-00000000") is (call == "purge")


def test_engine_that_is_away_is_no_lost_race(engine: Stuck, client: TaskHubGrpcClient) -> None:
    """It is told, not passed over."""
    starting.schedule(client, "travel-00000000", None)
    engine.races["terminate"] = grpc.StatusCode.UNAVAILABLE
    with pytest.raises(grpc.RpcError):
        starting.schedule_anew(client, "travel-00000000")


class EngineAway(grpc.RpcError):
    """What the durable client raises."""

    def code(self) -> grpc.StatusCode:
        """Its status."""
        return grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ServiceUnavailable("Storage", "503"), 503, "TD-SERVICE-002"),
        (ContainerMissing("tunedrop", "403"), 503, "TD-STORAGE-002"),
        (ServiceRejected("Storage", 400, "X", "x"), 503, "TD-SERVICE-001"),
        (TooLarge(2, 1), 503, "TD-STORAGE-001"),
        (RecordUnreadable("a-00000000"), 503, "TD-LEDGER-001"),
        (InternalError("x"), 503, "TD-INTERNAL-001"),
        (EngineAway(), 503, "TD-SERVICE-002"),
        (ValueError("text of a drop"), 500, "TD-INTERNAL-001"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_error_has_its_json_answer(error: Exception, status: int, code: str) -> None:
    """On Azure a 500 of the platform has no body; and nothing of an error that nobody thought of is
    quoted.
    """

    def respond() -> func.HttpResponse:
        raise error

    answer = served(respond)
    told = json.loads(answer.get_body())["error"]
    assert (answer.status_code, told["code"], bool(told["fix"])) == (status, code, True)
    assert b"text of a drop" not in answer.get_body()
    assert ("Retry-After" in cast("Any", answer.headers)) == isinstance(
        error, ServiceUnavailable | EngineAway
    )
