"""A walk along the messages of one line with tools or weights, for as long as they are plain."""

import msgspec
from msgspec import UNSET, Raw, UnsetType

from . import lines
from .plain_messages import Assistant, Message, System, Tool
from .shapes import Json
from .tokens import compact_json

MAX_ARGUMENTS = 2**18

_decoder = msgspec.json.Decoder()


class Walk:
    """What a line holds so far: its texts, which are answers, the keys it is written with, and the calls that were made."""

    def __init__(self, declared: frozenset[str]) -> None:
        self.system: str | None = None
        self.texts: list[str] = []
        self.answers: list[int] = []
        self.trained: list[int] = []
        self.keys = 0
        self.learns = False
        self._declared = declared
        self._made: set[str] = set()
        self._waiting: set[str] = set()

    def take(self, message: Message) -> bool:
        """Take the next message; whether it is plain."""
        self.keys += 2
        if isinstance(message, Assistant):
            return self._answer(message)
        if isinstance(message, System):
            self.system = message.content
            return message.content != ""
        self.texts.append(message.content)
        if isinstance(message, Tool):
            self.keys += 1
            self.texts.append(message.tool_call_id)
            self._waiting.discard(message.tool_call_id)
            return message.content != "" and message.tool_call_id in self._made
        return message.content != "" and not self._waiting

    def _answer(self, message: Assistant) -> bool:
        self._content(message)
        self.learns = self.learns or message.weight != 0
        self.keys += message.weight is not UNSET
        if message.weight is not UNSET and message.weight not in (0, 1):
            return False
        if isinstance(message.tool_calls, UnsetType):
            return bool(message.content)
        self.keys += 1
        return message.content != "" and self._calls(message.tool_calls)

    def _content(self, message: Assistant) -> None:
        if isinstance(message.content, str):
            self.answers.append(len(self.texts))
            if message.weight != 0:
                self.trained.append(len(self.texts))
            self.texts.append(message.content)
        elif message.content is UNSET:
            self.keys -= 1

    def _calls(self, written: Raw) -> bool:
        calls: Json = _decoder.decode(written)
        if not isinstance(calls, list) or not calls:
            return False
        self.texts.append(compact_json(calls))
        return all(map(self._call, calls))

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


def _is_object(arguments: str) -> bool:
    if len(arguments) > MAX_ARGUMENTS or arguments.count("{") + arguments.count("[") > lines.MAX_DEPTH:
        return False
    try:
        return isinstance(_decoder.decode(arguments), dict)
    except (msgspec.MsgspecError, ValueError):
        return False
