"""The whole host, as a process, with the fixture app: what each kind of function gets and gives."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
import httpx2
import pytest
from azure.storage.blob import BlobServiceClient
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient

from tests.azurite import connection_string, free_port
from tests.patience import patience, until
from tests.unit.host.conftest import APP, ROOT, Served, command, serving, settings
from tunedrop.host.engine import HUB


def test_run_goes_through_activity_child_and_event(served: Served) -> None:
    """Plain `def` and `async def` triggers drive an orchestration with a child that continues as
    new.
    """
    run_id = served.http.post("/api/runs", json={"size": 1, "wait": True}).json()["id"]
    until(lambda: served.http.get(f"/api/runs/{run_id}").json()["status"] == "RUNNING")
    assert served.http.post(f"/api/runs/{run_id}/approve").status_code == 202
    ended = served.http.get(f"/api/runs/{run_id}", params={"wait": "1"}).json()
    assert ended["output"] == {"size": 2, "type": "dict", "child": "settled", "approved": "yes"}
    assert ended["status"] == "COMPLETED"


def test_two_argument_activity_gets_a_dict(served: Served) -> None:
    """The input of `(_context, request: dict[str, Any])` arrives decoded."""
    assert served.run(size=1)["output"]["type"] == "dict"


def test_activity_failure_keeps_type_and_message_and_no_stack(served: Served) -> None:
    """The orchestrator sees what was raised, and nothing of where."""
    output = served.run(name="failing", message="no way")["output"]
    assert output == {"type": "ValueError", "message": "no way", "stack": None}


def test_activity_failure_is_cut_when_its_message_is_long(served: Served) -> None:
    """At most 1,000 characters stay in the history."""
    assert len(served.run(name="failing", message="x" * 5_000)["output"]["message"]) == 1_000


def test_orchestrator_failure_keeps_type_and_message_and_no_stack(served: Served) -> None:
    """What an orchestrator raises ends its run, cut to size and without a stack."""
    failure = served.run(name="raising", message="x" * 5_000)["failure"]
    assert failure["type"].endswith("ValueError")
    assert (len(failure["message"]), failure["stack"]) == (1_000, None)


def test_orchestrator_that_the_app_lacks_fails_with_its_name(served: Served) -> None:
    """The run ends failed instead of hanging."""
    assert served.run(name="missing")["status"] == "FAILED"


@contextlib.contextmanager
def hub_of(served: Served, *names: str) -> Generator[TaskHubGrpcClient]:
    """A client of the host's engine that calls the hub by these names."""
    hub = TaskHubGrpcClient(host_address=served.engine, metadata=[(HUB, name) for name in names])
    try:
        yield hub
    finally:
        hub.close()


@pytest.mark.parametrize(
    "names",
    [(), ("",), ("tunedrop",), ("default",)],
    ids=["none", "empty", "the real one's", "a default"],
)
def test_engine_serves_nobody_who_does_not_know_its_hub(
    served: Served, names: tuple[str, ...]
) -> None:
    """Another process of this machine can't schedule, see, raise, end or purge anything, nor take
    work from the app's worker.
    """
    attacks: list[Callable[[TaskHubGrpcClient], object]] = [
        lambda hub: hub.schedule_new_orchestration("run", input={"size": 1}),
        lambda hub: hub.get_orchestration_state("a", fetch_payloads=True),
        lambda hub: hub.get_orchestration_history("a"),
        lambda hub: hub.raise_orchestration_event("a", "approval"),
        lambda hub: hub.terminate_orchestration("a"),
        lambda hub: hub.purge_orchestration("a"),
        lambda _: next(
            iter(
                work(
                    pb.GetWorkItemsRequest(),
                    metadata=[(HUB, name) for name in names],
                    timeout=patience(5),
                )
            )
        ),
    ]
    with hub_of(served, *names) as hub, grpc.insecure_channel(served.engine) as channel:
        path, encoded, decoded = (
            "/TaskHubSidecarService/GetWorkItems",
            pb.GetWorkItemsRequest.SerializeToString,
            pb.WorkItem.FromString,
        )
        work: Any = channel.unary_stream(path, encoded, decoded)
        for attack in attacks:
            with pytest.raises(grpc.RpcError) as refused:
                attack(hub)
            assert getattr(refused.value, "code", str)() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("name", ["BuiltIn__HttpPollOrchestrator", "calling"])
