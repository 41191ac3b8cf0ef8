"""Proofs of the rules of lines, 1xx."""

import json

import msgspec

from tests.unit.check.builders import a_file, a_message, an_example, options
from tests.unit.check.proofs.cases import Bad, File, Proof
from tunedrop_check.rules import format_rules
from tunedrop_check.rules.findings import Finding

SOUND = a_file(an_example())
BOM = b"\xef\xbb\xbf"
# As the page on formats says, not as the code does: a changed limit must fail here.
DEPTH, SEPARATORS = 64, 1_048_576


# So many wrong lines of a window of 64 bytes are told; the file of the sound line begins with two
# whole windows.
THREE = msgspec.structs.replace(options(role="validation"), max_error_lines=3, window_bytes=64)


def wrong(*lines: int) -> set[tuple[str, str]]:
    """These lines are no JSON."""
    return {("103", str(line)) for line in lines}


class Rest:
    """A file, without the lines of it that are no JSON, or blank."""

    def __init__(self, content: bytes) -> None:
        self._file = File(content, THREE)

    def findings(self) -> list[Finding]:
        """What else is found in it."""
        return [
            found
            for found in self._file.findings()
            if found.code not in ("TD-DATA-103", "TD-DATA-108")
        ]


def second(line: bytes) -> File:
    """A file whose second line is this one."""
    return File(SOUND + line + b"\n" + SOUND)


def saying(json_text: str) -> bytes:
    """A sound line whose question is this JSON text."""
    return (
        json.dumps(
            an_example(
                a_message("system", "Be brief."), a_message("user", "?"), a_message("assistant")
            )
        )
        .replace('"?"', json_text)
        .encode()
    )


def with_field(json_text: str) -> bytes:
    """A line with one more field, which holds this JSON text."""
    return SOUND.strip()[:-1] + b', "tools": ' + json_text.encode() + b"}"


def deep(levels: int) -> bytes:
    """A line whose values are nested so many levels deep."""
    tools = [{"type": "function", "function": {"name": "f", "parameters": None}}]
    inner = '{"a": ' * (levels - 5) + "{}" + "}" * (levels - 5)
    return (
        SOUND.strip()[:-1]
        + b', "tools": '
        + json.dumps(tools).replace("null", inner).encode()
        + b"}"
    )


def separated(number: int) -> bytes:
    """A line with so many separators."""
    line = saying('"?"')
    return line.replace(
        b'"?"', b'"' + b"," * (number - sum(map(line.count, (b",", b":", b"[", b"{")))) + b'"'
    )


def refused(line: bytes) -> Bad:
    """A file whose second line breaks the rule, and no other."""
    return Bad(second(line), "2")


LONG = options(role="validation", max_line_bytes=400)
WIDE = options(role="validation", max_line_bytes=8 * 2**20)

