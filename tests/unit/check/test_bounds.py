"""The upper bound of tokens: what the recipe leaves out, and that nothing which could be billed is
missing from it.
"""

import json
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check import clean
from tests.unit.check.builders import (
    IMAGE_MODEL,
    LOADED,
    TEXT_MODEL,
    a_file,
    a_message,
    an_example,
    options,
    scanned,
)
from tests.unit.check.field_cases import case, scan_of
from tests.unit.check.proofs.images import a_part
from tests.unit.check.proofs.preferences import a_preference
from tunedrop_check.counting import counters, image_tokens, tokens, upper_bound
from tunedrop_check.counting.upper_bound import PER_FUNCTION, PER_LISTED_VALUE
from tunedrop_check.models import base_models
from tunedrop_check.scan import scanning

COUNTER = counters.counter("o200k_base")
LARGE = "Looks up the timetable of a pier. " * 400
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "f",
        "description": LARGE,
        "parameters": {"type": "object", "properties": {"a": {"enum": ["x", "y", "z"]}}},
    },
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
MESSAGE = st.dictionaries(
    st.sampled_from(
        ["content", "name", "tool_calls", "weight", "refusal", "audio", "metadata", "x" * 40]
    )
    | st.text(max_size=6),
    VALUES,
).map(lambda given: {"role": "user", **given})
EXAMPLE = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(MESSAGE | VALUES, max_size=3) | VALUES,
        "input": st.fixed_dictionaries(
            {}, optional={"messages": st.lists(MESSAGE, max_size=2), "tools": VALUES, "x": VALUES}
        )
        | VALUES,
        "preferred_output": st.lists(MESSAGE, max_size=2) | VALUES,
        "tools": VALUES,
        "response_format": VALUES,
        "metadata": VALUES,
    },
)


def length(text: str) -> int:
    """The tokens of a text."""
    return COUNTER.count([text])[0]


def strings_of(value: Any) -> list[str]:
    """Every text that stands as a value, at any depth, but for the addresses of images."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return strings_of(list(cast("dict[str, Any]", value).values()))
    return (
        [text for entry in cast("list[Any]", value) for text in strings_of(entry)]
        if isinstance(value, list)
        else []
    )


def bound_of(example: dict[str, Any]) -> int:
    """The upper bound of an example."""
    beyond = upper_bound.beyond(example, COUNTER)
    return (
        tokens.count(example, TEXT_MODEL.encoding).total
        + beyond.declared
        + beyond.other
        + beyond.images.at_most
    )


def of_one(
    example: dict[str, Any], model: base_models.KnownModel = IMAGE_MODEL
) -> scanning.FileScan:
    """The scan of a file of one example."""
    return scanned(a_file(example), chosen=options(model, "validation"))


@pytest.mark.parametrize(
    "example",
    [
        an_example(),
        an_example(
            a_message("user", name="Ann"),
            a_message("assistant", weight=0),
            a_message("user"),
            a_message("assistant", weight=1),
        ),
        an_example(a_message("user", [{"type": "text", "text": "Hi."}]), a_message("assistant")),
        a_preference(),
        an_example(a_message("user"), a_message("assistant", refusal=None, audio=None), tools=None),
    ],
    ids=["chat", "weights and a name", "a part of text", "preference", "nulls of a dump"],
)
def test_bound_of_roles_and_texts_alone_is_the_recipes_count(example: dict[str, Any]) -> None:
    """Nothing is estimated where nothing is left out."""
    found = of_one(example)
    assert (found.at_most_tokens, found.longest_at_most) == (found.total.sum, found.total.sum)
    assert (found.declared_tokens, found.other_tokens, found.uncounted_bytes) == (0, 0, 0)


@settings(LOADED, max_examples=300)
@given(EXAMPLE)
def test_bound_holds_every_text_of_the_line(example: dict[str, Any]) -> None:
    """It is below neither the recipe's count nor the tokens of all texts at any depth."""
    texts = strings_of(example)
    assert bound_of(example) >= max(
        tokens.count(example, TEXT_MODEL.encoding).total, sum(map(length, texts))
    )


