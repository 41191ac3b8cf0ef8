"""Work of the engine for a worker of its own process: without a socket, and the oldest run first.

A stream over gRPC costs a turn six changes of threads and two of its form, and brings what came
first. Here each thread of the worker waits for what it can do, and gets that of the run that began
first: of many at once the first ends first, and what only one can do at a time, as a write on the
account, begins early.
"""

import heapq
import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import (
    ActivityWorkItem,
    InMemoryOrchestrationBackend,
    OrchestrationInstance,
)


class OldestFirst[T]:
    """What the engine does with a deque, in the order of `age`, then of arrival."""

    def __init__(self, age: Callable[[T], datetime]) -> None:
        self._age = age
        self._order = itertools.count()
        self._heap: list[tuple[datetime, int, T]] = []

    def append(self, item: T) -> None:
        """Takes it."""
        heapq.heappush(self._heap, (self._age(item), next(self._order), item))

    def popleft(self) -> T:
        """Gives out the oldest; raises IndexError where there is none."""
        return heapq.heappop(self._heap)[2]

    def clear(self) -> None:
        """Forgets all."""
        self._heap.clear()

    def __len__(self) -> int:
        return len(self._heap)


class InProcess(InMemoryOrchestrationBackend, ABC):
    """The in-memory engine with `next_turn` and `next_call`, which wait for work."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port=port)
        self._turns, self._calls = (threading.Condition(self._lock) for _ in range(2))
        self._closed = False
        self._caller: OrchestrationInstance | None = None
        """The instance whose sub-orchestration is being made."""

    def oldest_first(self) -> None:
        """From here on the work of the oldest run is handed out first."""
        turns: Any = OldestFirst[str](self._age)
        calls: Any = OldestFirst[ActivityWorkItem](lambda item: self._age(item.instance_id))
        self._orchestration_queue, self._activity_queue = turns, calls

    def next_turn(self) -> pb.WorkItem | None:
        """The next turn of an orchestration, once there is one; None when the engine is closed."""
        with self._turns:
            while not self._closed:
                found = self._next() if self._orchestration_queue else None
                if found is None:
                    self._turns.wait()
                elif found.HasField("orchestratorRequest"):
                    return found
                else:  # the turn that seemed to be there was done with another one
                    self.put_back(found)
            return None

    def next_call(self) -> pb.WorkItem | None:
        """The next call of an activity, once there is one; None when the engine is closed."""
        with self._calls:
            while not self._closed and not self._activity_queue:
                self._calls.wait()
            if self._closed:
                return None
            item = self._activity_queue.popleft()
            asked = pb.ActivityRequest(name=item.name, taskId=item.task_id)
            asked.orchestrationInstance.instanceId = item.instance_id
            if item.input:
                asked.input.value = item.input
            token = str(item.completion_token)
            return self.handed_out(pb.WorkItem(completionToken=token, activityRequest=asked))

    def close(self) -> None:
        """Hands out no more to workers of this process."""
        self._closed = True
        self._tell_of_work()

    def handed_out(self, item: pb.WorkItem) -> pb.WorkItem:
        """What a worker gets of this."""
        return item

    @abstractmethod
    def put_back(self, item: pb.WorkItem) -> None:
        """Has the call of an activity wait again for a worker."""

    @abstractmethod
    def parent_of(self, instance_id: str) -> OrchestrationInstance | None:
        """The instance that called this sub-orchestration, while it lives."""

    def _next(self) -> pb.WorkItem | None:
        """What a stream of work would bring next, if there is something."""
        self._work_available.set()  # it waits for none
        nobody: Any = _Nobody()
        stream = InMemoryOrchestrationBackend.GetWorkItems(self, pb.GetWorkItemsRequest(), nobody)
        found = next(iter(stream), None)
        return found and self.handed_out(found)

    def _age(self, instance_id: str) -> datetime:
        """When the run of this instance began."""
        found = self._caller or self.parent_of(instance_id) or self._instances.get(instance_id)
        return found.created_at if found else datetime.now(UTC)

    def _tell_of_work(self) -> None:
        with self._lock:
            self._turns.notify_all()
            self._calls.notify_all()
        self._work_available.set()

    def _enqueue_orchestration(self, instance_id: str) -> None:
        super()._enqueue_orchestration(instance_id)
        with self._turns:
            self._turns.notify()

    def _process_schedule_task_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        super()._process_schedule_task_action(instance, action)
        with self._calls:
            self._calls.notify()

    def _process_create_sub_orchestration_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        self._caller = instance
        try:
            super()._process_create_sub_orchestration_action(instance, action)
        finally:
            self._caller = None


class _Nobody:
    """The context of a stream that brings one thing."""

    def __init__(self) -> None:
        self._asked = 0

    def is_active(self) -> bool:
        """Whether the stream goes on."""
        self._asked += 1
        return self._asked == 1
