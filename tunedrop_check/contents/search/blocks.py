"""The search of a block of raw lines for everything that is known, in one pass. A line counts once
for each kind.
"""

import msgspec

from . import characters, privacy, secrets
from .escapes import plain
from .kinds import Kind, Lead
from .patterns import Pattern, compiled

# Everything that is searched for.
KINDS: tuple[Kind, ...] = (*secrets.KINDS, *privacy.KINDS, *characters.KINDS)

# How many characters of a secret a finding shows.
SHOWN = 4


# Nothing that is searched for crosses a line feed, so that what is found in a line doesn't depend
# on the block around it.
class Hit(msgspec.Struct, frozen=True):
    """The first of a kind on a line; `line` counts from 0 in the block, `start` is a secret's,
    masked.
    """

    line: int
    kind: str
    code: str
    start: str


_ESCAPED_ASCII = (Lead("\\", "/", ""), Lead("\\", "u", "00[2-7]"))
_ESCAPED_PAIRS = frozenset({b"\\/", b"\\u"})
_SECRET_CODES = frozenset(kind.rule.code for kind in secrets.KINDS)


def _any_of(leads: tuple[Lead, ...]) -> Pattern:
    return compiled("|".join(lead.pattern for lead in leads))


def _by_pair() -> dict[bytes, tuple[Kind, ...]]:
    table: dict[bytes, tuple[Kind, ...]] = {}
    for kind in KINDS:
        for pair in set[bytes]().union(*(lead.pairs for lead in kind.leads)):
            table[pair] = (*table.get(pair, ()), kind)
    return table


_leads = tuple(lead for kind in KINDS for lead in kind.leads)
_PLAIN = _any_of(_leads)
_RAW = _any_of((*_leads, *_ESCAPED_ASCII))
_KINDS_OF = _by_pair()


def search(block: bytes) -> list[Hit]:
    """What stands in these lines, in their order; lines are separated by line feeds."""
    hits: list[Hit] = []
    escaped = _search(block, _RAW, 0, hits)
    if escaped is not None:
        line, begin = escaped
        while hits and hits[-1].line == line:
            hits.pop()
        _search(plain(block[begin:]), _PLAIN, line, hits)
    return hits


def may_hold(text: bytes) -> bool:
    """Whether there are candidates at all; a text without any has nothing that is searched for."""
    return _RAW.search(text) is not None


def _search(text: bytes, candidates: Pattern, line: int, hits: list[Hit]) -> tuple[int, int] | None:
    """Add the hits to `hits`; stops at a line with escaped ASCII: its number and its begin."""
    begin, end = 0, -1
    found: set[str] = set()
    for candidate in candidates.finditer(text):
        start = candidate.start()
        if start > end:
            line += text.count(b"\n", begin, start)
            begin = text.rfind(b"\n", 0, start) + 1
            end = text.find(b"\n", start)
            end = len(text) if end < 0 else end
            found = set()
        pair = text[start : start + 2]
        if candidates is _RAW and pair in _ESCAPED_PAIRS and _is_escaped_ascii(text, start):
            return line, begin
        for kind in _KINDS_OF[pair]:
            if kind.name not in found and (value := kind.look(text, start)) is not None:
                found.add(kind.name)
                hits.append(
                    Hit(line, kind.name, kind.rule.code, _masked(kind, text[value : value + SHOWN]))
                )
    return None


def _is_escaped_ascii(text: bytes, start: int) -> bool:
    return text[start + 1] == ord("/") or (
        text[start + 2 : start + 4] == b"00" and text[start + 4] in b"234567"
    )


def _masked(kind: Kind, start: bytes) -> str:
    return start.decode("ascii", "replace") if kind.rule.code in _SECRET_CODES else ""
