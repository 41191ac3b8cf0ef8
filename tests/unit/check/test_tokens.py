"""Token counts, held against tiktoken and the service's published recipe."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import LOADED, a_message, an_example
from tunedrop_check.counting import counters, tokens, vocabulary

ENCODINGS = tuple(vocabulary.DEFINITIONS)
HOSTILE = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(
    [
        "<|endoftext|>",
        "<|im_start|>system",
        "\ud800",
        "\udc00\ud800",
        "a\r\n\r\n /x",
        "  \t x",
        "İ's",
        "\U0001f468‍\U0001f469",
        "ﷺ",
        "1234567",
        "\x00",
    ]
)
ROLES = st.sampled_from(["system", "user", "assistant", "tool"])
MESSAGE = st.fixed_dictionaries({"role": ROLES, "content": HOSTILE}, optional={"name": HOSTILE})
MESSAGES: st.SearchStrategy[list[dict[str, str]]] = st.lists(MESSAGE, max_size=5)


def plain_recipe(messages: list[dict[str, str]], encoding_name: str) -> tuple[int, int]:
    """The recipe, written out on tiktoken's public interface."""

    def length(text: str) -> int:
        return len(vocabulary.encoding(encoding_name).encode(text, disallowed_special=()))

    total = 3 + sum(
        3 + sum(length(value) + (key == "name") for key, value in message.items())
        for message in messages
    )
    return total, sum(
        length(message["content"]) for message in messages if message["role"] == "assistant"
    )


@pytest.mark.parametrize("encoding_name", ENCODINGS)
@settings(LOADED, max_examples=200)
@given(messages=MESSAGES)
@example(messages=[{"role": "assistant", "content": "<|endoftext|>\ud83d\ude00\ud83d"}])
def test_count_is_the_recipes_on_tiktoken(
    encoding_name: str, messages: list[dict[str, str]]
) -> None:
    """Any text is counted as tiktoken counts it, special tokens as plain text."""
    wanted: dict[str, Any] = {"messages": messages}
    counted = tokens.count(wanted, encoding_name)
    assert (counted.total, counted.assistant) == plain_recipe(messages, encoding_name)


def test_count_is_the_same_when_the_text_is_long() -> None:
    """A long text with a lone surrogate is counted as a short one is."""
    text = "one two " * 40_000 + "\ud800 end"
    assert (
        tokens.count({"messages": [a_message("assistant", text)]}, "o200k_base").assistant
        == plain_recipe([a_message("assistant", text)], "o200k_base")[1]
    )


@pytest.mark.parametrize(
    ("message", "same_as"),
    [
        pytest.param(
            a_message("assistant", "Hi.", weight=1),
            a_message("assistant", "Hi."),
            id="weight counts nothing",
        ),
        pytest.param(a_message("assistant", None), {"role": "assistant"}, id="null counts nothing"),
        pytest.param(
            a_message("user", [{"type": "text", "text": "Hi."}]),
            a_message("user", "Hi."),
            id="a part by its text",
        ),
        pytest.param(
            a_message(
                "user", [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
            ),
            {"role": "user"},
            id="an image counts nothing",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"id": "a", "n": 1}]},
            {
                "role": "assistant",
                "tool_calls": json.dumps([{"id": "a", "n": 1}], separators=(",", ":")),
            },
            id="calls by their JSON",
        ),
    ],
)
def test_count_of_a_value_that_is_not_a_string(
    message: dict[str, Any], same_as: dict[str, Any]
) -> None:
    """Values other than strings count as the page on formats says."""
    assert tokens.count({"messages": [message]}, "o200k_base") == tokens.count(
        {"messages": [same_as]}, "o200k_base"
    )


def test_count_all_gives_each_example_its_own_tokens() -> None:
    """Counting in one go gives what counting one by one gives."""
    examples: list[dict[str, Any]] = [
        an_example(),
        {"messages": []},
        an_example(a_message("user", " " * 600_000 + "x")),
        an_example(a_message("assistant", "Yes.")),
    ]
    together = tokens.count_all(examples, counters.counter("cl100k_base"))
    assert together[2] is None
    assert [together[0], together[1], together[3]] == [
        tokens.count(examples[index], "cl100k_base") for index in (0, 1, 3)
    ]


@pytest.mark.parametrize("encoding_name", ENCODINGS)
@pytest.mark.parametrize("blanks", [" ", "\t ", "\u3000"], ids=["spaces", "tabs", "ideographic"])
def test_count_refuses_more_blanks_than_a_tokenizer_can_split(
    encoding_name: str, blanks: str
) -> None:
    """A million blanks are an error of ours, not a panic of the tokenizer's."""
    with pytest.raises(tokens.Uncountable):
        tokens.count(an_example(a_message("user", blanks * 500_001 + "x")), encoding_name)


def test_count_refuses_a_text_over_a_mebibyte() -> None:
    """A text of 1 MiB in UTF-8 is counted; one more byte is refused before it costs memory."""
    assert (
        tokens.count(an_example(a_message("user", "\u00e9" * 2**19)), "o200k_base").total > 65_536
    )
    with pytest.raises(tokens.Uncountable):
        tokens.count(an_example(a_message("user", "\u00e9" * 2**19 + "x")), "o200k_base")


def test_count_takes_the_longest_allowed_run_of_blanks() -> None:
    """The limit itself is still counted."""
    assert (
        tokens.count(
            an_example(a_message("user", " " * tokens.MAX_BLANK_RUN + "x")), "o200k_base"
        ).total
        > 3
    )
