"""Training files as the service reads them: JSON Lines, counted and checked once at upload in bounded memory.

Tokens are counted approximately and said to be so: a word counts one token per six characters begun, other signs and
runs of blanks one each; every message adds 3 and every example 3 more, as the service's published recipe has it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import msgspec

type Doc = dict[str, Any]

SAMPLE_EXAMPLES = 200
"""Training fits the first so many examples: enough to be true, little enough to take under a second."""

_LINE_MAX_BYTES = 16 * 2**20
_COUNTED_EXAMPLES = 2_000
_PIECE = re.compile(r" ?[^\W_]{1,6}|[^\w\s]|_+|\s+")


def pieces(text: str) -> list[str]:
    """A text cut into the approximate tokens that are counted and trained on."""
    return _PIECE.findall(text)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an upload was found to hold; `problem` says why the service would refuse it, without quoting it."""

    examples: int
    tokens: int
    problem: str | None

    def to_json(self) -> Doc:
        """The form kept with the file."""
        return asdict(self)


class LineTooLong(ValueError):
    """A line that would not fit the memory set aside for one."""


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of a stream without their ends; a byte-order mark at the start and blank lines are left out.

    Raises LineTooLong above 16 MiB: the longest message of the service, escaped, and room for others beside it.
    """
    rest = b""
    first = True
    for chunk in chunks:
        whole = rest + chunk
        if first and len(whole) >= 3:
            whole, first = whole.removeprefix(b"\xef\xbb\xbf"), False
        *complete, rest = whole.split(b"\n")
        if len(rest) > _LINE_MAX_BYTES:
            raise LineTooLong
        yield from (line for line in complete if line.strip())
    if rest.strip():
        yield rest.removeprefix(b"\xef\xbb\xbf") if first else rest


def _texts(message: object) -> Iterator[str]:
    if not isinstance(message, dict):
        return
    for key, value in cast("Doc", message).items():
        if isinstance(value, str):
            yield value
        elif key == "content" and isinstance(value, list):
            yield from (str(cast("Doc", part).get("text", "")) for part in cast("list[object]", value) if isinstance(part, dict))


def messages_of(example: Doc) -> list[Doc] | None:
    """Every message of a chat or preference example in order, or None where it is neither."""
    found: object = example.get("messages")
    if found is None and isinstance(example.get("input"), dict):
        asked: object = cast("Doc", example["input"]).get("messages")
        preferred: object = example.get("preferred_output")
        if isinstance(asked, list) and isinstance(preferred, list):
            found = [*cast("list[object]", asked), *cast("list[object]", preferred)]
    if not isinstance(found, list) or not found:
        return None
    messages = cast("list[object]", found)
    return cast("list[Doc]", messages) if all(isinstance(one, dict) and "role" in one for one in messages) else None


def approximate_tokens(messages: list[Doc]) -> int:
    """Approximate tokens of one example by the recipe of this module."""
    return 3 + sum(3 + sum(len(pieces(text)) for text in _texts(message)) for message in messages)


def examine(chunks: Iterable[bytes]) -> Facts:
    """Read a whole upload once: examples, approximate tokens, and the first problem by its line number."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    examples = tokens = 0
    try:
        for line in lines(chunks):
            messages = messages_of(decode(line))
            if messages is None:
                return Facts(examples, tokens, f"Line {examples + 1} holds no list of messages.")
            examples += 1
            tokens += _tokens(messages, line, exact=examples <= _COUNTED_EXAMPLES)
    except (msgspec.DecodeError, RecursionError):
        return Facts(examples, tokens, f"Line {examples + 1} is not a JSON object.")
    except LineTooLong:
        return Facts(examples, tokens, f"Line {examples + 1} is too long.")
    return Facts(examples, tokens, None)


def _tokens(messages: list[Doc], line: bytes, *, exact: bool) -> int:
    """Tokens of an example; past the first two thousand a quarter of its bytes, since counting 512 MB would take minutes."""
    return approximate_tokens(messages) if exact else len(line) // 4


@dataclass(frozen=True, slots=True)
class Turn:
    """One assistant answer and the question before it: what the small model learns."""

    question: str
    answer: str


def turns(chunks: Iterable[bytes], limit: int = SAMPLE_EXAMPLES) -> list[list[Turn]]:
    """The answers of the first examples, each with the last user message before it; assistant messages of weight 0 are left out."""
    found: list[list[Turn]] = []
    for line in lines(chunks):
        if len(found) == limit:
            break
        found.append(_turns_of(messages_of(msgspec.json.decode(line, type=dict[str, Any])) or []))
    return found


def _turns_of(messages: list[Doc]) -> list[Turn]:
    question = ""
    answers: list[Turn] = []
    for message in messages:
        text = " ".join(_texts({"content": message.get("content")}))
        if message["role"] == "user":
            question = text
        elif message["role"] == "assistant" and text and message.get("weight") != 0:
            answers.append(Turn(question, text))
    return answers


def questions(messages: list[Doc]) -> list[str]:
    """The texts of the user messages, in order."""
    return [" ".join(_texts({"content": message.get("content")})) for message in messages if message.get("role") == "user"]
