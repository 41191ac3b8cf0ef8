"""Blank and cut answers, and figures that are out of the common."""

import pytest

from tunedrop_check.contents import quality
from tunedrop_check.scan.statistics import Histogram

SENTENCE = (
    "The ocean is wide and deep. It is also cold, and few have ever been down to where no light "
    "comes"
)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("Run this:\n```python\nprint(1)", id="open block of code"),
        pytest.param('{"a": [1, 2', id="open JSON"),
        pytest.param('[{"name": "An', id="JSON in a string"),
        pytest.param("Call f(", id="open bracket"),
        pytest.param(
            (
                "These are the cities that we know of: Berlin, Paris, Rome, and of the smaller "
                "ones Bern,"
            ),
            id="comma",
        ),
        pytest.param(SENTENCE, id="sentence"),
        pytest.param(f"First.\n\n{SENTENCE}", id="sentence of a later line"),
    ],
)
def test_cut_answer_is_told(answer: str) -> None:
    """An answer that stops inside something is cut."""
    assert quality.blank_and_cut([answer]) == ([], [0])


@pytest.mark.parametrize(
    "answer",
    [
        "Paris",
        "yes.",
        "Or not...",
        f"{SENTENCE}.",
        "```\nprint(1)\n```",
        "Use `x` here",
        '{"a": 1}',
        '["a", "b"]',
        "{name}, welcome",
        "[Verse 1] and so on without an end",
        '{"a": 1} is what it prints',
        "Sorry :(",
        "Dear Ann,",
        f"- {SENTENCE}",
        (
            "The page is long and full of words. You will find it where the others are: "
            "https://example.com/a"
        ),
        "Best regards\nAnn Lee",
        "海は広くて深い",
    ],
)
def test_whole_answer_is_left_alone(answer: str) -> None:
    """Labels, lists, code, JSON, smileys, greetings and addresses need no full stop."""
    assert quality.blank_and_cut([answer]) == ([], [])


@pytest.mark.parametrize(
    ("answer", "is_blank"), [(" ", True), ("\n\t", True), ("", False), ("x", False)]
)
def test_blank_answer_is_white_space(answer: str, is_blank: bool) -> None:
    """An empty answer has a rule of its own."""
    assert quality.blank_and_cut([answer]) == ([0] * is_blank, [])


@pytest.mark.parametrize(
    ("counts", "has_tail"),
    [
        pytest.param({100: 99, 5000: 1}, True, id="one of 50 times the length"),
        pytest.param({100: 990, 4000: 10}, True, id="1 % with 29 % of the tokens"),
        pytest.param({100: 19, 10_000: 1}, True, id="few examples"),
        pytest.param({100: 990, 900: 10}, False, id="1 % with 8 % of the tokens"),
        pytest.param({100: 10, 900: 10}, False, id="two lengths"),
        pytest.param({100: 8, 50_000: 1}, False, id="too few to tell"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_long_tail_is_a_few_that_outweigh_the_rest(counts: dict[int, int], has_tail: bool) -> None:
    """Ten times the 95th percentile, or a quarter of all tokens in 1 % of the examples."""
    assert [found.code for found in quality.long_tail(Histogram(counts))] == [
        "TD-DATA-706"
    ] * has_tail


@pytest.mark.parametrize(
    ("counts", "is_cut"),
    [
        pytest.param({100: 20, 256: 12}, True, id="many at 256"),
        pytest.param({1024: 5}, True, id="all at 1,024"),
        pytest.param({255: 4, 256: 5}, False, id="near-by lengths, too"),
        pytest.param({10: 100, 12: 100}, False, id="short answers"),
        pytest.param({100: 20, 256: 4}, False, id="too few"),
        pytest.param({100: 5000, 256: 6}, False, id="too few of many"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_one_length_is_a_pile_at_the_greatest(counts: dict[int, int], is_cut: bool) -> None:
    """A limit leaves a pile of answers at the greatest length."""
    assert [found.code for found in quality.one_length(Histogram(counts))] == [
        "TD-DATA-709"
    ] * is_cut
