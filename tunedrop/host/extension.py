"""What the Durable extension tells an orchestrator beyond what durabletask's in-memory backend
does.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance

_EXECUTIONS = uuid.UUID("6f6b2f0e-2f0c-5c0b-9a52-0d8f0a0a9b11")


def of_the_host(version: str) -> pb.OrchestratorRequest:
    """What every request says of the host, to be merged into each."""
    said = pb.OrchestratorRequest()
    said.entityParameters.entityMessageReorderWindow.FromSeconds(1800)
    said.properties["defaultVersion"].string_value = version
    said.properties["IsExtendedSession"].bool_value = False
    said.properties["IncludeState"].bool_value = True
    said.properties["HttpDefaultAsyncRequestSleepTimeMilliseconds"].number_value = 30_000
    said.properties["ExtendedSessionIdleTimeoutInSeconds"].number_value = 0
    return said


def execution_id(instance_id: str, born: int) -> str:
    """The id of one generation of an instance."""
    # The same work gives the same ids, so that histories can be compared.
    return uuid.uuid5(_EXECUTIONS, f"{instance_id} {born}").hex


def complete(instance: OrchestrationInstance, born: int, now: datetime) -> None:
    """Gives the events that wait for an instance their times, and its start the execution's id."""
    stamp(instance.pending_events, now)
    for event in instance.pending_events:
        if event.HasField(
            "executionStarted"
        ) and not event.executionStarted.orchestrationInstance.HasField("executionId"):
            event.executionStarted.orchestrationInstance.executionId.value = execution_id(
                instance.instance_id, born
            )


# Source: a recording of Microsoft's host with the extension 3.19.0;
# tests/contract/test_real_host.py holds the fields against it.
def stamp(events: Iterable[pb.HistoryEvent], now: datetime) -> None:
    """Gives a time to the events that have none, and takes out what the extension doesn't say."""
    for event in events:
        if not event.timestamp.seconds:
            event.timestamp.FromDatetime(now)
        if event.HasField("eventRaised") and not event.eventRaised.input.value:
            event.eventRaised.ClearField("input")
        if event.HasField("taskScheduled"):
            event.taskScheduled.ClearField("input")
        if event.HasField("subOrchestrationInstanceCreated"):
            event.subOrchestrationInstanceCreated.ClearField("input")


def mark_continued(events: list[pb.HistoryEvent]) -> None:
    """Closes the first entry of a generation that continues another one, as the extension does."""
    events.insert(2, helpers.new_orchestrator_completed_event())


def parent(of: OrchestrationInstance, born: int, task_id: int) -> pb.ParentInstanceInfo:
    """What a child is told of its parent."""
    told = pb.ParentInstanceInfo(taskScheduledId=task_id)
    told.name.value = of.name
    # The version stands here, and not in the child.
    told.version.value = of.version or ""
    told.orchestrationInstance.instanceId = of.instance_id
    told.orchestrationInstance.executionId.value = execution_id(of.instance_id, born)
    return told


def tell_parent(events: Iterable[pb.HistoryEvent], told: pb.ParentInstanceInfo) -> None:
    """Puts the parent into the start of a child."""
    for event in events:
        if event.HasField("executionStarted"):
            event.executionStarted.parentInstance.CopyFrom(told)
