"""A kind of thing to search for: patterns that find candidates fast, and a closer look that
decides.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from ...rules.rule import Rule
from .patterns import compiled, one_of

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
ALPHANUMERIC = CAPITALS + CAPITALS.lower() + DIGITS
# The most bytes that a closer look reads from where a candidate begins.
WINDOW = 8192

# An alias statement would need Python 3.12.
# Takes a text and where a candidate begins; says where the value begins of which a finding may show
# the start, None if it is none.
Look: TypeAlias = Callable[[bytes, int], "int | None"]  # noqa: UP040

_MIN_DISTINCT = 8
_WORD = frozenset((ALPHANUMERIC + "_").encode())
_SHORT_ESCAPES = frozenset(b"nrtbf")
_BACKSLASH = ord("\\")


class Lead(msgspec.Struct, frozen=True):
    """What a candidate looks like: one of the bytes `first`, one of the bytes `second`, then
    `rest`.
    """

    # Two plain bytes ahead tell kinds apart without asking a pattern again.
    first: str
    second: str
    rest: str

    @property
    def pattern(self) -> str:
        """The whole pattern."""
        return f"{one_of(self.first)}{one_of(self.second)}{self.rest}"

    @property
    def pairs(self) -> set[bytes]:
        """Every pair of bytes with which the candidate can begin."""
        return {
            (first + second).encode("latin-1") for first in self.first for second in self.second
        }


class Kind(msgspec.Struct, frozen=True):
    """One kind of thing that is searched for; `name` stands in messages."""

    name: str
    rule: Rule
    leads: tuple[Lead, ...]
    look: Look


def begins_word(text: bytes, start: int) -> bool:
    """Whether no letter, digit or _ stands before; the end of a JSON escape is none."""
    if start == 0 or text[start - 1] not in _WORD:
        return True
    if start > 1 and text[start - 2] == _BACKSLASH:
        return text[start - 1] in _SHORT_ESCAPES
    return start > 5 and text[start - 6 : start - 4] == b"\\u" and text[start - 4 : start].isalnum()


def ends_word(text: bytes, stop: int) -> bool:
    """Whether no letter, digit or _ follows."""
    return stop >= len(text) or text[stop] not in _WORD


def is_varied(value: bytes) -> bool:
    """Whether a value is no placeholder: 8 different characters among its last 24, no EXAMPLE in
    it.
    """
    return len(set(value[-24:])) >= _MIN_DISTINCT and b"EXAMPLE" not in value.upper()


def token(pattern: str) -> Look:
    """The look for a token: the pattern matches, as a word of its own."""
    exact = compiled(pattern)

    def look(text: bytes, start: int) -> int | None:
        found = exact.match(text, start, start + WINDOW)
        if found is None or not begins_word(text, start) or not ends_word(text, found.end()):
            return None
        # The last group, the whole match if there is none, is what a finding shows the start of,
        # and is no placeholder.
        return found.start(exact.groups) if is_varied(found[exact.groups]) else None

    return look
