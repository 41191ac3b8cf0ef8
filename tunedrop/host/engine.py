"""The durable engine: durabletask's in-memory backend with its faults fixed. What else a request of
Microsoft's host says is added in `extension.py`.
"""

import heapq
import itertools
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import durabletask.internal.orchestrator_service_pb2_grpc as stubs  # pyright: ignore[reportMissingTypeStubs]
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import ActivityWorkItem, OrchestrationInstance

from tunedrop.host import extension
from tunedrop.host.errors import PortTaken
from tunedrop.host.host_json import DurableTask
from tunedrop.host.in_process import InProcess

# The key of the metadata in which azure-functions-durable names the hub that it calls.
HUB = "taskhub"
SERVER_THREADS = 32
# So many instances are remembered after their end, with their histories, as whoever asked for them
# looks at them then; the ledger tells of all others.
KEPT_ENDED = 200
LONGEST_WAIT_S = 1.0  # the timer thread looks this often for the engine's end


# Tokens given out before `born` belong to earlier ones.
@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """One execution of an instance between two continue_as_new."""

    instance: OrchestrationInstance
    born: int


@dataclass(frozen=True, slots=True)
class _Parent:
    generation: Generation
    task_id: int
    told: pb.ParentInstanceInfo
    """What the child is told of it, in each of its generations."""


