"""A walk along the messages of one line with tools or weights, for as long as they are plain."""

import msgspec
from msgspec import UNSET, Raw, UnsetType

from . import lines
from .plain_messages import Assistant, Message, System, Tool, User
from .shapes import Json, JsonObject

MAX_ARGUMENTS = 2**18

_decoder: msgspec.json.Decoder[Json] = msgspec.json.Decoder()
_encode = msgspec.json.encode


class Walk:
    """What a line holds so far: its texts, which are answers, the keys it is written with, and the calls that were made."""

    def __init__(self, declared: frozenset[str], system: str | None = None) -> None:
        """`declared` are the names of tools that are declared; `system` stands in place of the line's system message."""
        self.system = system
        self.texts: list[str] = []
        self.answers: list[int] = []
        self.trained: list[int] = []
        self.keys = 0
        self.learns = False
        self._declared = declared
        self._made: set[str] = set()
        self._waiting: set[str] = set()

    def through(self, messages: list[Message]) -> bool:
        """Go along these messages; whether all of them are plain."""
        texts, waiting = self.texts, self._waiting
        self.keys = 2 * len(messages)
        for message in messages:
            if isinstance(message, Assistant):
                if not self._answer(message):
                    return False
                continue
            if not message.content or (isinstance(message, User) and waiting):
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
        return content != "" and self._calls(calls)

    def _calls(self, written: Raw) -> bool:
        calls = _decoder.decode(written)
        if not isinstance(calls, list) or not calls or not all(map(self._call, calls)):
            return False
        # Calls as these have nothing but texts in them, which are written as the recipe writes them.
        self.texts.append(_encode(calls).decode())
        return True

    def _call(self, call: Json) -> bool:
        if not isinstance(call, dict) or len(call) != 3 or call.get("type") != "function":
            return False
        identity, function = call.get("id"), call.get("function")
        if not isinstance(identity, str) or not identity or not isinstance(function, dict) or len(function) != 2:
            return False
        self._made.add(identity)
        self._waiting.add(identity)
        self.keys += 5
        name, arguments = function.get("name"), function.get("arguments")
        return isinstance(name, str) and name in self._declared and isinstance(arguments, str) and _is_object(arguments)


def example_of(messages: list[Message], system: str | None) -> JsonObject:
    """The messages as they would be decoded without types, with this system message."""
    return {"messages": [_untyped(message, system) for message in messages]}


def _untyped(message: Message, system: str | None) -> Json:
    if isinstance(message, System):
        return {"role": "system", "content": system}
    if isinstance(message, Tool):
        return {"role": "tool", "content": message.content, "tool_call_id": message.tool_call_id}
    if isinstance(message, User):
        return {"role": "user", "content": message.content}
    untyped: JsonObject = {"role": "assistant"}
    if not isinstance(message.content, UnsetType):
        untyped["content"] = message.content
    if not isinstance(message.weight, UnsetType):
        untyped["weight"] = message.weight
    if not isinstance(message.tool_calls, UnsetType):
        untyped["tool_calls"] = _decoder.decode(message.tool_calls)
    return untyped


def _is_object(arguments: str) -> bool:
    if len(arguments) > MAX_ARGUMENTS or arguments.count("{") + arguments.count("[") > lines.MAX_DEPTH:
        return False
    try:
        return isinstance(_decoder.decode(arguments), dict)
    except (msgspec.MsgspecError, ValueError):
        return False
