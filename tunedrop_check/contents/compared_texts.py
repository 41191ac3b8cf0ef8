"""What an example asks and what it answers, as texts by which examples are compared."""

import functools
import hashlib
from typing import NamedTuple

import msgspec

from ..formats.messages import PROMPTS, text_of
from ..reading.json_types import Json, JsonObject

# Separates the texts of a prompt or an answer.
BETWEEN = "\x1e"

_KEPT_CHARACTERS = 2**14
_encode = msgspec.json.Encoder(order="sorted").encode


class ComparedTexts(NamedTuple):
    """The prompt, the answer, and what of the answer is prose to learn: "" where there is none."""

    prompt: str
    answer: str
    learnt: str


def of_chat(example: JsonObject) -> ComparedTexts:
    """Those of an example whose messages are in `messages`: its last assistant message is the
    answer; where the user has the last word, the fields that a grader reads are.
    """
    messages = example.get("messages")
    if not isinstance(messages, list) or not messages:
        return of_another(example)
    fields = beside({key: value for key, value in example.items() if key != "messages"})
    return _of_chat(messages, fields)


def of_another(example: JsonObject) -> ComparedTexts:
    """Those of a line that has no messages where its format has some: all of it is the prompt."""
    return ComparedTexts(as_json(example), "", "")


def beside(fields: JsonObject) -> str:
    """What stands beside the messages of a chat, as a prompt ends with it; "" for nothing."""
    return as_json(fields) if fields else ""


def _of_chat(messages: list[Json], fields: str) -> ComparedTexts:
    """The parts of a chat of these messages, beside which stand these fields."""
    answer = _answer_of(messages)
    texts = _texts([message for message in messages if message is not answer])
    if answer is None:
        return ComparedTexts(BETWEEN.join(texts), fields, "")
    learnt = prose(answer)
    is_text = learnt and answer.keys() <= {"role", "content", "weight"}
    return ComparedTexts(
        BETWEEN.join((*texts, fields)) if fields else BETWEEN.join(texts),
        learnt if is_text else as_json(answer),
        learnt,
    )


def _answer_of(messages: list[Json]) -> JsonObject | None:
    """The last assistant message; None where the user has the last word."""
    for message in reversed(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if isinstance(message, dict) and role == "assistant":
            return message
        if role == "user":
            # A grader gets the answer then.
            return None
    return None


def mark(system: str) -> str:
    """What stands for a system message in a prompt: 64 bits of its SHA-256."""
    # It is often the same in all lines, and longer than the rest.
    return _mark(system) if len(system) <= _KEPT_CHARACTERS else _mark.__wrapped__(system)


@functools.lru_cache(1024)
def _mark(system: str) -> str:
    return hashlib.sha256(system.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _texts(messages: list[Json]) -> list[str]:
    texts: list[str] = []
    for message in messages:
        if isinstance(message, dict) and len(message) == 2:
            role, content = message.get("role"), message.get("content")
            if isinstance(role, str) and isinstance(content, str):
                texts += (role, mark(content) if role in PROMPTS else content)
                continue
        texts.append(as_json(message))
    return texts


def prose(message: Json) -> str:
    """The text of a message; "" where it has none."""
    return text_of(message.get("content")) or "" if isinstance(message, dict) else ""


def as_json(value: Json) -> str:
    """A value as it is compared: keys are sorted, since their order in the file says nothing."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return repr(value)
