"""The rules of one example for supervised fine-tuning: its messages, their roles, contents, weights and names.

Findings are yielded, not gathered: a hostile line can hold a million of them.
"""

import re
from collections.abc import Iterator

from . import images, rules, tools
from .findings import Finding, finding
from .models import BaseModel
from .shapes import Json, JsonObject

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
PREFERENCE_KEYS = ("input", "preferred_output", "non_preferred_output")
LINE_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions", "function_call"})
MESSAGE_KEYS = frozenset({"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call"})

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check(example: JsonObject, model: BaseModel) -> Iterator[Finding]:
    """Everything that is wrong with an example, in the order of its fields."""
    yield from _line_keys(example)
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        yield finding(rules.MESSAGES_MISSING, "/messages" if "messages" in example else "")
    else:
        for index, message in enumerate(messages):
            yield from _message(f"/messages/{index}", message, model)
        yield from _conversation([message for message in messages if isinstance(message, dict)], messages[-1])
        yield from images.check_number(messages)
    yield from tools.check(example)


def role_of(message: Json) -> str:
    """A message's role where it is a known one, else ""."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) and role in ROLES else ""


def _line_keys(example: JsonObject) -> Iterator[Finding]:
    foreign = [key for key in PREFERENCE_KEYS if key in example]
    if foreign and "messages" in example:
        yield finding(rules.OTHER_FORMAT_KEY, message=f"The line has {', '.join(foreign)} beside messages.")
    yield from _unknown_keys(len(example.keys() - LINE_KEYS - set(PREFERENCE_KEYS)), "")


def _unknown_keys(number: int, field: str) -> Iterator[Finding]:
    if number:
        yield finding(rules.UNKNOWN_KEY, field, f"{number} unknown key{'s' * (number > 1)} in this object.")


def _message(field: str, message: Json, model: BaseModel) -> Iterator[Finding]:
    if not isinstance(message, dict):
        yield finding(rules.MESSAGE_NOT_OBJECT, field)
        return
    role = role_of(message)
    if not role:
        yield finding(rules.ROLE_UNKNOWN, f"{field}/role" if "role" in message else field)
    if role == "developer":
        yield finding(rules.ROLE_DEVELOPER, f"{field}/role")
    yield from _unknown_keys(len(message.keys() - MESSAGE_KEYS), field)
    yield from _content(field, message, role, model)
    yield from _weight(f"{field}/weight", message, role)
    yield from _name(field, message, role)


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


def _conversation(messages: list[JsonObject], last: Json) -> Iterator[Finding]:
    roles = [role_of(message) for message in messages]
    if "user" not in roles:
        yield finding(rules.NO_USER, "/messages")
    answers = [message for message, role in zip(messages, roles, strict=True) if role == "assistant"]
    if not answers:
        yield finding(rules.NO_ASSISTANT, "/messages")
    elif role_of(last) != "assistant":
        yield finding(rules.LAST_NOT_ASSISTANT, "/messages")
    if answers and all(_is_zero(message.get("weight", 1)) for message in answers):
        yield finding(rules.NOTHING_TO_LEARN, "/messages")


def _is_zero(weight: Json) -> bool:
    return isinstance(weight, (int, float)) and not isinstance(weight, bool) and weight == 0
