"""The search of blocks: each line on its own, whatever stands around it, in linear time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.patience import processor_slowness
from tests.unit.check.builders import LOADED
from tests.unit.check.search.builders import a_line, made_up
from tunedrop_check.contents.search import blocks
from tunedrop_check.contents.search.escapes import plain

PIECES = st.sampled_from(
    [
        "ann@corp.com",
        "AKI" + "A" + made_up(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        "+49 151 23456789",
        "4111 1111 1111 1111",
        "\u202e",
        "a\u200bb",
        "\ufffd",
        "\\u0041",
        "\\/",
        "\\",
        "\\n",
        '"',
        "u005c",
        "://a:secret99@b",
        "eyJhbGci",
        "\ud800",
        "n",
        " ",
        "DE89370400440532013000",
        "-----BEGIN PRIVATE KEY-----",
    ]
)
LINES = st.lists(
    st.lists(PIECES, max_size=6)
    .map("".join)
    .map(lambda text: text.encode("utf-8", "surrogatepass")),
    min_size=1,
    max_size=8,
)

HOSTILE = {
    "digits": "4",
    "card groups": "4111 1111 1111 1112 ",
    "at signs": "a@",
    "addresses": "a@b.cd ",
    "labels": "a." * 200 + "@",
    "web tokens": "eyJ",
    "web token parts": "eyJhbGciOiJIUzI1NiJ9.",
    "key headers": "-----BEGIN PRIVATE KEY-----\\n",
    "half a header": "-----BEGIN " + "A " * 30,
    "passwords": "://a:b",
    "schemes": "a://" * 10 + ":",
    "plus signs": "+1 2",
    "key names": "api-key: 0123456789abcdef",
    "capitals": "DE89 3704 0044 ",
    "prefixes": "sk-proj-" + "A" * 30 + " ",
    "zero widths": "a\u200b",
    "tags": "\U000e0041",
    "escaped tags": "\\udb40\\udc41",
    "backslashes": "\\",
    "escapes": "\\u0041",
    "escaped slashes": "\\/",
    "signatures": "sig=%2B",
    "client secrets": "8Q~" + "a" * 8,
    "identifiable keys": "JQQJ99",
    "storage marks": "+AStAAAAAA==",
}
# Of CPU time, for 1 MB; the usual is under one. A search that isn't linear takes minutes.
BOUND_S = 4.0


@settings(LOADED)
@given(LINES, st.integers(0, 8))
def test_result_does_not_depend_on_the_cuts(lines: list[bytes], cut: int) -> None:
    """Two blocks searched apart give what one block gives."""
    whole = blocks.search(b"\n".join(lines))
    first, second = lines[:cut], lines[cut:]
    apart = [(hit.line, hit.kind) for hit in blocks.search(b"\n".join(first))] if first else []
    apart += (
        [(hit.line + len(first), hit.kind) for hit in blocks.search(b"\n".join(second))]
        if second
        else []
    )
    assert [(hit.line, hit.kind) for hit in whole] == apart


@settings(LOADED)
@given(LINES)
def test_line_is_searched_as_it_reads_without_escapes(lines: list[bytes]) -> None:
    """Escapes of ASCII hide nothing: a line gives what its plain form gives."""
    for line in filter(lambda line: plain(plain(line)) == plain(line), lines):
        assert [hit.kind for hit in blocks.search(line)] == [
            hit.kind for hit in blocks.search(plain(line))
        ]


def test_line_counts_once_for_each_kind() -> None:
    """Ten addresses on a line are one hit, and lines keep their numbers."""
    block = b"\n".join(
        [a_line("a@corp.com " * 10), a_line("nothing"), a_line("b@corp.com and +49 151 23456789")]
    )
    assert [(hit.line, hit.kind) for hit in blocks.search(block)] == [
        (0, "e-mail address"),
        (2, "e-mail address"),
        (2, "telephone number"),
    ]


def test_bytes_that_are_not_utf8_hide_nothing() -> None:
    """A broken line is searched, too."""
    assert [hit.kind for hit in blocks.search(b"\xff\xfe ann@corp.com \x80")] == ["e-mail address"]


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_bounded_time(piece: str) -> None:
    """1 MB made to mislead a pattern is searched within a bound of CPU time."""
    text = (piece * (2**20 // len(piece.encode()) + 1)).encode()
    begun = time.process_time()
    blocks.search(text)
    assert time.process_time() - begun < BOUND_S * processor_slowness()
