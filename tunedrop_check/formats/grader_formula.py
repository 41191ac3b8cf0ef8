"""The arithmetic that joins the scores of several graders: numbers, names, + - * / ^, parentheses
and eight functions. Source: Azure OpenAI's guide on reinforcement fine-tuning, section on the
multigrader.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

FUNCTIONS = frozenset({"min", "max", "abs", "floor", "ceil", "exp", "sqrt", "log"})
# A limit of ours: a formula of one term for each of a thousand graders fits.
MAX_CHARS = 10_000

_TOKEN = re.compile(
    (
        r"[ "
        r"\t\r\n]*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/^(),]))"
    ),
    re.ASCII,
)


def is_sound(formula: str, names: AbstractSet[str]) -> bool:
    """Whether it is a formula over these names."""
    if len(formula) > MAX_CHARS:
        return False
    reader = _Reader(names)
    return all(reader.take(kind, text) for kind, text in _tokens(formula)) and reader.ended


def _tokens(formula: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token; the kind is "" where there is none."""
    end = len(formula.rstrip(" \t\r\n"))
    place = 0
    while place < end:
        token = _TOKEN.match(formula, place)
        if token is None:
            yield "", ""
            return
        kind = token.lastgroup or ""
        yield kind, token[kind]
        place = token.end()


# A formula is only read, never computed, in one pass and without recursion.
class _Reader:
    """Knows what may come next: a value, an operator, or the parenthesis after a function."""

    def __init__(self, names: AbstractSet[str]) -> None:
        self._names = names
        self._wants = "value"
        self._open: list[str] = []

    @property
    def ended(self) -> bool:
        return self._wants == "operator" and not self._open

    def take(self, kind: str, text: str) -> bool:
        """Take the next token; whether it may stand here."""
        if self._wants == "call":
            return self._opens(text)
        if self._wants == "value":
            return self._value(kind, text)
        if text == ")" and self._open:
            self._open.pop()
            return True
        self._wants = "value"
        return (text == "," and self._open[-1:] == ["call"]) or (kind == "sign" and text in "+-*/^")

    def _value(self, kind: str, text: str) -> bool:
        if kind == "number" or (kind == "name" and text in self._names):
            self._wants = "operator"
            return True
        if kind == "name" and text in FUNCTIONS:
            self._wants = "call"
            return True
        return text in {"+", "-"} or self._opens(text)

    def _opens(self, text: str) -> bool:
        self._open.append("call" if self._wants == "call" else "group")
        self._wants = "value"
        return text == "("
