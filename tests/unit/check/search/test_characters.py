"""Odd characters, raw and escaped; what a script needs is none."""

import pytest

from tests.unit.check.search.builders import a_line
from tunedrop_check.contents.search import blocks

FOUND = {
    "821": ["lost \ufffd here", "\ufffd", "na\ufffdve"],
    "822": [
        "pass\u200bword",
        "\u200bStart",
        "end\u200b",
        "in\u2060side",
        "a\u200cb",
        "a\u200db",
        "mid\ufeffdle",
        "hy\u00adphen",
        "x\U000e0041\U000e0042",
    ],
    "823": ["\u202eabc", "a\u202cb", "\u2066x\u2069", "\u202a"],
}
NOT_FOUND = {
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 PDF\u200c\u0647\u0627",
    "Hindi": "\u0915\u094d\u200d\u0937",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "Thai": "\u0e2a\u0e27\u200b\u0e31\u0e2a",
    "Khmer": "\u1780\u17b6\u200b\u179a\u1784",
    "Scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "Hebrew mark": "\u05d0\u200e-\u200f\u05d1",
    "accents": "caf\u00e9 na\u00efve \u2013 \u201cquoted\u201d \u2026",
    "written out": "Write \\u202e, \\ufffd or \\u200b in JSON.",
}


@pytest.mark.parametrize("ensure_ascii", [False, True], ids=["raw", "escaped"])
@pytest.mark.parametrize(
    ("code", "text"),
    [pytest.param(code, text, id=ascii(text)) for code, texts in FOUND.items() for text in texts],
)
def test_odd_character_is_found(code: str, text: str, ensure_ascii: bool) -> None:
    """Each is found, whichever way the line writes it."""
    assert [hit.code for hit in blocks.search(a_line(text, ensure_ascii))] == [f"TD-DATA-{code}"]


@pytest.mark.parametrize("ensure_ascii", [False, True], ids=["raw", "escaped"])
@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NOT_FOUND.items()])
def test_what_a_script_needs_is_not_found(text: str, ensure_ascii: bool) -> None:
    """Joiners of scripts and emoji, word breaks, flags, and escapes that are only written about,
    are none.
    """
    assert blocks.search(a_line(text, ensure_ascii)) == []


def test_byte_order_mark_at_the_start_of_a_line_is_not_found() -> None:
    """There it has a rule of its own."""
    assert blocks.search(b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}") == []