# What is wrong with the original (durabletask 1.12.0, each seen): it listens on every address and
# shares a taken port without a word; every timer and sub-orchestration costs a thread; timers,
# activities and children of one generation are delivered to the next one after continue_as_new; a
# late activity wakes an orchestration that has ended; an event for an instance in flight makes the
# dispatcher wait; and it serves whoever finds its port.
class Engine(InProcess):
    """The in-memory engine, on loopback only, with one thread for all timers and work bound to its
    generation. `settings` are host.json's: the version of instances whose client names none, and
    how long work of a worker that is gone stays hidden. `now` and `at` are the seams for a
    simulator with a virtual clock, which never calls `start` and so owns time itself.
    """

    def __init__(self, port: int = 0, settings: DurableTask | None = None) -> None:
        super().__init__(port=port)
        self.hub = f"tunedrop-{secrets.token_urlsafe(24)}"
        self._settings = settings or DurableTask()
        self._of_the_host = extension.of_the_host(self._settings.version)
        self._timers: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timer_set = threading.Condition(self._lock)
        self._generations: dict[str, Generation] = {}
        self._parents: dict[str, _Parent] = {}
        self._under_way: set[_Work] = set()
        self._ended: dict[str, OrchestrationInstance] = {}

    def start(self) -> str:
        """Listen on 127.0.0.1 (port 0: any free one) and answer the address; raises PortTaken."""
        server = grpc.server(
            futures.ThreadPoolExecutor(SERVER_THREADS, "engine"),
            # Clients and workers are known by the hub's name, which holds a secret and which they
            # send with every call: it is the one word that azure-functions-durable takes from its
            # binding and passes on.
            interceptors=[_Door(self.hub)],
            options=[("grpc.so_reuseport", 0)],
        )
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, server)  # pyright: ignore[reportUnknownMemberType]
        try:
            self._port = server.add_insecure_port(f"127.0.0.1:{self._port}")
        except RuntimeError as error:
            raise PortTaken(self._port, "--engine-port") from error
        self._shutdown_event.clear()
        self.oldest_first()
        server.start()
        self._server = server
        threading.Thread(target=self._run_timers, name="engine-timers", daemon=True).start()
        return f"127.0.0.1:{self._port}"

    def stop(self, grace: float | None = None) -> None:
        """End the server and the timer thread; what runs is lost."""
        super().stop(grace)
        with self._timer_set:
            self._timer_set.notify_all()

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """What a client or a worker of this engine sends with each call."""
        return [(HUB, self.hub)]

    def now(self) -> datetime:
        """The engine's clock, in UTC."""
        return datetime.now(UTC)

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        """Have `act` called at a time, with the engine locked."""
        with self._timer_set:
            # What is due goes in order of time, then of request.
            heapq.heappush(self._timers, (when, next(self._order), act))
            self._timer_set.notify()

    def _run_timers(self) -> None:
        with self._timer_set:
            while not self._shutdown_event.is_set():
                if self._timers and self._timers[0][0] <= self.now():
                    heapq.heappop(self._timers)[2]()
                else:
                    due = (
                        (self._timers[0][0] - self.now()).total_seconds()
                        if self._timers
                        else LONGEST_WAIT_S
                    )
                    self._timer_set.wait(min(max(due, 0.001), LONGEST_WAIT_S))

    def _generation_of(self, instance: OrchestrationInstance) -> Generation:
        known = self._generations.get(instance.instance_id)
        if known is None or known.instance is not instance:
            known = self._generations[instance.instance_id] = Generation(
                instance, instance.completion_token
            )
        return known

    def parent_of(self, instance_id: str) -> OrchestrationInstance | None:
        """The instance of which this one is a part, while it lives."""
        parent = self._parents.get(instance_id)
        return parent.generation.instance if parent else None

    def _lives(self, generation: Generation) -> bool:
        instance = generation.instance
        return (
            self._instances.get(instance.instance_id) is instance
            and self._generations.get(instance.instance_id) is generation
            and not self._is_terminal_status(instance.status)
        )

    def _deliver(self, generation: Generation, event: pb.HistoryEvent) -> None:
        if self._lives(generation):
            generation.instance.pending_events.append(event)
            self._enqueue_orchestration(generation.instance.instance_id)

    def _process_create_timer_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        fire_at = action.createTimer.fireAt.ToDatetime(tzinfo=UTC)
        instance.history.append(helpers.new_timer_created_event(action.id, fire_at))
        if instance.status == pb.ORCHESTRATION_STATUS_PENDING:
            instance.status = pb.ORCHESTRATION_STATUS_RUNNING
        generation = self._generation_of(instance)
        self.at(
            fire_at,
            lambda: self._deliver(generation, helpers.new_timer_fired_event(action.id, fire_at)),
        )

    def _process_complete_orchestration_action(
        self, instance: OrchestrationInstance, complete_action: pb.CompleteOrchestrationAction
    ) -> None:
        anew = complete_action.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
        if anew:
            # The caller gives the instance exactly this token when its actions are processed.
            self._generations[instance.instance_id] = Generation(
                instance, self._next_completion_token
            )
        super()._process_complete_orchestration_action(instance, complete_action)
        if anew:
            extension.mark_continued(instance.pending_events)

    def _watch_sub_orchestration(
        self, parent_instance_id: str, sub_instance_id: str, task_id: int
    ) -> None:
        parent, child = self._instances[parent_instance_id], self._instances[sub_instance_id]
        of = self._generation_of(parent)
        told = extension.parent(parent, of.born, task_id)
        self._parents[sub_instance_id] = _Parent(of, task_id, told)
        extension.tell_parent(child.pending_events, told)

    def _notify_waiters(self, instance_id: str) -> None:
        super()._notify_waiters(instance_id)
        child = self._instances.get(instance_id)
        if child is None or not self._is_terminal_status(child.status):
            return
        if parent := self._parents.pop(instance_id, None):
            self._deliver(parent.generation, _end_of_child(parent.task_id, child))
        self._forget_the_oldest_but(child)

    def _forget_the_oldest_but(self, ended: OrchestrationInstance) -> None:
        """Keeps what has just ended for a while, and lets go of what ended before many others."""
        self._ended.pop(ended.instance_id, None)
        self._ended[ended.instance_id] = ended
        while len(self._ended) > KEPT_ENDED:
            instance = self._ended.pop(next(iter(self._ended)))
            if self._instances.get(instance.instance_id) is instance:
                del self._instances[instance.instance_id]
                self._generations.pop(instance.instance_id, None)

    def _enqueue_orchestration(self, instance_id: str) -> None:
        instance, parent = self._instances[instance_id], self._parents.get(instance_id)
        extension.complete(instance, self._generation_of(instance).born, self.now())
        if parent:
            extension.tell_parent(instance.pending_events, parent.told)
        # CompleteOrchestratorTask enqueues it again when events wait.
        if instance_id not in self._orchestration_in_flight:
            super()._enqueue_orchestration(instance_id)

    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance, of the engine's version unless the client names one."""
        if self._settings.version and not request.HasField("version"):
            request.version.value = self._settings.version
        return super().StartInstance(request, context)

    def GetWorkItems(
        self, request: pb.GetWorkItemsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WorkItem]:
        """Stream work to a worker; what it has not done when its stream ends comes back later."""
        handed: list[pb.WorkItem] = []
        # Without a server, as in the simulator, no stream can break.
        if self._server and not context.add_callback(lambda: self.lose(handed)):
            return
        for item in super().GetWorkItems(request, context):
            with self._lock:
                self.handed_out(item)
                handed[:] = [*(other for other in handed if _work(other) in self._under_way), item]
            # It broke before this item was among those that it loses.
            if self._server and not context.is_active():
                self.lose([item])
            yield item

    def handed_out(self, item: pb.WorkItem) -> pb.WorkItem:
        """Notes that a worker has this, and says of the host what Microsoft's says."""
        if item.HasField("orchestratorRequest"):
            item.orchestratorRequest.MergeFrom(self._of_the_host)
        self._under_way.add(_work(item))
        return item

    def lose(self, items: Iterable[pb.WorkItem]) -> None:
        """A worker that had these is gone: what it has not done is handed out again."""
        # After the visibility timeout of its queue, not at once, as from the queues of Azure
        # Storage; while the worker lives, its work stays with it, however long it takes.
        with self._lock:
            for item in [item for item in items if _work(item) in self._under_way]:
                hidden = (
                    self._settings.control_hidden
                    if item.HasField("orchestratorRequest")
                    else self._settings.work_item_hidden
                )
                self.at(self.now() + hidden, lambda item=item: self._hand_out_again(item))

    def _hand_out_again(self, item: pb.WorkItem) -> None:
        if _work(item) not in self._under_way:
            return
        self._under_way.discard(_work(item))
        if item.HasField("orchestratorRequest"):
            instance = self._instances.get(item.orchestratorRequest.instanceId)
            if instance and str(instance.completion_token) == item.completionToken:
                instance.pending_events[:0] = instance.dispatched_events
                instance.dispatched_events.clear()
                self._orchestration_in_flight.discard(instance.instance_id)
                self._enqueue_orchestration(instance.instance_id)
            return
        self.put_back(item)

    def put_back(self, item: pb.WorkItem) -> None:
        """Has the call of an activity wait again for a worker."""
        asked = item.activityRequest
        of = asked.orchestrationInstance.instanceId
        self._activity_queue.append(
            ActivityWorkItem(
                of, asked.name, asked.taskId, asked.input.value, int(item.completionToken)
            )
        )
        self._tell_of_work()

    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take what an orchestrator asks for, and stamp what it leaves in the history."""
        with self._lock:
            self._under_way.discard(_Work(request.instanceId, request.completionToken))
            instance = self._instances.get(request.instanceId)
            known = len(instance.history) if instance else 0
            answer = super().CompleteOrchestratorTask(request, context)
            if instance:
                extension.stamp(
                    instance.history[known:] if len(instance.history) > known else instance.history,
                    self.now(),
                )
            return answer

    def CompleteActivityTask(
        self, request: pb.ActivityResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take an activity's result, unless the execution that asked for it is gone."""
        with self._lock:
            self._under_way.discard(
                _Work(request.instanceId, request.completionToken, request.taskId)
            )
            instance = self._instances.get(request.instanceId)
            if instance is None or self._is_terminal_status(instance.status):
                return pb.CompleteTaskResponse()
            if int(request.completionToken) < self._generation_of(instance).born:
                return pb.CompleteTaskResponse()
            return super().CompleteActivityTask(request, context)


