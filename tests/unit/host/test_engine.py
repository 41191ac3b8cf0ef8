"""The fixed engine: each fault of the original that it fixes, with a clock that is moved by hand or
real work.
"""

import socket
import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
import pytest
from durabletask import task
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient
from durabletask.worker import TaskHubGrpcWorker

from tests.patience import patience
from tunedrop.host.engine import KEPT_ENDED, Engine
from tunedrop.host.errors import PortTaken
from tunedrop.host.host_json import DurableTask

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DONE = pb.ORCHESTRATION_STATUS_COMPLETED
AGAIN = pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW


class Context:
    """A gRPC context that lets GetWorkItems hand out one item."""

    def __init__(self) -> None:
        self.asked = 0

    def is_active(self) -> bool:
        """True once."""
        self.asked += 1
        return self.asked == 1

    def abort(self, _code: Any, message: str) -> None:
        """What the engine refuses."""
        raise RuntimeError(message)


class Still(Engine):
    """An engine without threads, whose clock is moved by the test."""

    def __init__(self) -> None:
        super().__init__(settings=DurableTask("1.0", timedelta(minutes=1), timedelta(minutes=1)))
        self.time = NOW

    def now(self) -> datetime:
        """The test's time."""
        return self.time

    def begin(self, instance: str = "a") -> None:
        """Start an instance, replacing an ended one."""
        policy = pb.OrchestrationIdReusePolicy(replaceableStatus=[DONE])
        wanted = pb.CreateInstanceRequest(
            name="run", instanceId=instance, orchestrationIdReusePolicy=policy
        )
        self.StartInstance(wanted, Context())  # type: ignore[arg-type]

    def next(self) -> pb.WorkItem | None:
        """The next work item."""
        self._work_available.set()
        return next(iter(self.GetWorkItems(pb.GetWorkItemsRequest(), Context())), None)  # type: ignore[arg-type]

    def orchestrate(self, *actions: pb.OrchestratorAction) -> list[pb.HistoryEvent]:
        """Take an orchestrator's item, answer with these actions, and tell which events it had."""
        item = self.next()
        assert item is not None
        assert item.HasField("orchestratorRequest")
        request = item.orchestratorRequest
        self.CompleteOrchestratorTask(
            pb.OrchestratorResponse(
                instanceId=request.instanceId, actions=actions, completionToken=item.completionToken
            ),
            Context(),  # type: ignore[arg-type]
        )
        return list(request.newEvents)

    def kept(self) -> list[str]:
        """The instances that the engine knows."""
        return list(self._instances)

    def history(self, instance: str) -> list[pb.HistoryEvent]:
        """What the engine keeps of an instance."""
        return list(self._instances[instance].history)

    def pass_time(self, seconds: float) -> None:
        """Move the clock and do what is due."""
        self.time += timedelta(seconds=seconds)
        while self._timers and self._timers[0][0] <= self.time:
            self._timers.pop(0)[2]()

    def finish(self, item: pb.WorkItem) -> None:
        """Complete an activity."""
        request = item.activityRequest
        answer = pb.ActivityResponse(
            instanceId=request.orchestrationInstance.instanceId,
            taskId=request.taskId,
            completionToken=item.completionToken,
        )
        self.CompleteActivityTask(answer, Context())  # type: ignore[arg-type]


def timer(seconds: float, number: int = 1) -> pb.OrchestratorAction:
    """Wait until so long after the beginning of the test."""
    action = pb.OrchestratorAction(id=number)
    action.createTimer.fireAt.FromDatetime(NOW + timedelta(seconds=seconds))
    return action


def activity(number: int = 1) -> pb.OrchestratorAction:
    """Call an activity."""
    return pb.OrchestratorAction(id=number, scheduleTask=pb.ScheduleTaskAction(name="act"))


def child(instance: str, number: int = 1) -> pb.OrchestratorAction:
    """Call a sub-orchestrator."""
    return pb.OrchestratorAction(
        id=number,
        createSubOrchestration=pb.CreateSubOrchestrationAction(name="child", instanceId=instance),
    )


