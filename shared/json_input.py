"""JSON from outside: bounded, strict, and refused without a word of what stands in it."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from shared import field_names, field_words

# Limit of ours (docs/security.md).
DEPTH_MAX = 64
ERRORS_SHOWN = 10


class NotJson(ValueError):
    """The bytes are no JSON that is taken; the message says why and where, and quotes nothing."""


def decoded(content: bytes) -> Any:
    """The value of these bytes.

    Raises:
        NotJson: not UTF-8, not JSON, a field that stands twice, NaN or Infinity, a number too
            large, or nested too deep.
    """
    try:
        text = content.decode("utf-8-sig")
        value: Any = json.loads(
            text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
    except NotJson:
        raise
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"a syntax error at line {error.lineno}, column {error.colno}") from None
    except ValueError:
        raise NotJson("a number is too large") from None
    except RecursionError:
        raise NotJson(f"nested deeper than {DEPTH_MAX}") from None
    if _depth(value) > DEPTH_MAX:
        raise NotJson(f"nested deeper than {DEPTH_MAX}")
    return value


def wrong_fields(error: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong, field by field: the form that is wanted and the kind of what came, never its
    value. An unknown field is named where its name is harmless, with the field that was meant.
    """
    schema, told = model.model_json_schema(), dict[str, None]()
    for one in error.errors(include_url=False, include_context=False):
        told[_sentence(one, schema)] = None
    return "; ".join(list(told)[:ERRORS_SHOWN])


def _sentence(error: Any, schema: dict[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return _unknown(
            str(error["loc"][-1]), _dotted(_known_part(error["loc"][:-1], schema)), schema
        )
    loc = _known_part(error["loc"], schema)
    place = _dotted(loc)
    match error["type"]:
        case "missing":
            return f"`{place}` is missing"
        case "string_unicode":
            return f"`{place}` contains half of a surrogate pair, which is not a character"
        case _:
            came = field_words.told_kind(schema, loc, error["input"])
            named = f"`{place}`" if place else "the whole"
            return f"{named} must be {field_words.wanted(schema, loc)}" + (
                f", not {came}" if came else ""
            )


def _unknown(name: str, place: str, schema: dict[str, Any]) -> str:
    inside = f" in {place}" if place else ""
    if not field_names.HARMLESS.fullmatch(name):
        return f"an unknown field{inside}"
    home = ".".join(part for part in place.split(".") if not part.isdigit())
    meant = field_names.meant(name, home, _paths(schema, schema))
    return f"an unknown field `{name}`{inside}" + (f" ({meant})" if meant else "")


def _dotted(loc: Sequence[str | int]) -> str:
    return ".".join(map(str, loc))


def _known_part(loc: Sequence[str | int], schema: dict[str, Any]) -> tuple[str | int, ...]:
    """The part of an error's place that the model knows."""
    # pydantic also names the alternative that it tried, and an unknown field.
    known = {leaf for path in _paths(schema, schema) for leaf in path.split(".")}
    return tuple(part for part in loc if isinstance(part, int) or part in known)


def _paths(root: dict[str, Any], node: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The path of every field of a schema, such as `deployment.name`; a list adds nothing to it."""
    for one in field_words.choices(root, node):
        for name, inner in one.get("properties", {}).items():
            yield prefix + name
            yield from _paths(root, inner, f"{prefix}{name}.")
        if "items" in one:
            yield from _paths(root, one["items"], prefix)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise NotJson("one object has the same field twice")
    return dict(pairs)


def _no_constant(_name: str) -> Any:
    raise NotJson("NaN and Infinity are not JSON")


def _finite(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise NotJson("a number is too large")
    return value


def _depth(value: Any) -> int:
    """How deep lists and objects are nested."""
    # Without recursion, which deep nesting would bring to its limit.
    depth, level = 0, [value]
    while level := [item for item in level if _holds(item)]:
        depth += 1
        level = [inner for item in level for inner in _inside(item)]
    return depth


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _inside(value: Any) -> Iterable[Any]:
    return (
        cast("dict[str, Any]", value).values()
        if isinstance(value, dict)
        else cast("list[Any]", value)
    )
