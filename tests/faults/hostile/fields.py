"""Each field, header and element of each sound answer, replaced by another kind of value."""

import copy
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from tests.faults.hostile.changes import Misbehaving
from tests.faults.hostile.sound import ANSWERS, Sound, sent
from tests.unit.adapters.misbehaving import Asked

# One of each kind that JSON has, and one that it hasn't.
KINDS: dict[str, Any] = {
    "nothing": None,
    "a list": [1],
    "an object": {"a": {"b": 1}},
    "a text": "text",
    "a number": 17,
    "yes": True,
    "not a number": math.nan,
}
MORE: dict[str, Any] = {
    "an empty list": [],
    "an empty object": {},
    "a list of lists": [[[]]],
    "a list of nothing": [None],
    "an empty text": "",
    "a number in a text": "17",
    "a negative number": -1,
    "a fraction": 0.5,
    "10**20": 10**20,
    "1e308": 1e308,
    "infinity": math.inf,
    "400 digits": int("9" * 400),
    "milliseconds": 1_700_000_000_000_000,
    "control characters": "a\0b\r\nX-Injected: 1\x1b[2J\u202e",
    "100,000 characters": "x" * 100_000,
    "a page": "<script>alert(1)</script>",
    "a path": "../../files/other?x=1#y",
    "no": False,
}
# What a header or an element of XML may hold.
TEXTS = (
    "",
    "text",
    "-1",
    "1e999",
    "9" * 400,
    "null",
    "<b>&amp;</b>",
    "\x01\x1b[2J",
    "\u202e\u00e9",
    "y" * 20_000,
)

type Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A field of an answer. `answer`: its place in `ANSWERS`; `path`: keys in JSON, or one name of
    a header or an element.
    """

    answer: int
    path: Path
    kind: str

    def __str__(self) -> str:
        """As a test names it."""
        method, pattern, _ = ANSWERS[self.answer]
        words = [
            word
            for word in re.findall(r"[A-Za-z_]{3,}", pattern)
            if word not in {"subscriptions", "resourceGroups", "providers"}
        ]
        return (
            f"{self.answer} {method} {words[-1] if words else 'blob'}, {self.kind} "
            f"{'.'.join(map(str, self.path))}"
        )


def places() -> Iterator[Place]:
    """Every field of every answer, however deep; every header; every element of XML."""
    for number, (_, _, sound) in enumerate(ANSWERS):
        for path in _paths(sound.told) if sound.told is not None else ():
            yield Place(number, path, "field")
        yield from (Place(number, (name,), "header") for name in sound.headers)
        yield from (
            (
                Place(number, (name,), "element")
                for name in dict.fromkeys(re.findall(rb"<([\w-]+)>[^<]+</", sound.body))
                if name
            )
            if (sound.headers.get("Content-Type") == "application/xml")
            else ()
        )


def _paths(value: Any, above: Path = ()) -> Iterator[Path]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        inner = list(enumerate(cast("list[Any]", value)))
    for key, one in inner:
        yield (*above, key)
        yield from _paths(one, (*above, key))


def found(told: Any, path: Path) -> Any:
    """What stands there."""
    for key in path:
        told = told[key]
    return told


def with_value(place: Place, value: Any) -> Misbehaving:
    """The sound answers, but for this value in this place."""
    return _at(place, lambda sound: _replaced(sound, place, value))


def without(place: Place) -> Misbehaving:
    """The sound answers, but for this place, which is missing."""
    return _at(place, lambda sound: _replaced(sound, place, MISSING))


MISSING = object()


def _at(place: Place, change: Callable[[Sound], Sound]) -> Misbehaving:
    theirs = ANSWERS[place.answer][2]

    def answering(asked: Asked, sound: Sound) -> None:
        asked.send(sent(change(sound) if sound is theirs else sound))

    return answering


def _replaced(sound: Sound, place: Place, value: Any) -> Sound:
    if place.kind == "header":
        kept = {name: text for name, text in sound.headers.items() if name != place.path[0]}
        return replace(
            sound, headers=kept if value is MISSING else kept | {str(place.path[0]): value}
        )
    if place.kind == "element":
        name = str(place.path[0]).encode()
        whole = (
            b"" if value is MISSING else b"<" + name + b">" + _escaped(value) + b"</" + name + b">"
        )
        return replace(
            sound, body=re.sub(b"<" + name + b">[^<]+</" + name + b">", lambda _: whole, sound.body)
        )
    told = copy.deepcopy(sound.told)
    above = found(told, place.path[:-1])
    if value is MISSING:
        del above[place.path[-1]]
    else:
        above[place.path[-1]] = value
    return replace(sound, body=json.dumps(told).encode())


def _escaped(value: str) -> bytes:
    return value.replace("&", "&amp;").replace("<", "&lt;").encode()
