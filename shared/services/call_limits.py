"""What one call to a service may cost us, the one home of these limits: bytes after unpacking,
pages, and its whole time.

The transports of both client libraries hold to what stands here: `bounded_openai.py` under openai,
`bounded_azure.py` under azure-core.
"""

import time
import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit

# An answer in JSON or XML: a thousand jobs are 2 MB, a page of 5,000 blobs with metadata 12.
ANSWER_BYTES = 16 * 2**20
# A file that is fetched: a job's results, a piece of a blob.
CONTENT_BYTES = 64 * 2**20
# Pages of one listing at a service: a hundred jobs or files a page are ten thousand, and an account
# holds a hundred.
PAGES = 100
# Pages of a listing of blobs, which fill with what is dropped: 50 million blobs where they are
# full.
LISTING_PAGES = 10_000
# A read with the client's own retries.
READ_S = 120.0
# A wait that is asked for and longer than this is the run's to wait, not the client's.
RETRY_AFTER_S = 10.0
_UNPACKED = {"gzip", "x-gzip", "deflate"}


class Exceeded(Exception):
    """An answer that goes beyond what it may; the message says what, and quotes nothing."""


# A service that misbehaves, or whoever answers in its name, may send a body without end, one that
# unpacks to gigabytes, a byte every two seconds, a page after each page, or another host's address.
@dataclass(frozen=True)
class Limits:
    """What one call may cost: bytes after unpacking, pages, seconds."""

    answer_bytes: int = ANSWER_BYTES
    content_bytes: int = CONTENT_BYTES
    pages: int = PAGES
    listing_pages: int = LISTING_PAGES
    read_s: float = READ_S


USUAL = Limits()
_holding: ContextVar[Limits] = ContextVar("holding")


@contextmanager
def held_to(limits: Limits) -> Generator[None]:
    """What is called inside is held to these limits."""
    token = _holding.set(limits)
    try:
        yield
    finally:
        _holding.reset(token)


def limits() -> Limits:
    """The limits of the call under way."""
    return _holding.get(USUAL)


@dataclass(frozen=True)
class Deadline:
    """When a call must be over, by the monotonic clock."""

    at_s: float

    def left_s(self) -> float:
        """The seconds that are left.

        Raises:
            TimeoutError: none.
        """
        left = self.at_s - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole time of the call is over")
        return left

    def has(self, seconds: float) -> bool:
        """Whether that much time is left, and some more."""
        # The next try needs some time of its own, so none at all left is too little.
        return time.monotonic() + seconds < self.at_s


# What the call is bounded by: a context's own, because not only threads take turns.
_calling: ContextVar[Deadline | None] = ContextVar("calling", default=None)


@contextmanager
def within(seconds: float) -> Generator[Deadline]:
    """What is called inside must be over in so many seconds, tokens, retries and bodies too."""
    outer = _calling.get()
    until = time.monotonic() + seconds
    # An outer bound holds too.
    mine = Deadline(until if outer is None else min(until, outer.at_s))
    _calling.set(mine)
    try:
        yield mine
    finally:
        _calling.set(outer)


def deadline() -> Deadline | None:
    """When the call under way must be over; None where nothing bounds it."""
    return _calling.get()


def hold_to_time(wait_s: float) -> None:
    """Refuses a wait before the next try for which the call has no time.

    Raises:
        TimeoutError: it has none.
    """
    calling = deadline()
    if calling is not None and not calling.has(wait_s):
        raise TimeoutError("the whole time of the call would be over before its next try")


def hold_to_origin(url: str, own: str) -> None:
    """Refuses an address of another host, port or scheme than our own: a token goes nowhere else.

    Raises:
        Exceeded: it is another's.
    """
    if _origin(url) != _origin(own):
        raise Exceeded("it leads to another host")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme,
            parts.hostname,
            parts.port or {"http": 80, "https": 443}.get(parts.scheme),
        )
    except ValueError:
        raise Exceeded("it leads to no address") from None


def whole(pieces: Iterable[bytes], encoding: str, most: int) -> bytes:
    """The body that comes in these pieces, unpacked.

    Raises:
        Exceeded: it has more bytes than may be, packed or unpacked; or it is packed in a way that
            nobody asked for, or badly.
    """
    unpack = _unpacker(encoding)
    body = bytearray()
    came = 0
    for piece in pieces:
        came += len(piece)
        body += unpack(piece, most - len(body) + 1)
        if came > most or len(body) > most:
            raise Exceeded(f"it has more than {most:,} bytes")
    return bytes(body)


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """Unpacks a piece, to at most so many bytes."""
    words = encoding.strip().lower()
    if words in {"", "identity"}:
        return lambda piece, _most: piece
    if words not in _UNPACKED:
        raise Exceeded("it is packed in a way that was not asked for")
    packed = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: either header, gzip's or zlib's

    def unpack(piece: bytes, most: int) -> bytes:
        try:
            return packed.decompress(piece, most)
        except zlib.error:
            raise Exceeded("it is packed badly") from None

    return unpack
