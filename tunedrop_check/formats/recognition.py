"""Which training method a decoded line is written for.

A recognised format that has no checks ends in one finding for the file. A new format comes as a row
of CHECKS and a branch here.
"""

from collections.abc import Callable, Iterator

from ..models.base_models import PREFERENCE, REINFORCEMENT, SUPERVISED, KnownModel
from ..reading.json_types import Json, JsonObject
from ..rules.findings import Finding
from . import preference, reinforcement, supervised
from .keys import PREFERENCE_KEYS
from .messages import role_of

__all__ = [
    "CHECKS",
    "COMPLETION",
    "MIXED",
    "PREFERENCE",
    "REINFORCEMENT",
    "SUPERVISED",
    "UNKNOWN",
    "recognise",
]

COMPLETION = "completion"
MIXED = "mixed"
UNKNOWN = "unknown"

# The check of each format that is supported.
CHECKS: dict[str, Callable[[JsonObject, KnownModel], Iterator[Finding]]] = {
    SUPERVISED: supervised.check,
    PREFERENCE: preference.check,
    REINFORCEMENT: reinforcement.check,
}

_CHAT_KEYS = supervised.LINE_KEYS | frozenset(PREFERENCE_KEYS)
_REINFORCEMENT_ONLY = frozenset({REINFORCEMENT})


def recognise(example: JsonObject, model: KnownModel) -> str:
    """The format of a line."""
    # A conversation that ends with the user is meant for reinforcement where it brings further
    # fields for a grader. For a model that learns in no other way, either is enough.
    only = model.methods == _REINFORCEMENT_ONLY
    if "messages" in example:
        graded, last = not example.keys() <= _CHAT_KEYS, _last_role(example["messages"])
        meant = graded or last != "assistant" if only else graded and last == "user"
        return REINFORCEMENT if meant else SUPERVISED
    if not example.keys().isdisjoint(PREFERENCE_KEYS):
        return PREFERENCE
    if "prompt" in example and "completion" in example:
        return COMPLETION
    # A line that fits none is read as what the model learns from, whose check says what is missing.
    return REINFORCEMENT if only else SUPERVISED


def _last_role(messages: Json) -> str:
    return role_of(messages[-1]) if isinstance(messages, list) and messages else ""