@pytest.mark.parametrize("place", ["top", "message", "part", "image", "input", "message key"])
def test_bound_holds_a_text_wherever_it_is_hidden(place: str) -> None:
    """A field that the format doesn't know can't be trained on for nothing."""
    hidden = {"metadata": LARGE}
    part = {"type": "text", "text": "Hi.", **hidden}
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", **hidden}}
    example: dict[str, Any] = {
        "top": an_example(**hidden),
        "message": an_example(a_message("user"), a_message("assistant", **hidden)),
        "part": an_example(a_message("user", [part]), a_message("assistant")),
        "image": an_example(a_message("user", [image]), a_message("assistant")),
        "input": a_preference() | {"input": {"messages": [a_message("user")], **hidden}},
        "message key": an_example(a_message("user", **{LARGE: None}), a_message("assistant")),
    }[place]
    found = of_one(example)
    assert found.at_most_tokens >= length(LARGE)
    assert found.at_most_tokens > found.total.sum


def test_declarations_count_by_their_json_and_a_margin() -> None:
    """A tool by its compact JSON, and more for each function and each listed value, on the quick
    way and on the full one.
    """
    wanted = (
        length(json.dumps({"tools": [TOOL]}, separators=(",", ":")))
        + PER_FUNCTION
        + 4 * PER_LISTED_VALUE
    )
    quick, full = (
        of_one(an_example(tools=[TOOL])),
        of_one(an_example(a_message("user", name="A"), a_message("assistant"), tools=[TOOL])),
    )
    assert (quick.declared_tokens, full.declared_tokens) == (wanted, wanted)
    assert quick.at_most_tokens == quick.total.sum + wanted


@pytest.mark.parametrize("field", ["tools", "functions", "response_format"])
def test_each_declaring_field_counts(field: str) -> None:
    """Functions and response formats as tools do."""
    assert of_one(an_example(**{field: [TOOL["function"]]})).declared_tokens > length(LARGE)


@pytest.mark.parametrize("parallel", [True, False, None])
def test_quick_way_and_full_way_bound_a_line_alike(parallel: bool | None) -> None:
    """A file's bound is the same whichever way its lines went."""
    more = {} if parallel is None else {"parallel_tool_calls": parallel}
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        a_message("user"),
        a_message("assistant", None, tool_calls=[call]),
        a_message("tool", "4", tool_call_id="a"),
        a_message("assistant"),
    ]
    example = an_example(*messages, tools=[TOOL], **more)
    found = of_one(example)
    assert found.counts.keys() == {"TD-DATA-009", "TD-DATA-221"}
    assert found.at_most_tokens == bound_of(example)


def test_bound_of_mixed_data_is_the_sum_of_its_lines() -> None:
    """Clean chat examples of all kinds, with tools, functions, images and weights."""
    examples = list(clean.supervised(7, 300))
    found = scanned(a_file(*examples), chosen=options(IMAGE_MODEL, "validation"))
    assert found.at_most_tokens == sum(map(bound_of, examples))
    assert found.longest_at_most <= max(map(bound_of, examples))
    assert found.over_by_estimate == found.over_limit == 0


def test_image_at_an_address_is_bounded_by_the_largest() -> None:
    """The estimate takes it for one of 1,024 pixels, the bound for the most that an image can
    count.
    """
    found = of_one(
        an_example(
            a_message("user", [a_part("https://example.com/a.png")] * 3), a_message("assistant")
        )
    )
    assert (found.images.tokens, found.images.at_most) == (3 * 765, 3 * 1445)
    assert found.at_most_tokens == found.total.sum + 3 * 1445


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_no_image_counts_more_than_the_largest(width: int, height: int) -> None:
    """Whatever its size."""
    assert (
        image_tokens.tokens_of(width, height)
        <= image_tokens.MOST
        == image_tokens.tokens_of(2048, 768)
    )


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(an_example(a_message("user", " " * 600_000 + "x"), a_message("assistant"))),
        json.dumps({"messages": "user: " + LARGE}),
        json.dumps({"prompt": LARGE, "completion": "x"}),
        " " + json.dumps(LARGE),
        '{"messages": [' + LARGE,
    ],
    ids=["blanks", "no messages", "another format", "a text", "no JSON"],
)
def test_line_that_is_not_counted_is_bounded_by_its_bytes(line: str) -> None:
    """No token has less than a byte."""
    found = scanned(a_file(line))
    assert (found.total.sum, found.uncounted_bytes) == (0, len(line))
    assert found.at_most_tokens >= len(line)