def end(status: Any) -> pb.OrchestratorAction:
    """End the execution in this way."""
    return pb.OrchestratorAction(
        id=9, completeOrchestration=pb.CompleteOrchestrationAction(orchestrationStatus=status)
    )


def kinds(events: list[pb.HistoryEvent]) -> list[str]:
    """What the events are."""
    return [event.WhichOneof("eventType") or "" for event in events]


def test_timer_fires_when_its_time_has_come() -> None:
    """Nothing at 0.9 s, the timer's event at 1 s."""
    engine = Still()
    engine.begin()
    engine.orchestrate(timer(1))
    engine.pass_time(0.9)
    assert engine.next() is None
    engine.pass_time(0.1)
    assert "timerFired" in kinds(engine.orchestrate())


def test_timer_is_forgotten_when_its_orchestrator_continued_as_new() -> None:
    """An old generation's timer doesn't end the next one's wait."""
    engine = Still()
    engine.begin()
    engine.orchestrate(timer(1), end(AGAIN))
    engine.orchestrate(timer(60))
    engine.pass_time(2)
    assert engine.next() is None


def test_timer_is_forgotten_when_its_instance_was_replaced() -> None:
    """A new instance under an old id starts without the old one's timers."""
    engine = Still()
    engine.begin()
    engine.orchestrate(timer(1), end(DONE))
    engine.begin()
    engine.orchestrate(timer(60))
    engine.pass_time(2)
    assert engine.next() is None


def test_activity_result_is_dropped_when_its_orchestrator_continued_as_new() -> None:
    """A late result is not taken for that of the next generation's activity with the same
    number.
    """
    engine = Still()
    engine.begin()
    engine.orchestrate(activity(), end(AGAIN))
    engine.orchestrate(timer(60))
    late = engine.next()
    assert late is not None
    engine.finish(late)
    assert engine.next() is None


def test_activity_result_arrives_in_the_generation_that_asked() -> None:
    """After a continue_as_new, the new generation's own results count."""
    engine = Still()
    engine.begin()
    engine.orchestrate(end(AGAIN))
    engine.orchestrate(activity())
    item = engine.next()
    assert item is not None
    engine.finish(item)
    assert "taskCompleted" in kinds(engine.orchestrate())


def test_activity_result_wakes_nobody_when_the_orchestrator_has_ended() -> None:
    """An ended orchestrator is never run again."""
    engine = Still()
    engine.begin()
    engine.orchestrate(activity(), end(DONE))
    late = engine.next()
    assert late is not None
    engine.finish(late)
    assert engine.next() is None


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (DONE, "subOrchestrationInstanceCompleted"),
        (pb.ORCHESTRATION_STATUS_FAILED, "subOrchestrationInstanceFailed"),
        (pb.ORCHESTRATION_STATUS_TERMINATED, "subOrchestrationInstanceFailed"),
    ],
    ids=["completed", "failed", "terminated"],
)
def test_parent_hears_of_its_childs_end(status: Any, event: str) -> None:
    """A child's end, good or bad, is an event of its parent, without a thread that waits."""
    engine = Still()
    engine.begin()
    threads = threading.active_count()
    engine.orchestrate(child("a-child"))
    engine.orchestrate(end(status))
    assert event in kinds(engine.orchestrate())
    assert threading.active_count() == threads


def test_childs_end_is_dropped_when_the_parent_continued_as_new() -> None:
    """The next generation doesn't hear of a child that it didn't start."""
    engine = Still()
    engine.begin()
    engine.orchestrate(child("a-child"), end(AGAIN))
    engine.orchestrate(end(DONE))
    assert kinds(engine.orchestrate()) == [
        "orchestratorStarted",
        "executionStarted",
        "orchestratorCompleted",
    ]
    assert engine.next() is None