def test_host_calls_no_address_for_the_packages_own_functions(served: Served, name: str) -> None:
    """Even who knows the hub gets no token sent anywhere: the fixture app registers both functions,
    and the host serves neither.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        target = {
            "method": "GET",
            "uri": f"http://127.0.0.1:{listener.getsockname()[1]}/",
            "tokenSource": {"resource": "https://x/"},
        }
        with hub_of(served, served.hub) as hub:
            instance = hub.schedule_new_orchestration(name, input=target)
            state = hub.wait_for_orchestration_completion(instance, timeout=patience(20))
        assert state is not None
        assert state.runtime_status is OrchestrationStatus.FAILED
        assert "The app has no" in (state.failure_details.message if state.failure_details else "")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_children_carry_no_version(served: Served) -> None:
    """As on the real engine: a run has host.json's version, its sub-orchestrations none."""
    assert served.run(name="versions")["output"] == {"own": "1.0", "child": None}


def test_start_is_refused_when_the_id_is_known(served: Served) -> None:
    """A plain `def` gets a grpc.RpcError with ALREADY_EXISTS, even after the run's end."""
    run_id = uuid.uuid4().hex
    served.run(size=1, id=run_id)
    answer = served.http.post("/api/runs", json={"size": 1, "id": run_id})
    assert (answer.status_code, answer.json()["code"]) == (409, "ALREADY_EXISTS")


def test_function_sees_the_request(served: Served) -> None:
    """Route, query and body reach an anonymous function through the runtime's own decoding."""
    answer = httpx2.post(f"{served.url}/api/echo/a/b?top=1", content="body")
    assert answer.json() == {
        "method": "POST",
        "rest": "a/b",
        "query": {"top": "1"},
        "body": "body",
        "principal": None,
    }
    assert (answer.headers["x-echo"], answer.headers["content-type"]) == ("yes", "application/json")


def test_function_that_fails_answers_500_without_its_cause(served: Served) -> None:
    """No message and no stack leave the host."""
    answer = served.http.get("/api/broken")
    assert (answer.status_code, "secret-cause" in answer.text, "Traceback" in answer.text) == (
        500,
        False,
        False,
    )


def test_function_with_a_key_refuses_a_caller_without(served: Served) -> None:
    """The app's own level, FUNCTION, is what is asked for."""
    assert httpx2.get(f"{served.url}/api/runs/x").status_code == 401


def test_blob_fires_its_function_once_per_version(
    served: Served, storage: BlobServiceClient
) -> None:
    """A BlobClient and a synchronous durable client arrive; a new version fires again."""
    blob = storage.get_blob_client("training", f"run-{uuid.uuid4().hex[:6]}/training_set.jsonl")
    for count, content in enumerate((b"one", b"three"), 1):
        blob.upload_blob(content, overwrite=True)
        until(lambda count=count: len(served.notes(blob=blob.blob_name)) == count)
    assert [note["size"] for note in served.notes(blob=blob.blob_name)] == [3, 5]
    assert {note["client"] for note in served.notes(blob=blob.blob_name)} == {
        "SyncDurableFunctionsClient"
    }


def test_event_is_delivered_again_when_asked(served: Served, storage: BlobServiceClient) -> None:
    """The test hook repeats one event, all at once."""
    blob = storage.get_blob_client("training", f"again-{uuid.uuid4().hex[:6]}.jsonl")
    blob.upload_blob(b"x")
    until(lambda: served.notes(blob=blob.blob_name))
    assert served.http.post("/admin/events", json={"name": blob.blob_name, "times": 20}).json() == {
        "delivered": 20,
        "failed": 0,
    }
    assert len(served.notes(blob=blob.blob_name)) == 21


