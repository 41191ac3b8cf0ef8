"""Keys that a line should not have: those that the format doesn't know, and those that hold null
where they should be left out.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from ..reading.json_types import Json, JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding

PREFERRED = "preferred_output"
NON_PREFERRED = "non_preferred_output"
PREFERENCE_KEYS = ("input", PREFERRED, NON_PREFERRED)

_REQUEST = "a setting of a request"
_RECORD = "a note by the writer of the file"
_ANSWER = "a part of a service's answer"
_LOST = (
    "the model learns nothing from this; according to a report, OpenAI's service failed a job "
    "because of further keys"
)
_LONGEST = 64

# What a key of the list is, where the format doesn't know it: seen in what people have reported.
MEANINGS: dict[str, str] = {
    **dict.fromkeys(
        (
            "model",
            "temperature",
            "top_p",
            "max_tokens",
            "max_completion_tokens",
            "stop",
            "n",
            "seed",
            "user",
            "stream",
            "logprobs",
            "store",
        ),
        _REQUEST,
    ),
    **dict.fromkeys(
        (
            "frequency_penalty",
            "presence_penalty",
            "tool_choice",
            "response_format",
            "reasoning_effort",
        ),
        _REQUEST,
    ),
    **dict.fromkeys(
        (
            "metadata",
            "id",
            "source",
            "tags",
            "split",
            "category",
            "label",
            "language",
            "timestamp",
            "score",
        ),
        _RECORD,
    ),
    **dict.fromkeys(
        (
            "annotations",
            "refusal",
            "audio",
            "reasoning_content",
            "usage",
            "choices",
            "created",
            "object",
            "finish_reason",
            "index",
        ),
        _ANSWER,
    ),
    "weight": "read only in the assistant messages of a chat",
    "system": "not a message: a system message is the first of `messages`",
}

# Keys of a message that the schema lets hold null; exports fill others with it, too, which it
# doesn't.
MAY_BE_NULL = frozenset({"function_call", "refusal", "audio"})
_IN_MESSAGES = ("name", "tool_calls", "tool_call_id", "weight", "function_call", "refusal", "audio")
_LEFT_OUT_BESIDE = ("tools", "functions", "parallel_tool_calls", "function_call")
_INDEX = re.compile(r"/[0-9]+$")

# The keys that lead to a list of messages.
Path: TypeAlias = tuple[str, ...]  # noqa: UP040  # Python 3.11 has no `type` statement


# The names of a file's keys are its owner's data and are told nowhere; only those of fixed lists
# are, in the list's spelling.
def unknown(given: JsonObject, known: frozenset[str], field: str) -> Iterator[Finding]:
    """The findings for the keys of this object that the format doesn't know, one for each of the
    list.
    """
    others = 0
    capitals: set[str] = set()
    for key in given:
        if key in known:
            continue
        if key in MEANINGS:
            yield finding(
                format_rules.UNKNOWN_KEY, f"{field}/{key}", unknown_sentence(f"{field}/{key}")
            )
        elif len(key) < _LONGEST and key.lower() in known:
            capitals.add(key.lower())
        else:
            others += 1
    for key in sorted(capitals):
        yield finding(
            format_rules.KEY_CAPITALS, f"{field}/{key}", capitals_sentence(f"{field}/{key}")
        )
    if others:
        yield finding(format_rules.UNKNOWN_KEY, field, unknown_sentence(field))


def has_index(holder: str) -> bool:
    """Whether an object at this place is one of a list, as a message is."""
    return _INDEX.search(holder) is not None


def unknown_sentence(place: str, is_message: Callable[[str], bool] = has_index) -> str:
    """What a key of the list is at such a place; of a place without one, what is said of all.

    `is_message` tells whether the object at a place is a message.
    """
    key = _key(place)
    if key not in MEANINGS:
        return (
            f"Keys {_where(place, is_message)} that the format doesn't know: their values may be "
            f"billed, and {_LOST}."
        )
    where = _where(_holder(place), is_message)
    return f"`{key}` {where} is {MEANINGS[key]}: it may be billed, and {_LOST}."


def capitals_sentence(place: str, is_message: Callable[[str], bool] = has_index) -> str:
    """What is said of a known key that is written with capitals."""
    where = _where(_holder(place), is_message)
    return f"`{_key(place)}` {where} has capital letters, so it is not read."


def check_nulls(places: Iterable[str]) -> Iterator[Finding]:
    """The findings for keys that hold null at these places."""
    for place in places:
        yield finding(format_rules.NULL_KEY, place, null_sentence([place]))


def null_sentence(places: Iterable[str], is_message: Callable[[str], bool] = has_index) -> str:
    """What is said of keys that hold null."""
    named = ", ".join(
        f"`{_key(place)}` {_where(_holder(place), is_message)}" for place in sorted(places)
    )
    return f"Keys that are null, but should be left out: {named}."


def _where(holder: str, is_message: Callable[[str], bool]) -> str:
    if is_message(holder):
        return "of a message"
    return f"of `{_key(holder)}`" if holder else "of the line"


def without_nulls(
    example: JsonObject, paths: tuple[Path, ...], also_allowed: bool = True
) -> tuple[JsonObject, list[str]]:
    """The example without the keys that should be left out as they hold null, and their places;
    without those that may hold it, too, unless told otherwise. `paths` lead to its messages.
    """
    if not any(True for _ in _nulls(example, paths)):
        return example, []
    made = _copied(example, max(map(len, paths)) + _IN_A_LIST)
    nulls = [
        (place, holder)
        for place, holder in _nulls(made, paths)
        if also_allowed or not _is_allowed(place)
    ]
    for place, holder in nulls:
        del holder[_key(place)]
    return made, [place for place, _ in nulls if not _is_allowed(place)]


# How much deeper than a list's holder the keys of its messages are.
_IN_A_LIST = 2


def _copied(value: JsonObject, levels: int) -> JsonObject:
    return {key: _copy_of(inner, levels - 1) for key, inner in value.items()}


def _copy_of(value: Json, levels: int) -> Json:
    if isinstance(value, dict) and levels:
        return _copied(value, levels)
    return (
        [_copy_of(inner, levels - 1) for inner in value]
        if isinstance(value, list) and levels
        else value
    )


def _nulls(example: JsonObject, paths: tuple[Path, ...]) -> Iterator[tuple[str, JsonObject]]:
    """The places of such keys, each with the object that holds it."""
    for place, holding, fields in _holders(paths):
        holder = value_at(example, holding)
        if isinstance(holder, dict):
            yield from (
                (f"{place}/{key}", holder)
                for key in _LEFT_OUT_BESIDE
                if holder.get(key, "") is None
            )
            for field in fields:
                yield from _nulls_of_messages(f"{place}/{field}", holder.get(field))


@functools.cache
def _holders(paths: tuple[Path, ...]) -> tuple[tuple[str, Path, tuple[str, ...]], ...]:
    """The objects that hold lists of messages, the line first: place, keys, and their lists."""
    return tuple(
        (
            "".join(f"/{key}" for key in holding),
            holding,
            tuple(path[-1] for path in paths if path[:-1] == holding),
        )
        for holding in dict.fromkeys([(), *(path[:-1] for path in paths)])
    )


def _nulls_of_messages(place: str, messages: Json) -> Iterator[tuple[str, JsonObject]]:
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict):
            yield from (
                (f"{place}/{index}/{key}", message)
                for key in _IN_MESSAGES
                if message.get(key, "") is None
            )


def _is_allowed(place: str) -> bool:
    return _key(place) in MAY_BE_NULL and has_index(_holder(place))


def _key(place: str) -> str:
    return place.rpartition("/")[2]


def _holder(place: str) -> str:
    return place.rpartition("/")[0]


def value_at(example: JsonObject, path: Path) -> Json:
    """What is at the end of these keys; None where nothing is."""
    value: Json = example
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
