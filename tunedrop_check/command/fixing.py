"""A fixed copy of a file: what can be fixed without knowing what the examples mean.

Byte-order marks, blank lines, white space and CR at the ends of lines, a missing last line feed,
lines whose object stands there before, and keys that hold null where they should be left out. A
JSON array, or objects over several lines, become lines. Everything else stays as it is, byte for
byte; a line over the engine's limit is copied unread, and one that is no object is never a
duplicate.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from .. import CannotCheck
from ..formats import keys, recognition
from ..reading.file_spans import MAX_LINE_BYTES, Source
from ..reading.json_types import JsonObject
from ..reading.lines import BOM, WHITE, decode, is_blank
from . import converting, sources
from .inputs import Input

# Different lines that are remembered to find duplicates of, by a digest each: about 130 MB.
MAX_REMEMBERED = 1_000_000

CHANGES = {
    "converted": "examples of an array, or with several lines, written as one line each",
    "byte_order_marks": "byte-order marks removed",
    "blank_lines": "blank lines removed",
    "crlf_line_ends": "CRLF line ends changed to LF",
    "trailing_blanks": "white space removed at the ends of lines",
    "duplicates": "duplicate lines removed",
    "null_keys": "keys with null removed",
    "last_line_feeds": "missing last line feed added",
}


class Fixed(msgspec.Struct):
    """How many changes of each kind of CHANGES were made, and whether every line was remembered."""

    changes: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(CHANGES, 0))
    all_lines_remembered: bool = True


def fix(
    wanted: Input, target: Path, *, force: bool = False, remembered: int = MAX_REMEMBERED
) -> Fixed:
    """Write a fixed copy of an input; the parts of a folder become one file. Duplicates are found
    of `remembered` different lines.

    Raises:
        CannotCheck: The target may not be written, or an input can't be read.
        Refused: An archive is damaged or too large.
    """
    _refuse(wanted, target, force)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    with sources.opened(wanted) as source:
        try:
            fixed = _write(source, unfinished, remembered)
            unfinished.replace(target)
        except OSError as error:
            raise CannotCheck(
                f"{target} can't be written: {error.strerror or type(error).__name__}."
            ) from None
        finally:
            # A copy that can't be finished leaves nothing behind.
            unfinished.unlink(missing_ok=True)
    return fixed


def _refuse(wanted: Input, target: Path, force: bool) -> None:
    if target.suffix.lower() == ".gz":
        raise CannotCheck("A fixed copy is not packed: give it a name that doesn't end in .gz.")
    if target.is_dir():
        raise CannotCheck(f"{target} is a folder; give the fixed copy a file name.")
    if any(target.exists() and part.exists() and target.samefile(part) for part in wanted.parts):
        raise CannotCheck(f"{target} is the input; give the copy another name.")
    if target.exists() and not force:
        raise CannotCheck(f"{target} exists; --force overwrites it.")


def _write(source: Source, target: Path, remembered: int) -> Fixed:
    fixed = Fixed()
    fixer = _Fixer(fixed, remembered)
    if _is_of_lines(source):
        _write_lines(_fixed_lines(source, fixer), fixed, target)
        return fixed
    try:
        _write_lines(_converted(source, fixer), fixed, target)
    except converting.NotConvertible:
        target.unlink()
        fixed = Fixed()
        _write_lines(_fixed_lines(source, _Fixer(fixed, remembered)), fixed, target)
    return fixed


def _is_of_lines(source: Source) -> bool:
    """Whether the first line with content is an object, as in JSON Lines."""
    first = next(
        (
            line
            for line, whole in _lines(source)
            if not (whole and is_blank(line.removeprefix(BOM)))
        ),
        b"",
    )
    return decode(first.removeprefix(BOM).rstrip(WHITE)).value is not None


def _fixed_lines(source: Source, fixer: "_Fixer") -> Iterator[bytes]:
    for line, whole in _lines(source):
        yield fixer.line(line) if whole else line


def _converted(source: Source, fixer: "_Fixer") -> Iterator[bytes]:
    for line in converting.objects_of(source.read(0, source.size)):
        fixer.converted()
        yield fixer.line(line)


def _write_lines(lines: Iterator[bytes], fixed: Fixed, target: Path) -> None:
    last = b"\n"
    with target.open("xb") as file:
        for kept in filter(None, lines):
            file.write(kept)
            last = kept[-1:]
        if last != b"\n":
            fixed.changes["last_line_feeds"] += 1
            file.write(b"\n")


class _Fixer:
    """Takes whole lines in order and remembers them."""

    def __init__(self, fixed: Fixed, remembered: int) -> None:
        self._fixed = fixed
        self._remembered = remembered
        self._seen: set[bytes] = set()

    def converted(self) -> None:
        """The next line was made from a file of another form."""
        self._fixed.changes["converted"] += 1

    def line(self, line: bytes) -> bytes:
        """The fixed line; empty where it goes."""
        changes = self._fixed.changes
        content = line.removesuffix(b"\n")
        end = line[len(content) :]
        while content.startswith(BOM):
            content = content[len(BOM) :]
            changes["byte_order_marks"] += 1
        if is_blank(content):
            changes["blank_lines"] += 1
            return b""
        bare = content.rstrip(WHITE)
        read = decode(bare)
        if read.value is not None and not read.findings:
            if self._is_known(read.value):
                changes["duplicates"] += 1
                return b""
            kept = self._without_nulls(bare, read.value)
        else:
            kept = bare
        unfed = content.removesuffix(b"\r")
        changes["crlf_line_ends"] += bool(end) and unfed != content
        changes["trailing_blanks"] += bare != (unfed if end else content)
        return kept + end

    def _without_nulls(self, content: bytes, example: JsonObject) -> bytes:
        kept, places = keys.without_nulls(example, recognition.PATHS, also_allowed=False)
        if not places:
            return content
        self._fixed.changes["null_keys"] += len(places)
        spaced = b'": ' in content
        return json.dumps(
            kept, ensure_ascii=False, separators=(", ", ": ") if spaced else (",", ":")
        ).encode()

    def _is_known(self, example: JsonObject) -> bool:
        """Whether the same object stood there before, however it was spaced and ordered."""
        digest = hashlib.blake2b(
            msgspec.json.encode(example, order="sorted"), digest_size=16
        ).digest()
        if digest in self._seen:
            return True
        if len(self._seen) < self._remembered:
            self._seen.add(digest)
        else:
            self._fixed.all_lines_remembered = False
        return False


def _lines(source: Source) -> Iterator[tuple[bytes, bool]]:
    """Lines with their ends, and whether each is whole."""
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
            # A line over the limit comes in pieces.
            yield bytes(held), False
            held.clear()
            whole = False
    if held:
        yield bytes(held), whole
