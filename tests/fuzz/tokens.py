"""The fast counter against tiktoken: hostile strings, and every code point in six contexts.

    python -m tests.fuzz.tokens --strings 1000000      # and all code points; about a minute
    python -m tests.fuzz.tokens --write                # writes
    tunedrop_check/counting/newer_letters.py anew, from bare toktok

It prints what it compared and the first differences, and exits with 1 where there are any.
"""

import argparse
import importlib.metadata
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from pathlib import Path

import toktok  # pyright: ignore[reportMissingTypeStubs]

from tunedrop_check.counting import counters, newer_letters, vocabulary

CONTEXTS = ("{}", "x{}", "{}x", "x{}'S", " {}a", "1{}1")
CODE_POINTS = (*range(0xD800), *range(0xE000, 0x110000))
PIECES = (
    *(
        "'s",
        "'S",
        "'ll",
        "'RE",
        "'",
        "\u2019s",
        "\u0130",
        "\u0131",
        "\u00df",
        "\ufb01",
        "\u01c5",
        "\u02b0",
        "\u2167",
        "\u00bd",
    ),
    *(
        "\u0661\u0662\u0663",
        "\u0301",
        "\u200d",
        "\ufe0f",
        "\ufffd",
        "\u00a0",
        "\u3000",
        "\u2028",
        "\u2026",
        "\u3002",
        "\ud800",
        "\udc00",
    ),
    *(
        "\r\n",
        "\n",
        "\r",
        "\t",
        "  ",
        "   ",
        "\x00",
        "\x1b[0m",
        "/",
        "//",
        "!",
        "<|endoftext|>",
        "<|im_start|>",
        "\ud83d\ude00",
    ),
    *(
        "\U0001f468\u200d\U0001f469",
        "\U0001f1eb\U0001f1f7",
        "字",
        "ひらがな",
        "한국어",
        "สวัสดี",
        "नमस्ते",
        "שלום",
        "مرحبا",
        "Привет",
    ),
    *(
        "the",
        "The",
        "THE",
        "camelCase",
        "snake_case",
        "0",
        "12",
        "123",
        "1234",
        "3.14",
        "def f(x):",
        "https://example.com/a?b=c",
    ),
    *(chr(first) for first, _ in newer_letters.NEWER_LETTERS),
)


def strings(number: int, seed: int) -> Iterator[str]:
    """Hostile strings: pieces in which tokenizers have differed, and any code points
    between them.
    """
    draw = random.Random(seed)  # noqa: S311
    for _ in range(number):
        parts = draw.choices(PIECES, k=draw.randint(1, 12))
        if draw.random() < 0.5:
            parts.insert(draw.randrange(len(parts) + 1), chr(draw.randrange(0x110000)))
        yield draw.choice(("", "", " ", "a")).join(parts)


def code_points(step: int = 1) -> Iterator[str]:
    """Every code point but the surrogates, or every so many, in each of the contexts."""
    for code in CODE_POINTS[::step]:
        yield from (context.format(chr(code)) for context in CONTEXTS)


def differences(
    texts: Iterable[str], encoding_name: str, counter: counters.Counter
) -> Iterator[str]:
    """The texts that a counter does not count as tiktoken does."""
    reference = vocabulary.encoding(encoding_name)
    for batch in batched(texts, 10_000, strict=False):
        exact = [len(reference.encode_ordinary(text)) for text in batch]
        yield from (
            text
            for text, found, wanted in zip(batch, counter.count(batch), exact, strict=True)
            if found != wanted
        )


class BareToktok:
    """toktok without our routing."""

    def __init__(self, encoding_name: str) -> None:
        self._encoding_name = encoding_name

    def count(self, texts: Sequence[str], ordinary: bool = False) -> list[int]:
        """Tokens of each text."""
        return toktok.batch_count(texts, self._encoding_name, 1)


def write() -> None:
    """Write the module of newer letters from what bare toktok counts otherwise."""
    newer: set[int] = set()
    for name in vocabulary.DEFINITIONS:
        for context in CONTEXTS:
            place = context.index("{")
            newer |= {
                ord(text[place])
                for text in differences(
                    (context.format(chr(c)) for c in CODE_POINTS), name, BareToktok(name)
                )
            }
    ranges: list[list[int]] = []
    for code in sorted(newer):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    probed = {package: importlib.metadata.version(package) for package in ("tiktoken", "toktok-rs")}
    rows = "".join(f"    (0x{first:X}, 0x{last:X}),\n" for first, last in ranges)
    versions = ", ".join(f'"{package}": "{version}"' for package, version in probed.items())
    Path(newer_letters.__file__).write_text(
        '"""Letters that the fast counter does not know for letters. Generated: `python -m '
        'tests.fuzz.tokens --write`; don\'t edit."""\n\n'
        f'PROBED = {{{versions}}}\n"""The versions that were compared."""\n\n'
        f'NEWER_LETTERS = (\n{rows})\n"""Inclusive ranges of code points, each of which '
        'changes a count somewhere."""\n',
        encoding="utf-8",
    )


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--strings", type=int, default=100_000, help="how many strings")
    parser.add_argument("--every", type=int, default=1, help="only each so-manyth code point")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write newer_letters.py instead")
    wanted = parser.parse_args()
    if wanted.write:
        write()
        return 0
    bad = 0
    for name in vocabulary.DEFINITIONS:
        counter = counters.counter(name)
        found = [
            *differences(strings(wanted.strings, wanted.seed), name, counter),
            *differences(code_points(wanted.every), name, counter),
        ]
        bad += len(found)
        compared = wanted.strings + len(CONTEXTS) * len(CODE_POINTS[:: wanted.every])
        print(
            f"{name}: {type(counter).__name__}, {compared:,} texts compared, {len(found)} differ",
            *map(ascii, found[:20]),
        )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
