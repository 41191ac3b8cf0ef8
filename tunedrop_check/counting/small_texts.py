"""The counter of small texts: tiktoken with no other tokens than those that are parts of them.

Byte-pair encoding asks its vocabulary for parts of the text and for nothing else, so what is no
part of the texts changes no count. A table of some thousand tokens is built in 0.03 s, the whole
one in 0.3 s, which is most of the time that a check of a small file would take.
"""

import functools
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING

from . import counters, vocabulary

if TYPE_CHECKING:
    import tiktoken

# From about twice as much on, the whole table is built as fast as one of its parts is chosen.
SMALL_BYTES = 2**15
# So many small tables a process builds for an encoding; then the whole one has paid.
MAX_TABLES = 8

# Tokens are chosen by so many first bytes: those that eight characters of base64 hold.
_HEAD_BYTES = 6
_head = itemgetter(slice(8))
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def small_counter(encoding_name: str, size: int) -> "SmallCounter | None":
    """The counter for the texts of so many bytes; None where the counter of any text is as good."""
    if size > SMALL_BYTES or counters.is_built(encoding_name):
        return None
    return SmallCounter(encoding_name)


class SmallCounter:
    """Counts as tiktoken does; fastest where it was told before what the texts are taken from."""

    def __init__(self, encoding_name: str, tables: "Tables | None" = None) -> None:
        self._name = encoding_name
        self._tables = tables
        self._known = b""
        self._encoding: tiktoken.Encoding | None = None

    def expect(self, block: bytes) -> None:
        """Raw lines from which most of the texts to come are taken."""
        text = _ESCAPE.sub(_unescaped, block.decode("utf-8", "replace"))
        self._learn([counters.whole_characters(text).encode()])

    def count(self, texts: Sequence[str], ordinary: bool = False) -> list[int]:
        """Tokens of each text."""
        if not any(texts):
            return [0] * len(texts)
        utf8 = [counters.whole_characters(text).encode() for text in texts]
        if unknown := [text for text in utf8 if text not in self._known]:
            self._learn(unknown)
        encoding = self._encoding or self._built()
        if encoding is None:
            return counters.counter(self._name).count(texts, ordinary)
        return [len(encoding.encode_ordinary(text)) for text in texts]

    def _learn(self, texts: Sequence[bytes]) -> None:
        self._known = b"\n".join((self._known, *texts))
        self._encoding = None

    def _built(self) -> "tiktoken.Encoding | None":
        """The encoding for all that is known; None where the counter of any text is as good."""
        tables = self._tables or _shared(self._name)
        if tables.left <= 0 or len(self._known) > 2 * SMALL_BYTES:
            _shared.cache_clear()  # some 20 MB, which will not be needed again
            return None
        self._encoding = vocabulary.encoding_of(self._name, tables.parts_of(self._known))
        return self._encoding


class Tables:
    """The tokens of a vocabulary in base64, as its file has them, and the beginning of each;
    `left` is how many small tables may still be made of them.
    """

    def __init__(self, encoding_name: str, left: int = MAX_TABLES) -> None:
        self.left = left
        self._tokens = vocabulary.tokens_in_base64(encoding_name)
        self._heads = list(map(_head, self._tokens))

    def parts_of(self, text: bytes) -> dict[bytes, int]:
        """The tokens that are parts of the text, with their ranks."""
        self.left -= 1
        sizes = range(1, _HEAD_BYTES + 1)
        heads = {
            text[start : start + size] for size in sizes for start in range(len(text) - size + 1)
        }
        in_base64 = {b2a_base64(head, newline=False) for head in heads}
        likely = compress(enumerate(self._tokens), map(in_base64.__contains__, self._heads))
        found = ((a2b_base64(token), rank) for rank, token in likely)
        return {token: rank for token, rank in found if len(token) <= _HEAD_BYTES or token in text}


_shared = functools.cache(Tables)


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _SHORT.get(found[2], found[2])
