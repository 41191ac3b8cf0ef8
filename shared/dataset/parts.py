"""What an example asks and what it answers, as texts by which examples are compared."""

from typing import NamedTuple

import msgspec

from .shapes import Json, JsonObject

BETWEEN = "\x1e"
"""Separates the texts of a prompt or an answer."""

_encode = msgspec.json.encode


class Parts(NamedTuple):
    """The prompt, the answer, and what of the answer is prose to learn: "" where there is none, as in a call."""

    prompt: str
    answer: str
    learnt: str


def parts_of(example: JsonObject) -> Parts:
    """The parts of an example of any format; whatever is no message of the expected shape stands as its JSON.

    The answer of a chat is its last assistant message, of a preference both outputs, of which the preferred one is learnt, and of a
    task for reinforcement the fields that its grader reads.
    """
    messages = example.get("messages")
    if isinstance(messages, list) and messages:
        return _of_chat(example, messages)
    prompt, preferred, other = (example.get(key) for key in ("input", "preferred_output", "non_preferred_output"))
    if preferred is None:
        return Parts(_json(example), "", "")
    learnt = preferred[-1] if isinstance(preferred, list) and preferred else None
    return Parts(_json(prompt), BETWEEN.join((_json(preferred), _json(other))), _prose(learnt))


def _of_chat(example: JsonObject, messages: list[Json]) -> Parts:
    last = len(messages) - 1
    while last >= 0 and not _is_assistant(messages[last]):
        last -= 1
    fields = "" if len(example) == 1 else _json({key: value for key, value in example.items() if key != "messages"})
    if last < 0:
        return Parts(BETWEEN.join(_texts(messages)), fields, "")
    rest = messages[:last] + messages[last + 1 :] if last < len(messages) - 1 else messages[:last]
    texts = _texts(rest)
    if fields:
        texts.append(fields)
    answer = messages[last]
    learnt = _prose(answer)
    return Parts(BETWEEN.join(texts), learnt if learnt and _is_plain(answer) else _json(answer), learnt)


def _texts(messages: list[Json]) -> list[str]:
    texts: list[str] = []
    for message in messages:
        if isinstance(message, dict) and len(message) == 2:
            role, content = message.get("role"), message.get("content")
            if isinstance(role, str) and isinstance(content, str):
                texts += (role, content)
                continue
        texts.append(_json(message))
    return texts


def _is_assistant(message: Json) -> bool:
    return isinstance(message, dict) and message.get("role") == "assistant"


def _is_plain(message: Json) -> bool:
    return isinstance(message, dict) and len(message) == 2


def _prose(message: Json) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def _json(value: Json) -> str:
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return repr(value)
