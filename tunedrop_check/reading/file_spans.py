"""Reading a file in spans: its bytes once, their digests, and the lines that begin in a span.

Memory is bounded by the longest line that is kept, whatever the file holds.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

# The piece of a file that gets a digest of its own; spans are multiples of it.
BLOCK_BYTES = 8 * 2**20
# The longest line that is kept: an image of 10 MB fits, embedded as base64.
MAX_LINE_BYTES = 16 * 2**20
HEAD_BYTES = 64

_CHUNK_BYTES = 2**19  # enough to count in one go, and little enough that threads take turns
_FIRST_TAIL_BYTES = 2**16


class Span(msgspec.Struct, frozen=True):
    """The bytes [start, stop) of a file."""

    start: int
    stop: int


class Source(Protocol):
    """A file that can be read in ranges, from several threads at once, and does not change
    meanwhile.
    """

    size: int

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop), in pieces of any size."""
        ...


class SourceTruncated(OSError):
    """A source gave fewer or more bytes than asked for: it changed while it was read."""

    def __init__(self, wanted: int, given: int) -> None:
        self.wanted, self.given = wanted, given
        super().__init__(
            f"The source gave {given} of {wanted} bytes; it changed while it was read. Scan it "
            "again."
        )


class FileSource:
    """A file on disk; its size is taken once."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self.size = self._path.stat().st_size

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop), in pieces of at most 512 KiB."""
        with self._path.open("rb") as file:
            file.seek(start)
            while start < stop and (piece := file.read(min(_CHUNK_BYTES, stop - start))):
                start += len(piece)
                yield piece


class BlockDigests:
    """SHA-256 digests of the consecutive blocks of a stream."""

    def __init__(self, block_bytes: int = BLOCK_BYTES) -> None:
        self._block_bytes = block_bytes
        self._room = block_bytes
        self._block = hashlib.sha256()
        self._done: list[str] = []

    def update(self, piece: bytes) -> None:
        """Take the next bytes of the stream."""
        rest = memoryview(piece)
        while rest:
            part, rest = rest[: self._room], rest[self._room :]
            self._block.update(part)
            self._room -= len(part)
            if not self._room:
                self._close()

    def finish(self) -> list[str]:
        """The digests, in hex; the last block may be short."""
        if self._room < self._block_bytes:
            self._close()
        return self._done

    def _close(self) -> None:
        self._done.append(self._block.hexdigest())
        self._block, self._room = hashlib.sha256(), self._block_bytes


