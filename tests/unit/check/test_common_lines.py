"""Plain lines: what is passed over as clean is clean, and counted as in full."""

import json
from itertools import compress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import (
    LOADED,
    TEXT_MODEL,
    MemorySource,
    a_message,
    an_example,
    options,
)
from tunedrop_check.contents.content_findings import ContentObserver
from tunedrop_check.counting import counters, tokens
from tunedrop_check.fast_path.common_lines import PlainLines, PlainReader
from tunedrop_check.formats import recognition
from tunedrop_check.formats.recognition import read_as
from tunedrop_check.reading import lines
from tunedrop_check.rules import format_rules
from tunedrop_check.scan import scanning

COUNTER = counters.counter("o200k_base")
HOSTILE = [
    "Hi.",
    "",
    "a : b",
    ": a",
    " : a",
    ",",
    'say "x": 1',
    "back\\",
    '\\":',
    "\u00e9\u088f'S",
    "{}\n{}",
    "\ufeff",
    " ",
]
SPACED = ['"  : a', '"' + " " * 20 + ":"]
TEXT = st.sampled_from(HOSTILE + SPACED) | st.text(max_size=8)
CALL: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["a", "b", ""]),
        "type": st.sampled_from(["function", "function", "other"]),
    },
    optional={
        "function": st.fixed_dictionaries(
            {
                "name": st.sampled_from(["f", "g", ""]),
                "arguments": st.sampled_from(["{}", '{"a":{"b":1}}', "[]", "{", '{"a":1,"a":2}']),
            }
        ),
        "x": TEXT,
    },
)
MESSAGE: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "role": st.sampled_from(
            ["system", "user", "assistant", "assistant", "tool", "developer", "x"]
        )
    },
    optional={
        "content": TEXT | st.none() | st.just(1),
        "weight": st.sampled_from([0, 1, 1.0, True, 2, "1"]),
        "name": TEXT,
        "tool_calls": st.lists(CALL, max_size=2),
        "tool_call_id": st.sampled_from(["a", "b", "c"]),
    },
)
GOOD: st.SearchStrategy[Any] = st.sampled_from(
    [
        a_message("system", "Be brief."),
        a_message("user"),
        a_message("assistant"),
        a_message(
            "assistant",
            None,
            tool_calls=[
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        ),
        a_message("tool", "4", tool_call_id="a"),
        a_message("assistant", weight=0),
    ]
)
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "f", "parameters": {"a": {}}}}
]
ODD_TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": 'f\\":', "parameters": {"a\\": 1, "b:": 2}}}
]
EXAMPLE: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"messages": st.lists(GOOD | MESSAGE, max_size=6)},
    optional={
        "tools": st.sampled_from([TOOLS, [], [{"type": "function"}], None]),
        "parallel_tool_calls": st.booleans(),
        "extra": TEXT,
    },
)
WRITTEN = st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : "), ("\t,\r", "\t:\r")])
DAMAGE = st.sampled_from(
    [
        ("", ""),
        ('"role"', '"role":"user","role"'),
        ('"content"', '"content": "x", "content"'),
        ('"name"', '"n\\\\":1,"name"'),
        ("{", "{ "),
    ]
)


def is_clean(line: bytes) -> bool:
    """Whether the full check has nothing to say of a line, but for what the quick way
    tells, too.
    """
    decoded = lines.decode(line)
    if (
        decoded.value is None
        or decoded.findings
        or recognition.recognise(decoded.value, TEXT_MODEL) != recognition.SUPERVISED
    ):
        return False
    return all(
        told.code == format_rules.CALL_CONTENT.code
        for told in recognition.FORMATS[recognition.SUPERVISED].check(decoded.value, TEXT_MODEL)
    )


def has_null(line: bytes) -> bool:
    """Whether the full check tells of null beside calls."""
    value = lines.decode(line).value
    return value is not None and any(
        recognition.FORMATS[recognition.SUPERVISED].check(value, TEXT_MODEL)
    )


def tokens_of(found: PlainLines) -> list[tuple[int, int, int]]:
    """The total, the answers' and the learnt tokens of each line."""
    counts = iter(COUNTER.count(found.texts))
    figures: list[tuple[int, int, int]] = []
    for shape, system in zip(found.shapes, found.systems, strict=True):
        own = [next(counts) for _ in range(shape.size)]
        head = COUNTER.count([system])[0] if system is not None else 0
        answers, trained = (sum(compress(own, chosen)) for chosen in (shape.answers, shape.trained))
        figures.append((shape.frame + head + sum(own), answers, trained))
    return figures


def in_full(line: bytes) -> tuple[int, int, int]:
    """The same figures by the full way."""
    value = lines.decode(line).value
    assert value is not None
    counted = tokens.count(value, "o200k_base")
    return counted.total, counted.assistant, counted.trained


def fingerprints(line: bytes) -> bytes:
    """What the full way compares the line by."""
    value, observer = lines.decode(line).value, ContentObserver()
    assert value is not None
    observer.example(1, *read_as(value).answer(value))
    return bytes(observer.result().fingerprints.records)


