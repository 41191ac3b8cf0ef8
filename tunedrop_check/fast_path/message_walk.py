"""A walk along the messages of one line with tools or weights, for as long as they are plain."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ..contents import compared_texts
from ..contents.compared_texts import BETWEEN, ComparedTexts
from ..reading import lines
from ..reading.json_types import Json
from .common_messages import Assistant, Message, System, Tool, User

MAX_ARGUMENTS = 2**18

_decoder: msgspec.json.Decoder[Json] = msgspec.json.Decoder()
_encode = msgspec.json.encode


class Walk:
    """What a line holds so far: its texts, which are answers, the calls of each answer that makes
    some (keys sorted), the keys, and whether null stands beside calls as a content.
    """

    def __init__(self, declared: frozenset[str], system: str | None = None) -> None:
        """`declared`: names of declared tools; `system` stands for the line's system message."""
        self.system = system
        self.texts: list[str] = []
        self.answers: list[int] = []
        self.trained: list[int] = []
        self.calls: list[list[Any]] = []
        self.keys = 0
        self.learns = False
        self.has_null = False
        self._declared = declared
        self._made: set[str] = set()
        self._waiting: set[str] = set()

    def through(self, messages: list[Message]) -> bool:
        """Go along these messages; whether all of them are plain."""
        texts, waiting = self.texts, self._waiting
        self.keys = 2 * len(messages)
        for message in messages:
            if waiting and not isinstance(message, Tool):
                return False
            if isinstance(message, Assistant):
                if not self._answer(message):
                    return False
                continue
            if not message.content:
                return False
            if isinstance(message, System):
                self.system = self.system or message.content
                continue
            texts.append(message.content)
            if isinstance(message, Tool):
                identity = message.tool_call_id
                if identity not in self._made:
                    return False
                self.keys += 1
                texts.append(identity)
                waiting.discard(identity)
        return self.learns

    def _answer(self, message: Assistant) -> bool:
        content, weight, calls = message.content, message.weight, message.tool_calls
        if weight is not UNSET:
            self.keys += 1
            if weight not in (0, 1):
                return False
        if weight != 0:
            self.learns = True
        if content:
            self.answers.append(len(self.texts))
            if weight != 0:
                self.trained.append(len(self.texts))
            self.texts.append(content)
        if isinstance(calls, UnsetType):
            return bool(content)
        self.keys += content is not UNSET
        self.has_null |= content is None
        return content not in ("", "null") and self._calls(calls)

    def _calls(self, written: Raw) -> bool:
        calls = _decoder.decode(written)
        made: list[Any] = []
        if (
            not isinstance(calls, list)
            or not calls
            or not all(self._call(call, made) for call in calls)
        ):
            return False
        # Calls as these have nothing but texts in them, which are written as the recipe writes
        # them.
        self.texts.append(_encode(calls).decode())
        self.calls.append(made)
        return True

    def _call(self, call: Json, made: list[Any]) -> bool:
        if not isinstance(call, dict) or len(call) != 3 or call.get("type") != "function":
            return False
        identity, function = call.get("id"), call.get("function")
        if (
            not isinstance(identity, str)
            or not identity
            or not isinstance(function, dict)
            or len(function) != 2
        ):
            return False
        self._made.add(identity)
        self._waiting.add(identity)
        self.keys += 5
        name, arguments = function.get("name"), function.get("arguments")
        made.append(
            {"function": {"arguments": arguments, "name": name}, "id": identity, "type": "function"}
        )
        return (
            isinstance(name, str)
            and name in self._declared
            and isinstance(arguments, str)
            and _is_object(arguments)
        )


class _Result(msgspec.Struct):
    """A tool's message as a prompt has it: keys sorted, as in compared_texts.py."""

    content: str
    role: str
    tool_call_id: str


class _Answer(msgspec.Struct):
    """An answer with calls or a weight as a prompt has it."""

    content: str | UnsetType | None
    role: str
    tool_calls: list[Any] | UnsetType
    weight: int | UnsetType


def compared_texts_of(
    messages: list[Message], system: str | None, calls: list[list[Any]], fields: str
) -> ComparedTexts:
    """What compared_texts_of says of plain messages with this system message and these calls,
    beside which stand these fields.
    """
    *before, answer = messages
    made = iter(calls)
    texts: list[str] = []
    for message in before:
        if isinstance(message, Assistant):
            texts += _answered(message, made)
        elif isinstance(message, User):
            texts += ("user", message.content)
        elif isinstance(message, Tool):
            texts.append(_encode(_Result(message.content, "tool", message.tool_call_id)).decode())
        else:
            texts += ("system", compared_texts.mark(system or message.content))
    if fields:
        texts.append(fields)
    prose = answer.content or ""
    if isinstance(answer, Assistant) and answer.tool_calls is not UNSET:
        return ComparedTexts(BETWEEN.join(texts), _answered(answer, made)[0], prose)
    return ComparedTexts(BETWEEN.join(texts), prose, prose)


def _answered(message: Assistant, made: Iterator[list[Any]]) -> tuple[str, ...]:
    if message.tool_calls is UNSET and message.weight is UNSET:
        return ("assistant", message.content or "")
    calls = UNSET if message.tool_calls is UNSET else next(made)
    return (_encode(_Answer(message.content, "assistant", calls, message.weight)).decode(),)


def _is_object(arguments: str) -> bool:
    if (
        len(arguments) > MAX_ARGUMENTS
        or arguments.count("{") + arguments.count("[") > lines.MAX_DEPTH
    ):
        return False
    try:
        return isinstance(_decoder.decode(arguments), dict)
    except (msgspec.MsgspecError, ValueError):
        return False
