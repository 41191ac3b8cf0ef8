"""Proofs of the rules of messages, 2xx."""

from typing import Any

from tests.unit.check.builders import (
    TEXT_MODEL,
    a_conversation,
    a_file,
    a_message,
    an_example,
    of_tokens,
    options,
)
from tests.unit.check.proofs.cases import Bad, Example, File, Proof, bad
from tunedrop_check.models import base_models
from tunedrop_check.rules import format_rules

USER, ASSISTANT = a_message("user"), a_message("assistant")
REASONING_MODEL = base_models.base_model("o4-mini")
TEXT, REFUSAL = {"type": "text", "text": "x"}, {"type": "refusal", "refusal": "No."}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f"}}
CALLING: dict[str, Any] = {
    "role": "assistant",
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
BLANKS, LONG = 500_000, 2**20
WIDE_TEXT = (" " * (LONG // 4 - 1) + "x") * 4


def asking(text: Any) -> dict[str, Any]:
    """An example with this question."""
    return an_example(a_message("system"), a_message("user", text), ASSISTANT)


def a_long_file(tokens: int) -> File:
    """A file with an example of so many tokens in its second line, where 100 are allowed."""
    model = base_models.KnownModel("small", TEXT_MODEL.encoding, 100, False, TEXT_MODEL.methods)
    return File(a_file(an_example(), of_tokens(tokens)), options(model, "validation"))


PROOFS = [
    Proof(
        format_rules.MESSAGES_MISSING,
        bad={
            "no messages": bad({}),
            "empty messages": bad({"messages": []}, "/messages"),
            "messages a string": bad({"messages": "user: Hello."}, "/messages"),
            "messages null": bad({"messages": None}, "/messages"),
            "messages an object": bad({"messages": {"0": USER}}, "/messages"),
        },
        good={
            "two messages": Example(an_example(USER, ASSISTANT)),
            "many messages": Example(an_example(*[USER, ASSISTANT] * 40)),
        },
    ),
    Proof(
        format_rules.MESSAGE_NOT_OBJECT,
        bad={
            "a number": bad(a_conversation(7), "/messages/1"),
            "a string": bad(a_conversation("Hello."), "/messages/1"),
            "null": bad(a_conversation(None), "/messages/1"),
            "a list of messages": bad(a_conversation([USER]), "/messages/1"),
        },
        good={
            "fewest keys": Example(an_example(USER, ASSISTANT)),
            "all keys": Example(an_example(a_message("user", name="a"), ASSISTANT)),
        },
    ),
    Proof(
        format_rules.ROLE_UNKNOWN,
        bad={
            "unknown": bad(a_conversation(a_message("robot")), "/messages/1/role"),
            "another case": bad(a_conversation(a_message("User")), "/messages/1/role"),
            "with a space": bad(a_conversation(a_message("user ")), "/messages/1/role"),
            "a list": bad(a_conversation({"role": ["user"], "content": "x"}), "/messages/1/role"),
            "null": bad(a_conversation({"role": None, "content": "x"}), "/messages/1/role"),
            "none": bad(a_conversation({"content": "x"}), "/messages/1"),
        },
        good={
            "system, user, assistant": Example(an_example()),
            "developer": Example(an_example(a_message("developer"), USER, ASSISTANT)),
            "function": Example(a_conversation(a_message("function", name="f"))),
        },
    ),
    Proof(
        format_rules.ROLE_DEVELOPER,
        bad={
            "first": bad(an_example(a_message("developer"), USER, ASSISTANT), "/messages/0/role"),
            "later": bad(a_conversation(a_message("developer")), "/messages/1/role"),
        },
        good={
            "system": Example(an_example()),
            "a reasoning model": Example(
                an_example(a_message("developer"), USER, answer="4"), REASONING_MODEL
            ),
            "a name": Example(an_example(a_message("user", name="developer"), ASSISTANT)),
        },
    ),
    Proof(
        format_rules.NO_USER,
        bad={
            "an answer alone": bad(an_example(ASSISTANT), "/messages"),
            "system and answer": bad(an_example(a_message("system"), ASSISTANT), "/messages"),
        },
        good={
            "one": Example(an_example(USER, ASSISTANT)),
            "after an answer": Example(an_example(ASSISTANT, USER, ASSISTANT)),
        },
    ),
    Proof(
        format_rules.NO_ASSISTANT,
        bad={
            "a question alone": bad(an_example(USER), "/messages"),
            "system and question": bad(an_example(a_message("system"), USER), "/messages"),
        },
        good={
            "one": Example(an_example(USER, ASSISTANT)),
            "two": Example(a_conversation(ASSISTANT, USER)),
        },
    ),
    Proof(
        format_rules.LAST_NOT_ASSISTANT,
        bad={
            "user": bad(an_example(USER, ASSISTANT, USER), "/messages"),
            "system": bad(an_example(USER, ASSISTANT, a_message("system")), "/messages"),
        },
        good={
            "weight 0 at the end": Example(
                an_example(USER, ASSISTANT, USER, a_message("assistant", weight=0))
            ),
            "two answers on end": Example(an_example(USER, ASSISTANT, ASSISTANT)),
        },
    ),
    Proof(
        format_rules.CONTENT_MISSING,
        bad={
            "none": bad(a_conversation({"role": "user"}), "/messages/1"),
            "null in a question": bad(
                a_conversation(a_message("user", None)), "/messages/1/content"
            ),
            "null in an answer without calls": bad(
                a_conversation(a_message("assistant", None)), "/messages/1/content"
            ),
        },
        good={
            "a blank": Example(asking(" ")),
            "null beside a call": Example(
                an_example(USER, {**CALLING, "content": None}, tools=[TOOL])
            ),
            "none beside a function call": Example(
                an_example(
                    USER, {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}
                )
            ),
        },
    ),
    Proof(
        format_rules.CONTENT_TYPE,
        bad={
            "a number": bad(a_conversation(a_message("user", 1)), "/messages/1/content"),
            "an object": bad(
                a_conversation(a_message("user", {"text": "x"})), "/messages/1/content"
            ),
            "true": bad(a_conversation(a_message("assistant", True)), "/messages/1/content"),
            "parts in a function's message": bad(
                a_conversation(a_message("function", [TEXT], name="f")), "/messages/1/content"
            ),
        },
        good={
            "a string": Example(asking("1")),
            "parts in a question": Example(asking([TEXT])),
            "parts in every other message": Example(
                an_example(
                    a_message("system", [TEXT]), USER, a_message("assistant", [TEXT, REFUSAL])
                )
            ),
        },
    ),
    Proof(
        format_rules.CONTENT_EMPTY,
        bad={
            "no character": bad(a_conversation(a_message("user", "")), "/messages/1/content"),
            "no parts": bad(a_conversation(a_message("user", [])), "/messages/1/content"),
            "no parts of a system message": bad(
                an_example(a_message("system", []), USER, ASSISTANT), "/messages/0/content"
            ),
            "an empty answer": bad(
                an_example(USER, a_message("assistant", "")), "/messages/1/content"
            ),
        },
        good={
            "one character": Example(asking("?")),
            "one part": Example(asking([{"type": "text", "text": "?"}])),
        },
    ),
    Proof(
        format_rules.WEIGHT_VALUE,
        bad={
            repr(weight): bad(
                a_conversation(a_message("assistant", weight=weight)), "/messages/1/weight"
            )
            for weight in (0.5, 2, -1, True, False, "1", [1])
        },
        good={
            repr(weight): Example(a_conversation(a_message("assistant", weight=weight)))
            for weight in (0, 1, 1.0, 0.0)
        },
    ),
    Proof(
        format_rules.WEIGHT_PLACE,
        bad={
            role: bad(a_conversation(a_message(role, weight=1)), "/messages/1/weight")
            for role in ("user", "system")
        },
        good={
            "an answer": Example(an_example(USER, a_message("assistant", weight=1))),
            "every answer": Example(
                an_example(
                    USER, a_message("assistant", weight=0), USER, a_message("assistant", weight=1)
                )
            ),
        },
    ),
    Proof(
        format_rules.NOTHING_TO_LEARN,
        bad={
            "the only answer": bad(an_example(USER, a_message("assistant", weight=0)), "/messages"),
            "both answers": bad(
                an_example(*[USER, a_message("assistant", weight=0.0)] * 2), "/messages"
            ),
        },
        good={
            "one of two": Example(a_conversation(a_message("assistant", weight=0), USER)),
            "the last of two": Example(
                an_example(USER, ASSISTANT, USER, a_message("assistant", weight=0))
            ),
        },
    ),
    Proof(
        format_rules.NAME_TYPE,
        bad={
            repr(name): bad(a_conversation(a_message("user", name=name)), "/messages/1/name")
            for name in (1, True, ["a"])
        },
        good={
            name: Example(a_conversation(a_message("user", name=name))) for name in ("1", "null")
        },
    ),
    Proof(
        format_rules.NAME_CHARACTERS,
        bad={
            repr(name[:9]): bad(a_conversation(a_message("user", name=name)), "/messages/1/name")
            for name in ("A B", "", "Zoë", "a.b", "x" * 65, "a\n")
        },
        good={
            name[:9]: Example(a_conversation(a_message("user", name=name)))
            for name in ("A_b-1", "x" * 64)
        },
    ),
    Proof(
        format_rules.UNKNOWN_KEY,
        bad={
            "two in a message": bad(a_conversation(a_message("user", a=1, b=2)), "/messages/1"),
            "one in the line": bad(an_example(__proto__=1)),
            "a known note": bad(an_example(metadata={"a": 1}), "/metadata"),
            "a part of an answer": bad(
                an_example(USER, a_message("assistant", annotations=[])), "/messages/1/annotations"
            ),
            "a weight outside the messages": bad(an_example(weight=1), "/weight"),
            "weight in a preference": bad(
                {
                    "input": {"messages": [USER]},
                    "preferred_output": [a_message("assistant", "a", weight=1)],
                    "non_preferred_output": [ASSISTANT],
                },
                "/preferred_output/0/weight",
            ),
            "fourth key of a preference": bad(
                {
                    "input": {"messages": [USER]},
                    "preferred_output": [a_message("assistant", "a")],
                    "non_preferred_output": [ASSISTANT],
                    "id": 1,
                },
                "/id",
            ),
        },
        good={
            "all known keys of a line": Example(an_example(tools=[], parallel_tool_calls=True)),
            "all known keys of an answer": Example(
                an_example(USER, a_message("assistant", name="a", weight=1))
            ),
            "empty keys of an answer's dump": Example(
                an_example(USER, a_message("assistant", refusal=None, audio=None))
            ),
            "any key beside messages for a grader": Example(
                an_example(USER, answer="4", level={"a": 1}), REASONING_MODEL
            ),
        },
    ),
    Proof(
        format_rules.OTHER_FORMAT_KEY,
        bad={
            "one": bad(an_example(preferred_output=[])),
            "all": bad(an_example(input={}, preferred_output=[], non_preferred_output=[])),
        },
        good={
            "none": Example(an_example()),
            "a preference": Example(
                {
                    "input": {"messages": [USER]},
                    "preferred_output": [a_message("assistant", "a")],
                    "non_preferred_output": [ASSISTANT],
                }
            ),
        },
    ),
    Proof(
        format_rules.TOKEN_LIMIT,
        bad={"one token over": Bad(a_long_file(101), "2"), "far over": Bad(a_long_file(1000), "2")},
        good={"at the limit": a_long_file(100), "one token under": a_long_file(99)},
    ),
    Proof(
        format_rules.UNCOUNTABLE,
        bad={
            "blanks": Bad(File(a_file(asking(" " * (BLANKS + 1) + "x"))), "1"),
            "a long text": Bad(
                File(
                    a_file(asking("ab" * (LONG // 2) + "x")),
                    options(role="validation", max_line_bytes=2 * LONG),
                ),
                "1",
            ),
        },
        good={
            "as many blanks": File(a_file(asking(" " * BLANKS + "x"))),
            "as long a text of shorter runs": File(
                a_file(asking(WIDE_TEXT)), options(role="validation", max_line_bytes=2 * LONG)
            ),
        },
    ),
    Proof(
        format_rules.SYSTEM_ROW,
        bad={
            "two": bad(
                an_example(a_message("system"), a_message("system", "b"), USER, ASSISTANT),
                "/messages/1",
            ),
            "later": bad(
                a_conversation(
                    ASSISTANT, USER, a_message("system"), a_message("system", "b"), USER
                ),
                "/messages/4",
            ),
            "a developer's after it": bad(
                an_example(a_message("system"), a_message("developer"), USER, answer="4"),
                "/messages/1",
                model=REASONING_MODEL,
            ),
            "in a preference": bad(
                {
                    "input": {"messages": [a_message("system"), a_message("system", "b"), USER]},
                    "preferred_output": [a_message("assistant", "a")],
                    "non_preferred_output": [ASSISTANT],
                },
                "/input/messages/1",
            ),
        },
        good={
            "one": Example(an_example()),
            "two apart": Example(
                an_example(a_message("system"), USER, a_message("system"), USER, ASSISTANT)
            ),
        },
    ),
    Proof(
        format_rules.CALL_CONTENT,
        bad={
            repr(content): bad(
                an_example(USER, {**CALLING, "content": content}, tools=[TOOL]),
                "/messages/1/content",
            )
            for content in (None, "", "null")
        },
        good={
            "none": Example(an_example(USER, CALLING, tools=[TOOL])),
            "a text": Example(
                an_example(USER, {**CALLING, "content": "One moment."}, tools=[TOOL])
            ),
            "null beside a function call": Example(
                an_example(
                    USER,
                    {
                        "role": "assistant",
                        "content": None,
                        "function_call": {"name": "f", "arguments": "{}"},
                    },
                )
            ),
        },
    ),
    Proof(
        format_rules.NULL_KEY,
        bad={
            **{
                key: bad(a_conversation(a_message("user", **{key: None})), f"/messages/1/{key}")
                for key in ("name", "tool_calls", "tool_call_id", "weight")
            },
            **{
                key: bad(an_example(**{key: None}), f"/{key}")
                for key in ("tools", "functions", "parallel_tool_calls", "function_call")
            },
            "tools of a preference": bad(
                {
                    "input": {"messages": [USER], "tools": None},
                    "preferred_output": [a_message("assistant", "a")],
                    "non_preferred_output": [ASSISTANT],
                },
                "/input/tools",
            ),
            "for reinforcement": bad(
                an_example(a_message("user", name=None), answer="4"),
                "/messages/0/name",
                model=REASONING_MODEL,
            ),
        },
        good={
            "what may be null": Example(
                an_example(
                    USER, a_message("assistant", function_call=None, refusal=None, audio=None)
                )
            ),
            "a field for a grader": Example(
                an_example(USER, answer=None, weight=None), REASONING_MODEL
            ),
        },
    ),
    Proof(
        format_rules.KEY_CAPITALS,
        bad={
            "beside messages": bad(an_example(Tools=[]), "/tools"),
            "of a message": bad(
                an_example(USER, a_message("assistant", WEIGHT=1)), "/messages/1/weight"
            ),
            "messages": bad({"Messages": [USER, ASSISTANT]}, "/messages", {("201", "")}),
        },
        good={
            "small letters": Example(an_example(tools=[])),
            "for a grader": Example(an_example(USER, Answer="4", Tools=[]), REASONING_MODEL),
        },
    ),
]