PROOFS = [
    Proof(
        format_rules.LINE_TOO_LONG,
        bad={
            "one byte over": Bad(File(b" " * 390 + b"{}" + b" " * 9 + b"\n" + SOUND, LONG), "1"),
            "the last line, without an end": Bad(File(SOUND + b"x" * 5000, LONG), "2"),
        },
        good={
            "at the limit": File(SOUND.strip().ljust(400) + b"\n", LONG),
            "many lines": File(SOUND * 40, LONG),
        },
    ),
    Proof(
        format_rules.NOT_UTF8,
        bad={
            "Latin-1": refused(
                saying('"\u00e9"').replace(b"\\u00e9", b"\xe9").replace(b"\xc3\xa9", b"\xe9")
            ),
            "half a character": refused(saying('"?"').replace(b"?", b"\xf0\x9f\x98")),
            "a surrogate in UTF-8": refused(saying('"?"').replace(b"?", b"\xed\xa0\x80")),
            "an overlong form": refused(saying('"?"').replace(b"?", b"\xc0\xaf")),
        },
        good={
            "UTF-8": second(saying('"\u00e9\U0001f600"')),
            "the last code point": second(saying('"\U0010ffff"')),
        },
    ),
    Proof(
        format_rules.NOT_JSON,
        bad={
            "cut off": refused(b'{"messages": ['),
            "trailing comma": refused(saying('"?"').replace(b"]}", b"],}")),
            "a comment": refused(b"// " + saying('"?"')),
            "single quotes": refused(b"{'messages': []}"),
            "two objects": refused(b"{}{}"),
            "NUL": refused(b"\x00"),
            "a raw control character": refused(saying('"?"').replace(b"?", b"\x01")),
            "CSV": refused(b"role,content"),
        },
        good={
            "blanks around": second(b" \t" + saying('"?"') + b" \t"),
            "control characters as escapes": second(saying('"\\u0000\\u0001"')),
            "a comma in a text": second(saying('"a,}"')),
        },
    ),
    Proof(
        format_rules.NOT_OBJECT,
        bad={text: refused(text.encode()) for text in ("[]", '"a"', "1", "null", "true", "[{}]")},
        good={
            "an object": second(saying('"?"')),
            "an object in blanks": second(b"  " + saying('"?"')),
        },
    ),
    Proof(
        format_rules.DUPLICATE_KEY,
        bad={
            "at the top": refused(b'{"messages": 1, ' + saying('"?"')[1:]),
            "inside": refused(
                saying('"?"').replace(b'"content": "?"', b'"content": "!", "content": "?"')
            ),
            "spelt with an escape": refused(
                saying('"?"').replace(b'"content": "?"', b'"c\\u006fntent": "!", "content": "?"')
            ),
            "spaced": refused(
                saying('"?"').replace(b'"content": "?"', b'"content"  : "!", "content" :"?"')
            ),
        },
        good={
            "in two messages": second(saying('"?"')),
            "in a text": second(saying('"\\"content\\": 1, \\"content\\": 2"')),
            "in another case": second(
                with_field("[]").replace(b'"tools"', b'"Messages": [], "tools"')
            ),
        },
    ),
    Proof(
        format_rules.TOO_DEEP,
        bad={
            "one level over": refused(deep(DEPTH + 1)),
            "10,000 arrays": refused(b"[" * 10_000 + b"]" * 10_000),
            "10,000 objects": refused(b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
        },
        good={
            "at the limit": second(deep(DEPTH)),
            "brackets in a text": second(saying('"' + "[" * 10_000 + '"')),
        },
    ),
    Proof(
        format_rules.NUMBER_OUT_OF_RANGE,
        bad={
            text[:9]: refused(saying(text))
            for text in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000)
        },
        good={
            "as texts": second(saying('"NaN 1e999 Infinity"')),
            "large": second(
                with_field("[]").replace(
                    b"[]}", b'[], "x": [1e308, 1e-999, 123456789012345678901234567890]}'
                )
            ),
        },
    ),
    Proof(
        format_rules.BLANK_LINE,
        bad={
            "empty": Bad(second(b""), "2"),
            "blanks": Bad(second(b" \t"), "2"),
            "a CR": Bad(second(b"\r"), "2"),
            "first": Bad(File(b"\n" + SOUND), "1"),
        },
        good={"at the end": File(SOUND + b"\n\r\n \n"), "none": File(SOUND * 3)},
    ),
    Proof(
        format_rules.CR_LINE_ENDS,
        bad={
            "two lines": Bad(File(a_file(an_example(), an_example(), end="\r")), "1"),
            "many lines": Bad(File(a_file(an_example(), times=30, end="\r")), "1"),
        },
        good={
            "CRLF": File(a_file(an_example(), times=2, end="\r\n")),
            "one line that ends with CR": File(a_file(an_example(), end="\r")),
        },
    ),
    Proof(
        format_rules.LONE_SURROGATE,
        bad={
            "the first half": refused(saying('"\\ud83d"')),
            "the second half": refused(saying('"a\\ude00b"')),
            "halves in the wrong order": refused(saying('"\\ude00\\ud83d"')),
        },
        good={
            "a pair": second(saying('"\\ud83d\\ude00"')),
            "the text of an escape": second(saying('"\\\\ud83d"')),
        },
    ),
    Proof(
        format_rules.TOO_MANY_VALUES,
        bad={
            "one over": Bad(File(separated(SEPARATORS + 1), WIDE), "1"),
            "all commas": Bad(File(b"," * (2 * SEPARATORS), WIDE), "1"),
        },
        good={
            "many": File(separated(2**16), WIDE),
            "as long a text without any": File(
                saying('"' + (" " * (2**18 - 1) + "x") * 4 + '"'), WIDE
            ),
        },
    ),
    Proof(
        format_rules.BOM_INSIDE,
        bad={
            "joined files": refused(BOM + saying('"?"')),
            "twice at the start": Bad(File(BOM + BOM + SOUND), "1"),
        },
        good={"at the start": File(BOM + SOUND), "in a text": second(saying('"\ufeff"'))},
    ),
    Proof(
        format_rules.NOT_CHECKED,
        bad={
            "a line after three wrong ones": Bad(
                File(SOUND + b"{\n" * 3 + SOUND, THREE), "4", wrong(2, 3, 4)
            ),
            "wrong ones after them": Bad(File(b"{\n" * 9, THREE), "3", wrong(1, 2, 3)),
            "two windows": Bad(
                File((b"{\n" * 4 + b" " * 55 + b"\n") * 2, THREE), "3", wrong(1, 2, 3, 6, 7, 8)
            ),
        },
        good={
            "three wrong ones at the end": Rest(SOUND + b"{\n" * 3),
            "two in each window": Rest((b"{\n" * 2 + b" " * 59 + b"\n") * 4),
        },
    ),
]
