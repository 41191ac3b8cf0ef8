"""A mended copy of a file: what can be mended without knowing what the examples mean.

Byte-order marks, blank lines, white space and CR at the ends of lines, a missing last line feed, and lines whose object stands there
before. Everything else stays as it is, byte for byte; a line over the engine's limit is copied unread.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from .. import CannotCheck
from ..lines import BOM, decode, is_blank
from ..reading import MAX_LINE_BYTES, Source
from . import sources
from .inputs import Input

MAX_REMEMBERED = 1_000_000
"""Different lines that are remembered to find duplicates of, by a digest each: about 130 MB."""

CHANGES = {
    "byte_order_marks": "byte-order marks removed",
    "blank_lines": "blank lines removed",
    "crlf_line_ends": "CRLF line ends made LF",
    "trailing_blanks": "lines rid of white space at their end",
    "duplicates": "duplicate lines removed",
    "last_line_feeds": "last line feed added",
}


class Mended(msgspec.Struct):
    """How many changes of each kind of CHANGES were made, and whether every line was remembered."""

    changes: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(CHANGES, 0))
    all_lines_remembered: bool = True


def mend(wanted: Input, target: Path, *, force: bool = False, remembered: int = MAX_REMEMBERED) -> Mended:
    """Write a mended copy of an input; the parts of a folder become one file, and of so many different lines duplicates are
    found. A copy that can't be finished leaves nothing behind.

    Raises:
        CannotCheck: The target may not be written, or an input can't be read.
        Refused: An archive is damaged or too large.
    """
    _refuse(wanted, target, force)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    with sources.opened(wanted) as source:
        try:
            mended = _write(source, unfinished, remembered)
            unfinished.replace(target)
        except OSError as error:
            raise CannotCheck(f"{target} can't be written: {error.strerror or type(error).__name__}.") from None
        finally:
            unfinished.unlink(missing_ok=True)
    return mended


def _refuse(wanted: Input, target: Path, force: bool) -> None:
    if target.suffix.lower() == ".gz":
        raise CannotCheck("A mended copy is not packed: give it a name that doesn't end in .gz.")
    if target.is_dir():
        raise CannotCheck(f"{target} is a folder; give the mended copy a file name.")
    if any(target.exists() and part.exists() and target.samefile(part) for part in wanted.parts):
        raise CannotCheck(f"{target} is what is to be mended; give the copy another name.")
    if target.exists() and not force:
        raise CannotCheck(f"{target} exists; --force overwrites it.")


def _write(source: Source, target: Path, remembered: int) -> Mended:
    mended = Mended()
    mender = _Mender(mended, remembered)
    last = b"\n"
    with target.open("xb") as file:
        for line, whole in _lines(source):
            kept = mender.line(line) if whole else line
            if kept:
                file.write(kept)
                last = kept[-1:]
        if last != b"\n":
            mended.changes["last_line_feeds"] += 1
            file.write(b"\n")
    return mended


class _Mender:
    """Takes whole lines in order and remembers them."""

    def __init__(self, mended: Mended, remembered: int) -> None:
        self._mended = mended
        self._remembered = remembered
        self._seen: set[bytes] = set()

    def line(self, line: bytes) -> bytes:
        """The mended line; empty where it goes."""
        changes = self._mended.changes
        content = line.removesuffix(b"\n")
        end = line[len(content) :]
        while content.startswith(BOM):
            content = content[len(BOM) :]
            changes["byte_order_marks"] += 1
        if is_blank(content):
            changes["blank_lines"] += 1
            return b""
        bare = content.rstrip(b" \t\r")
        if self._is_known(bare):
            changes["duplicates"] += 1
            return b""
        unfed = content.removesuffix(b"\r")
        changes["crlf_line_ends"] += bool(end) and unfed != content
        changes["trailing_blanks"] += bare != (unfed if end else content)
        return bare + end

    def _is_known(self, content: bytes) -> bool:
        digest = hashlib.blake2b(_value_of(content), digest_size=16).digest()
        if digest in self._seen:
            return True
        if len(self._seen) < self._remembered:
            self._seen.add(digest)
        else:
            self._mended.all_lines_remembered = False
        return False


def _value_of(content: bytes) -> bytes:
    """The same for lines that hold the same object, however it is spaced and ordered; the line itself where it isn't sound JSON."""
    line = decode(content)
    return content if line.value is None or line.findings else msgspec.json.encode(line.value, order="sorted")


def _lines(source: Source) -> Iterator[tuple[bytes, bool]]:
    """Lines with their ends, and whether each is whole; a line over the limit comes in pieces."""
    held = bytearray()
    whole = True
    for chunk in source.read(0, source.size):
        begin = 0
        while (end := chunk.find(b"\n", begin) + 1) > 0:
            held += memoryview(chunk)[begin:end]
            yield bytes(held), whole and len(held) <= MAX_LINE_BYTES + 1
            held.clear()
            begin, whole = end, True
        held += memoryview(chunk)[begin:]
        if len(held) > MAX_LINE_BYTES:
            yield bytes(held), False
            held.clear()
            whole = False
    if held:
        yield bytes(held), whole
