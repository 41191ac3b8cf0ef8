"""Which fields a host's requests have, part by part, and where two hosts differ in them.

A part is what the app can meet by itself: the frame of a request, the durable client, an event of a
history. Values are the app's and the machine's own; names, places and types of values are the
host's.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, cast

from google.protobuf.json_format import MessageToDict

from tests.contract.recording import Doc, Invocation

# What stands below these comes from the caller or from the app.
OPAQUE = frozenset({"headers", "pace"})
# Texts whose own fields are the host's.
AS_JSON = frozenset({"Properties"})
EVENTS = ("pastEvents", "newEvents")
# Bindings that the app has renamed since the recording.
OWN_NAMES = {"_durable_input": "orchestration"}

type Parts = dict[str, list[frozenset[str]]]


def parts(invocations: Iterable[Invocation]) -> Parts:
    """The fields of every part of these requests, by the part's kind."""
    found: Parts = defaultdict(list)
    for one in invocations:
        for kind, message in _parts(one):
            found[kind].append(frozenset(_fields(message)))
    return found


def always(of: list[frozenset[str]]) -> set[str]:
    """The fields that every part has."""
    return set(of[0]).intersection(*of[1:])


def differences(recorded: Parts, sent: Parts) -> Iterator[tuple[str, str, str]]:
    """Where the parts that are sent differ from the recorded ones: kind, field, and how.

    A field that every recorded part of a kind has is in each that is sent; one that none has is in
    none.
    """
    for kind in sorted(recorded.keys() - sent.keys()):
        yield kind, "", "is never sent"
    for kind in sorted(sent.keys() - recorded.keys()):
        yield kind, "", "was never recorded"
    for kind in sorted(sent.keys() & recorded.keys()):
        needed, ever = always(recorded[kind]), set[str]().union(*recorded[kind])
        missing = {field for part in sent[kind] for field in needed - part}
        more = {field for part in sent[kind] for field in part - ever}
        yield from ((kind, field, "is missing") for field in sorted(missing))
        yield from ((kind, field, "is one more") for field in sorted(more))


def _parts(one: Invocation) -> Iterator[tuple[str, Doc]]:
    frame = json.loads(json.dumps(one.request))
    frame["input_data"] = {
        OWN_NAMES.get(given["name"], given["name"]): given["data"] for given in frame["input_data"]
    }
    if client := frame["input_data"].pop("client", None):
        yield "durable client", json.loads(client["string"])
    match one.kind:
        case "orchestration":
            yield from _of_a_turn(one)
            yield "request of a turn", frame
        case "blob":
            reference = frame["input_data"]["dropped"]["model_binding_data"]
            yield "reference to a blob", json.loads(base64.b64decode(reference["content"]))
            yield "request of a blob event", frame
        case "http":
            yield f"request of {one.function}", frame
        case _:
            yield f"request of {one.function}", frame


def _of_a_turn(one: Invocation) -> Iterator[tuple[str, Doc]]:
    turn: Doc = MessageToDict(one.turn)
    for place in EVENTS:
        for event in turn.pop(place, []):
            [kind] = [name for name in event if name not in {"eventId", "timestamp"}]
            child = (
                " of a part"
                if kind == "executionStarted" and "parentInstance" in event[kind]
                else ""
            )
            yield f"event {kind}{child}", event
    began, *after = sorted(
        {str(event.WhichOneof("eventType")) for event in one.turn.newEvents}, key=_begins
    )
    for kind in after:  # which of them come together is a matter of time alone
        yield f"turn after {kind}", {began: {}}
    yield "turn", turn


def _begins(kind: str) -> bool:
    return kind != "orchestratorStarted"


def _fields(value: Any, path: str = "") -> Iterator[str]:
    match value:
        case dict():
            for name, inner in cast("Doc", value).items():
                yield (here := f"{path}.{name}" if path else name)
                if name in AS_JSON:
                    yield from _fields(json.loads(inner["json"]), here)
                elif name not in OPAQUE:
                    yield from _fields(inner, here)
        case list():
            for inner in cast("list[Any]", value):
                yield from _fields(inner, f"{path}[]")
        case _:
            pass
