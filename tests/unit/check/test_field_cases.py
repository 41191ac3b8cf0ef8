"""Cases from the field, each with what is right for it; the files lie beside the checkout."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import (
    IMAGE_MODEL,
    LOADED,
    TEXT_MODEL,
    a_file,
    a_message,
    an_example,
    scanned,
)
from tests.unit.check.field_cases import case, scan_of
from tunedrop_check.counting import tokens
from tunedrop_check.formats import supervised
from tunedrop_check.models import base_models
from tunedrop_check.rules import content_rules
from tunedrop_check.rules.findings import Finding
from tunedrop_check.scan import scanning

IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
# The line of most cases on which the fault stands, after ten sound ones.
LAST = 11


def formal(found: scanning.FileScan) -> list[Finding]:
    """The findings on form."""
    return [one for one in found.findings if one.code not in content_rules.RULES]


def places(found: scanning.FileScan) -> list[tuple[str, str, int | None, str]]:
    """Code, severity, line and field of each finding on form."""
    return [(one.code[-3:], one.severity, one.line, one.field) for one in formal(found)]


def test_case_01_parts_of_text_are_right_in_any_message() -> None:
    """An answer as a list of text parts is sound, for a model with images; as a text it counts the
    same.
    """
    content = case("01")
    found = scan_of(content, scanning.ScanOptions(IMAGE_MODEL))
    assert formal(found) == []
    as_texts = [json.loads(line) for line in content.splitlines()]
    for example in as_texts:
        example["messages"][-1]["content"] = example["messages"][-1]["content"][0]["text"]
    assert (
        found.assistant.counts
        == scanned(a_file(*as_texts), chosen=scanning.ScanOptions(IMAGE_MODEL)).assistant.counts
    )


@pytest.mark.parametrize("role", ["system", "developer", "tool"])
def test_parts_of_text_are_right_in_the_messages_of_every_role(role: str) -> None:
    """As the schema has them; an image stays the user's."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    calling: dict[str, Any] = {"role": "assistant", "tool_calls": [call]}
    for part, codes in (({"type": "text", "text": "x"}, set[str]()), (IMAGE, {"TD-DATA-403"})):
        message = a_message(role, [part], **({"tool_call_id": "a"} if role == "tool" else {}))
        before = [a_message("user"), calling] if role == "tool" else []
        after = (
            [a_message("assistant")]
            if role == "tool"
            else [a_message("user"), a_message("assistant")]
        )
        example = an_example(
            *before, message, *after, tools=[{"type": "function", "function": {"name": "f"}}]
        )
        assert {one.code for one in supervised.check(example, IMAGE_MODEL)} - {
            "TD-DATA-204"
        } == codes


@settings(LOADED)
@given(st.lists(st.text(st.characters(codec=None), max_size=80), min_size=1, max_size=4))
def test_name_of_a_key_reaches_no_finding(names: list[str]) -> None:
    """Wherever it stands: names of keys are data, too."""
    hidden: dict[str, Any] = {f"Qz7{name}": None for name in names}
    example = an_example(
        a_message("user", **hidden),
        a_message("assistant", [{"type": "text", "text": "x", **hidden}]),
        tools=[hidden],
        **hidden,
    )
    found = scanned(json.dumps(example).encode())
    assert found.findings
    assert not any("Qz7" in one.message + one.field + one.fix for one in found.findings)


def test_system_message_of_parts_is_a_system_message() -> None:
    """The rules on system messages see its text, and count it as present."""
    parts = [{"type": "text", "text": "Be brief."}]
    found = scanned(
        a_file(an_example(), an_example(a_message("system", parts), *an_example()["messages"][1:]))
    )
    assert formal(found) == []


def test_case_03_arguments_that_are_an_object_are_named_at_their_place() -> None:
    """Not at the call's."""
    assert places(scan_of(case("03"))) == [
        ("304", "error", LAST, "/messages/2/tool_calls/0/function/arguments")
    ]


def test_case_04_call_without_its_answer_is_an_error() -> None:
    """An assistant's text after a call is no answer to it."""
    assert places(scan_of(case("04"))) == [("306", "error", LAST, "/messages/2/tool_calls/0")]


