"""The formats of lines: which one a line is written for, and examples of each that nothing is wrong
with.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.check.builders import (
    IMAGE_MODEL,
    TEXT_MODEL,
    MemorySource,
    a_conversation,
    a_message,
    an_example,
)
from tests.unit.check.proofs.images import a_part
from tests.unit.check.proofs.preferences import NO, YES, a_preference
from tests.unit.check.proofs.tools import CALL, OTHER_CALL, TOOL, answering, calling
from tunedrop_check.contents import compared_texts
from tunedrop_check.formats import recognition
from tunedrop_check.formats.format import Format, Place
from tunedrop_check.models import base_models
from tunedrop_check.models.base_models import KnownModel
from tunedrop_check.reading.json_types import JsonObject
from tunedrop_check.rules import format_rules
from tunedrop_check.rules.findings import Finding, finding
from tunedrop_check.scan import scanning

REASONING_MODEL = base_models.base_model("o4-mini")
USER, ASSISTANT = a_message("user"), a_message("assistant")


@pytest.mark.parametrize(
    ("example", "chat_model", "reasoning_model"),
    [
        pytest.param(an_example(), "supervised", "supervised", id="chat"),
        pytest.param(an_example(USER), "supervised", "reinforcement", id="ends with the user"),
        pytest.param(
            an_example(USER, answer=4),
            "reinforcement",
            "reinforcement",
            id="ends with the user, beside a field",
        ),
        pytest.param(
            an_example(answer=4),
            "supervised",
            "reinforcement",
            id="ends with an answer, beside a field",
        ),
        pytest.param(
            an_example(USER, tools=[]),
            "supervised",
            "reinforcement",
            id="ends with the user, beside tools",
        ),
        pytest.param({"messages": []}, "supervised", "reinforcement", id="no message"),
        pytest.param({"messages": "user"}, "supervised", "reinforcement", id="messages a string"),
        pytest.param({}, "supervised", "reinforcement", id="nothing"),
        pytest.param(
            {"prompt": "a", "completion": "b"}, "completion", "completion", id="completion"
        ),
        pytest.param({"prompt": "a"}, "supervised", "reinforcement", id="a prompt alone"),
        pytest.param(a_preference(), "dpo", "dpo", id="preference"),
        pytest.param({"non_preferred_output": 1}, "dpo", "dpo", id="half a preference"),
        pytest.param(
            an_example(preferred_output=[]), "supervised", "supervised", id="chat beside an output"
        ),
    ],
)
def test_format_is_told_by_the_keys_and_the_last_message(
    example: dict[str, Any], chat_model: str, reasoning_model: str
) -> None:
    """A line that fits no format is read as what the model learns from."""
    assert [recognition.recognise(example, model) for model in (TEXT_MODEL, REASONING_MODEL)] == [
        chat_model,
        reasoning_model,
    ]


@pytest.mark.parametrize(
    ("example", "model"),
    [
        pytest.param(an_example(), TEXT_MODEL, id="plain"),
        pytest.param(
            a_conversation(a_message("assistant", weight=0), USER),
            TEXT_MODEL,
            id="one answer weighs 0",
        ),
        pytest.param(
            an_example(a_message("user", [{"type": "text", "text": "x"}]), ASSISTANT),
            TEXT_MODEL,
            id="text parts",
        ),
        pytest.param(
            a_conversation(
                calling(CALL, OTHER_CALL),
                answering("c2"),
                answering(),
                tools=[TOOL],
                parallel_tool_calls=True,
            ),
            TEXT_MODEL,
            id="parallel calls",
        ),
        pytest.param(
            an_example(USER, calling(CALL), tools=[TOOL]), TEXT_MODEL, id="ends with a call"
        ),
        pytest.param(
            an_example(a_message("user", [a_part(), a_part(detail="low")]), ASSISTANT),
            IMAGE_MODEL,
            id="images",
        ),
        pytest.param(
            a_preference((YES,), (NO,), (a_message("system"), USER)), TEXT_MODEL, id="preference"
        ),
        pytest.param(
            a_preference((calling(CALL), answering(), YES), (calling(OTHER_CALL),), tools=[TOOL]),
            TEXT_MODEL,
            id="preferred calls",
        ),
        pytest.param(
            a_preference(
                (answering(), YES), (answering(), NO), (USER, calling(CALL)), tools=[TOOL]
            ),
            TEXT_MODEL,
            id="call in the input",
        ),
        pytest.param(
            an_example(a_message("developer"), USER, answer={"a": [1]}),
            REASONING_MODEL,
            id="graded",
        ),
    ],
)
def test_example_has_no_finding_when_sound(example: dict[str, Any], model: KnownModel) -> None:
    """A sound example of each format passes."""
    assert found_in(example, model) == []


def test_preference_has_the_findings_of_all_its_messages() -> None:
    """Messages of the input and of both outputs are checked by the rules of all messages, each
    fault once.
    """
    wrong = a_message("assistant", 1, name="a b")
    found = found_in(
        a_preference((wrong,), (wrong, calling(CALL)), (USER, wrong, calling(CALL), USER)),
        TEXT_MODEL,
    )
    places = ("input/messages/1", "preferred_output/0", "non_preferred_output/0")
    assert sorted((entry.code[-3:], entry.field) for entry in found) == sorted(
        [
            *(("209", f"/{place}/content") for place in places),
            *(("215", f"/{place}/name") for place in places),
            ("306", "/input/messages/2/tool_calls/0"),
            ("307", "/input/messages/2/tool_calls/0/function/name"),
            ("307", "/non_preferred_output/1/tool_calls/0/function/name"),
        ]
    )


def test_images_of_a_preference_are_counted_together() -> None:
    """64 images in all fields pass, one more is too many."""
    question = a_message("user", [a_part()] * 64)
    codes = [
        [entry.code[-3:] for entry in found_in(a_preference(messages=messages), IMAGE_MODEL)]
        for messages in ((question,), (question, a_message("user", [a_part()])))
    ]
    assert codes == [[], ["408"]]


def found_in(example: dict[str, Any], model: KnownModel) -> list[Finding]:
    """What the check of its format says."""
    return list(recognition.FORMATS[recognition.recognise(example, model)].check(example, model))


def test_format_is_one_row_for_everything_that_reads_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Told, checked, counted and compared by what its own object says: lines of `turns`, with a
    note for a grader beside them.
    """

    def fits(example: JsonObject, _model: KnownModel) -> bool:
        return "turns" in example

    def check(example: JsonObject, _model: KnownModel) -> Iterator[Finding]:
        if len(example) > 2:
            yield finding(format_rules.UNKNOWN_KEY)

    turns = Format(
        name="turns",
        method="supervised",
        keys=frozenset({"turns", "note"}),
        places=(Place(("turns",), learns=True),),
        fits=fits,
        check=check,
        answer=compared_texts.of_another,
        conflicts=False,
        graded=True,
    )
    monkeypatch.setattr(recognition, "FORMATS", {"turns": turns, **recognition.FORMATS})
    lines = [{"turns": [USER, ASSISTANT], "note": number} for number in range(20)]
    wrong = {**lines[0], "more": 1}
    content = b"".join(json.dumps(line).encode() + b"\n" for line in (*lines, wrong))
    options = scanning.ScanOptions(TEXT_MODEL, method="supervised", grader_fields=frozenset({"id"}))
    found = scanning.scan_source(MemorySource(content), options, threads=1)
    chat = scanning.scan_source(
        MemorySource(json.dumps(an_example(USER, ASSISTANT)).encode()), options, threads=1
    )
    assert (found.format, found.examples) == ("turns", 21)
    assert found.trained.sum == 21 * chat.trained.sum > 0
    assert found.messages_by_role == {"user": 21, "assistant": 21}
    missing, unknown = format_rules.GRADER_FIELD_MISSING.code, format_rules.UNKNOWN_KEY.code
    assert (found.counts[missing], found.counts[unknown]) == (21, 1)
