"""Keys that a line should not have: those that the format doesn't know, and those that hold null
where they should be left out.
"""

from collections.abc import Iterable, Iterator

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
_FIELDS = ("messages", PREFERRED, NON_PREFERRED)


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


def unknown_sentence(place: str) -> str:
    """What a key of the list is at such a place; of a place without one, what is said of all."""
    key = _key(place)
    if key not in MEANINGS:
        return (
            f"Keys {_where(f'{place}/-')} that the format doesn't know: their values may be "
            f"billed, and {_LOST}."
        )
    return f"`{key}` {_where(place)} is {MEANINGS[key]}: it may be billed, and {_LOST}."


def capitals_sentence(place: str) -> str:
    """What is said of a known key that is written with capitals."""
    return f"`{_key(place)}` {_where(place)} has capital letters, so it is not read."


def check_nulls(places: Iterable[str]) -> Iterator[Finding]:
    """The findings for keys that hold null at these places."""
    for place in places:
        yield finding(format_rules.NULL_KEY, place, null_sentence([place]))


def null_sentence(places: Iterable[str]) -> str:
    """What is said of keys that hold null."""
    named = ", ".join(f"`{_key(place)}` {_where(place)}" for place in sorted(places))
    return f"Keys that are null, but should be left out: {named}."


def _where(place: str) -> str:
    parent = place.rpartition("/")[0].rstrip("0123456789").rstrip("/")
    return (
        "of a message"
        if parent.endswith(("messages", "output"))
        else "of `input`"
        if parent.endswith("input")
        else "of the line"
    )


def without_nulls(example: JsonObject, also_allowed: bool = True) -> tuple[JsonObject, list[str]]:
    """The example without the keys that should be left out as they hold null, and their places;
    without those that may hold it, too, unless told otherwise.
    """
    if not any(True for _ in _nulls(example)):
        return example, []
    made = _copied(example, _LEVELS)
    nulls = [
        (place, holder) for place, holder in _nulls(made) if also_allowed or not _is_allowed(place)
    ]
    for place, holder in nulls:
        del holder[_key(place)]
    return made, [place for place, _ in nulls if not _is_allowed(place)]


# So deep lie the messages of a preference's input.
_LEVELS = 4


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


def _nulls(example: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """The places of such keys, each with the object that holds it."""
    given = example.get("input")
    for place, holder in (("", example), ("/input", given)):
        if isinstance(holder, dict):
            yield from (
                (f"{place}/{key}", holder)
                for key in _LEFT_OUT_BESIDE
                if holder.get(key, "") is None
            )
            for field in _FIELDS:
                yield from _nulls_of_messages(f"{place}/{field}", holder.get(field))


def _nulls_of_messages(place: str, messages: Json) -> Iterator[tuple[str, JsonObject]]:
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict):
            yield from (
                (f"{place}/{index}/{key}", message)
                for key in _IN_MESSAGES
                if message.get(key, "") is None
            )


def _is_allowed(place: str) -> bool:
    return _key(place) in MAY_BE_NULL and _where(place) == "of a message"


def _key(place: str) -> str:
    return place.rpartition("/")[2]
