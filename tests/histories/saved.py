"""Histories as files: the events of every instance of one run as JSON, one a line, so that a change
shows as a line.

Left out is what no replay reads: the inputs of what was scheduled, stacks, who the parent is, and
all times but those of turns.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from google.protobuf.json_format import MessageToDict, ParseDict

from tests.histories.stage import Generation

FOLDER = Path(__file__).parent
PAYLOADS = ("input", "result")
UNREAD = {"taskScheduled": ("input",), "subOrchestrationInstanceCreated": ("input",)}
NO_STAMP = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class History:
    """One run as it was, by the release that ran it."""

    path: str
    version: str
    outcome: str
    generations: list[Generation]


def write(history: History, folder: Path = FOLDER) -> Path:
    """Writes the history into the folder of its version."""
    file = folder / history.version / f"{history.path}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(_lines(history)) + "\n", encoding="utf-8")
    return file


def read(file: Path) -> History:
    """A history from its file."""
    found = json.loads(file.read_text(encoding="utf-8"))
    generations = [
        Generation(g["orchestrator"], g["instance"], [_event(e) for e in g["events"]])
        for g in found["generations"]
    ]
    return History(found["path"], found["version"], found["outcome"], generations)


def files() -> list[Path]:
    """Every saved history, of all releases."""
    return sorted(FOLDER.glob("*/*.json"))


def _lines(history: History) -> Iterator[str]:
    yield (
        f'{{"path": {json.dumps(history.path)}, "version": {json.dumps(history.version)}, '
        f'"outcome": {json.dumps(history.outcome)},'
    )
    yield ' "generations": ['
    for number, generation in enumerate(history.generations):
        yield (
            f'  {{"orchestrator": {json.dumps(generation.orchestrator)}, "instance": '
            f'{json.dumps(generation.instance)}, "events": ['
        )
        events = [json.dumps(_told(event)) for event in generation.events]
        yield from (f"    {event}," for event in events[:-1])
        yield f"    {events[-1]}"
        yield "  ]}" + ("," if number < len(history.generations) - 1 else "")
    yield " ]}"


def _told(event: pb.HistoryEvent) -> dict[str, Any]:
    told: dict[str, Any] = MessageToDict(event)
    if told.get("timestamp") == NO_STAMP or not event.HasField("orchestratorStarted"):
        told.pop("timestamp", None)
    if told.get("eventId") == -1:
        del told["eventId"]
    [kind] = [name for name in told if name not in {"timestamp", "eventId"}]
    details: dict[str, Any] = told[kind]
    details.pop("parentInstance", None)
    if kind == "executionStarted":
        details["orchestrationInstance"].pop("executionId", None)
    for name in UNREAD.get(kind, ()):
        details.pop(name, None)
    for name in PAYLOADS:
        if details.get(name):
            details[name] = json.loads(details[name])
    if failure := details.get("failureDetails"):
        details["failureDetails"] = {
            name: failure[name] for name in ("errorType", "errorMessage") if name in failure
        }
    return {kind: details, **{name: value for name, value in told.items() if name != kind}}


def _event(told: dict[str, Any]) -> pb.HistoryEvent:
    event = {"eventId": -1, **told}
    [kind] = [name for name in told if name not in {"timestamp", "eventId"}]
    event[kind] = {
        name: json.dumps(value) if name in PAYLOADS and value != "" else value
        for name, value in told[kind].items()
    }
    return ParseDict(event, pb.HistoryEvent())
