"""Lines on a narrow terminal."""

import pytest

from tunedrop_check.command.as_text import Line, Span
from tunedrop_check.command.wrapping import wrapped


def shown(line: Line, width: int) -> list[str]:
    """What a terminal of this width shows of a line."""
    return ["".join(span.text for span in part) for part in wrapped([line], width)]


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        pytest.param(
            [Span("  price  "), Span("0.01 USD at 5.00")],
            ["  price  0.01 USD at", "         5.00"],
            id="below the value",
        ),
        pytest.param(
            [Span("    a.jsonl:3"), Span("  It is wrong.")],
            ["    a.jsonl:3  It is", "      wrong."],
            id="behind the beginning",
        ),
        pytest.param(
            [Span("  8 errors"), Span(", 1 warning")],
            ["  8 errors, 1", "    warning"],
            id="over two spans",
        ),
        pytest.param([Span("a" * 30), Span(" b")], ["a" * 30, "  b"], id="a long word stays whole"),
        pytest.param([Span("  fits exactly here.")], ["  fits exactly here."], id="fits"),
        pytest.param([], [""], id="empty"),
    ],
)
def test_long_line_is_broken_at_blanks_and_set_in(line: Line, parts: list[str]) -> None:
    """Nothing is lost, and nothing is wider than the terminal but a word that is."""
    assert shown(line, 20) == parts


def test_styles_stay_with_their_words() -> None:
    """Each part keeps how its words were meant."""
    [first, second] = wrapped([[Span("one two", "strong"), Span(" three", "error")]], 8)
    assert (first, second) == ([Span("one two", "strong")], [Span("  "), Span("three", "error")])
