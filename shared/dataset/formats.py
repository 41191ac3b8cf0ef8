"""Which training method a decoded line is written for.

A recognised format that has no checks yet ends in one finding for the file. A new format comes as a row of CHECKS and a branch here.
"""

from collections.abc import Callable, Iterator

from . import supervised
from .findings import Finding
from .models import BaseModel
from .shapes import Json, JsonObject

SUPERVISED = "supervised"
PREFERENCE = "dpo"
REINFORCEMENT = "reinforcement"
COMPLETION = "completion"
MIXED = "mixed"
UNKNOWN = "unknown"

PREFERENCE_KEYS = frozenset(supervised.PREFERENCE_KEYS)

CHECKS: dict[str, Callable[[JsonObject, BaseModel], Iterator[Finding]]] = {SUPERVISED: supervised.check}
"""The check of each format that is supported."""


def recognise(example: JsonObject, model: BaseModel) -> str:
    """The format of a line. A line that fits none is read as supervised, whose check says what is missing.

    A conversation that ends with the user is meant for reinforcement where it brings further fields for a grader, or where the
    model learns in no other way.
    """
    if "messages" in example:
        graded = not example.keys() <= (supervised.LINE_KEYS | PREFERENCE_KEYS) or model.methods == frozenset({REINFORCEMENT})
        return REINFORCEMENT if graded and _ends_with_user(example["messages"]) else SUPERVISED
    if example.keys() & PREFERENCE_KEYS:
        return PREFERENCE
    if "prompt" in example and "completion" in example:
        return COMPLETION
    return SUPERVISED


def _ends_with_user(messages: Json) -> bool:
    if not isinstance(messages, list) or not messages:
        return False
    last = messages[-1]
    return isinstance(last, dict) and last.get("role") == "user"