@pytest.mark.parametrize("what", ["turn", "activity"])
def test_work_of_a_worker_that_is_gone_comes_back_after_its_time_and_not_at_once(what: str) -> None:
    """A minute by host.json, as from Azure's queues; it is the same work, and its answer counts."""
    engine = Still()
    engine.begin()
    if what == "activity":
        engine.orchestrate(activity())
    item = engine.next()
    assert item is not None
    engine.lose([item])
    engine.pass_time(59)
    assert engine.next() is None
    engine.pass_time(1)
    again = engine.next()
    assert again is not None
    assert (work_of(again), again.completionToken) == (work_of(item), item.completionToken)
    if what == "activity":
        engine.finish(again)
        assert "taskCompleted" in kinds(engine.orchestrate())


def test_work_comes_back_once_however_often_its_worker_is_lost() -> None:
    """Two reports of one loss are one loss."""
    engine = Still()
    engine.begin()
    engine.orchestrate(activity())
    item = engine.next()
    assert item is not None
    engine.lose([item])
    engine.lose([item])
    engine.pass_time(60)
    assert engine.next() is not None
    assert engine.next() is None


def test_work_that_was_done_does_not_come_back() -> None:
    """What a lost worker had answered already is over, and so is what it answers before the time is
    up.
    """
    engine = Still()
    engine.begin()
    engine.orchestrate(activity(1), activity(2))
    one, other = engine.next(), engine.next()
    assert one is not None
    assert other is not None
    engine.finish(one)
    engine.lose([one, other])
    engine.finish(other)
    assert kinds(engine.orchestrate()).count("taskCompleted") == 2
    engine.pass_time(3600)
    assert engine.next() is None


def test_engine_hands_on_what_a_worker_had_whose_stream_broke() -> None:
    """Over gRPC: the first worker takes the turn and goes, the next one gets it when its time is
    up.
    """
    engine = Engine(settings=DurableTask(control_hidden=timedelta(milliseconds=50)))
    address = engine.start()
    worker = TaskHubGrpcWorker(host_address=address, metadata=engine.metadata)
    worker.add_orchestrator(story)
    worker.add_activity(work)
    hub = TaskHubGrpcClient(host_address=address, metadata=engine.metadata)
    try:
        run = hub.schedule_new_orchestration(story, input=1)
        with grpc.insecure_channel(address) as channel:
            path, encoded, decoded = (
                "/TaskHubSidecarService/GetWorkItems",
                pb.GetWorkItemsRequest.SerializeToString,
                pb.WorkItem.FromString,
            )
            stream: Any = channel.unary_stream(path, encoded, decoded)(
                pb.GetWorkItemsRequest(), metadata=tuple(engine.metadata), timeout=patience(20)
            )
            assert next(iter(stream)).orchestratorRequest.instanceId == run
            stream.cancel()
        worker.start()
        ended = hub.wait_for_orchestration_completion(run, timeout=patience(20))
        assert ended is not None
        assert ended.runtime_status is OrchestrationStatus.COMPLETED
    finally:
        worker.stop()
        engine.stop(0)


def work_of(item: pb.WorkItem) -> object:
    """Whose turn or which activity an item is."""
    return item.orchestratorRequest.newEvents or (
        item.activityRequest.name,
        item.activityRequest.taskId,
    )


def test_part_is_told_of_its_parent_in_every_generation_and_has_no_version() -> None:
    """As the Durable extension tells it; each generation is an execution of its own."""
    engine = Still()
    engine.begin()
    [own] = starts(engine.orchestrate(child("a-child", 7)))
    [first] = starts(engine.orchestrate(end(AGAIN)))
    [second] = starts(engine.orchestrate())
    assert (own.version.value, own.HasField("parentInstance")) == ("1.0", False)
    for part in (first, second):
        of = part.parentInstance
        assert (part.HasField("version"), of.taskScheduledId, of.name.value, of.version.value) == (
            False,
            7,
            "run",
            "1.0",
        )
        assert (of.orchestrationInstance.instanceId, of.orchestrationInstance.executionId) == (
            "a",
            own.orchestrationInstance.executionId,
        )
    assert (
        len({start.orchestrationInstance.executionId.value for start in (own, first, second)}) == 3
    )


