"""The parts of an example by which it is compared."""

from typing import Any

import pytest

from tests.unit.check.builders import a_conversation, a_message, an_example
from tunedrop_check.contents.compared_texts import BETWEEN, mark
from tunedrop_check.formats.recognition import read_as

CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


def test_chat_answers_with_its_last_assistant_message() -> None:
    """What stands before it is the prompt, roles included, with a mark for the system message."""
    example = an_example(
        a_message("system", "S"), a_message("user", "U"), a_message("assistant", "A")
    )
    prompt, answer, learnt = read_as(example).answer(example)
    assert prompt == BETWEEN.join(["system", mark("S"), "user", "U"])
    assert answer == learnt == "A"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(an_example(), an_example(tools=[]), id="tools"),
        pytest.param(
            an_example(a_message("user"), CALL),
            an_example(a_message("user"), a_message("assistant")),
            id="call",
        ),
        pytest.param(
            an_example(a_message("user", "ab"), a_message("assistant")),
            an_example(a_message("user", "a"), a_message("user", "b"), a_message("assistant")),
            id="cut of messages",
        ),
        pytest.param(
            a_conversation(a_message("assistant", weight=0)),
            a_conversation(a_message("assistant")),
            id="weight",
        ),
        pytest.param(
            {"input": {"messages": []}, "preferred_output": []},
            {"input": {}, "preferred_output": []},
            id="input",
        ),
        pytest.param(
            {"messages": [a_message("user")], "answer": 1},
            {"messages": [a_message("user")], "answer": 2},
            id="fields of a grader",
        ),
    ],
)
def test_examples_that_differ_have_other_parts(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Nothing that is trained is left out."""
    assert read_as(one).answer(one)[:2] != read_as(other).answer(other)[:2]


def test_preference_learns_the_preferred_answer() -> None:
    """Both outputs make the answer."""
    pair: dict[str, Any] = {
        "input": {},
        "preferred_output": [a_message("assistant", "Good")],
        "non_preferred_output": [a_message("assistant", "Bad")],
    }
    parts = read_as(pair).answer(pair)
    assert parts.learnt == "Good"
    assert "Bad" in parts.answer


BROKEN: list[dict[str, Any]] = [
    {},
    {"messages": 1},
    {"messages": [1, None]},
    {"messages": [{"role": []}]},
    {"input": "\ud800"},
]


@pytest.mark.parametrize("example", BROKEN, ids=repr)
def test_parts_exist_whatever_the_line_holds(example: dict[str, Any]) -> None:
    """A broken example has parts, too, and nothing to learn."""
    assert read_as(example).answer(example).learnt == ""
