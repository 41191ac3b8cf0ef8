"""The rules of one message, in every format: its role, content, weight, name and keys."""

import re
from collections.abc import Iterator

from ..models.base_models import REINFORCEMENT, KnownModel
from ..reading.json_types import Json, JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding
from . import images, keys

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# The roles of the message that tells the model how to behave.
PROMPTS = ("system", "developer")

_KEYS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "function_call"})
_WEIGHED_KEYS = _KEYS | {"weight"}
_EMPTY_BESIDE_CALLS = (None, "", "null")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def objects_in(messages: Json) -> list[JsonObject]:
    """The messages of a field that are objects at all."""
    return (
        [message for message in messages if isinstance(message, dict)]
        if isinstance(messages, list)
        else []
    )


def role_of(message: Json) -> str:
    """A message's role where it is a known one, else ""."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) and role in ROLES else ""


def is_zero(weight: Json) -> bool:
    """Whether a weight takes its answer out of training."""
    return isinstance(weight, (int, float)) and not isinstance(weight, bool) and weight == 0


# Findings are yielded, not gathered: a hostile line can hold a million of them.
def check_all(
    place: str, messages: Json, model: KnownModel, weighed: bool = False
) -> Iterator[Finding]:
    """What is wrong with each message of a field that must hold some; `weighed`: with weights."""
    if not isinstance(messages, list) or not messages:
        yield finding(format_rules.MESSAGES_MISSING, place)
        return
    before = ""
    for index, message in enumerate(messages):
        yield from check(f"{place}/{index}", message, model, weighed)
        role = role_of(message)
        if role in PROMPTS and before in PROMPTS:
            yield finding(format_rules.SYSTEM_ROW, f"{place}/{index}")
        before = role


def check(field: str, message: Json, model: KnownModel, weighed: bool) -> Iterator[Finding]:
    """Everything that is wrong with one message."""
    if not isinstance(message, dict):
        yield finding(format_rules.MESSAGE_NOT_OBJECT, field)
        return
    role = role_of(message)
    if not role:
        yield finding(format_rules.ROLE_UNKNOWN, f"{field}/role" if "role" in message else field)
    if role == "developer" and REINFORCEMENT not in model.methods:
        yield finding(format_rules.ROLE_DEVELOPER, f"{field}/role")
    yield from keys.unknown(message, _WEIGHED_KEYS if weighed else _KEYS, field)
    yield from _content(field, message, role, model)
    if weighed:
        yield from _weight(f"{field}/weight", message, role)
    yield from _name(field, message, role)


def _content(field: str, message: JsonObject, role: str, model: KnownModel) -> Iterator[Finding]:
    content = message.get("content")
    place = f"{field}/content"
    if (
        role == "assistant"
        and "tool_calls" in message
        and content in _EMPTY_BESIDE_CALLS
        and "content" in message
    ):
        yield finding(format_rules.CALL_CONTENT, place)
    elif content is None:
        calls = role == "assistant" and ("tool_calls" in message or "function_call" in message)
        if not calls:
            yield finding(format_rules.CONTENT_MISSING, place if "content" in message else field)
    elif isinstance(content, list) and role != "function":
        if not content:
            yield finding(format_rules.CONTENT_EMPTY, place)
        yield from images.check_parts(place, content, role, model)
    elif not isinstance(content, str):
        yield finding(format_rules.CONTENT_TYPE, place)
    elif not content:
        yield finding(format_rules.CONTENT_EMPTY, place)


def text_of(content: Json) -> str | None:
    """The text of a content: itself, or those of its parts in one; None where there is none."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str)) or None


def _weight(place: str, message: JsonObject, role: str) -> Iterator[Finding]:
    if "weight" not in message:
        return
    if role != "assistant":
        yield finding(format_rules.WEIGHT_PLACE, place)
    weight = message["weight"]
    # True equals 1 in Python, but not in JSON.
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or weight not in (0, 1):
        yield finding(format_rules.WEIGHT_VALUE, place)


def _name(field: str, message: JsonObject, role: str) -> Iterator[Finding]:
    if "name" not in message:
        if role == "function":
            yield finding(format_rules.FUNCTION_NAME, field)
        return
    name = message["name"]
    if not isinstance(name, str):
        yield finding(format_rules.NAME_TYPE, f"{field}/name")
    elif not _NAME.fullmatch(name):
        yield finding(format_rules.NAME_CHARACTERS, f"{field}/name")
