"""Shared starts of lines: cutting them off changes nothing but the time."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import LOADED, MemorySource, a_file, a_message, an_example, options
from tunedrop_check.contents.search import blocks
from tunedrop_check.counting import counters
from tunedrop_check.fast_path import shared_starts
from tunedrop_check.fast_path.common_lines import PlainReader
from tunedrop_check.fast_path.shared_starts import Cut, SharedStarts
from tunedrop_check.scan import scanning

COUNTER = counters.counter("o200k_base")
LONG = "You answer questions about the sea, in one sentence and without any jokes. " * 4
FLAG = "\U0001f3f4\U000e0067\U000e007f"
ENDS = [
    *[
        "",
        '"},{"',
        '\\"},{',
        '"}, {"role',
        "\\",
        "\\\\",
        '"',
        "},",
        "AccountKey=",
        "https://user:",
        "sk-proj-",
        "+1",
        "key",
        "\u200b",
    ],
    *[
        FLAG[0],
        "4111 1111 1111",
        "GB82",
        "jane.doe",
        "eyJ0eXAi",
        "-----BEGIN PRIVATE KEY-----\nComment: ",
        "caf\u00e9",
        "\ufeff",
    ],
    *[
        "Write to jane.doe@contoso.com.",
        "token ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "\ufffd",
        "a/b",
    ],
]
BEGINNINGS = [
    *[
        "Hello.",
        "",
        '"',
        "\\",
        "@contoso.com",
        "=",
        "AbCd" * 22 + "==",
        "pass@host.example",
        FLAG[1:],
        "1111",
        " 1111",
        "\u200bx",
    ],
    *[
        "\nA: b\n" + "QUJD" * 12,
        "555-123-4567",
        "\ud800",
        ': "0123456789abcdef0123456789abcdef"',
        "\u202e",
        ": '",
        "{}",
        '"}]}',
    ],
]
TOOLS: list[Any] = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
CALL = a_message(
    "assistant",
    None,
    tool_calls=[
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"q": "\\u00e9"}'}}
    ],
)
CONTENT = st.sampled_from(BEGINNINGS) | st.text(max_size=6)
SYSTEM = st.tuples(st.sampled_from([LONG, LONG, "Be brief. "]), st.sampled_from(ENDS)).map("".join)
ODD_RESTS: list[list[Any]] = [
    [],
    [a_message("user")],
    [a_message("system", LONG), a_message("user"), a_message("assistant")],
    [1],
]


def rests_of(content: str) -> st.SearchStrategy[list[Any]]:
    """What may follow a system message, with this content in it."""
    asked, told = a_message("user", content), a_message("assistant", content)
    called = [asked, CALL, a_message("tool", content, tool_call_id="a"), told]
    weighed = [[asked, a_message("assistant", content, weight=weight)] for weight in (0, 1, 2)]
    return st.sampled_from([[asked, told], [asked, told], called, *weighed, *ODD_RESTS])


MORE: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"tools": TOOLS}, {"messages": []}, {"parallel_tool_calls": True}, {"x": 1}]
)
STYLE = st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")])
DAMAGE = st.sampled_from(
    [
        ("", ""),
        ("", ""),
        ('"messages"', '"messages":[],"messages"'),
        ('"user"', '"user","role":"user"'),
        ("}]", "}}]"),
        ("]}", "]}{}"),
    ]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Lines that share a few system messages, in any order and of any form."""
    systems = draw(st.lists(SYSTEM, min_size=1, max_size=3))
    style, ascii_only, first = (
        draw(STYLE),
        draw(st.booleans()),
        draw(st.sampled_from(["role", "content"])),
    )
    lines: list[str] = []
    for _ in range(draw(st.integers(2, 8))):
        message = a_message("system", draw(st.sampled_from(systems)))
        example = {
            "messages": [{first: message[first], **message}, *draw(CONTENT.flatmap(rests_of))],
            **draw(MORE),
        }
        lines.append(
            json.dumps(example, ensure_ascii=ascii_only, separators=style).replace(*draw(DAMAGE), 1)
        )
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    return "".join(line + end for line in lines).encode("utf-8", "surrogatepass")


def scan_of(content: bytes, max_line_bytes: int = 2**20) -> bytes:
    """All that the scan of a file finds out."""
    chosen = options(watched=True, max_line_bytes=max_line_bytes)
    return scanning.to_json(
        scanning.scan_span(MemorySource(content, 2**18), scanning.Span(0, len(content)), chosen)
    )


