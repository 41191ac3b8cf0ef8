"""Figures and foreign text as people read them."""

from datetime import timedelta, timezone
from itertools import pairwise

import pytest

from shared.report import display
from shared.report.bins import bins_of
from tests.unit.report.samples import START, at
from tunedrop_check.rules import visible_text


@pytest.mark.parametrize(
    "character",
    [chr(c) for c in (0, 7, 8, 0x0B, 0x0D, 0x1B, 0x7F, 0x85, 0x9B, 0xAD, 0x34F, 0x61C, 0x180E)]
    + [
        chr(c)
        for c in (
            0x200B,
            0x200C,
            0x200D,
            0x200E,
            0x200F,
            0x2028,
            0x2029,
            0x202A,
            0x202B,
            0x202C,
            0x202D,
            0x202E,
        )
    ]
    + [
        chr(c)
        for c in (
            0x2060,
            0x2066,
            0x2067,
            0x2068,
            0x2069,
            0x3164,
            0xD800,
            0xDFFF,
            0xFE00,
            0xFEFF,
            0xE0001,
            0xE0041,
            0xE0100,
        )
    ],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_a_character_that_cannot_be_seen_is_shown_by_its_code_point(character: str) -> None:
    """Controls, bidi marks, zero-width characters and tags stand as their code points."""
    assert display.visible(f"a{character}b") == f"a⟦U+{ord(character):04X}⟧b"


@pytest.mark.parametrize(
    "text", ["plain", "Zürich, 東京, العربية ١٢", "two\nlines\tand a tab", "❤️ 😀", "≠ ⟦ ⟧", ""]
)
def test_text_that_can_be_seen_stays_as_it_is(text: str) -> None:
    """Letters of any script, line ends, tabs and emoji are left alone."""
    assert display.visible(text) == text


def test_a_page_and_a_terminal_hide_the_same_characters() -> None:
    """Only line ends and tabs, which a page keeps, differ."""
    codes = [*range(0x30000), *range(0xE0000, 0xE0200), *range(0xF0000, 0xF0010), 0x10FFFF]
    differing = [c for c in map(chr, codes) if display.visible(c) != visible_text.visible(c)]
    assert differing == ["\t", "\n"]


def test_a_windows_line_end_is_one_line_end() -> None:
    """CRLF is a line end, while a carriage return alone is shown."""
    assert display.visible("a\r\nb\rc") == "a\nb⟦U+000D⟧c"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(display.number(1234), "1,234", id="thousands"),
        pytest.param(display.number(49.8), "49.8", id="one decimal"),
        pytest.param(display.number(10.0), "10", id="whole"),
        pytest.param(display.counted(1, "error"), "1 error", id="singular"),
        pytest.param(display.counted(1234, "error"), "1,234 errors", id="plural"),
        pytest.param(display.shown_of(100, 1234, "error"), "first 100 of 1,234 errors", id="cut"),
        pytest.param(display.shown_of(7, 7, "error"), "7 errors", id="whole list"),
        pytest.param(display.size(999), "999 bytes", id="bytes"),
        pytest.param(display.size(318_402), "318 kB", id="kilobytes"),
        pytest.param(display.size(999_700), "1 MB", id="rounds into the next unit"),
        pytest.param(display.size(1_048_576), "1.05 MB", id="megabytes"),
        pytest.param(display.size(2_345_000_000_000), "2,345 GB", id="gigabytes are the largest"),
    ],
)
def test_a_figure_is_formatted_for_people(shown: str, expected: str) -> None:
    """Figures carry separators, units and as many digits as help."""
    assert shown == expected


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "under 1 s"),
        (0, "under 1 s"),
        (45, "45 s"),
        (200, "3 min 20 s"),
        (3_605, "1 h"),
        (4_557, "1 h 15 min"),
        (183_600, "2 d 3 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: int, shown: str) -> None:
    """A duration is as fine as its size makes useful."""
    assert display.duration(START, at(seconds)) == shown


def test_instants_are_shown_in_utc() -> None:
    """An instant of any offset is told in UTC."""
    elsewhere = START.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert display.moment(elsewhere) == "24 Nov 2026, 09:12 UTC"
    assert display.clock(elsewhere) == "09:12:04"


@pytest.mark.parametrize(
    "counts",
    [
        {5: 1},
        {0: 3, 1: 2},
        {40: 7, 41: 1, 900: 2},
        dict.fromkeys(range(1, 70_000, 7), 1),
        {10**9: 1, 1: 1},
    ],
    ids=["one value", "zero", "a tail", "wide", "huge"],
)
def test_bins_hold_every_example_once_and_touch(counts: dict[int, int]) -> None:
    """Bins are at most 40, of one width, without gaps, and their counts add up."""
    bins = bins_of(counts)
    assert len(bins) <= 40
    assert sum(b.count for b in bins) == sum(counts.values())
    assert all(after.low == before.high + 1 for before, after in pairwise(bins))
    assert all(sum(c for v, c in counts.items() if b.low <= v <= b.high) == b.count for b in bins)


def test_no_counts_give_no_bins() -> None:
    """An empty file has no distribution."""
    assert bins_of({}) == []
