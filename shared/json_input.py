"""JSON from outside: bounded, strict, and refused without a word of what stands in it."""

import difflib
import inspect
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, cast, get_args

from pydantic import BaseModel, ValidationError

DEPTH_MAX = 64
ERRORS_SHOWN = 10


class NotJson(ValueError):
    """The bytes are no JSON that is taken; the message says why and where, and quotes nothing."""


def decoded(content: bytes) -> Any:
    """The value of these bytes.

    Raises:
        NotJson: not UTF-8, not JSON, a field that stands twice, NaN or Infinity, a number too large, or nested too deep.
    """
    try:
        text = content.decode("utf-8-sig")
        value: Any = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite)
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
    """What is wrong, field by field; an unknown field is not quoted, but the nearest known one is named."""
    known = frozenset(_fields(model))
    return "; ".join(_sentence(e, known) for e in error.errors(include_input=False, include_url=False)[:ERRORS_SHOWN])


def _sentence(error: Any, known: frozenset[str]) -> str:
    place = ".".join(str(part) for part in error["loc"] if isinstance(part, int) or part in known)
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(error["loc"][-1])[:64], sorted(known), n=1)
        return f"an unknown field{f' in {place}' if place else ''}" + (f" (did you mean `{near[0]}`?)" if near else "")
    return f"`{place or 'the whole'}`: {error['msg']}"


def _fields(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for inner in _parts(field.annotation):
            yield from _fields(inner)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation, also inside of lists and unions."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise NotJson("a field stands twice in one object")
    return dict(pairs)


def _no_constant(_name: str) -> Any:
    raise NotJson("NaN and Infinity are not JSON")


def _finite(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise NotJson("a number is too large")
    return value


def _depth(value: Any) -> int:
    """How deep lists and objects are nested; counted without recursion."""
    depth, level = 0, [value]
    while level := [item for item in level if _holds(item)]:
        depth += 1
        level = [inner for item in level for inner in _inside(item)]
    return depth


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _inside(value: Any) -> Iterable[Any]:
    return cast("dict[str, Any]", value).values() if isinstance(value, dict) else cast("list[Any]", value)