def test_file_with_a_line_that_was_not_read_is_bounded_by_its_bytes() -> None:
    """How long such a line is isn't known; nor is it where the file isn't text."""
    for content in (a_file(an_example(), "x" * 2000), b"PK\x03\x04" + b"x" * 2000):
        found = scanned(content, chosen=options(role="validation", max_line_bytes=1000))
        assert found.at_most_tokens >= len(content)


def test_limit_is_held_against_the_bound() -> None:
    """Two examples of few counted tokens are too long with what is estimated; the finding says
    which part is sure.
    """
    model = base_models.KnownModel("small", TEXT_MODEL.encoding, 200, True, TEXT_MODEL.methods)
    content = a_file(
        an_example(tools=[TOOL]),
        an_example(),
        an_example(metadata=LARGE),
        an_example(a_message("user", "word " * 300), a_message("assistant")),
    )
    found = scanned(content, chosen=options(model, "validation"))
    assert (found.over_limit, found.over_by_estimate, found.counts["TD-DATA-218"]) == (3, 2, 3)
    quick, full, sure = [one.message for one in found.findings if one.code == "TD-DATA-218"]
    for message in (quick, full):
        assert (
            "more for declarations, other fields and images, which are estimates; the model "
            "accepts at most 200."
        ) in message
    assert "estimates" not in sure


def test_fields_of_a_grader_do_not_count_to_the_limit() -> None:
    """The model doesn't see them; the file's bound has them all the same."""
    found = of_one(
        {"messages": [a_message("system"), a_message("user")], "answer": "word " * 70_000},
        base_models.base_model("o4-mini"),
    )
    assert (found.over_limit, found.errors) == (0, 0)
    assert found.at_most_tokens > 70_000


def test_scan_without_a_bound_takes_each_byte_for_a_token() -> None:
    """A scan that 0.1.0 stored can be read, and its bound is no lower than today's."""
    today = of_one(an_example(a_message("user", [a_part()]), a_message("assistant"), tools=[TOOL]))
    stored = json.loads(scanning.to_json(today))
    for name in (
        "declared_tokens",
        "other_tokens",
        "uncounted_bytes",
        "longest_at_most",
        "over_by_estimate",
        "counting_version",
    ):
        del stored[name]
    old = scanning.file_scan_from_json(json.dumps(stored).encode())
    assert old.counting_version == 0
    assert old.at_most_tokens >= today.at_most_tokens


def test_scan_carries_the_version_that_it_was_counted_by() -> None:
    """Each span and the file, also by way of JSON."""
    span = scanning.scan_span(scanning.FileSource(__file__), scanning.Span(0, 9), options())
    assert (
        scanning.span_scan_from_json(scanning.to_json(span)).counting_version
        == scanning.COUNTING_VERSION
        > 0
    )
    assert of_one(an_example()).counting_version == scanning.COUNTING_VERSION


def test_case_36_tells_the_tokens_of_declarations_apart() -> None:
    """Large declarations: the count stays the recipe's, and beside it stands what the service may
    bill.
    """
    content = case("36")
    found = scan_of(content)
    assert max(found.total.counts) < 50
    assert min(found.declared_tokens, 10 * found.longest_at_most) > 200_000
    assert found.at_most_tokens == found.total.sum + found.declared_tokens
