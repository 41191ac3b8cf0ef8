"""Proofs of the rules of reinforcement lines, 601, and of the fields that a grader reads, 609."""

from typing import Any

from tests.unit.check.builders import a_message, an_example
from tests.unit.check.proofs.cases import Bad, Example, Graded, Proof, bad
from tests.unit.check.proofs.tools import CALL, TOOL, answering, calling
from tunedrop_check.models import base_models
from tunedrop_check.rules import format_rules

MODEL = base_models.base_model("o4-mini")
USER, ASSISTANT = a_message("user"), a_message("assistant")


def a_line(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A line with an answer for the grader."""
    return an_example(*messages, answer="4", **fields)


def reading(*paths: str) -> dict[str, Any]:
    """A grader that reads these fields of a line."""
    return {
        "type": "string_check",
        "operation": "eq",
        "input": "{{sample.output_text}}",
        "reference": " ".join(f"{{{{ item.{path} }}}}" for path in paths),
    }


NESTED = a_line(USER, truth={"dates": ["1989-11-09", None]}, level=None)

PROOFS = [
    Proof(
        format_rules.LAST_NOT_USER,
        bad={
            "the answer": bad(a_line(USER, ASSISTANT), "/messages", model=MODEL),
            "a tool's answer": bad(
                a_line(USER, calling(CALL), answering(), tools=[TOOL]), "/messages", model=MODEL
            ),
            "system": bad(an_example(USER, a_message("system")), "/messages", model=MODEL),
        },
        good={
            "the question": Example(a_line(USER), MODEL),
            "a second question": Example(
                a_line(a_message("developer"), USER, ASSISTANT, USER), MODEL
            ),
            "no field for the grader": Example(an_example(USER), MODEL),
        },
    ),
    Proof(
        format_rules.GRADER_FIELD_MISSING,
        bad={
            "another name": Bad(Graded(NESTED, reading("Answer")), "/Answer"),
            "inside an object": Bad(Graded(NESTED, reading("answer", "truth.date")), "/truth/date"),
            "inside a text": Bad(Graded(NESTED, reading("answer.text")), "/answer/text"),
            "past the end": Bad(Graded(NESTED, reading("truth.dates[2]")), "/truth/dates/2"),
            "an index of an object": Bad(Graded(NESTED, reading("truth[0]")), "/truth/0"),
        },
        good={
            "at the top": Graded(NESTED, reading("answer")),
            "null": Graded(NESTED, reading("level", "truth.dates[1]")),
            "inside an object": Graded(NESTED, reading("truth.dates[0]", "messages[0].content")),
            "nothing": Graded(NESTED, reading()),
            "a Python grader": Graded(
                NESTED,
                {"type": "python", "source": "def grade(sample, item):\n    return item['x']"},
            ),
        },
    ),
]
