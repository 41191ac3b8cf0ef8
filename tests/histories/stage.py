"""One run on the embedded host's engine without its server: a clock that jumps from timer to timer,
and every event kept.

Orchestrators are executed by what executes them on Azure: azure-functions-durable's own worker.
"""

import base64
import heapq
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from azure.durable_functions.worker import DurableFunctionsWorker
from durabletask.internal import helpers
from google.protobuf.wrappers_pb2 import StringValue

from orchestrators import gate, run, scan, train
from orchestrators.names import VERSION, WAKE, Orchestrator
from shared.models.base import wire
from shared.models.messages import StartRun
from shared.models.pace import AZURE
from tests.unit.orchestrators.theatre import Play, undecorated
from tunedrop.host.engine import Engine

BEGINS_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACTIVITY_TAKES = timedelta(seconds=1)
ORCHESTRATORS: dict[str, Callable[..., Any]] = {
    name: undecorated(function)
    for name, function in {
        Orchestrator.RUN: run.run,
        Orchestrator.SCAN: scan.scan,
        Orchestrator.GATE: gate.gate,
        Orchestrator.TRAIN: train.train,
    }.items()
}


def executed(
    worker: DurableFunctionsWorker, name: str, request: pb.OrchestratorRequest
) -> pb.OrchestratorResponse:
    """One turn of an orchestrator, as the Functions host has it done."""
    answer = worker.execute_orchestration_request(
        ORCHESTRATORS[name], base64.b64encode(request.SerializeToString()).decode()
    )
    return pb.OrchestratorResponse.FromString(base64.b64decode(answer))


@dataclass
class Generation:
    """What one instance lived through between two continue_as_new."""

    orchestrator: str
    instance: str
    events: list[pb.HistoryEvent] = field(default_factory=list[pb.HistoryEvent])


class _OneItem:
    """A call's context that lets GetWorkItems hand out one item and end."""

    def __init__(self) -> None:
        self._asked = 0

    def is_active(self) -> bool:
        self._asked += 1
        return self._asked == 1

    def abort(self, _code: object, details: str) -> None:
        raise RuntimeError(details)


class Stage(Engine):
    """Plays one run to its end; `generations` holds all of it, in the order of their beginning."""

    def __init__(self, play: Play) -> None:
        super().__init__()
        self.generations: list[Generation] = []
        self._play = play
        self._time = BEGINS_AT
        self._worker = DurableFunctionsWorker()
        self._living: dict[str, Generation] = {}

    def now(self) -> datetime:
        """The stage's time."""
        return self._time

    def wake_after(self, seconds: float) -> None:
        """Sends the run its wake-up, as a cancel does, after so many seconds."""
        event = pb.RaiseEventRequest(instanceId=self._play.run_id, name=WAKE)
        self.at(self._time + timedelta(seconds=seconds), lambda: self._call("RaiseEvent", event))

    def tell(self) -> str:
        """From the start to the end; the outcome, or how the run's own instance ended where it
        answers none.
        """
        given = StringValue(
            value=json.dumps(wire(StartRun(run_id=self._play.run_id, pace=AZURE, version=VERSION)))
        )
        self._call(
            "StartInstance",
            pb.CreateInstanceRequest(
                name=Orchestrator.RUN, instanceId=self._play.run_id, input=given
            ),
        )
        while True:
            # never wait for work: what isn't there comes with the next timer
            self._work_available.set()
            item = next(iter(self._call("GetWorkItems", pb.GetWorkItemsRequest())), None)
            if item is not None:
                self._orchestrate(item) if item.HasField("orchestratorRequest") else self._act(item)
            elif self._timers:
                when, _, act = heapq.heappop(self._timers)
                self._time = max(self._time, when)
                act()
            else:
                return self._outcome()

    def _outcome(self) -> str:
        told = self._instances[self._play.run_id]
        status = (
            pb.OrchestrationStatus.Name(told.status).removeprefix("ORCHESTRATION_STATUS_").lower()
        )
        return str(json.loads(told.output or "{}").get("outcome", status))

    def _call(self, method: str, request: Any) -> Any:
        return getattr(self, method)(request, _OneItem())

    def _orchestrate(self, item: pb.WorkItem) -> None:
        request, instance = (
            item.orchestratorRequest,
            self._instances[item.orchestratorRequest.instanceId],
        )
        # The engine stamps turns with the machine's clock.
        for event in [*request.newEvents, *instance.dispatched_events]:
            if event.HasField("orchestratorStarted"):
                event.timestamp.FromDatetime(self._time)
        if not request.pastEvents:
            self._living[request.instanceId] = Generation(instance.name, request.instanceId)
            self.generations.append(self._living[request.instanceId])
        response = executed(self._worker, instance.name, request)
        response.completionToken = item.completionToken
        known = len(instance.history) + len(request.newEvents)
        self._call("CompleteOrchestratorTask", response)
        self._living[request.instanceId].events += [
            *request.newEvents,
            *(_continued(response) or instance.history[known:]),
        ]

    def _act(self, item: pb.WorkItem) -> None:
        request = item.activityRequest
        answer = pb.ActivityResponse(
            instanceId=request.orchestrationInstance.instanceId,
            taskId=request.taskId,
            completionToken=item.completionToken,
        )
        try:
            answer.result.value = json.dumps(
                self._play.say(request.name, json.loads(request.input.value))
            )
        except ConnectionError as error:
            answer.failureDetails.CopyFrom(
                pb.TaskFailureDetails(errorType=type(error).__name__, errorMessage=str(error))
            )
        self.at(self._time + ACTIVITY_TAKES, lambda: self._call("CompleteActivityTask", answer))


def _continued(response: pb.OrchestratorResponse) -> list[pb.HistoryEvent]:
    """What continue_as_new leaves of its turn: the engine forgets the rest."""
    ends = [
        action.completeOrchestration
        for action in response.actions
        if action.HasField("completeOrchestration")
    ]
    return [
        helpers.new_execution_completed_event(end.orchestrationStatus, end.result.value)
        for end in ends
        if end.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
    ]
