"""Training files as the stand-in reads them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunedrop.emulator import examples
from tunedrop.emulator.examples import Facts, Turn

KEYS = st.sampled_from(["messages", "role", "content", "input", "preferred_output", "text"])
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


def chunks_of(data: bytes, size: int) -> list[bytes]:
    """Bytes in chunks of a size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(st.binary(max_size=60).map(lambda data: data.replace(b"a", b"\n")), st.integers(1, 70))
def test_lines_are_the_same_wherever_a_stream_is_cut(data: bytes, size: int) -> None:
    """Chunks of any size give the lines of the whole."""
    assert list(examples.lines(chunks_of(data, size))) == list(
        examples.lines([data] if data else [])
    )


def test_lines_leave_out_mark_and_blanks() -> None:
    """A byte-order mark and blank lines are no lines, wherever the mark is cut."""
    data = b"\xef\xbb\xbfone\r\n\n  \ntwo"
    for size in range(1, 9):
        assert [line.strip() for line in examples.lines(chunks_of(data, size))] == [b"one", b"two"]


def test_line_without_an_end_is_given_up_in_bounded_memory() -> None:
    """A line above the bound is a problem of the file, found before the line ends."""
    endless = (b"a" * 2**20 for _ in range(10_000))
    assert examples.examine(endless).problem == "Line 1 is too long."
    assert next(endless)


@given(st.lists(ANYTHING, max_size=3))
def test_examine_and_turns_take_any_json(values: list[Any]) -> None:
    """Whatever JSON a line holds, the file is read or has a problem that names the line; nothing is
    raised.
    """
    data = "\n".join(json.dumps(value) for value in values).encode()
    facts = examples.examine([data])
    if facts.problem is None:
        assert len(examples.turns([data])) == facts.examples
    else:
        assert facts.problem.startswith("Line ")


@given(st.binary(max_size=40))
def test_examine_takes_any_bytes(data: bytes) -> None:
    """Bytes that are no JSON are a problem, not an exception."""
    assert isinstance(examples.examine([data]), Facts)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("The Pacific Ocean.", ["The", " Pacifi", "c", " Ocean", "."]),
        ("", []),
        ("a  b", ["a", "  ", "b"]),
        ("naïve 3,5", ["naïve", " 3", ",", "5"]),
        ("_x_", ["_", "x", "_"]),
    ],
)
def test_pieces_lose_nothing_and_are_short(text: str, pieces: list[str]) -> None:
    """A text is cut into pieces of at most a blank and six characters."""
    assert examples.pieces(text) == pieces


@given(st.text())
def test_pieces_join_to_the_text(text: str) -> None:
    """No character is lost or doubled."""
    assert "".join(examples.pieces(text)) == text


def test_turns_leave_out_answers_of_weight_zero() -> None:
    """An assistant message of weight 0 is not learned."""
    line = {
        "messages": [
            {"role": "user", "content": "q1"},
            {"role": "assistant", "content": "a1", "weight": 0},
            {"role": "user", "content": [{"type": "text", "text": "q2"}]},
            {"role": "assistant", "content": "a2", "weight": 1},
        ]
    }
    assert examples.turns([json.dumps(line).encode()]) == [[Turn("q2", "a2")]]
