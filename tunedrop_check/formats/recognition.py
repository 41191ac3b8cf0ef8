"""Which format a decoded line is written for, and what holds for the lines of all formats.

A recognised format that is not supported ends in one finding for the file.
"""

from ..models.base_models import PREFERENCE, REINFORCEMENT, SUPERVISED, KnownModel
from ..reading.json_types import JsonObject
from . import preference, reinforcement, supervised
from .format import Format
from .keys import value_at
from .messages import objects_in

__all__ = [
    "COMPLETION",
    "FORMATS",
    "MIXED",
    "PREFERENCE",
    "REINFORCEMENT",
    "SUPERVISED",
    "UNKNOWN",
    "is_message",
    "messages_of",
    "read_as",
    "recognise",
]

COMPLETION = "completion"
MIXED = "mixed"
UNKNOWN = "unknown"

# The formats that are supported; of two that fit a line, the first one is meant.
FORMATS: dict[str, Format] = {
    known.name: known for known in (preference.FORMAT, reinforcement.FORMAT, supervised.FORMAT)
}

# Where a line of any format may have messages.
PATHS = tuple(dict.fromkeys(place.path for known in FORMATS.values() for place in known.places))
_LISTS = frozenset("/" + "/".join(path) for path in PATHS)


def recognise(example: JsonObject, model: KnownModel) -> str:
    """The name of a line's format. A line that fits none is read as what the model learns from,
    whose check says what is missing.
    """
    found = next((name for name, known in FORMATS.items() if known.fits(example, model)), "")
    if found:
        return found
    if "prompt" in example and "completion" in example:
        return COMPLETION
    only = (name for name, known in FORMATS.items() if model.methods == frozenset({known.method}))
    return next(only, SUPERVISED)


def read_as(example: JsonObject) -> Format:
    """The format whose messages an example has, whatever model it is for; that of a chat where it
    has none.
    """
    known_last = reversed(FORMATS.values())
    has = (known for known in known_last if any(p.path[0] in example for p in known.places))
    return next(has, supervised.FORMAT)


def messages_of(example: JsonObject) -> list[JsonObject]:
    """All messages of an example, wherever a format has some."""
    return [message for path in PATHS for message in objects_in(value_at(example, path))]


def is_message(place: str) -> bool:
    """Whether a place without its indices is that of a message, in any format."""
    return place in _LISTS
