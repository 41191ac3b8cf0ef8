"""What the published recipe leaves out of an example, counted so that the service can't bill more:
declarations, other fields, images.

The recipe (tokens.py) stays the count; this stands beside it, and both together are the upper
bound.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from ..formats import keys, recognition
from ..formats.format import Format
from ..formats.images import DETAILS
from ..reading.json_types import Json, JsonObject
from .counters import Counter
from .image_tokens import ImageTokens
from .tokens import compact_json, is_countable

# Fields beside the messages that say what may be called and in which form is answered; they are
# part of the prompt.
DECLARED = frozenset(
    {"tools", "functions", "response_format", "parallel_tool_calls", "tool_choice", "function_call"}
)

# What the recipe leaves out counts by its compact JSON, a tool declaration with a margin: the
# service writes declarations in a form of its own, and OpenAI's cookbook on counting tokens reckons
# up to 22 tokens beside the texts of a function and 3 for each value that a parameter may have, of
# which JSON has one.
PER_FUNCTION = 24
PER_LISTED_VALUE = 2

_TEXTS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "function_call"})
_EMPTY_IN_DUMPS = frozenset({"refusal", "audio"})
_PARTS = ("text", "image_url")


class Beyond(msgspec.Struct, frozen=True):
    """The tokens of one example beside those of the recipe; of its images, the estimate."""

    declared: int = 0
    other: int = 0
    images: ImageTokens = msgspec.field(default_factory=ImageTokens)


def beyond(example: JsonObject, counter: Counter, known: Format | None = None) -> Beyond:
    """What the recipe leaves out of an example; without a format, of what its fields say."""
    declared: list[tuple[str, Json]] = []
    other = _left_out(example, (known or recognition.read_as(example)).paths, declared)
    images = ImageTokens()
    images.add(recognition.messages_of(example))
    return Beyond(
        declared=sum(declared_tokens(key, value, counter) for key, value in declared),
        other=_at_most(compact_json(other), counter) if other else 0,
        images=images,
    )


def declared_tokens(key: str, value: Json, counter: Counter) -> int:
    """The tokens of one declaring field, at most; null declares nothing."""
    if value is None:
        return 0
    functions = len(value) if key in ("tools", "functions") and isinstance(value, list) else 1
    return (
        _at_most(compact_json({key: value}), counter)
        + PER_FUNCTION * functions
        + PER_LISTED_VALUE * _listed(value)
    )


def _at_most(text: str, counter: Counter) -> int:
    # A text that can't be counted counts by its bytes: no token has less than one.
    return (
        counter.count([text])[0]
        if is_countable(text)
        else len(text.encode("utf-8", "surrogatepass"))
    )


def _listed(value: Json) -> int:
    """How many values stand in lists, at all depths."""
    number = 0
    level: list[Json] = [value]
    while level:
        number += sum(len(entry) for entry in level if isinstance(entry, list))
        level = [inner for entry in level for inner in _inside(entry)]
    return number


def _inside(value: Json) -> Iterable[Json]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _left_out(
    holder: JsonObject, paths: Sequence[keys.Path], declared: list[tuple[str, Json]]
) -> JsonObject:
    """The fields that the recipe doesn't count, and the rest of those that it does; `paths` lead to
    the messages in this object.
    """
    left: JsonObject = {}
    for key, value in holder.items():
        if inner := [path[1:] for path in paths if path[0] == key]:
            if piece := _of_counted(value, inner, declared):
                left[key] = piece
        elif key in DECLARED:
            declared.append((key, value))
        else:
            left[key] = value
    return left


def _of_counted(value: Json, inner: Sequence[keys.Path], declared: list[tuple[str, Json]]) -> Json:
    if () in inner:
        return _each(value, _of_message) if isinstance(value, list) else value
    return _left_out(value, inner, declared) if isinstance(value, dict) else value


def _each(values: list[Json], left_of: Callable[[Json], Json]) -> list[Json]:
    """What is left of each value of which something is."""
    return [left for value in values if (left := left_of(value))]


def _of_message(message: Json) -> Json:
    """What the recipe leaves out of a message."""
    if not isinstance(message, dict):
        return [message]
    left: JsonObject = {}
    for key, value in message.items():
        if key == "content" and isinstance(value, list):
            if parts := _each(value, _of_part):
                left[key] = parts
        elif key in _TEXTS:
            if isinstance(value, (int, float)):
                left[key] = value
        elif not (key == "weight" and isinstance(value, (int, float))) and not (
            key in _EMPTY_IN_DUMPS and value is None
        ):
            # The recipe counts what stands under any key, but for numbers, true, false and null.
            left[key] = "" if isinstance(value, (str, dict, list)) else value
    return left


def _of_part(part: Json) -> Json:
    if isinstance(part, str):
        return None
    if not isinstance(part, dict):
        return [part]
    left = {
        key: value for key, value in part.items() if not (key == "text" and isinstance(value, str))
    }
    if left.get("type") in _PARTS:
        image = left.get("image_url") if left.pop("type") == "image_url" else None
        if isinstance(image, dict):
            left["image_url"] = {
                key: value for key, value in image.items() if not _is_of_image(key, value)
            }
            left = {key: value for key, value in left.items() if value or key != "image_url"}
    return left


def _is_of_image(key: str, value: Json) -> bool:
    """Whether it is what the estimate of an image stands for."""
    return (key == "url" and isinstance(value, str)) or (key == "detail" and value in DETAILS)
