"""Patterns over bytes that take linear time, whatever the text: google-re2, typed."""

from collections.abc import Iterator
from typing import Any, Protocol, cast

import re2 as _re2  # pyright: ignore[reportMissingTypeStubs]

# google-re2 brings no types.
re2: Any = _re2

# Bytes for the states of one pattern; they are built as texts need them, some hundred KB for
# ordinary ones.
MAX_MEMORY = 2**24


class Match(Protocol):
    """Where a pattern matched."""

    def __getitem__(self, group: int) -> bytes: ...

    def start(self, group: int = 0) -> int:
        """Where the match, or a group of it, begins."""
        ...

    def end(self, group: int = 0) -> int:
        """Where the match, or a group of it, ends."""
        ...


class Pattern(Protocol):
    """A compiled pattern."""

    groups: int

    def match(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None:
        """The match that begins at `pos`."""
        ...

    def search(
        self, text: bytes, pos: int | None = None, endpos: int | None = None
    ) -> Match | None:
        """The first match from `pos` on."""
        ...

    def finditer(
        self, text: bytes, pos: int | None = None, endpos: int | None = None
    ) -> Iterator[Match]:
        """All matches that don't overlap."""
        ...


def compiled(pattern: str) -> Pattern:
    """The pattern over bytes; a character of it stands for the byte of its number (Latin-1)."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = MAX_MEMORY
    return cast("Pattern", re2.compile(pattern.encode("latin-1"), options))


def one_of(characters: str) -> str:
    """The class of these characters."""
    return f"[{re2.escape(characters)}]"
