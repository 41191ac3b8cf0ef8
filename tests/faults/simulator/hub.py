"""The embedded host's own engine on the virtual clock, without its server; and the durable client's
channel to it.
"""

import base64
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.client import TaskHubGrpcClient

from tests.faults.simulator.stage import Stage
from tunedrop.host.engine import Engine


class _Context:
    """A call's context: it lets GetWorkItems hand out one item and end, and turns abort into the
    client's error.
    """

    def __init__(self) -> None:
        self._asked = 0

    def is_active(self) -> bool:
        self._asked += 1
        return self._asked <= 1

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise Refused(code, details)


class Refused(grpc.RpcError):
    """The engine says no, as its server would say it on the wire."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self._code = code

    def code(self) -> grpc.StatusCode:
        """The status."""
        return self._code


class Hub(Engine):
    """One task hub: what is lost when it is lost."""

    def __init__(self, stage: Stage, *, ended_is_replaced: bool) -> None:
        super().__init__()
        self._stage = stage
        self._ended_is_replaced = ended_is_replaced
        self._work_available.wait = lambda timeout=None: False

    def now(self) -> datetime:
        """The stage's clock."""
        return self._stage.now

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        """Timers are the stage's; those of a lost hub find nothing to wake."""
        self._stage.at(when, act)

    def take(self) -> pb.WorkItem | None:
        """The next work item, or None."""
        if not self._orchestration_queue and not self._activity_queue:
            return None
        context: Any = _Context()
        return next(iter(self.GetWorkItems(pb.GetWorkItemsRequest(), context)), None)

    def call(self, name: str, request: Any) -> Any:
        """One of the service's methods."""
        context: Any = _Context()
        return getattr(self, name)(request, context)

    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: Any
    ) -> pb.CreateInstanceResponse:
        """Azure Storage starts an ended instance anew without a word; the embedded engine
        refuses.
        """
        found = self._instances.get(request.instanceId)
        if found and self._ended_is_replaced and self._is_terminal_status(found.status):
            self.call("PurgeInstances", pb.PurgeInstancesRequest(instanceId=request.instanceId))
        return super().StartInstance(request, context)

    def purge_ended(self) -> None:
        """Forgets the history of every instance that has ended, as a clean-up of the task
        hub does.
        """
        for instance in [
            i.instance_id for i in self._instances.values() if self._is_terminal_status(i.status)
        ]:
            self.call("PurgeInstances", pb.PurgeInstancesRequest(instanceId=instance))

    def said(self) -> bytes:
        """Everything that the histories and statuses hold."""
        return (
            b"\n".join(
                event.SerializeToString()
                for i in self._instances.values()
                for event in [*i.history, *i.pending_events]
            )
            + "\n".join(
                str(i.custom_status) + str(i.output) for i in self._instances.values()
            ).encode()
        )


class Channel:
    """A gRPC channel that leads to whatever hub stands now; each call pauses on its way there and
    back.
    """

    def __init__(self, stage: Stage, hub: Callable[[], Hub]) -> None:
        self._stage = stage
        self._hub = hub

    def unary_unary(self, path: str, **_: Any) -> Callable[..., Any]:
        """A method of the service."""
        name = path.rpartition("/")[2]

        def call(request: Any, **_: Any) -> Any:
            self._stage.pause(self._stage.random.uniform(0.005, 0.1))
            answer = self._hub().call(name, request)
            self._stage.pause(self._stage.random.uniform(0.005, 0.1))
            return answer

        return call

    def unary_stream(self, path: str, **_: Any) -> Callable[..., Any]:
        """No streaming method is called by the app."""
        return lambda *_a, **_k: iter(())

    stream_unary = stream_stream = unary_stream


def client(stage: Stage, hub: Callable[[], Hub]) -> TaskHubGrpcClient:
    """The real client of the durable SDK on that channel."""
    channel: Any = Channel(stage, hub)
    return TaskHubGrpcClient(
        channel=channel, emit_trace_spans=False, logger=logging.getLogger("durabletask.client")
    )


def encoded(request: pb.OrchestratorRequest) -> str:
    """An orchestrator's work item as the Functions host hands it over."""
    return base64.b64encode(request.SerializeToString()).decode()


def decoded(answer: str) -> pb.OrchestratorResponse:
    """An orchestrator's answer as it comes back."""
    return pb.OrchestratorResponse.FromString(base64.b64decode(answer))
