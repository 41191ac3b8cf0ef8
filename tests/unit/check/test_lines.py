"""Decoding of one line: strict JSON, never a traceback."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import LOADED
from tunedrop_check.reading import lines
from tunedrop_check.rules import format_rules

KEYS = st.sampled_from(["a", "b", '"', 'x":', '" :', "ключ"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        pytest.param(b"[1]", format_rules.NOT_OBJECT, id="array"),
        pytest.param(b'"text"', format_rules.NOT_OBJECT, id="string"),
        pytest.param(b"1", format_rules.NOT_OBJECT, id="number"),
        pytest.param(b"null", format_rules.NOT_OBJECT, id="null"),
        pytest.param(b'{"a":1,}', format_rules.NOT_JSON, id="trailing comma"),
        pytest.param(b'{"a":1} // x', format_rules.NOT_JSON, id="comment"),
        pytest.param(b"{'a':1}", format_rules.NOT_JSON, id="single quotes"),
        pytest.param(b'{"a":1', format_rules.NOT_JSON, id="cut off"),
        pytest.param(b'{"a":"\x00"}', format_rules.NOT_JSON, id="NUL byte"),
        pytest.param(b'{"a":"\t"}', format_rules.NOT_JSON, id="bare tab"),
        pytest.param(b"{} {}", format_rules.NOT_JSON, id="two values"),
        pytest.param(b'{"a":1}\r{"a":2}\r', format_rules.CR_LINE_ENDS, id="bare CR"),
        pytest.param(b'{"a":\r{"a":2}\r', format_rules.CR_LINE_ENDS, id="bare CR after a cut"),
        pytest.param(b'{"a":1\r', format_rules.NOT_JSON, id="cut off before CRLF"),
        pytest.param(b'{"a":"\r', format_rules.NOT_JSON, id="cut off in a text before CRLF"),
        pytest.param(b'{"a":NaN}', format_rules.NUMBER_OUT_OF_RANGE, id="NaN"),
        pytest.param(b'{"a":-Infinity}', format_rules.NUMBER_OUT_OF_RANGE, id="Infinity"),
        pytest.param(b'{"a":1e999}', format_rules.NUMBER_OUT_OF_RANGE, id="1e999"),
        pytest.param(
            b'{"a":' + b"9" * 5000 + b"}", format_rules.NUMBER_OUT_OF_RANGE, id="5,000 digits"
        ),
        pytest.param(b'{"a":1,"a":2}', format_rules.DUPLICATE_KEY, id="key twice"),
        pytest.param(
            b'{"a" :1,"b":{"x" :1,"x"\t:2}}', format_rules.DUPLICATE_KEY, id="key twice, spaced"
        ),
        pytest.param(b'{"a":1,"\\u0061":2}', format_rules.DUPLICATE_KEY, id="key twice, escaped"),
        pytest.param(
            b'{"a":"\\ud800","a":2}', format_rules.DUPLICATE_KEY, id="key twice, surrogate"
        ),
        pytest.param(b'{"a":"\xff"}', format_rules.NOT_UTF8, id="invalid UTF-8"),
        pytest.param(b'{"a":"\xed\xa0\x80"}', format_rules.NOT_UTF8, id="surrogate in UTF-8"),
        pytest.param(b'{"a":"\\ud800"}', format_rules.LONE_SURROGATE, id="high surrogate"),
        pytest.param(b'{"a":"\\udc00"}', format_rules.LONE_SURROGATE, id="low surrogate"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, format_rules.TOO_DEEP, id="10,000 levels"),
        pytest.param(b'{"a":' * 100_000, format_rules.TOO_DEEP, id="100,000 open levels"),
        pytest.param(b'{"a":' * 65 + b"1" + b"}" * 65, format_rules.TOO_DEEP, id="65 levels"),
        pytest.param(b"\xef\xbb\xbf{}", format_rules.BOM_INSIDE, id="byte-order mark"),
        pytest.param(
            b"[" + b"1," * 1_100_000 + b"1]", format_rules.TOO_MANY_VALUES, id="a million values"
        ),
    ],
)
def test_decode_names_what_is_wrong_with_a_line(line: bytes, rule: format_rules.Rule) -> None:
    """A broken line ends in the finding for its fault."""
    assert rule.code in {found.code for found in lines.decode(line).findings}


@pytest.mark.parametrize(
    ("line", "is_python"),
    [
        pytest.param(b"{'messages': []}", True, id="single quotes"),
        pytest.param(b'{"messages": None}', True, id="None"),
        pytest.param(b'{"parallel_tool_calls": True}', True, id="True"),
        pytest.param(b'{"messages": nil}', False, id="another language"),
        pytest.param(b'{"a": "None"', False, id="a word in a text"),
    ],
)
def test_line_that_python_has_shown_is_named_as_such(line: bytes, is_python: bool) -> None:
    """Its owner learns that json.dumps was meant."""
    [found] = lines.decode(line).findings
    assert ("in Python's notation" in found.message) == is_python


@settings(LOADED)
@given(st.binary(max_size=80))
def test_decode_never_raises_and_never_quotes(line: bytes) -> None:
    """Any bytes end in a value or in findings whose text is ours."""
    decoded = lines.decode(b"{" + line)
    assert decoded.value is not None or decoded.findings


@settings(LOADED)
@given(
    st.dictionaries(KEYS, JSON, max_size=4),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : "), (",\t", "\t:")]),
)
def test_decode_finds_no_fault_with_valid_json(
    value: dict[str, object], separators: tuple[str, str]
) -> None:
    """Valid JSON without a key twice decodes to itself, whatever its white space."""
    decoded = lines.decode(json.dumps(value, separators=separators).encode())
    assert (decoded.value, decoded.findings) == (value, [])


def test_decode_takes_a_line_nested_to_the_limit() -> None:
    """64 levels are accepted."""
    assert not lines.decode(b'{"a":' * 64 + b"1" + b"}" * 64).findings
