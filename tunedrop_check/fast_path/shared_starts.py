"""Starts that many lines share: a system message is often the same in all of them, and longer than
the rest of the line.

A known start is cut off before its lines are decoded and searched, and a short one put in its
place. Nothing is lost by that:

- A start is learnt from a line only if it is plain with another rest, too, and that rest only adds
  messages. JSON is read from left to right, so every rest goes on from the same place; the keys of
  a start and of its stand-in are the same in number.
- Nothing that is searched for begins in it, and a candidate that begins after it is looked at no
  further back than to a quote.
- The length that is held to a limit is that of the whole line.
"""

from collections.abc import Callable

import msgspec

STAND_IN = b'{"messages":[{"role":"system","content":"-"},'
# With it, a start must make a plain line of three messages.
REST = b'{"role":"user","content":"-"},{"role":"assistant","content":"-"}]}'

_END = b'"},'
_GOES_ON = (b'{"', b' {"')
_SHORTEST = 4 * len(STAND_IN)
_KEPT = 16
# How many starts of a block are tried: where each line has one of its own, that must not cost much.
_TRIES = 16


class Start(msgspec.Struct, frozen=True, eq=False):
    """How lines begin: as written, with the comma at its end, and the system message in it."""

    written: bytes
    system: str


class Cut(msgspec.Struct, frozen=True):
    """A block whose lines have lost their known starts: `systems` are the messages that stood in
    them; None, or the end of `systems`, is for a line that is whole.
    """

    block: bytes
    systems: list[str | None]


class SharedStarts:
    """The starts that a file's lines were seen to share, a bounded number."""

    def __init__(self, read: Callable[[bytes], str | None]) -> None:
        # Tells a start's system message, if it may be cut off.
        self._read = read
        self._known: list[Start] = []
        self._written: tuple[bytes, ...] = ()

    def cut(self, block: bytes, longest: int) -> Cut:
        """The block without known starts; lines of more than `longest` bytes keep theirs."""
        pieces: list[bytes] = []
        systems: list[str | None] = []
        taken = begin = 0
        tries = _TRIES
        start: Start | None = None
        while begin < len(block):
            if start is None or not block.startswith(start.written, begin):
                start = self._at(block, begin)
                if start is None and tries:
                    tries -= 1
                    start = self._learn(block, begin)
                    if not tries and not self._known:
                        break
            end = block.find(b"\n", begin + len(start.written) if start else begin) + 1 or len(
                block
            )
            is_cut = start is not None and end - begin <= longest
            if start and is_cut:
                pieces += (block[taken:begin], STAND_IN)
                taken = begin + len(start.written)
            systems.append(start.system if start and is_cut else None)
            begin = end
        return Cut(b"".join((*pieces, block[taken:])) if pieces else block, systems)

    def _at(self, block: bytes, begin: int) -> Start | None:
        if not block.startswith(self._written, begin):
            return None
        return next(start for start in self._known if block.startswith(start.written, begin))

    def _learn(self, block: bytes, begin: int) -> Start | None:
        end = block.find(_END, begin, block.find(b"\n", begin)) + len(_END)
        if end - begin < _SHORTEST or not block.startswith(_GOES_ON, end):
            return None
        written = block[begin:end]
        system = self._read(written)
        if system is None:
            return None
        start = Start(written, system)
        self._known = [start, *self._known[: _KEPT - 1]]
        self._written = tuple(known.written for known in self._known)
        return start
