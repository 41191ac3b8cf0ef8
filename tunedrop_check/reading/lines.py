"""One line of a file, decoded strictly: UTF-8, one JSON object, no key twice, bounded depth and
size.
"""

import json
import math
import re
from collections.abc import Iterator

import msgspec

from ..rules import format_rules
from ..rules.findings import Finding, finding
from .json_types import Json, JsonObject

# Limits of ours (docs/data-formats.md): what a hostile line may cost stays bounded.
MAX_DEPTH = 64
MAX_SEPARATORS = 2**20
BOM = b"\xef\xbb\xbf"

_SEPARATORS = (b",", b":", b"[", b"{")
_PYTHON = ("'", "True", "False", "None")
_ARRAY = re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*(?:\{|$)")
_SPACED_KEY = re.compile(rb'"[ \t\r\n]*:')
_decoder = msgspec.json.Decoder()


class Line(msgspec.Struct):
    """What a line holds: the object it decodes to, if there is one to check, and its faults as
    JSON.
    """

    value: JsonObject | None
    findings: list[Finding]


class _NotFinite(ValueError):
    """A number that JSON has no spelling for, or that no reader holds."""


WHITE = b" \t\r\n"


def opens_array(head: bytes) -> bool:
    """Whether a file with these first bytes, or a line, begins with an array of objects."""
    return bool(_ARRAY.match(head.removeprefix(BOM)))


def is_array(line: bytes) -> bool:
    """Whether a line is one whole array, whatever else is wrong with it."""
    return opens_array(line) and all(
        found.code != format_rules.NOT_JSON.code for found in decode(line).findings
    )


def is_blank(line: bytes) -> bool:
    """Whether a line holds nothing but JSON's white space."""
    return not line.strip(WHITE)


def decode(line: bytes) -> Line:
    """Decode a line without its line feed; never raises, whatever the bytes are."""
    if line.startswith(BOM):
        return _refused(format_rules.BOM_INSIDE)
    if len(line) > MAX_SEPARATORS and sum(map(line.count, _SEPARATORS)) > MAX_SEPARATORS:
        return _refused(format_rules.TOO_MANY_VALUES)
    try:
        value: Json = _decoder.decode(line)
    except RecursionError:
        return _refused(format_rules.TOO_DEEP)
    except (msgspec.MsgspecError, ValueError):
        return _second_look(line)
    keys = keys_of(value)
    if keys is None:
        return _refused(format_rules.TOO_DEEP)
    found = (
        [finding(format_rules.DUPLICATE_KEY)]
        if keys != _keys_written(line) and _has_duplicates(line)
        else []
    )
    return _of_object(value, found)


def text_in(line: bytes) -> str | None:
    """The text that a line is the JSON of; None where it holds something else."""
    try:
        value: Json = _decoder.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _refused(rule: format_rules.Rule, message: str = "") -> Line:
    return Line(None, [finding(rule, message=message)])


def _of_object(value: Json, found: list[Finding]) -> Line:
    if isinstance(value, dict):
        return Line(value, found)
    return Line(None, [*found, finding(format_rules.NOT_OBJECT)])


def keys_of(value: Json) -> int | None:
    """How many keys the value has at all depths; None where it is nested deeper than MAX_DEPTH."""
    level: list[Json] = [value]
    keys = 0
    for _ in range(MAX_DEPTH):
        keys += sum(len(entry) for entry in level if isinstance(entry, dict))
        level = list(_nested(level))
        if not level:
            return keys
    return None


def _nested(level: list[Json]) -> Iterator[Json]:
    for entry in level:
        inner = (
            entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ()
        )
        for value in inner:
            if isinstance(value, (dict, list)):
                yield value


def _keys_written(line: bytes) -> int:
    """At least as many as the keys in the line; more where a text holds what looks like one."""
    if any(spaced in line for spaced in (b'" ', b'"\t', b'"\r', b'"\n')):
        return sum(1 for _ in _SPACED_KEY.finditer(line))
    return line.count(b'":')


def _has_duplicates(line: bytes) -> bool:
    doubled = False

    def unique(pairs: list[tuple[str, Json]]) -> JsonObject:
        nonlocal doubled
        entries = dict(pairs)
        doubled = doubled or len(entries) < len(pairs)
        return entries

    try:
        json.loads(line, object_pairs_hook=unique)
    except RecursionError:
        # Short of MAX_DEPTH only where the caller has used up the stack: the value itself is known
        # to be fine.
        return False
    return doubled


def _not_finite(_name: str) -> Json:
    raise _NotFinite


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _NotFinite
    return number


def _whole(digits: str) -> int:
    # Python refuses more than 4,300 digits by itself, as msgspec does; both speak of a value, not
    # of syntax.
    if len(digits) > 4300:
        raise _NotFinite
    return int(digits)


def _second_look(line: bytes) -> Line:
    """Why msgspec refused a line; the object after all, if only lone surrogates were in the way."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return _refused(
            format_rules.NOT_UTF8, f"The line isn't UTF-8 from byte {error.start + 1} on."
        )
    try:
        # The standard library tells why, and takes lone surrogates.
        value: Json = json.loads(
            text, parse_constant=_not_finite, parse_float=_finite, parse_int=_whole
        )
    except _NotFinite:
        return _refused(format_rules.NUMBER_OUT_OF_RANGE)
    except RecursionError:
        return _refused(format_rules.TOO_DEEP)
    except json.JSONDecodeError as error:
        return _no_json(text, error)
    if keys_of(value) is None:
        return _refused(format_rules.TOO_DEEP)
    found = [finding(format_rules.LONE_SURROGATE)]
    return _of_object(
        value, [finding(format_rules.DUPLICATE_KEY), *found] if _has_duplicates(line) else found
    )


def _no_json(text: str, error: json.JSONDecodeError) -> Line:
    """A line that isn't JSON, with the cause where it can be told."""
    _, _, rest = text.rstrip().partition("\r")
    if rest.lstrip().startswith("{"):
        return _refused(format_rules.CR_LINE_ENDS)
    place = f"The line isn't JSON from character {error.pos + 1} on"
    if text.lstrip().startswith("{'") or text.startswith(_PYTHON, error.pos):
        return _refused(
            format_rules.NOT_JSON,
            (
                f"{place}: it is in Python's notation (single quotes, True, None); "
                "json.dumps writes JSON."
            ),
        )
    return _refused(format_rules.NOT_JSON, f"{place}.")
