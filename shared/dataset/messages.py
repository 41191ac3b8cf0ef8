"""The rules of one message, in every format: its role, content, weight, name and keys; and where a format keeps its messages.

Findings are yielded, not gathered: a hostile line can hold a million of them.
"""

import re
from collections.abc import Iterator

from . import images, rules
from .findings import Finding, finding
from .models import REINFORCEMENT, BaseModel
from .shapes import Json, JsonObject

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
PROMPTS = ("system", "developer")
"""The roles of the message that tells the model how to behave."""

PREFERRED = "preferred_output"
NON_PREFERRED = "non_preferred_output"
PREFERENCE_KEYS = ("input", PREFERRED, NON_PREFERRED)

_KEYS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "function_call"})
_WEIGHED_KEYS = _KEYS | {"weight"}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def messages_of(example: JsonObject) -> list[JsonObject]:
    """All messages of an example in the order of its fields: of a preference, those of the input and of both outputs."""
    return [*prompt_of(example), *objects_in(example.get(PREFERRED)), *objects_in(example.get(NON_PREFERRED))]


def prompt_of(example: JsonObject) -> list[JsonObject]:
    """The conversation of an example; of a preference, the one that both outputs go on from."""
    if "messages" in example:
        return objects_in(example["messages"])
    prompt = example.get("input")
    return objects_in(prompt.get("messages")) if isinstance(prompt, dict) else []


def objects_in(messages: Json) -> list[JsonObject]:
    """The messages of a field that are objects at all."""
    return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []


def role_of(message: Json) -> str:
    """A message's role where it is a known one, else ""."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) and role in ROLES else ""


def is_zero(weight: Json) -> bool:
    """Whether a weight takes its answer out of training."""
    return isinstance(weight, (int, float)) and not isinstance(weight, bool) and weight == 0


def check_all(place: str, messages: Json, model: BaseModel, weighed: bool = False) -> Iterator[Finding]:
    """What is wrong with each message of a field that must hold some; `weighed` where the format knows weights."""
    if not isinstance(messages, list) or not messages:
        yield finding(rules.MESSAGES_MISSING, place)
        return
    for index, message in enumerate(messages):
        yield from check(f"{place}/{index}", message, model, weighed)


def check(field: str, message: Json, model: BaseModel, weighed: bool) -> Iterator[Finding]:
    """Everything that is wrong with one message."""
    if not isinstance(message, dict):
        yield finding(rules.MESSAGE_NOT_OBJECT, field)
        return
    role = role_of(message)
    if not role:
        yield finding(rules.ROLE_UNKNOWN, f"{field}/role" if "role" in message else field)
    if role == "developer" and REINFORCEMENT not in model.methods:
        yield finding(rules.ROLE_DEVELOPER, f"{field}/role")
    yield from unknown_keys(len(message.keys() - (_WEIGHED_KEYS if weighed else _KEYS)), field)
    yield from _content(field, message, role, model)
    if weighed:
        yield from _weight(f"{field}/weight", message, role)
    yield from _name(field, message, role)


def unknown_keys(number: int, field: str) -> Iterator[Finding]:
    """The finding for so many keys that the format doesn't know."""
    if number:
        yield finding(rules.UNKNOWN_KEY, field, f"{number} unknown key{'s' * (number > 1)} in this object.")


def _content(field: str, message: JsonObject, role: str, model: BaseModel) -> Iterator[Finding]:
    content = message.get("content")
    place = f"{field}/content"
    if content is None:
        calls = role == "assistant" and ("tool_calls" in message or "function_call" in message)
        if not calls:
            yield finding(rules.CONTENT_MISSING, place if "content" in message else field)
    elif isinstance(content, list):
        if role != "user":
            yield finding(rules.CONTENT_TYPE, place)
        elif not content:
            yield finding(rules.CONTENT_EMPTY, place)
        yield from images.check_parts(place, content, role, model)
    elif not isinstance(content, str):
        yield finding(rules.CONTENT_TYPE, place)
    elif not content:
        yield finding(rules.CONTENT_EMPTY, place)


def _weight(place: str, message: JsonObject, role: str) -> Iterator[Finding]:
    if "weight" not in message:
        return
    if role != "assistant":
        yield finding(rules.WEIGHT_PLACE, place)
    weight = message["weight"]
    # True equals 1 in Python, but not in JSON.
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight not in (0, 1):
        yield finding(rules.WEIGHT_VALUE, place)


def _name(field: str, message: JsonObject, role: str) -> Iterator[Finding]:
    if "name" not in message:
        if role == "function":
            yield finding(rules.FUNCTION_NAME, field)
        return
    name = message["name"]
    if not isinstance(name, str):
        yield finding(rules.NAME_TYPE, f"{field}/name")
    elif not _NAME.fullmatch(name):
        yield finding(rules.NAME_CHARACTERS, f"{field}/name")
