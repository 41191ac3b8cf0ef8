"""Fingerprints: what repeats is found, whatever the cuts and however long the file."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import LOADED
from tunedrop_check.contents import duplicates
from tunedrop_check.contents.duplicates import Fingerprints

Pair = tuple[str, str]
LONG = "A long text of many words, as answers are. " * 20
WORDS = st.sampled_from(
    [
        "yes",
        "Yes.",
        " yes ",
        "no",
        "2.5",
        "25",
        "",
        "…",
        "\ud800",
        "“yes”",
        "是",
        "是。",
        LONG,
        LONG.strip(),
        LONG + "no",
    ]
)
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=12)


def prints_of(pairs: list[Pair], first_line: int = 1) -> Fingerprints:
    """The fingerprints of these prompts and answers, one on each line."""
    prints = Fingerprints()
    prints.observe(
        range(first_line, first_line + len(pairs)),
        [prompt for prompt, _ in pairs],
        [answer for _, answer in pairs],
    )
    return prints


def found_in(pairs: list[Pair]) -> dict[str, str]:
    """Messages and lines by code of what is found among these."""
    found = duplicates.findings(prints_of(pairs))
    return {
        one.code.removeprefix("TD-DATA-"): f"{one.message} {', '.join(map(str, one.lines))}"
        for one in found
    }


@pytest.mark.parametrize(
    ("pairs", "lines"),
    [
        pytest.param([("a", "b"), ("c", "d"), ("a", "b")], "1. 3", id="one"),
        pytest.param([("a", "b")] * 4, "3. 2, 3, 4", id="four of a kind"),
        pytest.param([("a", LONG), ("b", LONG), ("b", LONG)], "1. 3", id="long"),
    ],
)
def test_equal_examples_are_found(pairs: list[Pair], lines: str) -> None:
    """Each that equals an earlier one is counted, and the first line numbers are told."""
    assert found_in(pairs) == {"701": f"Examples that equal an earlier one: {lines}"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("What is it?", "what is it", id="case and mark"),
        pytest.param("Hello, world", "Hello  world\n", id="white space"),
        pytest.param('He said "yes"', "He said “yes”", id="quotes"),
        pytest.param("a b", "a\u00a0b", id="no-break space"),
        pytest.param("In 1999, it was 7.", "in 1999 it was 7", id="marks after numbers"),
        pytest.param("東京です。", "東京です", id="ideographic stop"),
        pytest.param(LONG, f" {LONG.upper()}\n", id="long: case and ends"),
        pytest.param(LONG, LONG.replace(" ", "\n"), id="long: kind of blank"),
    ],
)
def test_nearly_equal_examples_are_found(first: str, second: str) -> None:
    """Case, white space and marks make no difference, and these are no conflict."""
    assert found_in([("q", first), ("q", second)]).keys() == {"702"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("12 times 7", "12 times 8", id="digits"),
        pytest.param("5 + 3", "5 / 3", id="signs"),
        pytest.param("2.5", "25", id="decimals"),
        pytest.param("1, 11", "11, 1", id="two numbers"),
        pytest.param("It is -5.", "It is 5.", id="minus"),
        pytest.param("?", "!", id="nothing but marks"),
        pytest.param("ä", "Ä", id="letters beyond ASCII"),
        pytest.param(LONG + "x", LONG + "y", id="long"),
    ],
)
def test_different_examples_are_not_found(first: str, second: str) -> None:
    """What may matter is a difference."""
    assert found_in([(first, "a"), (second, "a")]) == {}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        pytest.param(
            [("q", "yes"), ("q", "no")],
            "answer 1 prompt in different ways: 2. 1, 2",
            id="one prompt",
        ),
        pytest.param(
            [("q", "1"), ("p", "1"), ("q", "2"), ("p", "2")],
            "answer 2 prompts in different ways: 4. 1, 2, 3, 4",
            id="two",
        ),
    ],
)
def test_conflicting_answers_are_found(pairs: list[Pair], message: str) -> None:
    """Every example of such a prompt is counted."""
    assert found_in(pairs)["703"].endswith(message)


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([("q", "yes"), ("q", "Yes.")], id="one answer in two spellings"),
        pytest.param([("q 1", "yes"), ("q 2", "no")], id="two prompts"),
        pytest.param(
            [("What?", "yes"), ("what", "no")], id="prompts that only resemble each other"
        ),
    ],
)
def test_agreeing_answers_are_no_conflict(pairs: list[Pair]) -> None:
    """Neither one answer nor another prompt is a conflict."""
    assert "703" not in found_in(pairs)


def test_conflicts_are_left_out_where_asked() -> None:
    """In preferences, one prompt has several pairs."""
    assert duplicates.findings(prints_of([("q", "yes"), ("q", "no")]), with_conflicts=False) == []


@settings(LOADED)
@given(PAIRS, st.lists(st.integers(0, 12), max_size=3))
def test_fingerprints_do_not_depend_on_the_cuts(pairs: list[Pair], cuts: list[int]) -> None:
    """Parts that are appended make the whole."""
    edges = [0, *sorted(min(cut, len(pairs)) for cut in cuts), len(pairs)]
    merged = Fingerprints()
    for start, stop in itertools.pairwise(edges):
        merged.append(prints_of(pairs[start:stop]), start)
    assert merged == prints_of(pairs)


@settings(LOADED)
@given(PAIRS)
def test_equal_means_equal(pairs: list[Pair]) -> None:
    """As many are counted as there are examples beyond the different ones."""
    repeated = len(pairs) - len(set(pairs))
    message = found_in(pairs).get("701", ": 0.")
    assert f": {repeated}." in message


@pytest.mark.parametrize(
    ("validation", "codes"),
    [
        pytest.param([("a", "b")], {"707"}, id="the same"),
        pytest.param([("x", "y"), ("A", "b.")], {"707"}, id="nearly the same"),
        pytest.param([("a", "c")], {"708"}, id="the same prompt"),
        pytest.param([("a", "b"), ("a", "c")], {"707", "708"}, id="both"),
        pytest.param([("b", "a")], set[str](), id="the other way round"),
        pytest.param([("c", "b")], set[str](), id="another prompt"),
        pytest.param([], set[str](), id="nothing"),
    ],
)
def test_contamination_is_what_both_files_hold(validation: list[Pair], codes: set[str]) -> None:
    """The same example, nearly so, or the same prompt."""
    found = duplicates.contamination(prints_of([("a", "b"), ("d", "e")]), prints_of(validation))
    assert {one.code.removeprefix("TD-DATA-") for one in found} == codes


def test_examples_beyond_the_bound_are_told() -> None:
    """The first ones are compared, in whatever parts they come; the rest is a finding."""
    merged = Fingerprints(limit=3)
    merged.append(prints_of([("a", "a"), ("a", "a")]), 0)
    merged.append(prints_of([("b", "b"), ("c", "c"), ("b", "b")]), 2)
    codes = [found.code.removeprefix("TD-DATA-") for found in duplicates.findings(merged)]
    assert codes == ["701", "710"]
    assert merged.skipped == 2


def test_a_million_examples_take_28_mb() -> None:
    """A record has 28 bytes."""
    assert len(prints_of([("a", "b")] * 10).records) == 280
