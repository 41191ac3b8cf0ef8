"""Lines broken to the width of a terminal."""

import re
from collections.abc import Iterable, Iterator

from .as_text import Line, Span

_PIECE = re.compile(r" *[^ ]+| +$")


def wrapped(lines: Iterable[Line], width: int) -> Iterator[Line]:
    """Each line as one or several that fit, broken before blanks; a longer word stays whole."""
    for line in lines:
        yield from _wrapped(line, width)


def _wrapped(line: Line, width: int) -> Iterator[Line]:
    indent = " " * _indent_of(line)
    part: Line = []
    used = 0
    for span in line:
        for piece in _PIECE.findall(span.text):
            if piece.startswith(" ") and used > len(indent) and used + len(piece) > width:
                yield part
                part, used, piece = [Span(indent)], len(indent), piece.lstrip()
            before = part.pop().text if part and part[-1].style == span.style else ""
            part.append(Span(before + piece, span.style))
            used += len(piece)
    yield part


def _indent_of(line: Line) -> int:
    """Below the value where the line begins with a name, else a little behind the line's own
    beginning.
    """
    first = line[0].text if line else ""
    return (
        len(first)
        if first.strip() and first.endswith(" ")
        else len(first) - len(first.lstrip()) + 2
    )
