"""Files of any size that are never held: sections of a unit and how often it comes."""

from collections.abc import Iterator, Sequence

_BLOCK = 2**16


class Stream:
    """A file made of these sections, each a unit repeated so many times."""

    def __init__(self, *sections: tuple[bytes, int]) -> None:
        self._sections: Sequence[tuple[bytes, int]] = [
            section for section in sections if section[0] and section[1]
        ]
        self.size = sum(len(unit) * times for unit, times in self._sections)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop)."""
        begin = 0
        for unit, times in self._sections:
            end = begin + len(unit) * times
            yield from _cut(unit, max(start, begin) - begin, min(stop, end) - begin)
            begin = end


def _cut(unit: bytes, start: int, stop: int) -> Iterator[bytes]:
    block = unit * (_BLOCK // len(unit) + 1)
    while start < stop:
        offset = start % len(unit)
        piece = block[offset : offset + stop - start]
        start += len(piece)
        yield piece