def content_hash(block_digests: Iterable[str]) -> str:
    """The hash of a file: SHA-256, in hex, over the raw digests of its blocks in order."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, block_digests))).hexdigest()


def content_hash_of(chunks: Iterable[bytes], block_bytes: int = BLOCK_BYTES) -> str:
    """The content hash of a stream: what a scan of the same bytes says."""
    digests = BlockDigests(block_bytes)
    for chunk in chunks:
        digests.update(chunk)
    return content_hash(digests.finish())


def spans(size: int, span_bytes: int = BLOCK_BYTES) -> list[Span]:
    """The spans that cover a file of this size; an empty file has one empty span.

    Raises:
        ValueError: The span is no positive multiple of BLOCK_BYTES.
    """
    if span_bytes <= 0 or span_bytes % BLOCK_BYTES:
        msg = f"A span is a multiple of {BLOCK_BYTES} bytes."
        raise ValueError(msg)
    return [Span(start, min(start + span_bytes, size)) for start in range(0, size, span_bytes)] or [
        Span(0, 0)
    ]


def head_of(source: Source) -> bytes:
    """The first bytes of a file, by which its kind is told."""
    return b"".join(source.read(0, min(source.size, HEAD_BYTES)))


def blocks_of(
    source: Source,
    span: Span,
    digests: BlockDigests,
    max_line_bytes: int = MAX_LINE_BYTES,
    window_bytes: int = BLOCK_BYTES,
) -> Iterator[tuple[int, bytes | None]]:
    """The lines whose first byte lies in the span, many at a time; None stands for one line over
    the limit.

    Beside them stands the number of the window of the file, a piece of `window_bytes`, in which the
    first bytes of all of them lie. The last line of the last block may lack its line feed. A block
    has about 512 KiB, or one longer line. The span's own bytes go to `digests` on the way.

    Raises:
        SourceTruncated: The source did not give what was asked for.
    """
    line = _Assembly(max_line_bytes)
    foreign = _begins_inside_line(source, span)
    place = line_begin = span.start
    for chunk in _exactly(source, span.start, span.stop, window_bytes):
        digests.update(chunk)
        window = place // window_bytes
        begin = chunk.find(b"\n") + 1 if foreign else 0
        foreign = foreign and not begin
        end = 0 if foreign else chunk.rfind(b"\n", begin) + 1
        if end > begin and line.size and line_begin // window_bytes < window:
            first = chunk.find(b"\n", begin) + 1
            yield from (
                (line_begin // window_bytes, block) for block in line.closed_by(chunk, begin, first)
            )
            begin = first
        if end > begin:
            yield from ((window, block) for block in line.closed_by(chunk, begin, end))
            begin = end
        if not foreign:
            line_begin = line_begin if line.size else place + begin
            line.add(chunk[begin:])
        place += len(chunk)
    if line.size:
        _finish(line, source, span.stop)
        yield line_begin // window_bytes, line.take()


def lines_of(block: bytes | None, max_line_bytes: int = MAX_LINE_BYTES) -> list[bytes | None]:
    """The lines of a block, without their line feeds; None for a line over the limit."""
    if block is None:
        return [None]
    lines = block.split(b"\n")
    return [
        line if len(line) <= max_line_bytes else None
        for line in (lines if lines[-1] else lines[:-1])
    ]


class _Assembly:
    """A line that arrives in pieces; over the limit only its length is kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self.size = 0

    @property
    def too_long(self) -> bool:
        return self.size > self._limit

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.too_long:
            self._pieces.clear()
        elif piece:
            self._pieces.append(piece)

    def closed_by(self, chunk: bytes, begin: int, end: int) -> Iterator[bytes | None]:
        """The block [begin, end) of a chunk with the line that its start belongs to; None where
        that is too long.
        """
        before = b""
        if self.size:
            first = chunk.find(b"\n", begin)
            is_too_long = self.size + first - begin > self._limit
            taken = self.take()
            if is_too_long or taken is None:
                yield None
                begin = first + 1
            else:
                before = taken
        # Joined from a view: a block is copied once.
        if begin < end:
            yield b"".join((before, memoryview(chunk)[begin:end])) if before else chunk[begin:end]

    def take(self) -> bytes | None:
        """The line so far, None where it is over the limit; the next one begins."""
        whole = None if self.too_long else b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return whole


def _begins_inside_line(source: Source, span: Span) -> bool:
    if not span.start:
        return False
    return b"".join(_exactly(source, span.start - 1, span.start)) != b"\n"


def _finish(line: _Assembly, source: Source, start: int) -> None:
    step = _FIRST_TAIL_BYTES
    while start < source.size and not line.too_long:
        stop = min(start + step, source.size)
        for chunk in _exactly(source, start, stop):
            end = chunk.find(b"\n")
            line.add(chunk if end < 0 else chunk[:end])
            if end >= 0:
                return
        start, step = stop, min(step * 2, _CHUNK_BYTES)


def _exactly(
    source: Source, start: int, stop: int, window_bytes: int = BLOCK_BYTES
) -> Iterator[bytes]:
    """The bytes [start, stop), in pieces none of which lies in two windows."""
    place = start
    for piece in source.read(start, stop):
        if len(piece) > stop - place:
            raise SourceTruncated(stop - start, place + len(piece) - start)
        begin = 0
        while begin < len(piece):
            end = min(begin + _CHUNK_BYTES, begin + window_bytes - (place + begin) % window_bytes)
            yield piece[begin:end]
            begin = end
        place += len(piece)
    if place != stop:
        raise SourceTruncated(stop - start, place - start)
