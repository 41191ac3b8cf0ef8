"""Training files as the service reads them: JSON Lines, counted and checked once at upload in
bounded memory.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, cast

import msgspec

from tunedrop.emulator import counting

type Doc = dict[str, Any]

# Training fits the first so many examples: enough to be true, little enough to take under a second.
SAMPLE_EXAMPLES = 200

_LINE_MAX_BYTES = 16 * 2**20
_COUNTED_AT_ONCE = 500
_PIECE = re.compile(r" ?[^\W_]{1,6}|[^\w\s]|_+|\s+")


def pieces(text: str) -> list[str]:
    """A text cut into the pieces that the small model is trained on."""
    return _PIECE.findall(text)


@dataclass(frozen=True, slots=True)
class Facts:
    """What an upload was found to hold; `problem` says why the service would refuse it, quoting
    nothing. `tokens` are those that the service bills for one epoch, in the encoding that was asked
    for.
    """

    examples: int
    tokens: int
    problem: str | None

    def to_json(self) -> Doc:
        """The form kept with the file."""
        return asdict(self)


class LineTooLong(ValueError):
    """A line that would not fit the memory set aside for one."""


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of a stream without their ends; a byte-order mark at the start and blank lines are left
    out. Raises LineTooLong above 16 MiB.
    """
    rest = b""
    first = True
    for chunk in chunks:
        whole = rest + chunk
        # The mark has three bytes, and may come in two chunks.
        if first and len(whole) >= 3:
            whole, first = whole.removeprefix(b"\xef\xbb\xbf"), False
        *complete, rest = whole.split(b"\n")
        # The longest message of the service, escaped, and room for others beside it.
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
            yield from (
                str(cast("Doc", part).get("text", ""))
                for part in cast("list[object]", value)
                if isinstance(part, dict)
            )


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
    return (
        cast("list[Doc]", messages)
        if all(isinstance(one, dict) and "role" in one for one in messages)
        else None
    )


def examine(chunks: Iterable[bytes], encoding: str = counting.USUAL) -> Facts:
    """Read a whole upload once: its examples, their tokens, and the first problem by its line
    number.
    """
    found = tokens = 0
    read = _examples(lines(chunks))
    problem = None
    # In batches: about 25 MB a second.
    while batch := list(itertools.islice(read, _COUNTED_AT_ONCE)):
        whole = [example for example in batch if isinstance(example, dict)]
        found += len(whole)
        tokens += counting.billable(whole, encoding)
        problem = next((f"Line {found + 1} {why}" for why in batch if isinstance(why, str)), None)
    return Facts(found, tokens, problem)


def _examples(source: Iterator[bytes]) -> Iterator[Doc | str]:
    """The examples of a file up to the first line that is none; why it isn't comes last."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    try:
        for line in source:
            example = decode(line)
            if messages_of(example) is None:
                yield "holds no list of messages."
                return
            yield example
    except (msgspec.DecodeError, RecursionError):
        yield "is not a JSON object."
    except LineTooLong:
        yield "is too long."


# The small model is trained on pieces of words, which are no tokens: what is billed, `counting.py`
# counts.
@dataclass(frozen=True, slots=True)
class Turn:
    """One assistant answer and the question before it: what the small model learns."""

    question: str
    answer: str


def turns(chunks: Iterable[bytes], limit: int = SAMPLE_EXAMPLES) -> list[list[Turn]]:
    """The answers of the first examples, each with the last user message before it; those of weight
    0 are left out.
    """
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
    return [
        " ".join(_texts({"content": message.get("content")}))
        for message in messages
        if message.get("role") == "user"
    ]