def test_case_06_empty_content_beside_calls_is_one_warning() -> None:
    """The text "null", null and an empty text alike, told once with all their lines."""
    found = scan_of(case("06"))
    assert places(found) == [("221", "warning", LAST, "")]
    assert (formal(found)[0].times, formal(found)[0].lines) == (3, (11, 12, 13))
    assert "Remove content" in formal(found)[0].fix


def test_case_07_two_system_messages_in_a_row_are_a_warning() -> None:
    """At the second one."""
    assert places(scan_of(case("07"))) == [("220", "warning", LAST, "/messages/1")]


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        pytest.param("training_set.jsonl", ["", "/metadata", "/weight"], id="a team's own keys"),
        pytest.param(
            "request_parameters.jsonl",
            ["/max_tokens", "/model", "/temperature"],
            id="settings of a request",
        ),
    ],
)
def test_case_10_each_key_is_named_with_what_becomes_of_it(file: str, fields: list[str]) -> None:
    """One warning a key for all lines; a key of no list is told without its name."""
    found = scan_of(case("10", file))
    assert [(one.code, one.severity, one.field, one.times) for one in formal(found)] == [
        ("TD-DATA-216", "warning", field, found.examples) for field in fields
    ]
    for one in formal(found):
        assert one.message.startswith(
            f"`{one.field[1:]}` of the line is "
            if one.field
            else "Keys of the line that the format doesn't know"
        )
        assert "learns nothing from" in one.message
        assert "source_agent" not in one.message


@pytest.mark.parametrize(
    "file", ["training_set.jsonl", "array_one_per_line.jsonl", "one_line.jsonl"]
)
def test_case_13_json_array_is_one_finding(file: str) -> None:
    """Indented, one example on each line, and all on one line: the file is named for what it is,
    and nothing else is said.
    """
    found = scan_of(case("13", file))
    assert (places(found), found.counts) == ([("012", "error", None, "")], {"TD-DATA-012": 1})
    assert found.at_most_tokens >= found.bytes


def test_case_20_keys_that_hold_null_are_one_finding() -> None:
    """Those that the schema lets hold null are none; the others are named together, and say to
    leave them out.
    """
    found = scan_of(case("20"))
    assert places(found) == [("222", "error", 1, "")]
    told = formal(found)[0]
    assert told.times == found.examples == 12
    for key in ("name", "tool_calls", "tool_call_id", "weight", "tools"):
        assert f"`{key}`" in told.message
    for key in ("function_call", "refusal", "audio"):
        assert f"`{key}`" not in told.message


def test_case_20_stored_completion_has_a_named_key_at_most() -> None:
    """`refusal` may be null; `annotations` is a part of an answer, and said to be one."""
    found = scan_of(case("20", "stored_completion.jsonl"))
    assert [(one.severity, one.message.split(":")[0], one.times) for one in formal(found)] == [
        ("warning", "`annotations` of a message is a part of a service's answer", 12)
    ]


@pytest.mark.parametrize("weight", [{}, {"weight": 0}])
def test_answers_of_an_example_that_ends_with_the_user_are_learnt(weight: dict[str, Any]) -> None:
    """As the documentation defines the tokens of assistants, but for those of weight 0."""
    example = an_example(
        a_message("user"),
        a_message("assistant", "The Pacific.", **weight),
        a_message("user", "Thanks."),
    )
    found = scanned(a_file(example))
    assert found.trained.sum == (
        0 if weight else tokens.count(example, TEXT_MODEL.encoding).assistant
    )


def test_reinforcement_learns_no_answer_of_the_file() -> None:
    """There the model answers by itself."""
    example = an_example(a_message("user"), a_message("assistant"), a_message("user"), answer="4")
    found = scanned(
        a_file(example),
        chosen=scanning.ScanOptions(base_models.base_model("o4-mini"), "validation"),
    )
    assert (found.format, found.trained.sum, found.assistant.sum > 0) == ("reinforcement", 0, True)
