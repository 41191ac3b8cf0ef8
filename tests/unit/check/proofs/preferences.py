"""Proofs of the rules of preferences, 5xx."""

from typing import Any, cast

from tests.unit.check.builders import a_message
from tests.unit.check.proofs.cases import Example, Proof, bad
from tests.unit.check.proofs.tools import CALL, TOOL, answering, calling
from tunedrop_check.rules import format_rules

USER = a_message("user")
YES, NO = a_message("assistant", "Yes."), a_message("assistant", "No.")


def a_preference(
    preferred: Any = (YES,), other: Any = (NO,), messages: Any = (USER,), **more: Any
) -> dict[str, Any]:
    """A preference; tuples are written as arrays."""
    texts: list[Any] = [
        [*cast("tuple[Any, ...]", value)] if isinstance(value, tuple) else value
        for value in (messages, preferred, other)
    ]
    return {
        "input": {"messages": texts[0], **more},
        "preferred_output": texts[1],
        "non_preferred_output": texts[2],
    }


def without(key: str) -> dict[str, Any]:
    """A preference that lacks one of its keys."""
    return {name: value for name, value in a_preference().items() if name != key}


PROOFS = [
    Proof(
        format_rules.INPUT_MISSING,
        bad={
            "none": bad(without("input")),
            "a string": bad(a_preference() | {"input": "Yes or no?"}, "/input"),
            "the messages themselves": bad(a_preference() | {"input": [USER]}, "/input"),
            "null": bad(a_preference() | {"input": None}, "/input"),
        },
        good={
            "messages": Example(a_preference()),
            "messages and tools": Example(a_preference(tools=[TOOL], parallel_tool_calls=True)),
        },
    ),
    Proof(
        format_rules.OUTPUT_MISSING,
        bad={
            "no preferred one": bad(without("preferred_output")),
            "no other one": bad(without("non_preferred_output")),
            "an empty one": bad(a_preference(other=[]), "/non_preferred_output"),
            "a message alone": bad(a_preference(YES), "/preferred_output"),
            "a string": bad(a_preference("Yes."), "/preferred_output"),
        },
        good={
            "one message each": Example(a_preference()),
            "several": Example(a_preference((YES, YES), (NO, NO))),
        },
    ),
    Proof(
        format_rules.OUTPUT_ROLE,
        bad={
            "user": bad(a_preference((YES, USER)), "/preferred_output/1/role"),
            "system": bad(
                a_preference(other=(a_message("system"), NO)), "/non_preferred_output/0/role"
            ),
            "function": bad(
                a_preference((YES, a_message("function", name="f"))), "/preferred_output/1/role"
            ),
        },
        good={
            "assistant": Example(a_preference()),
            "tool": Example(
                a_preference(
                    (calling(CALL), answering(), YES),
                    (calling(CALL), answering(), NO),
                    tools=[TOOL],
                )
            ),
        },
    ),
    Proof(
        format_rules.OUTPUT_WITHOUT_ASSISTANT,
        bad={
            "a tool's answer alone": bad(
                a_preference(
                    (answering(),), (answering(), NO), messages=(USER, calling(CALL)), tools=[TOOL]
                ),
                "/preferred_output",
            ),
            "a tool's answer, not preferred": bad(
                a_preference(
                    (answering(), YES), (answering(),), messages=(USER, calling(CALL)), tools=[TOOL]
                ),
                "/non_preferred_output",
            ),
        },
        good={
            "a tool's answer first": Example(
                a_preference(
                    (answering(), YES),
                    (answering(), NO),
                    messages=(USER, calling(CALL)),
                    tools=[TOOL],
                )
            ),
            "a call alone": Example(a_preference((calling(CALL),), tools=[TOOL])),
        },
    ),
    Proof(
        format_rules.OUTPUTS_IDENTICAL,
        bad={
            "one message": bad(a_preference((YES,), (YES,))),
            "keys in another order": bad(
                a_preference(other=({"content": "Yes.", "role": "assistant"},))
            ),
        },
        good={
            "a full stop less": Example(a_preference(other=(a_message("assistant", "Yes"),))),
            "a message more": Example(a_preference(other=(YES, YES))),
        },
    ),
    Proof(
        format_rules.INPUT_WITHOUT_USER,
        bad={
            "system alone": bad(a_preference(messages=(a_message("system"),)), "/input/messages"),
            "an answer alone": bad(a_preference(messages=(YES,)), "/input/messages"),
        },
        good={
            "one": Example(a_preference()),
            "before an answer": Example(a_preference(messages=(USER, YES))),
        },
    ),
]
