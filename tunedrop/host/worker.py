"""The durable worker: takes work items from the engine and has the app's functions do them."""

import base64
import itertools
import logging
from collections.abc import Callable
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.grpc_options import GrpcWorkerResiliencyOptions
from durabletask.internal import helpers
from durabletask.worker import ConcurrencyOptions, TaskHubGrpcWorker

from tunedrop.host.errors import FunctionFailed, bounded
from tunedrop.host.functions import Function
from tunedrop.host.logs import log_failure
from tunedrop.host.messages import TriggerData, TypedData, parts
from tunedrop.host.runtime import Runtime

# Fewer activities than the runtime has threads (16), so that orchestrators and HTTP answer while
# long activities run.
CONCURRENCY = ConcurrencyOptions(
    maximum_concurrent_activity_work_items=10,
    maximum_concurrent_orchestration_work_items=8,
    maximum_concurrent_entity_work_items=1,
    maximum_thread_pool_workers=19,
)
# How a worker holds on to an engine on the same machine. By default it would drop a stream that was
# quiet for two minutes, and what the engine hands to that stream in the same moment would come back
# only after the visibility timeout.
LOOPBACK = GrpcWorkerResiliencyOptions(
    hello_timeout_seconds=5,
    silent_disconnect_timeout_seconds=0,
    reconnect_backoff_base_seconds=0.1,
    reconnect_backoff_cap_seconds=1,
)

type Invoke = Callable[[Function, dict[str, str], TriggerData], TypedData | None]


# An orchestration trigger gets a base64 OrchestratorRequest and answers a base64
# OrchestratorResponse, as the Durable extension does it; an activity gets JSON as text, and answers
# JSON. Failures keep type and message; stacks stay out of histories.
class Worker(TaskHubGrpcWorker):
    """Executes orchestrators and activities by the worker runtime; `invoke` blocks to the end."""

    def __init__(
        self, engine: str, metadata: list[tuple[str, str]], runtime: Runtime, invoke: Invoke
    ) -> None:
        # Its own logger would bring a handler of its own.
        super().__init__(
            host_address=engine,
            metadata=metadata,
            concurrency_options=CONCURRENCY,
            resiliency_options=LOOPBACK,
            emit_trace_spans=False,
            logger=logging.getLogger("durabletask.worker"),
        )
        self._runtime = runtime
        self._invoke = invoke

    def _execute_orchestrator(
        self, req: pb.OrchestratorRequest, stub: Any, completionToken: Any
    ) -> None:
        name = next(
            e.executionStarted.name
            for e in itertools.chain(req.pastEvents, req.newEvents)
            if e.HasField("executionStarted")
        )
        try:
            encoded = base64.b64encode(req.SerializeToString()).decode()
            answer = self._run(name, "orchestrationTrigger", {"string": encoded}, None)
            response = pb.OrchestratorResponse.FromString(
                base64.b64decode(cast(str, answer.string) if answer else "")
            )
            _remove_stacks(response)
        except FunctionFailed as failure:
            log_failure(failure, instance=req.instanceId)
            failed = helpers.new_complete_orchestration_action(
                -1, pb.ORCHESTRATION_STATUS_FAILED, "", _details(failure)
            )
            response = pb.OrchestratorResponse(instanceId=req.instanceId, actions=[failed])
        response.completionToken = completionToken
        stub.CompleteOrchestratorTask(response)

    def _execute_activity(self, req: pb.ActivityRequest, stub: Any, completionToken: Any) -> None:
        instance = req.orchestrationInstance.instanceId
        response = pb.ActivityResponse(
            instanceId=instance, taskId=req.taskId, completionToken=completionToken
        )
        try:
            answer = self._run(
                req.name, "activityTrigger", {"string": req.input.value or "null"}, instance
            )
            response.result.value = (
                cast(str, next(iter(vars(answer).values()))) if answer else "null"
            )
        except FunctionFailed as failure:
            log_failure(failure, instance=instance)
            response.failureDetails.CopyFrom(_details(failure))
        stub.CompleteActivityTask(response)

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
