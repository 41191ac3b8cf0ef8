"""Replay: a saved history, turn by turn, on today's orchestrators, through the worker that executes
them on Azure.

A turn is right when it asks for what the history holds next: the same activities, timers and parts
under the same numbers, or the same end.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb
from azure.durable_functions.worker import DurableFunctionsWorker

from tests.histories.saved import History
from tests.histories.stage import executed

ASKED = {"taskScheduled", "timerCreated", "subOrchestrationInstanceCreated", "executionCompleted"}


@dataclass(frozen=True)
class Turn:
    """What an orchestrator was given, and what the history says it asked for."""

    past: list[pb.HistoryEvent]
    new: list[pb.HistoryEvent]
    asked: list[pb.HistoryEvent]


class Diverged(Exception):
    """Today's orchestrator does not do what the history says."""


def replay(history: History, worker: DurableFunctionsWorker) -> int:
    """Replays every turn of every instance; answers how many there were.

    Raises:
        Diverged: with the engine's own error, or with what was asked for and what the history
            holds.
    """
    turns = 0
    for generation in history.generations:
        # The last turn first: it replays all before it, so that the engine's own error is met
        # before ours.
        for turn in reversed(list(turns_of(generation.events))):
            request = pb.OrchestratorRequest(
                instanceId=generation.instance, pastEvents=turn.past, newEvents=turn.new
            )
            actions = list(executed(worker, generation.orchestrator, request).actions)
            _compare(
                f"{history.path}, {generation.orchestrator}, event {len(turn.past)}",
                actions,
                turn.asked,
            )
            turns += 1
    return turns


def turns_of(events: list[pb.HistoryEvent]) -> Iterator[Turn]:
    """The turns of one generation: each begins with orchestratorStarted, and what was asked for
    follows what came in.
    """
    starts = [
        number for number, event in enumerate(events) if event.HasField("orchestratorStarted")
    ]
    for start, stop in zip(starts, [*starts[1:], len(events)], strict=True):
        turn = events[start:stop]
        asked = [event for event in turn if _kind(event) in ASKED]
        yield Turn(
            events[:start],
            [event for event in turn if _kind(event) not in {*ASKED, "orchestratorCompleted"}],
            asked,
        )


def _kind(event: pb.HistoryEvent) -> str:
    return str(event.WhichOneof("eventType"))


def _compare(
    place: str, actions: list[pb.OrchestratorAction], asked: list[pb.HistoryEvent]
) -> None:
    for action in actions:
        failure = action.completeOrchestration.failureDetails
        if failure.errorType.endswith("NonDeterminismError"):
            raise Diverged(f"{place}: NonDeterminismError: {failure.errorMessage}")
    today, then = [_of_action(action) for action in actions], [_of_event(event) for event in asked]
    same = len(today) == len(then) and all(_same(a, b) for a, b in zip(today, then, strict=True))
    if not same:
        raise Diverged(f"{place}: asks for {today}, the history holds {then}")


def _of_action(action: pb.OrchestratorAction) -> tuple[Any, ...]:
    match action.WhichOneof("orchestratorActionType"):
        case "scheduleTask":
            return "activity", action.id, action.scheduleTask.name
        case "createTimer":
            return "timer", action.id, action.createTimer.fireAt.ToJsonString()
        case "createSubOrchestration":
            return (
                "part",
                action.id,
                action.createSubOrchestration.name,
                action.createSubOrchestration.instanceId,
            )
        case _:
            end = action.completeOrchestration
            return "end", end.orchestrationStatus, _of_today(json.loads(end.result.value or "null"))


def _of_event(event: pb.HistoryEvent) -> tuple[Any, ...]:
    match _kind(event):
        case "taskScheduled":
            return "activity", event.eventId, event.taskScheduled.name
        case "timerCreated":
            return "timer", event.eventId, event.timerCreated.fireAt.ToJsonString()
        case "subOrchestrationInstanceCreated":
            return (
                "part",
                event.eventId,
                event.subOrchestrationInstanceCreated.name,
                event.subOrchestrationInstanceCreated.instanceId,
            )
        case _:
            end = event.executionCompleted
            return "end", end.orchestrationStatus, _of_today(json.loads(end.result.value or "null"))


def _of_today(result: Any) -> Any:
    """A result in today's words: what is called `fix` was `mend` in the first releases."""
    if not isinstance(result, dict):
        return result
    found = cast("dict[str, Any]", result)
    return {"fix" if key == "mend" else key: _of_today(value) for key, value in found.items()}


def _same(today: tuple[Any, ...], then: tuple[Any, ...]) -> bool:
    """An end may say more than it said then, as a message that has a new field; it may not say
    less.
    """
    if today[0] == then[0] == "end" and isinstance(today[2], dict) and isinstance(then[2], dict):
        return today[1] == then[1] and {**today[2], **then[2]} == today[2]
    return today == then
