"""Tokens of chat examples by the service's published recipe."""

import itertools
import json
import re
from collections.abc import Iterator, Sequence

import msgspec

from ..formats import recognition
from ..formats.format import Format
from ..formats.messages import is_zero
from ..reading.json_types import Json, JsonObject
from . import counters
from .counters import Counter

# Per message 3, the tokens of every value, and 1 more for the key `name`; 3 once per example.
# Assistant tokens are those of the `content` of assistant messages. Numbers, booleans and null
# count nothing; of parts, the texts count; calls count by their compact JSON. The recipe leaves
# tools, images and `weight` out: it is an estimate, as the service says itself.
PER_MESSAGE = 3
PER_NAME = 1
PER_EXAMPLE = 3
# tiktoken 0.14 ends in a panic from about 999,900 blanks on end before other text.
MAX_BLANK_RUN = 500_000

# Natural text of this size has four times the tokens of any model's limit; a tokenizer can need
# forty times its size in memory.
MAX_TEXT_BYTES = 2**20

# What stands for a value that is no text, such as calls.
compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_LONG_TEXT = 2**18
_BLANKS = re.compile(r"\s{2,}")


class ExampleTokens(msgspec.Struct, frozen=True):
    """The tokens of one example; those of its answers, and those of the answers that are learnt."""

    total: int
    assistant: int
    trained: int


class Uncountable(ValueError):
    """A text is too long to count, or holds more blanks on end than a tokenizer can split."""

    def __init__(self) -> None:
        super().__init__(
            f"A text has more than {MAX_TEXT_BYTES} bytes, or more than {MAX_BLANK_RUN} blanks "
            "on end."
        )


class Texts(msgspec.Struct):
    """What is to be counted of one example: its texts, by index its answers and those learnt, and
    its frame.
    """

    values: list[str]
    answers: list[int]
    trained: list[int]
    frame: int


def texts_of(example: JsonObject, known: Format | None = None) -> Texts:
    """The texts of an example: of all the messages that a line of its format has.

    Learnt are the answers whose weight isn't 0, wherever the conversation ends, where the format
    learns them.
    """
    texts = Texts([], [], [], PER_EXAMPLE)
    for message, learns in (known or recognition.read_as(example)).conversation(example):
        _add_message(texts, message, learns)
    return texts


def _add_message(texts: Texts, message: JsonObject, learns: bool) -> None:
    texts.frame += PER_MESSAGE
    for key, value in message.items():
        first = len(texts.values)
        texts.values.extend(_texts_of_value(key, value))
        if key == "content" and message.get("role") == "assistant":
            own = range(first, len(texts.values))
            texts.answers.extend(own)
            texts.trained.extend(own if learns and not is_zero(message.get("weight", 1)) else ())
        elif key == "name":
            texts.frame += PER_NAME


def _texts_of_value(key: str, value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    if key == "content" and isinstance(value, list):
        texts = [part.get("text") if isinstance(part, dict) else part for part in value]
        return [text for text in texts if isinstance(text, str)]
    if isinstance(value, (dict, list)):
        return [compact_json(value)]
    return []


def is_countable(text: str) -> bool:
    """Whether a tokenizer can take the text: not too long, and without too many blanks in a row."""
    if len(text) < _LONG_TEXT:
        return True
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        return False
    # tiktoken's panic is no Exception, and prints: such a text must not get there.
    return all(run.end() - run.start() <= MAX_BLANK_RUN for run in _BLANKS.finditer(text))


def count_all(
    examples: Sequence[JsonObject], counter: Counter, known: Format | None = None
) -> list[ExampleTokens | None]:
    """The tokens of each example, counted in one go; None where a text can't be counted.

    Without a format each one is read as what its fields say.
    """
    gathered = [texts_of(example, known) for example in examples]
    countable = [all(map(is_countable, texts.values)) for texts in gathered]
    wanted = [
        text for texts, can in zip(gathered, countable, strict=True) if can for text in texts.values
    ]
    lengths = iter(counter.count(wanted))
    return [
        _sum(texts, lengths) if can else None
        for texts, can in zip(gathered, countable, strict=True)
    ]


def _sum(texts: Texts, lengths: Iterator[int]) -> ExampleTokens:
    own = list(itertools.islice(lengths, len(texts.values)))
    answers, trained = (
        sum(own[index] for index in chosen) for chosen in (texts.answers, texts.trained)
    )
    return ExampleTokens(texts.frame + sum(own), answers, trained)


def count(example: JsonObject, encoding_name: str) -> ExampleTokens:
    """The tokens of an example in one of the carried encodings.

    Raises:
        Uncountable: No tokenizer can split one of its texts.
    """
    counted = count_all([example], counters.counter(encoding_name))[0]
    if counted is None:
        raise Uncountable
    return counted
