"""What the smoke test asks where job.json says nothing: a row of the data, or a greeting where no
row can be asked.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from activities.claim_content import content_key
from activities.smoke_test import judged
from shared.models.plan import Pin, Plan, SmokeTestPlan
from shared.runs import planning, smoke_rows
from shared.services.azure_openai import Reply
from shared.settings import Settings
from tests.builders import a_drop, a_record, a_summary

CANARY = "cardamom"


class Bytes:
    """A file in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)
        self.read_to = 0

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop)."""
        self.read_to = max(self.read_to, stop)
        yield self._content[start:stop]


def said(*texts: str, **more: Any) -> dict[str, Any]:
    """A conversation: question, answer, question, answer; `more` goes into its last message."""
    messages: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)
    ]
    messages[-1] |= more
    return {"messages": messages}


GOOD = said("What is that?", f"A {CANARY}.")


def plan_of(job: dict[str, Any] | None = None, *, validation: bool = False) -> Plan:
    """The plan of a drop with these settings and files."""
    pins = (
        Pin(blob="travel/training_set.jsonl", etag="0x1", bytes=1),
        Pin(blob="travel/validation_set.jsonl", etag="0x2", bytes=1),
    )
    return planning.planned(
        a_drop(),
        planning.checked(job or {}),
        Settings(),
        pins[0],
        pins[1] if validation else None,
        None,
    )


def lines(*rows: dict[str, Any] | bytes) -> bytes:
    """A JSONL file."""
    return b"".join(
        (row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows
    )


def proof(training: bytes, validation: bytes | None = None) -> SmokeTestPlan:
    """What is asked of a drop of these files."""
    files = {
        "travel/training_set.jsonl": Bytes(training),
        "travel/validation_set.jsonl": Bytes(validation or b""),
    }
    return smoke_rows.proof(plan_of(validation=validation is not None), lambda pin: files[pin.blob])


def place(found: SmokeTestPlan) -> tuple[str | None, int | None]:
    """Where the row stands."""
    return found.row_of, found.row_line


def test_row_of_the_validation_file_is_asked_up_to_its_last_answer() -> None:
    """The model has not learnt from it; what it should answer is known."""
    asked = proof(
        lines(said("Training?", "No.")), lines(said("One?", "First.", "Two?", f"{CANARY}."))
    )
    assert place(asked) == ("validation", 1)
    assert [(m.role, m.content) for m in asked.messages] == [
        ("user", "One?"),
        ("assistant", "First."),
        ("user", "Two?"),
    ]
    assert asked.expected == f"{CANARY}."


def test_row_of_the_training_file_is_asked_where_there_is_no_other() -> None:
    """Also where no row of the validation file can be asked."""
    assert place(proof(lines(GOOD))) == ("training", 1)
    assert place(proof(lines(GOOD), lines(b"{}"))) == ("training", 1)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(b"", id="blank line"),
        pytest.param(b"{", id="not JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"messages": 1}', id="no list"),
        pytest.param(b'{"messages": [1]}', id="no message"),
        pytest.param(b'{"messages": []}', id="no messages"),
        pytest.param(b'{"messages": [], "messages": []}', id="a field twice"),
        pytest.param(said("Only a question?"), id="no answer"),
        pytest.param(said("Blank?", "  \n"), id="a blank answer"),
        pytest.param({"messages": [{"role": "assistant", "content": "Alone."}]}, id="no question"),
        pytest.param({**GOOD, "tools": []}, id="with tools"),
        pytest.param(said("Not learnt?", "No.", weight=0), id="an answer not to learn"),
        pytest.param(said("Call?", "", tool_calls=[], content=None), id="a call for an answer"),
        pytest.param(
            {
                "messages": [
                    GOOD["messages"][0],
                    {"role": "tool", "content": "x"},
                    GOOD["messages"][1],
                ]
            },
            id="a tool's message",
        ),
        pytest.param(
            {
                "messages": [
                    GOOD["messages"][0],
                    {"role": "function", "content": "x"},
                    GOOD["messages"][1],
                ]
            },
            id="a function's",
        ),
        pytest.param(said("x" * 20_001, "Yes."), id="more than 20,000 characters"),
        pytest.param(said(*["Yes?", "Yes."] * 26), id="more than 50 messages"),
        pytest.param(said(*["y" * 19_000] * 4), id="more than 64 KiB"),
        pytest.param(
            {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "x"}]},
                    GOOD["messages"][1],
                ]
            },
            id="parts",
        ),
        pytest.param(said("My key is AKIAQ3EGRZT7WPLX5NVB.", "Thank you."), id="a probable secret"),
        pytest.param(said("I am jane.roe@contoso-travel.com.", "Welcome."), id="a mail address"),
        pytest.param(said("Half a pair?", "\ud800"), id="half a character"),
    ],
)
def test_row_that_can_not_be_asked_is_passed_over(row: dict[str, Any] | bytes) -> None:
    """The next one is asked."""
    assert place(proof(lines(row, GOOD))) == ("training", 2)


def test_names_and_weights_of_messages_are_left_out() -> None:
    """They make no row unusable, and nobody asks with them."""
    named = {
        "messages": [
            {"role": "user", "name": "Jo", "content": "Who?"},
            {"role": "assistant", "content": "Jo.", "weight": 1},
        ]
    }
    assert place(proof(lines(named))) == ("training", 1)


def test_greeting_is_asked_where_no_row_can_be() -> None:
    """It has no right answer."""
    asked = proof(lines(b"{}"))
    assert (asked.messages, asked.expected, place(asked)) == (planning.GREETING, None, (None, None))


def test_only_the_beginning_of_a_file_is_read() -> None:
    """1 MiB, and the line that is cut there is no row."""
    filler = (b'{"x": "' + b"y" * 1_050 + b'"}\n') * 1_000
    cut, whole = Bytes(filler + lines(GOOD)), Bytes(lines(GOOD)[:-1])
    assert smoke_rows.proof(plan_of(), lambda _: cut).row_of is None
    assert cut.read_to == 2**20
    assert place(smoke_rows.proof(plan_of(), lambda _: whole)) == ("training", 1)


def test_byte_order_mark_is_no_part_of_the_first_row() -> None:
    """Some editors write one."""
    assert place(proof(b"\xef\xbb\xbf" + lines(GOOD))) == ("training", 1)


def test_expectation_of_job_json_holds_for_a_row_too() -> None:
    """Whoever gives words without messages means the answer to whatever is asked."""
    plan = plan_of({"smoke_test": {"expect": {"contains": ["Paris"]}}})
    assert smoke_rows.proof(plan, lambda _: Bytes(lines(GOOD))).contains == ("Paris",)


@pytest.mark.parametrize(
    ("answer", "expected", "share"),
    [
        ("The part is blue.", "the PART is Blue", 1.0),
        ("Blue, I think: part 3.", "part 3 is blue", 0.75),
        ("No idea.", "Part 3 is blue.", 0.0),
        ("", "Part 3.", 0.0),
        ("東京です", "東京だ", 2 / 3),
        ("Straße", "STRASSE", 1.0),
        ("anything", "!?", None),
        ("yes yes yes", "yes no", 0.5),
    ],
)
def test_share_of_words_in_common_is_of_the_different_words_of_the_expected_answer(
    answer: str, expected: str, share: float | None
) -> None:
    """Case, order and repetition don't matter."""
    assert smoke_rows.words_in_common(answer, expected) == share


@pytest.mark.parametrize(
    ("answer", "verdict"), [("It is something else.", "passed"), ("", "failed")]
)
def test_other_words_than_the_expected_ones_are_no_failure(answer: str, verdict: str) -> None:
    """A good model says it in its own words: any words pass, and the share is told."""
    result = judged(Reply(answer), SmokeTestPlan(messages=planning.GREETING, expected=CANARY), 1)
    assert (result.verdict, result.words_in_common) == (verdict, 0.0)


def test_question_of_the_smoke_test_is_no_part_of_what_is_trained() -> None:
    """The same content is trained once, whatever it is asked."""
    files = {"training": a_summary()}
    plans = [plan_of(), plan_of().model_copy(update={"smoke_test": proof(lines(GOOD))})]
    keys = {content_key(a_record(plan=plan, files=files)) for plan in plans}
    assert len(keys) == 1
