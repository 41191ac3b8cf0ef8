"""Reading in spans: lines, digests, and sources that change."""

import hashlib
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import LOADED, MemorySource
from tunedrop_check.reading import file_spans


def lines_of(content: bytes, cuts: list[int], piece: int = 3, limit: int = 6) -> list[bytes | None]:
    """The lines of all spans of a file cut at these places."""
    source = MemorySource(content, piece)
    edges = [0, *cuts, len(content)]
    found: list[bytes | None] = []
    for start, stop in itertools.pairwise(edges):
        for _, block in file_spans.blocks_of(
            source, file_spans.Span(start, stop), file_spans.BlockDigests(), limit
        ):
            found.extend(file_spans.lines_of(block, limit))
    return found


@settings(LOADED)
@given(
    st.lists(st.sampled_from([b"a", b"bcd", b"\n", b"\r\n", b"0123456"]), max_size=20).map(
        b"".join
    ),
    st.data(),
)
def test_lines_are_those_of_the_file_wherever_the_cuts_fall(
    content: bytes, data: st.DataObject
) -> None:
    """Each line is read once, in order, whole, or as None where it is over the limit."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    whole = content.split(b"\n")
    expected = whole[:-1] if not whole[-1] else whole
    assert lines_of(content, cuts) == [line if len(line) <= 6 else None for line in expected]


@settings(LOADED)
@given(
    st.lists(st.sampled_from([b"a", b"bcd", b"\n", b"\r\n", b"0123456"]), max_size=20).map(
        b"".join
    ),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_each_line_stands_in_the_window_of_its_first_byte(
    content: bytes, window: int, piece: int
) -> None:
    """Whatever the pieces are that are read."""
    source = MemorySource(content, piece)
    found: list[tuple[int, bytes | None]] = []
    for number, block in file_spans.blocks_of(
        source, file_spans.Span(0, len(content)), file_spans.BlockDigests(), 6, window
    ):
        found.extend((number, line) for line in file_spans.lines_of(block, 6))
    whole = content.split(b"\n")
    begins = itertools.accumulate((len(line) + 1 for line in whole[:-1]), initial=0)
    expected = [
        (begin // window, line if len(line) <= 6 else None)
        for begin, line in zip(begins, whole, strict=True)
    ]
    assert found == (expected if whole[-1] else expected[:-1])


@settings(LOADED)
@given(st.binary(max_size=50), st.integers(1, 7), st.integers(1, 9))
def test_content_hash_does_not_depend_on_the_pieces(content: bytes, block: int, piece: int) -> None:
    """The hash is SHA-256 over the raw digests of the blocks."""
    digests = [
        hashlib.sha256(content[begin : begin + block]).digest()
        for begin in range(0, len(content), block)
    ]
    chunks = [content[begin : begin + piece] for begin in range(0, len(content), piece)]
    assert (
        file_spans.content_hash_of(chunks, block) == hashlib.sha256(b"".join(digests)).hexdigest()
    )


def test_line_over_the_limit_is_not_read_to_its_end() -> None:
    """Of a giant line no more is asked for than tells that it is too long."""

    class Giant:
        size = 2**40
        asked = 0

        def read(self, start: int, stop: int) -> Iterator[bytes]:
            self.asked += stop - start
            yield b"x" * (stop - start)

    giant = Giant()
    assert list(
        file_spans.blocks_of(giant, file_spans.Span(0, 100), file_spans.BlockDigests(), 2**20)
    ) == [(0, None)]
    assert giant.asked < 4 * 2**20


@pytest.mark.parametrize("given_bytes", [b"ab", b"abcd"], ids=["too few", "too many"])
def test_source_that_changed_is_refused(given_bytes: bytes) -> None:
    """Fewer or more bytes than asked for are an error, never a wrong result."""

    class Changed:
        size = 3

        def read(self, start: int, stop: int) -> Iterator[bytes]:
            yield given_bytes

    with pytest.raises(file_spans.SourceTruncated, match=f"gave {len(given_bytes)} of 3"):
        list(file_spans.blocks_of(Changed(), file_spans.Span(0, 3), file_spans.BlockDigests()))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, [(0, 0)]),
        (1, [(0, 1)]),
        (file_spans.BLOCK_BYTES, [(0, 8388608)]),
        (file_spans.BLOCK_BYTES + 1, [(0, 8388608), (8388608, 8388609)]),
    ],
)
def test_spans_cover_the_file(size: int, expected: list[tuple[int, int]]) -> None:
    """Spans follow each other to the end; an empty file has one."""
    assert [(span.start, span.stop) for span in file_spans.spans(size)] == expected


@pytest.mark.parametrize("span_bytes", [0, -8388608, 8388607])
def test_spans_refuse_a_size_that_cuts_blocks(span_bytes: int) -> None:
    """A span is a positive multiple of the block."""
    with pytest.raises(ValueError, match="multiple"):
        file_spans.spans(10, span_bytes)