def test_every_turn_tells_what_the_host_is_like() -> None:
    """The version that the host gives to new instances above all: a part has no other way to know
    it.
    """
    engine = Still()
    engine.begin()
    item = engine.next()
    assert item is not None
    assert item.orchestratorRequest.properties["defaultVersion"].string_value == "1.0"
    assert item.orchestratorRequest.entityParameters.entityMessageReorderWindow.seconds == 1800


def test_history_holds_times_and_no_inputs_of_what_was_scheduled() -> None:
    """The engine's clock stamps every event, also those of actions."""
    engine = Still()
    engine.begin()
    scheduled = activity()
    scheduled.scheduleTask.input.value = "of the drop"
    engine.orchestrate(scheduled, child("a-child", 2), timer(1, 3))
    history = engine.history("a")
    assert {
        event.timestamp.ToDatetime(tzinfo=UTC)
        for event in history
        if not event.HasField("orchestratorStarted")
    } == {NOW}
    assert b"of the drop" not in b"".join(event.SerializeToString() for event in history)


def starts(events: list[pb.HistoryEvent]) -> list[pb.ExecutionStartedEvent]:
    """How instances began."""
    return [event.executionStarted for event in events if event.HasField("executionStarted")]


def test_engine_forgets_what_ended_before_many_others() -> None:
    """Memory holds what lives, and the last that ended: an instance that lives stays, however many
    end meanwhile.
    """
    engine = Still()
    engine.begin("lives")
    engine.orchestrate(timer(1))
    for number in range(KEPT_ENDED + 3):
        engine.begin(f"ended-{number}")
        engine.orchestrate(end(DONE))
    kept = set(engine.kept())
    assert len(kept) == KEPT_ENDED + 1
    assert {"lives", "ended-3"} <= kept
    assert not {"ended-0", "ended-1", "ended-2"} & kept


def test_engine_refuses_a_taken_port() -> None:
    """A second engine on a port says so, with the option that changes it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"{port}.*--engine-port"):
            Engine(port).start()


def test_engine_refuses_the_port_of_another_engine() -> None:
    """Two engines never share a port, though gRPC's default would let them."""
    engine = Engine()
    port = int(engine.start().rpartition(":")[2])
    try:
        with pytest.raises(PortTaken):
            Engine(port).start()
    finally:
        engine.stop(0)


def work(_context: task.ActivityContext, value: int) -> int:
    """One more."""
    return value + 1


def story(context: task.OrchestrationContext, value: int) -> Generator[task.Task[Any], Any, int]:
    """Two activities around a timer and an event that may never come."""
    more: int = yield context.call_activity(work, input=value)
    late = context.create_timer(timedelta(seconds=30))
    yield task.when_any([late, context.create_timer(timedelta(milliseconds=50))])
    late.cancel()
    return (yield context.call_activity(work, input=more))


def test_engine_runs_a_hundred_at_once_on_few_threads() -> None:
    """Real workers over gRPC finish a hundred runs with two hundred timers, and no thread for any
    of them.
    """
    engine = Engine()
    address = engine.start()
    worker = TaskHubGrpcWorker(host_address=address, metadata=engine.metadata)
    worker.add_orchestrator(story)
    worker.add_activity(work)
    worker.start()
    hub = TaskHubGrpcClient(host_address=address, metadata=engine.metadata)
    try:
        ids = [hub.schedule_new_orchestration(story, input=1) for _ in range(100)]
        ends = [hub.wait_for_orchestration_completion(run, timeout=patience(20)) for run in ids]
        assert {(state.runtime_status, state.serialized_output) for state in ends if state} == {
            (OrchestrationStatus.COMPLETED, "3")
        }
        assert threading.active_count() < 80
    finally:
        worker.stop()
        engine.stop(0)
