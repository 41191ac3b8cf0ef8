"""Files that hold their examples as one JSON array, or as objects over several lines, turned into
lines.
"""

import re
from collections.abc import Iterable, Iterator

from ..reading.file_spans import MAX_LINE_BYTES
from ..reading.lines import WHITE, decode

_STEP = re.compile(rb'["\\{}\[\]]')
_QUOTE, _BACKSLASH, _OPEN, _CLOSE = b'"\\{}'
# Files that were joined as they were have byte-order marks inside.
_WHITE = rb"(?:[ \t\r\n]|\xef\xbb\xbf)*"
_BEFORE = re.compile(_WHITE + rb"(\[?)" + _WHITE)
_BETWEEN = re.compile(_WHITE + rb",?" + _WHITE)
_AFTER = re.compile(_WHITE + rb",?" + _WHITE + rb"(\]?)" + _WHITE)


class NotConvertible(ValueError):
    """The file is neither an array of objects nor objects one after the other, or one of them is
    broken or too long.
    """


def objects_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each object of a file as one line, with its line feed.

    Raises:
        NotConvertible: The file is written in another way; by then some objects may have been
            given.
    """
    splitter = _Splitter()
    for chunk in chunks:
        yield from splitter.take(chunk)
    splitter.finish()


# Of each object every byte stays but the white space between its tokens. What is written any other
# way is not converted.
class _Splitter:
    """Takes the bytes of a file in order; it is between objects, in one, or in one of its texts."""

    def __init__(self) -> None:
        self._between = b""
        self._pieces: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._is_text = False
        self._is_escaped = False
        self._opening: bytes | None = None

    def take(self, chunk: bytes) -> Iterator[bytes]:
        """The objects that end in the next bytes."""
        begin = 0
        escaped = 0 if self._is_escaped else -1
        self._is_escaped = False
        for step in _STEP.finditer(chunk):
            place, kind = step.start(), chunk[step.start()]
            if place == escaped:
                continue
            if self._is_text:
                if kind == _BACKSLASH:
                    escaped = place + 1
                elif kind == _QUOTE:
                    begin = self._add(chunk, begin, place + 1)
                    self._is_text = False
            elif self._depth == 0:
                if kind == _OPEN:
                    self._open(self._between + chunk[begin:place])
                    begin, self._depth = place, 1
            elif kind == _QUOTE:
                begin = self._add(chunk, begin, place)
                self._is_text = True
            elif kind != _BACKSLASH:
                self._depth += 1 if kind in b"{[" else -1
                if self._depth == 0:
                    begin = self._add(chunk, begin, place + 1)
                    yield self._object()
        self._is_escaped = escaped == len(chunk)
        self._rest(chunk, begin)

    def finish(self) -> None:
        """The file ends here."""
        after = _AFTER.fullmatch(self._between)
        if (
            self._depth
            or after is None
            or self._opening is None
            or bool(after[1]) != bool(self._opening)
        ):
            raise NotConvertible

    def _rest(self, chunk: bytes, begin: int) -> None:
        if self._depth:
            self._add(chunk, begin, len(chunk))
        else:
            self._between += chunk[begin:]
            if len(self._between) > MAX_LINE_BYTES:
                raise NotConvertible

    def _open(self, between: bytes) -> None:
        if self._opening is None:
            opening = _BEFORE.fullmatch(between)
            if opening is None:
                raise NotConvertible
            self._opening = opening[1]
        elif _BETWEEN.fullmatch(between) is None:
            raise NotConvertible
        self._between = b""

    def _add(self, chunk: bytes, begin: int, end: int) -> int:
        piece = chunk[begin:end]
        self._pieces.append(piece if self._is_text else piece.translate(None, WHITE))
        self._size += len(piece)
        if self._size > MAX_LINE_BYTES:
            raise NotConvertible
        return end

    def _object(self) -> bytes:
        line = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        if b"\n" in line or decode(line).value is None:
            raise NotConvertible
        return line + b"\n"
