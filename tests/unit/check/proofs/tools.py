"""Proofs of the rules of tools, 3xx."""

from typing import Any

from tests.unit.check.builders import a_conversation, a_message, an_example
from tests.unit.check.proofs.cases import Example, Proof, bad
from tunedrop_check.rules import format_rules

USER, ASSISTANT = a_message("user"), a_message("assistant")
CALL: dict[str, Any] = {
    "id": "c1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}
OTHER_CALL = {**CALL, "id": "c2"}
FUNCTION: dict[str, Any] = {"name": "f", "description": "d", "parameters": {}}
TOOL: dict[str, Any] = {"type": "function", "function": FUNCTION}
NO_TEXTS: tuple[Any, ...] = ({}, ["a"], None, 1)
LEGACY_CALL = {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}
LEGACY_PLACES = {("308", "/functions"), ("308", "/messages/1/function_call")}


def calling(*calls: Any) -> dict[str, Any]:
    """An assistant message that calls tools."""
    return {"role": "assistant", "tool_calls": list(calls)}


def answering(identity: Any = "c1") -> dict[str, Any]:
    """The answer of a tool."""
    return a_message("tool", tool_call_id=identity)


def with_function(**change: Any) -> dict[str, Any]:
    """A call whose function is changed."""
    return {**CALL, "function": {**CALL["function"], **change}}


def a_sound_call(call: Any, **more: Any) -> Example:
    """A call with its answer, and the tool declared."""
    return Example(a_conversation(calling(call), answering(), tools=[TOOL], **more))


def an_unsound_call(call: Any) -> dict[str, Any]:
    """A call that ends the example, and the tool declared."""
    return an_example(USER, calling(call), tools=[TOOL])


PROOFS = [
    Proof(
        format_rules.TOOLS_SHAPE,
        bad={
            "tools an object": bad(an_example(tools={}), "/tools"),
            "tools true": bad(an_example(tools=True), "/tools"),
            "a tool that is a string": bad(an_example(tools=["f"]), "/tools/0"),
            "no function": bad(an_example(tools=[{"type": "function"}]), "/tools/0"),
            "another type": bad(
                an_example(tools=[TOOL, TOOL | {"type": "web_search"}]), "/tools/1"
            ),
            "no name": bad(
                an_example(tools=[{"type": "function", "function": {"parameters": {}}}]), "/tools/0"
            ),
            "description a number": bad(
                an_example(tools=[{"type": "function", "function": FUNCTION | {"description": 1}}]),
                "/tools/0",
            ),
            "parameters a string": bad(
                an_example(
                    tools=[{"type": "function", "function": FUNCTION | {"parameters": "{}"}}]
                ),
                "/tools/0",
            ),
            "a function that is a number": bad(
                an_example(functions=[7]), "/functions/0", {("308", "/functions")}
            ),
        },
        good={
            "no tools at all": Example(an_example(tools=[])),
            "a name alone": Example(
                an_example(tools=[{"type": "function", "function": {"name": "f"}}])
            ),
            "a function": Example(an_example(functions=[FUNCTION])),
        },
    ),
    Proof(
        format_rules.PARALLEL_TYPE,
        bad={
            repr(value): bad(an_example(parallel_tool_calls=value), "/parallel_tool_calls")
            for value in ("yes", 1, 0.5, "false")
        },
        good={
            repr(value): Example(an_example(parallel_tool_calls=value, tools=[TOOL]))
            for value in (True, False)
        },
    ),
    Proof(
        format_rules.CALL_SHAPE,
        bad={
            "no calls": bad(a_conversation(calling()), "/messages/1/tool_calls"),
            "calls an object": bad(
                a_conversation({"role": "assistant", "tool_calls": CALL}), "/messages/1/tool_calls"
            ),
            "a number": bad(a_conversation(calling(7)), "/messages/1/tool_calls/0"),
            "null as id": bad(an_unsound_call({**CALL, "id": None}), "/messages/1/tool_calls/0/id"),
            "no id": bad(
                an_unsound_call({"type": "function", "function": CALL["function"]}),
                "/messages/1/tool_calls/0",
            ),
            "an empty id": bad(an_unsound_call({**CALL, "id": ""}), "/messages/1/tool_calls/0/id"),
            "another type": bad(
                an_unsound_call({**CALL, "type": "code"}), "/messages/1/tool_calls/0/type"
            ),
            "a function that is a text": bad(
                an_unsound_call({**CALL, "function": "f"}), "/messages/1/tool_calls/0/function"
            ),
            "no arguments": bad(
                an_unsound_call({**CALL, "function": {"name": "f"}}),
                "/messages/1/tool_calls/0/function",
            ),
            "no name": bad(
                an_unsound_call(with_function(name="")), "/messages/1/tool_calls/0/function/name"
            ),
            "function call a string": bad(
                an_example(USER, {"role": "assistant", "function_call": "f"}),
                "/messages/1/function_call",
                {("308", "/messages/1/function_call")},
            ),
        },
        good={
            "one call": a_sound_call(CALL),
            "two calls": Example(
                a_conversation(
                    calling(CALL, OTHER_CALL), answering("c2"), answering(), tools=[TOOL]
                )
            ),
            "further keys": a_sound_call({**CALL, "index": 0}),
        },
    ),
    Proof(
        format_rules.ARGUMENTS_NOT_JSON,
        bad={
            repr(text): bad(
                an_unsound_call(with_function(arguments=text)),
                "/messages/1/tool_calls/0/function/arguments",
            )
            for text in (
                "{",
                "",
                "{'a': 1}",
                "[1]",
                "null",
                '{"a": NaN}',
                '{"a": "\udc00',
                '"a"',
                '"{"',
                *NO_TEXTS,
            )
        },
        good={
            repr(text): a_sound_call(with_function(arguments=text))
            for text in ("{}", ' {"a": [1, null]}\n', '{"a": "\u00e9"}')
        },
    ),
    Proof(
        format_rules.ANSWER_UNMATCHED,
        bad={
            "no id": bad(a_conversation(a_message("tool")), "/messages/1"),
            "an id of no call": bad(a_conversation(answering("x")), "/messages/1/tool_call_id"),
            "another case": bad(
                a_conversation(calling(CALL), answering(), answering("C1"), tools=[TOOL]),
                "/messages/3/tool_call_id",
            ),
            "ahead of its call": bad(
                a_conversation(answering(), calling(CALL), answering(), tools=[TOOL]),
                "/messages/1/tool_call_id",
            ),
            "an empty id": bad(
                a_conversation(calling(CALL), answering(""), tools=[TOOL]),
                "/messages/2/tool_call_id",
            ),
            "one of two": bad(
                a_conversation(
                    calling(CALL, OTHER_CALL), answering("x"), answering("c2"), tools=[TOOL]
                ),
                "/messages/2/tool_call_id",
            ),
            "an id that is a number": bad(a_conversation(answering(1)), "/messages/1/tool_call_id"),
        },
        good={
            "answers in another order": Example(
                a_conversation(
                    calling(CALL, OTHER_CALL), answering("c2"), answering(), tools=[TOOL]
                )
            ),
            "after another call's answer": Example(
                a_conversation(
                    calling(CALL), answering(), calling(OTHER_CALL), answering("c2"), tools=[TOOL]
                )
            ),
        },
    ),
    Proof(
        format_rules.CALL_UNANSWERED,
        bad={
            "no answer": bad(
                a_conversation(calling(CALL), USER, tools=[TOOL]), "/messages/1/tool_calls/0"
            ),
            "one of two": bad(
                a_conversation(calling(CALL, OTHER_CALL), answering(), USER, tools=[TOOL]),
                "/messages/1/tool_calls/1",
            ),
            "a text instead": bad(
                an_example(USER, calling(CALL), ASSISTANT, tools=[TOOL]), "/messages/1/tool_calls/0"
            ),
            "a text before it": bad(
                a_conversation(calling(CALL), ASSISTANT, answering(), tools=[TOOL]),
                "/messages/1/tool_calls/0",
            ),
            "a system message before it": bad(
                a_conversation(calling(CALL), a_message("system"), answering(), tools=[TOOL]),
                "/messages/1/tool_calls/0",
            ),
            "other calls": bad(
                an_example(USER, calling(CALL), calling(OTHER_CALL), tools=[TOOL]),
                "/messages/1/tool_calls/0",
            ),
            "one of two at the end": bad(
                an_example(USER, calling(CALL, OTHER_CALL), answering(), tools=[TOOL]),
                "/messages/1/tool_calls/1",
                {("207", "/messages")},
            ),
        },
        good={
            "answered": Example(a_conversation(calling(CALL), answering(), USER, tools=[TOOL])),
            "the call ends the example": Example(an_example(USER, calling(CALL), tools=[TOOL])),
        },
    ),
    Proof(
        format_rules.TOOL_UNDECLARED,
        bad={
            "nothing declared": bad(
                an_example(USER, calling(CALL)), "/messages/1/tool_calls/0/function/name"
            ),
            "another declared": bad(
                an_example(USER, calling(with_function(name="F")), tools=[TOOL]),
                "/messages/1/tool_calls/0/function/name",
            ),
            "a function": bad(
                an_example(USER, LEGACY_CALL),
                "/messages/1/function_call/name",
                {("308", "/messages/1/function_call")},
            ),
        },
        good={
            "declared": a_sound_call(CALL),
            "declared, never called": Example(an_example(tools=[TOOL])),
            "declared as a function": Example(an_example(USER, LEGACY_CALL, functions=[FUNCTION])),
        },
    ),
    Proof(
        format_rules.LEGACY_FUNCTIONS,
        bad={
            "declared": bad(an_example(functions=[FUNCTION]), "/functions"),
            "called": bad(
                an_example(USER, LEGACY_CALL),
                "/messages/1/function_call",
                {("307", "/messages/1/function_call/name")},
            ),
        },
        good={
            "tools": a_sound_call(CALL),
            "the word in a text": Example(
                an_example(a_message("user", "function_call"), ASSISTANT)
            ),
        },
    ),
    Proof(
        format_rules.TOOLS_AND_FUNCTIONS,
        bad={
            "both": bad(
                an_example(functions=[FUNCTION], tools=[TOOL]), "", {("308", "/functions")}
            ),
            "both empty": bad(an_example(functions=[], tools=[]), "", {("308", "/functions")}),
        },
        good={
            "tools": Example(an_example(tools=[TOOL])),
            "functions": Example(an_example(functions=[FUNCTION])),
        },
    ),
    Proof(
        format_rules.FUNCTION_NAME,
        bad={
            "none": bad(a_conversation(a_message("function")), "/messages/1"),
            "a call's id instead": bad(
                a_conversation(a_message("function", tool_call_id="c1")), "/messages/1"
            ),
        },
        good={
            "a name": Example(a_conversation(a_message("function", name="f"))),
            "a tool without one": a_sound_call(CALL),
        },
    ),
    Proof(
        format_rules.CALL_PLACE,
        bad={
            "a question": bad(
                a_conversation(a_message("user", tool_calls=[CALL]), tools=[TOOL]),
                "/messages/1/tool_calls",
            ),
            "a system message": bad(
                a_conversation(a_message("system", tool_calls=[CALL]), tools=[TOOL]),
                "/messages/1/tool_calls",
            ),
            "a function call in a question": bad(
                an_example(
                    a_message("user"),
                    a_message("user", function_call=LEGACY_CALL["function_call"]),
                    ASSISTANT,
                    functions=[FUNCTION],
                ),
                "/messages/1/function_call",
                LEGACY_PLACES,
            ),
        },
        good={
            "an answer": a_sound_call(CALL),
            "an answer with a text": Example(
                an_example(USER, ASSISTANT | calling(CALL), tools=[TOOL])
            ),
        },
    ),
    Proof(
        format_rules.ARGUMENTS_TWICE,
        bad={
            repr(text): bad(
                an_unsound_call(with_function(arguments=text)),
                "/messages/1/tool_calls/0/function/arguments",
            )
            for text in ('"{}"', r'"{\"a\": 1}"', ' "{}"\n')
        },
        good={
            repr(text): a_sound_call(with_function(arguments=text))
            for text in ("{}", '{"a": "{}"}')
        },
    ),
]
