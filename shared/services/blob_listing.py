"""Every blob of a container, page by page, also where the name of one can't be told. Pure: asking
for a page is passed in.
"""

import secrets
from collections.abc import Callable, Generator, Iterator

MOST = 5_000  # blobs a page, the service's own limit
SHRINK = 8
# Beginnings are followed so far, in characters: the path of a drop is shorter. What shares 64 with
# a hidden name is left out with it.
DEPTH = 64
BEGINNINGS = [chr(code) for code in range(0x20, 0x7F)]
# The name of no drop: a marker behind every name that begins with one of these characters.
BEHIND = "\x7f"

type Page[T] = Callable[[str, str, int], tuple[list[T], str | None]]
"""The blobs whose names begin so, after a marker, so many at most; and the marker of the next page.
What is asked for with less than `MOST` is worth no second try: it is the search for a name.
"""


# Azurite answers 500, without a code, to a listing that holds a name that XML has no room for: a
# control character, U+FFFE. (Azure Storage encodes such names.) So a page that fails is asked for
# again in smaller ones; what comes after the last name that could be told is listed by its
# beginnings, one character longer each time, until the hidden name is alone.
class Unreadable(Exception):
    """A page can't be told: the name of one of its blobs, or storage as a whole."""


def some[T](
    page: Page[T], prefix: str, marker: str, hidden: Callable[[], None], most: int
) -> tuple[list[T], str | None]:
    """One page after a marker, and the marker of the next; where it holds a name that can't be
    told, all that is left comes as one page.

    Raises:
        Unreadable: no page can be told.
    """
    try:
        return page(prefix, marker, most)
    except Unreadable:
        return list(every(page, prefix, hidden, most, marker)), None


def every[T](
    page: Page[T],
    prefix: str,
    hidden: Callable[[], None],
    most: int = MOST,
    after: str = "",
) -> Iterator[T]:
    """Every blob after a marker that can be told, by name; `hidden` is called once where there is
    one that can't.

    Raises:
        Unreadable: no page can be told.
    """
    marker = yield from _pages(page, prefix, after, most)
    if marker is None:
        return
    # Nothing begins so: where this fails, it is no name.
    page(f"{prefix}{secrets.token_hex(16)}", "", 1)
    hidden()
    yield from _by_beginnings(page, prefix, marker, max(1, most // SHRINK))


def _pages[T](page: Page[T], prefix: str, marker: str, most: int) -> Generator[T, None, str | None]:
    """The blobs up to the first that can't be told; returns the marker before it, None where there
    was none.
    """
    while True:
        try:
            found, following = page(prefix, marker, most)
        except Unreadable:
            if most == 1:
                return marker
            most = max(1, most // SHRINK)
            continue
        yield from found
        if not following:
            return None
        marker = following


def _by_beginnings[T](page: Page[T], prefix: str, after: str, most: int) -> Iterator[T]:
    """The blobs after a marker, while the one that comes next can't be told."""
    for beginning in (prefix + character for character in BEGINNINGS):
        if beginning > after or after.startswith(beginning):
            marker = yield from _pages(
                page, beginning, after if after.startswith(beginning) else "", most
            )
            if marker is not None and len(beginning) < DEPTH:
                yield from _by_beginnings(page, beginning, marker, most)
    yield from _pages(page, prefix, max(prefix + BEHIND, after), most)
