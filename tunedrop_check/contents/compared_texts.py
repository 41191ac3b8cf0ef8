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


def compared_texts_of(example: JsonObject) -> ComparedTexts:
    """The parts of an example of any format; whatever is no message of the expected shape stands as
    its JSON.

    The answer of a chat is its last assistant message, of a preference both outputs, of which the
    preferred one is learnt, and of a task for reinforcement the fields that its grader reads.
    """
    # The keys of that JSON are sorted: their order in the file says nothing.
    messages = example.get("messages")
    if isinstance(messages, list) and messages:
        return _of_chat(
            messages, beside({key: value for key, value in example.items() if key != "messages"})
        )
    preferred, other = example.get("preferred_output"), example.get("non_preferred_output")
    if preferred is None:
        return ComparedTexts(_json(example), "", "")
    learnt = preferred[-1] if isinstance(preferred, list) and preferred else None
    return ComparedTexts(
        _json(example.get("input")), BETWEEN.join((_json(preferred), _json(other))), _prose(learnt)
    )


def beside(fields: JsonObject) -> str:
    """What stands beside the messages of a chat, as a prompt ends with it; "" for nothing."""
    return _json(fields) if fields else ""


def _of_chat(messages: list[Json], fields: str) -> ComparedTexts:
    """The parts of a chat of these messages, beside which stand these fields."""
    answer = _answer_of(messages)
    texts = _texts([message for message in messages if message is not answer])
    if answer is None:
        return ComparedTexts(BETWEEN.join(texts), fields, "")
    learnt = _prose(answer)
    is_text = learnt and answer.keys() <= {"role", "content", "weight"}
    return ComparedTexts(
        BETWEEN.join((*texts, fields)) if fields else BETWEEN.join(texts),
        learnt if is_text else _json(answer),
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
        texts.append(_json(message))
    return texts


def _prose(message: Json) -> str:
    return text_of(message.get("content")) or "" if isinstance(message, dict) else ""


def _json(value: Json) -> str:
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return repr(value)
