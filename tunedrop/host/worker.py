"""The durable worker: takes work from the engine and has the app's functions do it."""

import base64
import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.grpc_options import GrpcWorkerResiliencyOptions
from durabletask.internal import helpers

from tunedrop.host.engine import Engine
from tunedrop.host.errors import FunctionFailed, HostError, bounded
from tunedrop.host.functions import Function
from tunedrop.host.logs import log_failure
from tunedrop.host.messages import TriggerData, TypedData, parts
from tunedrop.host.runtime import Runtime

# Fewer activities at a time than the runtime has threads (16), so that orchestrators and HTTP
# answer while long activities run.
TURNS, CALLS = 8, 10
# How a worker elsewhere holds on to an engine on the same machine. By default it would drop a
# stream that was quiet for two minutes, and what the engine hands to that stream in the same moment
# would come back only after the visibility timeout.
LOOPBACK = GrpcWorkerResiliencyOptions(
    hello_timeout_seconds=5,
    silent_disconnect_timeout_seconds=0,
    reconnect_backoff_base_seconds=0.1,
    reconnect_backoff_cap_seconds=1,
)

log = logging.getLogger("tunedrop.host")

type Invoke = Callable[[Function, dict[str, str], TriggerData], TypedData | None]


class _Direct:
    """The context of a call without a wire."""

    def abort(self, _code: Any, details: str) -> None:
        """What the engine refuses."""
        raise HostError(details)


_CONTEXT: Any = _Direct()


# An orchestration trigger gets a base64 OrchestratorRequest and answers a base64
# OrchestratorResponse, as the Durable extension does it; an activity gets JSON as text, and answers
# JSON. Failures keep type and message; stacks stay out of histories.
class Worker:
    """Executes orchestrators and activities of an engine of this process through the worker
    runtime; `invoke` blocks until the function has ended.
    """

    def __init__(self, engine: Engine, runtime: Runtime, invoke: Invoke) -> None:
        self._engine = engine
        self._runtime = runtime
        self._invoke = invoke
        kinds = (
            (engine.next_turn, self._turn, "turns", TURNS),
            (engine.next_call, self._call, "calls", CALLS),
        )
        self._threads = [
            threading.Thread(target=self._work, args=(take, do), name=name, daemon=True)
            for take, do, name, count in kinds
            for _ in range(count)
        ]

    def start(self) -> None:
        """Begins to take work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Takes no more work, and waits for the end of what is under way."""
        self._engine.close()
        for thread in self._threads:
            thread.join()

    def _work(
        self, take: Callable[[], pb.WorkItem | None], do: Callable[[pb.WorkItem], None]
    ) -> None:
        while (item := take()) is not None:
            try:
                do(item)
            except CancelledError:  # the host ends; the ledger brings back what was under way
                return
            except Exception as error:
                log.error("work lost", extra={"error": f"{type(error).__name__}: {error}"})

    def _turn(self, item: pb.WorkItem) -> None:
        req = item.orchestratorRequest
        events = itertools.chain(req.pastEvents, req.newEvents)
        name = next(e.executionStarted.name for e in events if e.HasField("executionStarted"))
        try:
            encoded = base64.b64encode(req.SerializeToString()).decode()
            answer = self._run(name, "orchestrationTrigger", {"string": encoded}, None)
            said = cast(str, answer.string) if answer else ""
            response = pb.OrchestratorResponse.FromString(base64.b64decode(said))
            _remove_stacks(response)
        except FunctionFailed as failure:
            log_failure(failure, instance=req.instanceId)
            failed = helpers.new_complete_orchestration_action(
                -1, pb.ORCHESTRATION_STATUS_FAILED, "", _details(failure)
            )
            response = pb.OrchestratorResponse(instanceId=req.instanceId, actions=[failed])
        response.completionToken = item.completionToken
        self._engine.CompleteOrchestratorTask(response, _CONTEXT)

    def _call(self, item: pb.WorkItem) -> None:
        req = item.activityRequest
        instance = req.orchestrationInstance.instanceId
        response = pb.ActivityResponse(
            instanceId=instance, taskId=req.taskId, completionToken=item.completionToken
        )
        try:
            value = {"string": req.input.value or "null"}
            answer = self._run(req.name, "activityTrigger", value, instance)
            result = next(iter(vars(answer).values())) if answer else "null"
            response.result.value = cast(str, result)
        except FunctionFailed as failure:
            log_failure(failure, instance=instance)
            response.failureDetails.CopyFrom(_details(failure))
        self._engine.CompleteActivityTask(response, _CONTEXT)

    def _run(
        self, name: str, kind: str, value: dict[str, str], activity_of: str | None
    ) -> TypedData | None:
        function = self._runtime.named(name, kind)
        if function is None:
            raise FunctionFailed(name, "FunctionNotFound", f"The app has no {kind} of this name.")
        return self._invoke(
            function,
            value,
            of_activity(function.parameter, value["string"], activity_of) if activity_of else {},
        )


def of_activity(parameter: str, given: str, instance: str) -> dict[str, TypedData]:
    """What an activity's trigger metadata tells: its input, whole and in parts, and its run."""
    of = {
        "data": TypedData(json=given),
        parameter: TypedData(string=given),
        "instanceId": TypedData(string=instance),
    }
    return {**parts(given), **of}


def _details(failure: FunctionFailed) -> pb.TaskFailureDetails:
    return pb.TaskFailureDetails(errorType=failure.error_type, errorMessage=failure.message)


def _remove_stacks(response: pb.OrchestratorResponse) -> None:
    for action in response.actions:
        if action.HasField("completeOrchestration") and action.completeOrchestration.HasField(
            "failureDetails"
        ):
            details = action.completeOrchestration.failureDetails
            details.ClearField("stackTrace")
            details.ClearField("innerFailure")
            details.errorMessage = bounded(details.errorMessage)
