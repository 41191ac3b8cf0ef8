"""Chat lines of the common shapes, decoded typed and known to be clean: what nearly all lines of a
good file are.
"""

import functools
import re
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, Raw, UnsetType
from numpy.typing import NDArray

from ..contents import compared_texts
from ..contents.compared_texts import BETWEEN, ComparedTexts
from ..contents.search import blocks
from ..counting import counters, upper_bound
from ..counting.tokens import PER_EXAMPLE, PER_MESSAGE
from ..formats import tools
from ..reading import lines
from ..reading.json_types import Json, JsonObject
from .common_messages import ROLES, Assistant, Message, System, Tool, User
from .message_walk import Walk, compared_texts_of
from .shared_starts import REST, SharedStarts

# Longer lines, in bytes, are for the full check, which bounds what they may hold.
LONGEST = 2**18
KEPT_SHAPES, KEPT_TOOLS = 4096, 64

_NEWLINE, _RETURN, _QUOTE, _COLON, _OPEN, _CLOSE, _BACKSLASH, _U = b'\n\r":{}\\u'
_LAST_BLANK = 0x20  # a byte up to it before a colon is white space
# Bytes before a quote that ends no key: it is escaped, or begins a text. Of keys that end in such a
# byte a plain line has none.
_NO_KEY_BEFORE = np.isin(np.arange(256), list(b"\\:,[ \t\r\n"))
_FEW_BLANKS = 16
_ODD_KEY = re.compile(rb'[\\:,\[ \t\r\n]"[ \t\r\n]*:')

Bytes = NDArray[np.uint8]
Kinds = tuple[type[Message], ...]


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: list[Message]
    tools: Raw | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET


class Shape(msgspec.Struct, frozen=True, eq=False):
    """What lines of one shape have in common.

    Roles; the tokens beside those of the texts; how many texts there are, the system message's not
    among them; for each text a byte that is 1 where it is an answer, and one where it is learnt;
    and the prompt as compared_texts.py writes it, with a place for each text, None where it isn't
    so simple.
    """

    roles: tuple[str, ...]
    frame: int
    size: int
    answers: bytes
    trained: bytes
    prompt: str | None = None


class PlainLines:
    """Plain lines that follow each other: each one's shape and system message, and the other texts
    of all, in order.

    `closely` are those whose shape has no simple prompt; `declared` the tokens of the declarations
    of the lines that have some, by their index; `with_null` the indices of those with null as a
    content beside calls, of which a warning speaks. `block` is all of them as far as it must be
    searched; `ordinary` as in counters.py.
    """

    def __init__(self) -> None:
        self.shapes: list[Shape] = []
        self.systems: list[str | None] = []
        self.texts: list[str] = []
        self.closely: list[_Closely] = []
        self.declared: dict[int, int] = {}
        self.with_null: list[int] = []
        self.block = b""
        self.ordinary = False

    def __len__(self) -> int:
        return len(self.shapes)

    def parts(self) -> Iterator[ComparedTexts]:
        """Those of `closely`."""
        for line in self.closely:
            yield compared_texts_of(line.messages, line.system, line.calls, line.beside)


class _Closely(NamedTuple):
    """What the parts of a line with tools or weights are made of."""

    messages: list[Message]
    system: str | None
    calls: list[list[Any]]
    beside: str


class _Tools(msgspec.Struct, frozen=True):
    """A declaration that is clean: its part in a prompt, its names, its keys and its tokens."""

    value: Json
    beside: str
    names: frozenset[str]
    keys: int
    tokens: int


_NO_TOOLS = _Tools(None, "", frozenset(), 0, 0)
_decoder = msgspec.json.Decoder(_Line)