def scan_of_whole_lines(content: bytes, max_line_bytes: int = 2**20) -> bytes:
    """The same, where no start is ever cut off."""

    def cut(_starts: SharedStarts, block: bytes, _longest: int) -> Cut:
        return Cut(block, [])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SharedStarts, "cut", cut)
        return scan_of(content, max_line_bytes)


@settings(LOADED, max_examples=500)
@given(files(), st.sampled_from([2**20, 2**20, 500]))
def test_scan_is_the_same_as_of_whole_lines(content: bytes, max_line_bytes: int) -> None:
    """Tokens, findings, line numbers and fingerprints, whatever the lines are."""
    assert scan_of(content, max_line_bytes) == scan_of_whole_lines(content, max_line_bytes)


@pytest.mark.parametrize(("end", "beginning"), list(itertools.product(ENDS, BEGINNINGS)))
def test_nothing_that_is_searched_for_stands_across_the_end_of_a_start(
    end: str, beginning: str
) -> None:
    """The first halves of secrets, numbers and addresses at the end of a system message, the second
    ones at the start of the next.
    """
    line = an_example(
        a_message("system", LONG + end),
        a_message("user", beginning),
        a_message("assistant", "It is."),
    )
    content = (json.dumps(line) + "\n").encode() * 3
    assert scan_of(content) == scan_of_whole_lines(content)


def reader() -> PlainReader:
    """A reader that has seen nothing."""
    return PlainReader(COUNTER)


def a_block(*systems: str, times: int = 4) -> bytes:
    """Plain lines with these system messages in turn, and a question of their own each."""
    given = list(systems) * times
    return a_file(
        *(
            an_example(
                a_message("system", s), a_message("user", f"No. {n}?"), a_message("assistant")
            )
            for n, s in enumerate(given)
        )
    )


@pytest.mark.parametrize(
    "systems", [[LONG], [LONG, LONG[::-1], LONG.upper()]], ids=["one", "in turn"]
)
def test_shared_start_is_read_once(systems: list[str]) -> None:
    """What is decoded and searched is the rest of the lines; else nothing would be gained."""
    times = 12 // len(systems)
    block = a_block(*systems, times=times)
    found = reader().block(block)
    assert found is not None
    assert found.systems == systems * times
    assert len(found.block) < len(block) - 10 * len(LONG)


@pytest.mark.parametrize("end", ["Write to jane.doe@contoso.com.", "\ufffd", "a\u200bb"])
def test_start_in_which_something_may_be_found_stays(end: str) -> None:
    """It counts on each of its lines."""
    block = a_block(LONG + end)
    found = reader().block(block)
    assert found is not None
    assert found.block == block
    assert [hit.line for hit in blocks.search(found.block)] == [0, 1, 2, 3]


def test_start_of_a_line_over_the_limit_stays() -> None:
    """The limit is on the line as it is written."""
    block = a_block(LONG)
    length = max(map(len, block.split(b"\n")))
    assert PlainReader(COUNTER, length + 1).block(block) is not None
    assert PlainReader(COUNTER, length - 1).block(block) is None


@pytest.mark.parametrize(
    "start",
    [
        b'{"tools":[],"messages":[{"role":"system","content":"S"},',
        b'{"messages":[{"role":"user","content":"S"},',
        b'{"messages":[{"role":"system","content":"S","name":"N"},',
        b'{"messages":[{"role":"system","content":"S \\"},',
        b'{"messages":[{"role":"system","content":""},',
        b'{"messages":[{"role":"system","role":"system","content":"S"},',
        b'{"messages":[],"messages":[{"role":"system","content":"S"},',
        b'{"messages":[{"role":"system","content":"S"}],"x":[{"a":"b"},',
    ],
)
def test_start_that_holds_more_than_a_system_message_is_not_learnt(start: bytes) -> None:
    """Of these nothing may be left out."""
    line = start.replace(b"S", LONG.encode()) + shared_starts.REST + b"\n"
    assert SharedStarts(reader()._system_of).cut(line * 4, 2**20) == Cut(line * 4, [None] * 4)  # pyright: ignore[reportPrivateUsage]


def test_number_of_starts_is_bounded() -> None:
    """A file in which each line has its own system message costs neither memory nor much time."""
    tried: list[bytes] = []

    def read(start: bytes) -> str:
        tried.append(start)
        return "S"

    learning = SharedStarts(read)
    lines = [a_block(f"{number} {LONG}", times=1) for number in range(100)]
    for block in (b"".join(lines), b"".join(lines)):
        learning.cut(block, 2**20)
    assert len(tried) == 32
    assert len(learning._known) == 16  # pyright: ignore[reportPrivateUsage]