@dataclass(frozen=True, slots=True)
class _Work:
    """One turn of an orchestration, or one call of an activity."""

    instance: str
    token: str
    task_id: int | None = None


def _work(item: pb.WorkItem) -> _Work:
    if item.HasField("orchestratorRequest"):
        return _Work(item.orchestratorRequest.instanceId, item.completionToken)
    return _Work(
        item.activityRequest.orchestrationInstance.instanceId,
        item.completionToken,
        item.activityRequest.taskId,
    )


class _Door(grpc.ServerInterceptor):
    """Lets in those who know the hub's name."""

    def __init__(self, hub: str) -> None:
        self._hub = hub.encode()
        self._refusal: Any = grpc.unary_unary_rpc_method_handler(_refuse)

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """The method that was called, or the refusal of it."""
        given = dict(handler_call_details.invocation_metadata).get(HUB, "")
        known = secrets.compare_digest(str(given).encode(), self._hub)
        return continuation(handler_call_details) if known else self._refusal


def _refuse(_request: Any, context: Any) -> None:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "This engine serves its own host only.")


def _end_of_child(task_id: int, child: OrchestrationInstance) -> pb.HistoryEvent:
    if child.status == pb.ORCHESTRATION_STATUS_COMPLETED:
        return helpers.new_sub_orchestration_completed_event(task_id, child.output)
    message = (
        child.failure_details.errorMessage
        if child.failure_details
        else "The sub-orchestration was terminated."
    )
    return helpers.new_sub_orchestration_failed_event(task_id, Exception(message))