# A line is plain where every rule of a line would pass over it in silence, so that nothing but its
# tokens is left to look at. What isn't plain, for whatever reason, is for the full check: this
# module makes no finding, and a test holds that it never hides one.
class PlainReader:
    """Finds the plain lines of a file; remembers a bounded number of shapes and declarations."""

    def __init__(self, counter: counters.Counter, longest: int = LONGEST) -> None:
        self._counter = counter
        self._longest = min(longest, LONGEST)
        self._shapes: dict[Kinds, Shape | None] = {}
        self._closer_shapes: dict[tuple[Kinds, int, tuple[int, ...], tuple[int, ...]], Shape] = {}
        self._tools: dict[bytes, _Tools | None] = {}
        self._parallel: dict[bool, int] = {}
        self._starts = SharedStarts(self._system_of)

    @functools.cached_property
    def _role_tokens(self) -> dict[str, int]:
        roles = list(ROLES.values())
        return dict(zip(roles, self._counter.count(roles), strict=True))

    def block(self, block: bytes) -> PlainLines | None:
        """The lines of a block, if all of them are plain and have their line feed."""
        cut = self._starts.cut(block, self._longest)
        block = cut.block
        table = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(table == _NEWLINE)
        if not _one_object_a_line(table, ends) or np.diff(ends, prepend=-1).max() > self._longest:
            return None
        try:
            decoded = _decoder.decode_lines(block)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        found, keys = PlainLines(), 0
        for line, system in zip(decoded, chain(cut.systems, repeat(None)), strict=False):
            own = self._look(line, found, system)
            if not own:
                return None
            keys += own
        if len(found) != len(ends) or keys != _keys_written(table):
            return None
        found.ordinary = not _has_unicode_escapes(table) and counters.is_ordinary(block)
        found.block = block
        return found

    def line(self, line: bytes) -> PlainLines | None:
        """One line, if it is plain."""
        if len(line) > self._longest:
            return None
        found = PlainLines()
        try:
            keys = self._look(_decoder.decode(line), found)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        if not keys or keys != _keys_written(np.frombuffer(line, np.uint8)):
            return None
        return found

    def _system_of(self, start: bytes) -> str | None:
        """The system message of such a start, if it may be cut off as shared_starts.py says."""
        found = self.line(start + REST)
        if (
            found is None
            or found.shapes[0].prompt is None
            or found.shapes[0].roles != ("system", "user", "assistant")
        ):
            return None
        return None if blocks.may_hold(start) else found.systems[0]

    def _look(self, line: _Line, found: PlainLines, system: str | None = None) -> int:
        """Add a line, if it is plain, and answer the number of its keys, else 0; `system` stands in
        place of its system message.
        """
        messages = line.messages
        kinds = tuple(map(type, messages))
        shape = self._shapes[kinds] if kinds in self._shapes else self._shape(kinds)
        if shape is None or line.tools is not UNSET or line.parallel_tool_calls is not UNSET:
            return self._look_closely(line, kinds, found, system)
        texts = [content for message in messages if (content := message.content)]
        if len(texts) < len(kinds):
            return self._look_closely(line, kinds, found, system)
        for message in messages:
            if type(message) is Assistant and (
                message.weight is not UNSET or message.tool_calls is not UNSET
            ):
                return self._look_closely(line, kinds, found, system)
        found.shapes.append(shape)
        if kinds[0] is System:
            found.systems.append(system or texts[0])
            del texts[0]
        else:
            found.systems.append(None)
        found.texts += texts
        return 2 * len(kinds) + 1

    def _shape(self, kinds: Kinds) -> Shape | None:
        """The shape of lines of these messages; None with calls, or for no conversation to learn
        from.
        """
        shape = None
        if Tool not in kinds and _are_conversation(kinds):
            others = kinds[1:] if kinds[0] is System else kinds
            answers = tuple(index for index, kind in enumerate(others) if kind is Assistant)
            prompt = BETWEEN.join(f"{ROLES[kind]}{BETWEEN}%s" for kind in kinds[:-1])
            shape = self._shaped(kinds, len(others), answers, answers, prompt)
        if len(self._shapes) < KEPT_SHAPES:
            self._shapes[kinds] = shape
        return shape

    def _shaped(
        self,
        kinds: Kinds,
        size: int,
        answers: tuple[int, ...],
        trained: tuple[int, ...],
        prompt: str | None = None,
    ) -> Shape:
        roles = tuple(ROLES[kind] for kind in kinds)
        frame = PER_EXAMPLE + sum(PER_MESSAGE + self._role_tokens[role] for role in roles)
        answers_there, trained_there = (
            bytes(index in chosen for index in range(size)) for chosen in (answers, trained)
        )
        return Shape(roles, frame, size, answers_there, trained_there, prompt)

    def _look_closely(
        self, line: _Line, kinds: Kinds, found: PlainLines, system: str | None
    ) -> int:
        """As _look, for a line with tools or weights."""
        declared = self._declared(line.tools)
        if declared is None or not _are_conversation(kinds):
            return 0
        walk = Walk(declared.names, system)
        if not walk.through(line.messages):
            return 0
        if extra := declared.tokens + self._tokens_of_parallel(line.parallel_tool_calls):
            found.declared[len(found)] = extra
        if walk.has_null:
            found.with_null.append(len(found))
        found.closely.append(
            _Closely(line.messages, walk.system, walk.calls, _beside(line, declared))
        )
        found.shapes.append(self._closer_shape(kinds, walk))
        found.systems.append(walk.system)
        found.texts += walk.texts
        return (
            1
            + (line.tools is not UNSET)
            + (line.parallel_tool_calls is not UNSET)
            + declared.keys
            + walk.keys
        )

    def _closer_shape(self, kinds: Kinds, walk: Walk) -> Shape:
        key = (kinds, len(walk.texts), tuple(walk.answers), tuple(walk.trained))
        shape = self._closer_shapes.get(key) or self._shaped(*key)
        if len(self._closer_shapes) < KEPT_SHAPES:
            self._closer_shapes[key] = shape
        return shape

    def _declared(self, declaration: Raw | UnsetType) -> _Tools | None:
        if isinstance(declaration, UnsetType):
            return _NO_TOOLS
        written = bytes(declaration)
        if written not in self._tools:
            if len(self._tools) >= KEPT_TOOLS:
                self._tools.clear()
            self._tools[written] = _clean_tools(written, self._counter)
        return self._tools[written]

    def _tokens_of_parallel(self, value: bool | UnsetType) -> int:
        if isinstance(value, UnsetType):
            return 0
        if value not in self._parallel:
            self._parallel[value] = upper_bound.declared_tokens(
                "parallel_tool_calls", value, self._counter
            )
        return self._parallel[value]


