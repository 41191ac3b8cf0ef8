"""Characters that don't belong in a text, raw or as an escape: U+FFFD, invisible ones,
bidirectional controls.

What a script needs doesn't count, and the marks U+200E, U+200F and U+061C are never counted.
"""

from ...rules import content_rules as rules
from .kinds import ALPHANUMERIC, WINDOW, Kind, Lead, Look
from .patterns import compiled

_AN = "[0-9A-Za-z]"
_FLAG = ("\U0001f3f4".encode(), b"\\ud83c\\udff4")


def _is_escape(text: bytes, backslash: int) -> bool:
    """Whether the backslash begins an escape: an even number of them stands before."""
    before = text[max(backslash - 64, 0) : backslash]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 0


def _at(pattern: str) -> Look:
    """The look for a character that the pattern matches, an escape being one in earnest."""
    exact = compiled(pattern)

    def look(text: bytes, start: int) -> int | None:
        if exact.match(text, start, start + WINDOW) is None:
            return None
        backslash = text.find(b"\\", start, start + 2)
        return start if backslash < 0 or _is_escape(text, backslash) else None

    return look


# Joiners (U+200C, U+200D) count between two ASCII letters or digits, zero-width spaces and word
# joiners (U+200B, U+2060) beside one: Persian, Indic and emoji sequences, Thai and Khmer need them
# elsewhere.
_before_letter = _at(rf"(?:\xe2\x80\x8b|\xe2\x81\xa0|\\u20(?:0[bB]|60)){_AN}")
_after_letter = _at(
    rf"{_AN}(?:\xe2\x80\x8b|\xe2\x81\xa0|\\u20(?:0[bB]|60)|(?:\xe2\x80[\x8c\x8d]|\\u200[cCdD]){_AN})"
)


def _zero_width(text: bytes, start: int) -> int | None:
    if text[start : start + 1].isalnum():
        # The n of \n and the last digit of \u0e2a are no letters.
        in_escape = (
            text[max(start - 1, 0) : start] == b"\\"
            or text[max(start - 5, 0) : max(start - 3, 0)] == b"\\u"
        )
        return _before_letter(text, start + 1) if in_escape else _after_letter(text, start)
    return _before_letter(text, start)


_mark = _at(r"\xef\xbb\xbf|\\u[fF][eE][fF][fF]")


def _byte_order_mark(text: bytes, start: int) -> int | None:
    # At the start of a line the mark belongs to the file: TD-DATA-112.
    return _mark(text, start) if start and text[start - 1] != ord("\n") else None


_tag = _at(r"\xf3\xa0[\x80\x81]|\\u[dD][bB]40\\u[dD][cC][0-7]")


# Tags count unless they follow the black flag, as in the flag of Scotland.
def _tags(text: bytes, start: int) -> int | None:
    return None if text[max(start - 12, 0) : start].lower().endswith(_FLAG) else _tag(text, start)


# Every kind of odd character.
KINDS = (
    Kind(
        "replacement character",
        rules.REPLACEMENT,
        (Lead("\xef", "\xbf", r"\xbd"), Lead("\\", "u", "[fF]{3}[dD]")),
        _at(r"\xef\xbf\xbd|\\u[fF]{3}[dD]"),
    ),
    Kind(
        "invisible character",
        rules.INVISIBLE,
        (Lead("\xc2", "\xad", ""), Lead("\\", "u", "00[aA][dD]")),
        _at(r"\xc2\xad|\\u00[aA][dD]"),
    ),
    Kind(
        "invisible character",
        rules.INVISIBLE,
        (
            Lead("\xe2", "\x80", rf"\x8b{_AN}"),
            Lead("\xe2", "\x81", rf"\xa0{_AN}"),
            Lead("\\", "u", rf"20(?:0[bB]|60){_AN}"),
            Lead(ALPHANUMERIC, "\xe2", rf"(?:\x80\x8b|\x81\xa0|\x80[\x8c\x8d]{_AN})"),
            Lead(ALPHANUMERIC, "\\", rf"u20(?:0[bB]|60|0[cCdD]{_AN})"),
        ),
        _zero_width,
    ),
    Kind(
        "invisible character",
        rules.INVISIBLE,
        (Lead("\xef", "\xbb", r"\xbf"), Lead("\\", "u", "[fF][eE][fF][fF]")),
        _byte_order_mark,
    ),
    Kind(
        "invisible character",
        rules.INVISIBLE,
        (
            Lead("\xf3", "\xa0", r"[\x80\x81][\x80-\xbf](?:\xf3\xa0[\x80\x81][\x80-\xbf])*"),
            Lead(
                "\\",
                "u",
                r"[dD][bB]40\\u[dD][cC][0-7][0-9a-fA-F](?:\\u[dD][bB]40\\u[dD][cC][0-7][0-9a-fA-F])*",
            ),
        ),
        _tags,
    ),
    Kind(
        "bidirectional control",
        rules.BIDI,
        (
            Lead("\xe2", "\x80", r"[\xaa-\xae]"),
            Lead("\xe2", "\x81", r"[\xa6-\xa9]"),
            Lead("\\", "u", "20(?:2[a-eA-E]|6[6-9])"),
        ),
        _at(r"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]|\\u20(?:2[a-eA-E]|6[6-9])"),
    ),
)