def plain_fingerprints(line: bytes, found: PlainLines) -> bytes:
    """What the scanner compares the plain line by."""
    chosen = options(watched=True)
    source = MemorySource(line + b"\n")
    assert len(found) == 1
    return bytes(
        scanning.scan_span(
            source, scanning.Span(0, source.size), chosen
        ).contents.fingerprints.records
    )


@settings(LOADED, max_examples=400)
@given(EXAMPLE, WRITTEN, DAMAGE, st.booleans())
@example({**an_example(), "tools": ODD_TOOLS}, (",", ":"), ("", ""), False)
def test_plain_line_is_clean_and_counted_in_full(
    value: Any, written: Any, damage: Any, ascii_only: bool
) -> None:
    """Whatever a line is, if it is called plain the full check is silent and its tokens are the
    recipe's.
    """
    line = (
        json.dumps(value, ensure_ascii=ascii_only, separators=written)
        .replace(*damage)
        .encode("utf-8", "surrogatepass")
    )
    found = PlainReader(COUNTER).line(line)
    if found is not None:
        assert is_clean(line)
        assert found.with_null == [0] * has_null(line)
        assert tokens_of(found) == [in_full(line)]
        assert fingerprints(line) == plain_fingerprints(line, found)


def a_call(identity: str) -> dict[str, Any]:
    """A call whose keys stand in an order of their own."""
    return {"type": "function", "function": {"name": "f", "arguments": "{}"}, "id": identity}


@pytest.mark.parametrize(
    "value",
    [
        an_example(),
        an_example(
            a_message("user"),
            a_message("assistant", weight=0),
            a_message("user", 'a "b": c'),
            a_message("assistant", weight=1),
        ),
        an_example(
            a_message("user"),
            a_message(
                "assistant",
                None,
                tool_calls=[
                    {
                        "id": "a",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"q": 1}'},
                    }
                ],
            ),
            a_message("tool", "4", tool_call_id="a"),
            a_message("assistant"),
            tools=TOOLS,
        ),
        an_example(
            a_message("system", "S"),
            a_message("user"),
            {
                "weight": 1,
                "tool_calls": [a_call("b"), a_call("a")],
                "content": "One moment.",
                "role": "assistant",
            },
            a_message("tool", "4", tool_call_id="a"),
            a_message("tool", "5", tool_call_id="b"),
            {"role": "assistant", "tool_calls": [a_call("c")], "weight": 1},
            parallel_tool_calls=True,
            tools=TOOLS,
        ),
    ],
    ids=["a question", "weights", "a tool", "calls"],
)
def test_common_line_is_plain(value: dict[str, Any]) -> None:
    """The common shapes are recognised: else nothing would be fast."""
    line = json.dumps(value).encode()
    found = PlainReader(COUNTER).line(line)
    assert found is not None
    assert tokens_of(found) == [in_full(line)]
    assert fingerprints(line) == plain_fingerprints(line, found)


GOOD_LINE = json.dumps(an_example(), separators=(",", ":")).encode()
HALVES = GOOD_LINE.split(b",", 1)


@pytest.mark.parametrize(
    "block",
    [
        GOOD_LINE + GOOD_LINE + b"\n\n",
        GOOD_LINE + b" " + GOOD_LINE + b"\n" + HALVES[0] + b",\n" + HALVES[1] + b"\n",
        GOOD_LINE + b"\n\n" + GOOD_LINE + b"\n",
        GOOD_LINE + b"\n" + GOOD_LINE,
        b" " + GOOD_LINE + b"\n",
        GOOD_LINE.replace(b'"messages"', b'"messages":[],"messages"') + b"\n",
        GOOD_LINE.replace(b'"role"', b'"role" ', 1).replace(
            b'"content"', b'"content":"x","content"', 1
        )
        + b"\n",
        b"\n",
        b"}\n",
        b"",
    ],
    ids=[
        "two in a line",
        "two and a half",
        "blank",
        "no end",
        "indented",
        "key twice",
        "spaced and twice",
        "empty",
        "end",
        "none",
    ],
)
def test_block_that_is_not_one_object_a_line_is_not_plain(block: bytes) -> None:
    """As many objects as lines are not enough."""
    assert PlainReader(COUNTER).block(block) is None


@settings(LOADED, max_examples=200)
@given(
    st.lists(st.tuples(EXAMPLE, WRITTEN, DAMAGE), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n", "\n\n", "", " \n"]),
)
def test_block_is_plain_only_where_each_line_is(values: list[Any], end: str) -> None:
    """A plain block has the figures of its lines, each of which is plain by itself."""
    written = [
        json.dumps(value, separators=style).replace(*damage) for value, style, damage in values
    ]
    block = "".join(line + end for line in written).encode()
    found = PlainReader(COUNTER).block(block)
    if found is not None:
        assert [
            figures
            for line in block.split(b"\n")[:-1]
            for figures in [in_full(line)]
            if is_clean(line)
        ] == tokens_of(found)


def test_block_of_common_lines_is_plain() -> None:
    """LF and CRLF alike."""
    for end in (b"\n", b"\r\n"):
        found = PlainReader(COUNTER).block((GOOD_LINE + end) * 3)
        assert found is not None
        assert tokens_of(found) == [in_full(GOOD_LINE)] * 3