def _are_conversation(kinds: Kinds) -> bool:
    """Whether these messages, the system's only at the start, end with an answer to learn."""
    return User in kinds and kinds[-1] is Assistant and System not in kinds[1:]


def _clean_tools(written: bytes, counter: counters.Counter) -> _Tools | None:
    """What a declaration declares, if nothing is wrong with it."""
    line = lines.decode(b'{"tools":' + written + b"}")
    if (
        line.value is None
        or line.findings
        or any(tools.check_declarations(line.value))
        or _ODD_KEY.search(written)
    ):
        return None
    value, keys = line.value["tools"], (lines.keys_of(line.value) or 1) - 1
    tokens = upper_bound.declared_tokens("tools", value, counter)
    return _Tools(
        value, compared_texts.beside(line.value), tools.declared_in(line.value), keys, tokens
    )


def _beside(line: _Line, declared: _Tools) -> str:
    """What stands beside the messages, as compared_texts.py writes it."""
    if line.parallel_tool_calls is UNSET:
        return declared.beside
    fields: JsonObject = {} if line.tools is UNSET else {"tools": declared.value}
    return compared_texts.beside({**fields, "parallel_tool_calls": line.parallel_tool_calls})


def _one_object_a_line(table: Bytes, ends: NDArray[np.intp]) -> bool:
    """Whether each line feed stands between the end of an object and the start of the next."""
    # With as many objects as lines, each then has a line of its own: between two objects of one
    # line there is no line feed.
    if (
        len(table) < 3
        or not len(ends)
        or ends[0] < 2
        or ends[-1] != len(table) - 1
        or table[0] != _OPEN
    ):
        return False
    before = table[ends - 1]
    before = np.where(before == _RETURN, table[ends - 2], before)
    return bool((before == _CLOSE).all() and (table[ends[:-1] + 1] == _OPEN).all())


def _has_unicode_escapes(table: Bytes) -> bool:
    """Whether there may be a \\uXXXX."""
    return bool(((table[:-1] == _BACKSLASH) & (table[1:] == _U)).any())


def _keys_written(table: Bytes) -> int:
    """The keys that stand in lines, whatever their texts hold; -1 where blanks may hide some."""
    colons = np.flatnonzero(table == _COLON)
    before = table[colons - 1]
    if not _are_close(table, colons[before <= _LAST_BLANK] - 1):
        return -1
    quotes = colons[before == _QUOTE] - 1
    return len(quotes) - int(np.count_nonzero(_NO_KEY_BEFORE[table[quotes - 1]]))


def _are_close(table: Bytes, blanks: NDArray[np.intp]) -> bool:
    """Whether no key ends before these blanks, each of which stands before a colon."""
    for _ in range(_FEW_BLANKS):
        blanks = blanks[blanks > 1]
        if not len(blanks):
            return True
        ends = table[blanks - 1]
        if not _NO_KEY_BEFORE[table[blanks[ends == _QUOTE] - 2]].all():
            return False
        blanks = blanks[ends <= _LAST_BLANK] - 1
    return False
