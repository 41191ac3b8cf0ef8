"""What the app answers to the recorded requests today, held against what it answered then."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import durabletask.internal.orchestrator_service_pb2 as pb

from tests.contract.recording import Doc, Invocation

type Faults = Iterator[tuple[str, str, str]]
"""Function, place and what is wrong there."""
SUCCESS = 1


def differences(one: Invocation, played: Doc) -> Faults:
    """Where today's answer to one request differs from the recorded one."""
    if played["status"] != SUCCESS:
        yield one.function, "", f"fails with {played['error']}"
        return
    compare: dict[str, Callable[[Invocation, Doc], Faults]] = {
        "orchestration": _decision,
        "activity": _answer,
        "http": _http,
        "blob": lambda one, played: iter(()),
    }
    yield from compare[one.kind](one, played)


def actions(decision: pb.OrchestratorResponse) -> list[tuple[str, int, str]]:
    """What an orchestrator asks for, in its order: kind, number and name."""
    return [
        (
            str(action.WhichOneof("orchestratorActionType")),
            action.id,
            action.scheduleTask.name or action.createSubOrchestration.name,
        )
        for action in decision.actions
    ]


def fields(value: Any, path: str = "") -> set[str]:
    """The names of all that JSON holds."""
    match value:
        case dict():
            members = cast("Doc", value)
            return {f"{path}.{name}" for name in members}.union(
                *(fields(inner, f"{path}.{name}") for name, inner in members.items())
            )
        case list():
            return set[str]().union(
                *(fields(inner, f"{path}[]") for inner in cast("list[Any]", value))
            )
        case _:
            return set()


def _decision(one: Invocation, played: Doc) -> Faults:
    today = pb.OrchestratorResponse.FromString(base64.b64decode(played["return_value"]["string"]))
    if actions(today) != actions(one.decision):
        yield one.function, "actions", f"are {actions(today)} and were {actions(one.decision)}"
    if today.customStatus != one.decision.customStatus:
        yield one.function, "customStatus", "is another"


def _answer(one: Invocation, played: Doc) -> Faults:
    today, then = (
        json.loads(played["return_value"]["json"]),
        json.loads(one.response["return_value"]["json"]),
    )
    yield from _fields(one.function, today, then)
    for name in ("kind", "outcome"):
        if today[name] != then[name]:
            yield one.function, name, f"is {today[name]} and was {then[name]}"


def _http(one: Invocation, played: Doc) -> Faults:
    today, then = played["return_value"]["http"], one.response["return_value"]["http"]
    for name in ("status_code", "headers"):
        if today[name] != then[name]:
            yield one.function, name, f"is {today[name]} and was {then[name]}"
    yield from _fields(
        one.function,
        *(json.loads(base64.b64decode(answer["body"]["bytes"])) for answer in (today, then)),
    )


def _fields(function: str, today: Any, then: Any) -> Faults:
    yield from ((function, field, "is missing") for field in sorted(fields(then) - fields(today)))
    yield from ((function, field, "is one more") for field in sorted(fields(today) - fields(then)))
