"""Counters of tokens: the fastest exact one where its wheel exists, tiktoken as reference and
fallback.
"""

import functools
import re
import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from . import vocabulary
from .newer_letters import NEWER_LETTERS, PROBED

_LONG_TEXT = 2**18
_MANY_TEXTS = 1024
_building = threading.Lock()
_BUILT: dict[str, "Counter"] = {}


# toktok knows an older Unicode than tiktoken: a text with one of NEWER_LETTERS goes to tiktoken,
# and so does one with lone surrogates, which toktok refuses. Both facts were probed for the two
# versions that newer_letters.py names; with any other version of either, tiktoken counts
# everything.
@functools.cache
def _newer() -> re.Pattern[str]:
    return re.compile(
        "["
        + "".join(f"{chr(first)}-{chr(last)}" for first, last in NEWER_LETTERS)
        + "\ud800-\udfff]"
    )


@functools.cache
def _seconds() -> dict[int, NDArray[np.bool_]]:
    """By the first byte of such a letter: which second bytes one may have."""
    prefixes = {
        tuple(chr(letter).encode()[:2])
        for first, last in NEWER_LETTERS
        for letter in range(first, last + 1)
    }
    return {
        lead: np.isin(np.arange(256), [second for first, second in prefixes if first == lead])
        for lead, _ in prefixes
    }


class Counter(Protocol):
    """Counts the tokens of texts; every counter gives tiktoken's figures."""

    def count(self, texts: Sequence[str], ordinary: bool = False) -> list[int]:
        """Tokens of each text, special tokens read as plain text, lone surrogates as U+FFFD.

        `ordinary`: the caller knows by is_ordinary that no text needs a look of its own.
        """
        ...


class TiktokenCounter:
    """The reference counter."""

    def __init__(self, encoding_name: str) -> None:
        self._encoding = vocabulary.encoding(encoding_name)

    def count(self, texts: Sequence[str], ordinary: bool = False) -> list[int]:
        """Tokens of each text."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> int:
        if len(text) < _LONG_TEXT:
            return len(self._encoding.encode_ordinary(text))
        # A list of millions of tokens would take ten times the text; the array takes no more than
        # it.
        return len(self._encoding.encode_to_numpy(whole_characters(text), disallowed_special=()))


class FastCounter:
    """toktok on one thread; what it could count otherwise than tiktoken goes to tiktoken."""

    def __init__(self, encoding_name: str) -> None:
        import toktok  # pyright: ignore[reportMissingTypeStubs]  # 0.3 s, vocabularies included

        self._batch_count = toktok.batch_count
        self._encoding_name = encoding_name

    def count(self, texts: Sequence[str], ordinary: bool = False) -> list[int]:
        """Tokens of each text."""
        foreign = [] if ordinary else [text for text in texts if not text.isascii()]
        if foreign and not _are_ordinary(foreign):
            return self._apart(texts)
        return (
            self._by_script(texts)
            if len(texts) >= _MANY_TEXTS
            else self._batch_count(texts, self._encoding_name, 1)
        )

    def _by_script(self, texts: Sequence[str]) -> list[int]:
        """Texts of one script after the other."""
        # The first character tells the script well enough.
        # The parts of the tables that a script needs then stay in the processor's cache.
        scripts = np.array(
            [0 if text.isascii() else 1 + (ord(text[0]) >> 7) for text in texts], np.uint16
        )
        order = np.argsort(scripts, kind="stable")
        indexes: list[int] = order.tolist()
        counts = np.empty(len(texts), np.int64)
        counts[order] = self._batch_count(
            [texts[index] for index in indexes], self._encoding_name, 1
        )
        return counts.tolist()

    def _apart(self, texts: Sequence[str]) -> list[int]:
        exact = {
            index
            for index, text in enumerate(texts)
            if not text.isascii() and _newer().search(text)
        }
        rest = [text for index, text in enumerate(texts) if index not in exact]
        fast, reference = (
            iter(self._batch_count(rest, self._encoding_name, 1)),
            TiktokenCounter(self._encoding_name),
        )
        return [
            reference.count([text])[0] if index in exact else next(fast)
            for index, text in enumerate(texts)
        ]


def whole_characters(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced by U+FFFD, as tiktoken
    reads it.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_ordinary(utf8: bytes) -> bool:
    """A quick look: whether this text certainly holds none of NEWER_LETTERS."""
    if utf8.isascii():
        return True
    # Told by the first two bytes of their UTF-8.
    table = np.frombuffer(utf8, np.uint8)
    there = (lead for lead in _seconds() if lead in utf8)
    return not any(
        _seconds()[lead][table[np.flatnonzero(table == lead) + 1]].any() for lead in there
    )


def _are_ordinary(texts: Sequence[str]) -> bool:
    try:
        return is_ordinary("".join(texts).encode())
    except UnicodeEncodeError:
        return False


def counter(encoding_name: str) -> Counter:
    """The counter to use for an encoding: built once per process.

    Raises:
        LookupError: The name is not one of vocabulary.DEFINITIONS.
        VocabularyDamaged: tiktoken counts, and the package's vocabulary is damaged.
    """
    # The first threads of a scan come at once, and each would build its own.
    with _building:
        if encoding_name not in vocabulary.DEFINITIONS:
            raise LookupError(encoding_name)
        if encoding_name not in _BUILT:
            _BUILT[encoding_name] = (
                FastCounter(encoding_name) if is_fast() else TiktokenCounter(encoding_name)
            )
        return _BUILT[encoding_name]


def is_built(encoding_name: str) -> bool:
    """Whether this process has such a counter already."""
    return encoding_name in _BUILT


def is_fast() -> bool:
    """Whether the fast counter is here, in the version that was probed against the tiktoken that is
    here.
    """
    import tiktoken  # 0.05 s, as above

    try:
        import toktok  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        return False
    fast: str = toktok.__version__  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return {"tiktoken": tiktoken.__version__, "toktok-rs": fast} == PROBED