def test_next_host_hears_nothing_that_this_one_has_handled(
    azurite: str, tmp_path: Path, storage: BlobServiceClient
) -> None:
    """Receipts outlive the host, as on Microsoft's: after a start only what came meanwhile
    fires.
    """
    name, own = (
        f"run-{uuid.uuid4().hex[:6]}",
        storage.get_container_client(f"lock-{uuid.uuid4().hex[:8]}"),
    )
    lease = ("--lease-container", own.container_name, "--create-containers")
    waiting = {blob.name for blob in storage.get_container_client("training").list_blobs()}
    with serving(azurite, tmp_path, *lease) as host:
        storage.get_blob_client("training", f"{name}-1").upload_blob(b"x")
        until(lambda: host.notes(blob=f"{name}-1"))
        until(
            lambda: len(list(own.list_blob_names(name_starts_with="receipts/"))) == len(waiting) + 1
        )
        host.process.terminate()
        host.process.wait(ENDS_WITHIN_S)
    (tmp_path / "ready.json").unlink()
    storage.get_blob_client("training", f"{name}-2").upload_blob(b"x")
    with serving(azurite, tmp_path, *lease) as successor:
        until(lambda: successor.notes(blob=f"{name}-2"))
        assert len(successor.notes(blob=f"{name}-1")) == 1


def test_timers_fire_once_when_the_host_sweeps_at_start(served: Served) -> None:
    """`--sweep-at-start` calls the timer functions whose time would come in January."""
    until(lambda: served.notes(timer="sweep"))
    assert len(served.notes(timer="sweep")) == 1


def test_key_stays_with_the_user(served: Served) -> None:
    """The ready file is for its owner's eyes only."""
    ready = served.notes_file.with_name("ready.json")
    assert os.name == "nt" or ready.stat().st_mode & 0o077 == 0


# a bound against hanging, under the 60 s of the lingering activity; on an idle machine it is under
# three
ENDS_WITHIN_S = 20


def _interrupt(host: Served) -> None:
    host.process.send_signal(signal.SIGINT)


def _interrupt_unseen(host: Served) -> None:
    """As when a signal comes just before the main thread begins to wait: nothing wakes it."""
    with contextlib.suppress(httpx2.TransportError):  # the host may be gone before it has answered
        host.http.get("/api/interrupt")


def _leave(host: Served) -> None:
    assert host.process.stdin is not None
    host.process.stdin.close()
    host.process.stdin = None


@pytest.mark.parametrize(
    "end", [_interrupt, _interrupt_unseen, _leave], ids=["SIGINT", "unseen SIGINT", "parent gone"]
)
def test_host_ends_when_told_so(
    azurite: str, tmp_path: Path, end: Callable[[Served], None]
) -> None:
    """Exit code 0, and no hanging."""
    with serving(azurite, tmp_path, "--exit-with-parent") as host:
        end(host)
        assert host.process.wait(ENDS_WITHIN_S) == 0


def test_host_ends_and_frees_the_lease_when_an_activity_still_works(
    azurite: str, tmp_path: Path
) -> None:
    """SIGTERM is not held up by a thread of the app, and the next host needn't wait for the
    lease.
    """
    lease = ("--lease-container", f"lock-{uuid.uuid4().hex[:8]}")
    with serving(azurite, tmp_path, "--create-containers", *lease) as host:
        host.http.post("/api/runs", json={"name": "lingering"})
        until(lambda: host.notes(activity="linger"))
        host.process.send_signal(signal.SIGTERM)
        assert host.process.wait(ENDS_WITHIN_S) == 0
        assert host.process.stderr is not None
        assert [
            line for line in host.process.stderr.read().splitlines() if "host ready" not in line
        ] == []
    (tmp_path / "ready.json").unlink()
    with serving(azurite, tmp_path, *lease) as successor:
        assert successor.http.get("/api/runs/none").status_code == 404


