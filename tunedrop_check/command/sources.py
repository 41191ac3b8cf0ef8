"""From an input to bytes that the engine can read in ranges: archives and streams unpacked, part
files read as one.
"""

import contextlib
import gzip
import sys
import tempfile
import threading
import zlib
from collections.abc import Collection, Generator, Iterator
from pathlib import Path
from typing import IO, Protocol

from .. import CannotCheck
from ..reading.file_spans import FileSource, Source
from ..reading.lines import BOM
from ..rules import format_rules
from ..rules.findings import Finding, finding
from ..scan.file_result import MAX_FILE_BYTES
from .inputs import STANDARD_INPUT, Input

_PIECE = 2**20


class Refused(Exception):
    """An input can't be brought to bytes to check; `part` is its file, None for standard input."""

    def __init__(self, found: Finding, part: Path | None) -> None:
        super().__init__(found.message)
        self.finding = found
        self.part = part


class Stream(Protocol):
    """What can be read once, from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


# Unnamed: nothing of it is left even after a kill. It never grows beyond the largest file that the
# service takes.
class Spool:
    """One unnamed temporary file for everything of an input that can't be read in ranges; `limit`
    bounds the whole.
    """

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._limit = limit
        self._lock = threading.Lock()
        self._used = 0

    def take(self, stream: Stream, part: Path | None = None) -> "SpooledSource":
        """Copy a stream to its end; `part` is the file that it comes from.

        Raises:
            Refused: It is longer than the limit leaves room for.
        """
        start = self._used
        while piece := stream.read(_PIECE):
            self._used += len(piece)
            if self._used >= self._limit:
                message = f"There are {self._limit} bytes or more; a file must have fewer."
                raise Refused(finding(format_rules.FILE_TOO_LARGE, message=message), part)
            self._file.write(piece)
        return SpooledSource(self, start, self._used - start)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop); several threads may ask at once."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(stop - start)


class SpooledSource:
    """A stream that was copied into a spool."""

    def __init__(self, spool: Spool, start: int, size: int) -> None:
        self._spool = spool
        self._start = start
        self.size = size

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop), in pieces of at most 1 MiB."""
        for begin in range(start, stop, _PIECE):
            yield self._spool.read(self._start + begin, self._start + min(begin + _PIECE, stop))


# Each part but the last ends with a line feed, and no later one begins with a byte-order mark: else
# two lines would become one, or one be refused.
class JoinedSource:
    """Part files as one file."""

    def __init__(self, sources: list[Source]) -> None:
        self._pieces = [_Piece(source, first=number == 0) for number, source in enumerate(sources)]
        for piece in self._pieces[:-1]:
            piece.end_line()
        self.size = sum(piece.size for piece in self._pieces)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop), in pieces as the parts give them."""
        begin = 0
        for piece in self._pieces:
            low, high = max(start - begin, 0), min(stop - begin, piece.size)
            if low < high:
                yield from piece.read(low, high)
            begin += piece.size

    def place_of(self, lines: Collection[int]) -> dict[int, tuple[int, int]]:
        """For lines of the whole, the index of their part and their line in it; reads the parts
        once more.
        """
        places: dict[int, tuple[int, int]] = {}
        before = 0
        for index, piece in enumerate(self._pieces):
            number = sum(chunk.count(b"\n") for chunk in piece.read(0, piece.size))
            last = index == len(self._pieces) - 1
            places |= {
                line: (index, line - before)
                for line in lines
                if before < line and (last or line <= before + number)
            }
            before += number
        return places


class _Piece:
    """One part in a joined file: its bytes from `_skipped` on, and perhaps a line feed."""

    def __init__(self, source: Source, first: bool) -> None:
        self._source = source
        head = b"".join(source.read(0, min(source.size, len(BOM))))
        self._skipped = len(BOM) if head == BOM and not first else 0
        self._added = b""

    @property
    def size(self) -> int:
        return self._source.size - self._skipped + len(self._added)

    def end_line(self) -> None:
        if (
            self.size
            and b"".join(self._source.read(self._source.size - 1, self._source.size)) != b"\n"
        ):
            self._added = b"\n"

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        own = self._source.size - self._skipped
        if start < own:
            yield from self._source.read(start + self._skipped, min(stop, own) + self._skipped)
        if stop > own:
            yield self._added


@contextlib.contextmanager
def opened(wanted: Input, limit: int = MAX_FILE_BYTES) -> Generator[Source]:
    """The bytes of an input; `limit` is the size that an archive or a stream may have.

    Raises:
        CannotCheck: A file can't be read.
        Refused: An archive is damaged, or there is more of it or of a stream than the limit.
    """
    try:
        with tempfile.TemporaryFile() as file:
            yield _source(wanted, Spool(file, limit))
    except OSError as error:
        raise CannotCheck(
            f"{wanted.path} can't be read: {error.strerror or type(error).__name__}."
        ) from None


def _source(wanted: Input, spool: Spool) -> Source:
    if wanted.path == STANDARD_INPUT:
        return spool.take(sys.stdin.buffer)
    sources = [_of_part(part, spool) for part in wanted.parts]
    return sources[0] if len(sources) == 1 else JoinedSource(sources)


def _of_part(part: Path, spool: Spool) -> Source:
    if part.suffix.lower() == ".gz":
        return _unpacked(part, spool)
    if part.is_file():
        return FileSource(part)
    with part.open("rb") as pipe:
        return spool.take(pipe, part)


def _unpacked(part: Path, spool: Spool) -> Source:
    try:
        with gzip.open(part, "rb") as archive:
            return spool.take(archive, part)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Refused(finding(format_rules.ARCHIVE_DAMAGED), part) from None
