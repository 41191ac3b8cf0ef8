"""The world of the search tests: made-up values, put together here so that no scanner takes this
file for a leak.
"""

import json
import random
import string

from tunedrop_check.contents.search import blocks

ALPHANUMERIC = string.ascii_letters + string.digits


def made_up(length: int, alphabet: str = ALPHANUMERIC, seed: int = 7) -> str:
    """A value of this length that stands for nothing."""
    return "".join(random.Random(seed).choices(alphabet, k=length))  # noqa: S311


def a_line(text: str, ensure_ascii: bool = False) -> bytes:
    """A raw line with this text in an answer."""
    messages = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": text}]
    return json.dumps({"messages": messages}, ensure_ascii=ensure_ascii).encode(
        "utf-8", "surrogatepass"
    )


def kinds_in(text: str) -> list[str]:
    """The kinds that are found in a text, as it stands in a line."""
    return [hit.kind for hit in blocks.search(a_line(text))]


def codes_in(text: str) -> set[str]:
    """The codes, without their prefix, that are found in a text."""
    return {hit.code.removeprefix("TD-DATA-") for hit in blocks.search(a_line(text))}
