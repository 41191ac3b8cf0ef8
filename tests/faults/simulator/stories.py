"""Executes orchestrators as the Functions host does: each turn goes on where the last one stopped,
or replays from the beginning.

The worker replays the whole history at every turn, which costs most of a simulation's time. Here an
execution is kept between two turns, as a worker with sticky sessions keeps it; a share of the turns
is replayed as well, and must say the same.
"""

from dataclasses import dataclass
from typing import Any

import durabletask.internal.helpers as ph  # pyright: ignore[reportMissingTypeStubs]
import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.worker import _OrchestrationExecutor, _RuntimeOrchestrationContext  # pyright: ignore[reportPrivateUsage]

from tests.faults.simulator import app, hub


@dataclass
class _Kept:
    """An execution between two turns, and the events that it has seen."""

    executor: Any
    context: Any
    seen: int
    last: bytes


class Stories:
    """The executions of one worker process: none of them outlives it."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def forget(self) -> None:
        """What a process knew is gone with it."""
        self._kept.clear()

    def turned(self, request: pb.OrchestratorRequest) -> pb.OrchestratorResponse:
        """The answer of this turn, by the execution that was kept, or else by a replay that is
        kept.
        """
        kept = self._kept.pop(request.instanceId, None)
        if kept is None or not _continues(kept, request):
            kept = _begun(request)
        answer = _went_on(kept, request)
        if not any(action.HasField("completeOrchestration") for action in answer.actions):
            kept.seen = len(request.pastEvents) + len(request.newEvents)
            kept.last = request.newEvents[-1].SerializeToString()
            self._kept[request.instanceId] = kept
        return answer


def replayed(request: pb.OrchestratorRequest) -> pb.OrchestratorResponse:
    """The answer of this turn by a replay of its whole history, by the worker that Azure uses."""
    return hub.decoded(
        app.worker().execute_orchestration_request(_story(request), hub.encoded(request))
    )


def _story(request: pb.OrchestratorRequest) -> Any:
    started = [
        e.executionStarted
        for e in [*request.pastEvents, *request.newEvents]
        if e.HasField("executionStarted")
    ]
    return app.functions()[started[-1].name]


def _continues(kept: _Kept, request: pb.OrchestratorRequest) -> bool:
    """Whether this history is the one that the execution has seen, and more."""
    past = request.pastEvents
    return len(past) >= kept.seen and past[kept.seen - 1].SerializeToString() == kept.last


def _begun(request: pb.OrchestratorRequest) -> _Kept:
    worker: Any = app.worker()
    name = next(
        e.executionStarted.name
        for e in [*request.pastEvents, *request.newEvents]
        if e.HasField("executionStarted")
    )
    worker._register_orchestrator_once(name, _story(request))
    executor: Any = _OrchestrationExecutor(
        worker._registry, worker._logger, data_converter=worker._data_converter
    )
    executor._orchestration_name = name
    context = _RuntimeOrchestrationContext(
        request.instanceId,
        worker._registry,
        data_converter=worker._data_converter,
        logger=worker._logger,
    )
    return _Kept(executor, context, 0, b"")


def _went_on(kept: _Kept, request: pb.OrchestratorRequest) -> pb.OrchestratorResponse:
    """As `_OrchestrationExecutor.execute`, but for the events that were seen before."""
    context = kept.context
    try:
        context._is_replaying = True
        for event in request.pastEvents[kept.seen :]:
            kept.executor.process_event(context, event)
        context._is_replaying = False
        for event in request.newEvents:
            kept.executor.process_event(context, event)
    except Exception as error:  # as the worker: what isn't handled fails the orchestration
        context.set_failed(error)
    return pb.OrchestratorResponse(
        instanceId=request.instanceId,
        actions=context.get_actions(),
        customStatus=ph.get_string_value(context._encoded_custom_status),
    )