def test_second_host_is_refused_with_the_first_ones_process(azurite: str, tmp_path: Path) -> None:
    """Exit code 3 and a sentence that names the holder."""
    lease = ("--lease-container", f"lock-{uuid.uuid4().hex[:8]}")
    with serving(azurite, tmp_path, *lease) as first:
        second = failed_start(azurite, tmp_path, *lease)
        assert second.returncode == 3
        assert f"process {first.process.pid}" in second.stderr


def test_host_is_refused_when_its_port_is_taken(
    served: Served, azurite: str, tmp_path: Path
) -> None:
    """Exit code 2 and one line with port and option."""
    port = served.url.rpartition(":")[2]
    failed = failed_start(
        azurite, tmp_path, "--port", port, "--lease-container", f"lock-{uuid.uuid4().hex[:8]}"
    )
    assert (failed.returncode, failed.stderr.count("\n")) == (2, 1)
    assert port in failed.stderr
    assert "--port" in failed.stderr


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ValueError('bad setting')", "bad setting"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("def f(:", "SyntaxError"),
        ("", "function app"),
        (None, "no function_app.py"),
    ],
    ids=["raises", "missing module", "syntax", "no app", "no file"],
)
def test_host_is_refused_with_the_apps_error_when_it_cant_be_imported(
    azurite: str, tmp_path: Path, source: str | None, told: str
) -> None:
    """Exit code 1 and the app's own message, without a stack."""
    if source is not None:
        (tmp_path / "function_app.py").write_text(source)
    failed = failed_start(
        azurite, tmp_path, "--lease-container", f"lock-{uuid.uuid4().hex[:8]}", app=tmp_path
    )
    last = failed.stderr.splitlines()[-1]
    assert (failed.returncode, told in last, "Traceback" in failed.stderr) == (1, True, False)


def test_host_is_refused_when_storage_is_away(tmp_path: Path) -> None:
    """Exit code 1, quickly, with a sentence about storage."""
    failed = failed_start(connection_string(free_port()), tmp_path)
    assert (failed.returncode, "Storage can't be used" in failed.stderr) == (1, True)


def failed_start(
    storage: str, folder: Path, *arguments: str, app: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """A host that ends by itself."""
    line = command(*arguments, app=app) if app else command(*arguments)
    environment = settings(storage, folder / "notes.jsonl")
    return subprocess.run(
        line,
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(30),
        check=False,
    )


IN_PROCESS = """
import json, sys
from pathlib import Path
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobLeaseClient
from tunedrop.host.host import Host, Options
from tunedrop.host.errors import LeaseLost
from tunedrop.host.storage import connect

lease = {"lease_container": sys.argv[2], "lease_renew_every": 0.05}
with Host(Options(Path(sys.argv[1]), port=0, create_containers=True, **lease)) as host:
    mine = connect("DropStorage").get_blob_client("training", "mine.jsonl")
    mine.upload_blob(b"x", overwrite=True)
    print(json.dumps(host.deliver("mine.jsonl", times=5)))
    blob = connect("DropStorage").get_blob_client(sys.argv[2], "host.lock")
    while not host.ended.is_set():  # the host takes it again where nobody is faster
        try:
            BlobLeaseClient(blob).break_lease(0)
            blob.acquire_lease(15)
            break
        except HttpResponseError:
            continue
    try:
        host.wait()
    except LeaseLost as lost:
        print(lost.exit_code)
"""


def test_host_stops_itself_when_it_lost_the_lease(azurite: str, tmp_path: Path) -> None:
    """A host inside another program delivers events, ends once somebody else holds its lease, and
    lets the program end.
    """
    ended = subprocess.run(
        [sys.executable, "-c", IN_PROCESS, str(APP), f"lock-{uuid.uuid4().hex[:8]}"],
        env=settings(azurite, tmp_path / "notes.jsonl"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(30),
        check=False,
    )
    assert ended.stdout.splitlines() == ['{"delivered": 5, "failed": 0}', "4"], ended.stderr
    assert ended.returncode == 0
