"""A seeded file of chat examples to measure with: many topics and scripts, code, a long tail,
repeated system prompts.

Words are tokens of the carried vocabulary, drawn with the frequencies of natural text, one or two
to a word; so the file needs no source from outside and is the same everywhere.
"""

import json
import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunedrop_check.counting import vocabulary

# The scripts with their shares of the examples, in percent; the rest is code.
SCRIPTS = {
    "ENGLISH": 52,
    "EUROPEAN": 12,
    "CYRILLIC": 6,
    "CJK": 3,
    "HIRAGANA": 2,
    "ARABIC": 3,
    "DEVANAGARI": 3,
    "HANGUL": 2,
    "GREEK": 1,
    "HEBREW": 1,
    "THAI": 1,
}
PIECES = {"ENGLISH": (84, 12, 4), "EUROPEAN": (50, 35, 15), "CYRILLIC": (45, 38, 17)}
# How many words in a hundred are one, two and three tokens of the vocabulary long, about as in
# natural text.
OTHER_PIECES = (40, 35, 25)
TOPICS, WORDS_A_TOPIC, COMMON_WORDS = 40, 1_100, 400  # so that the common words are four in five
SYSTEM_PROMPTS = 12  # of some 700 to 3,500 characters
SOURCE_EXAMPLES = 400
UNSPACED = frozenset({"CJK", "HIRAGANA", "THAI"})
ENDS = (".", ".", ".", "?", ":", ",", "!\n", ".\n\n- ")
TAIL = 0.004  # the share of examples that are some ten to fifty times as long as the others


@dataclass(frozen=True)
class Source:
    """What the examples of one source have in common."""

    system: str | None
    with_tools: bool
    escaped: bool


class Writer:
    """Writes examples from one seeded source."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # a corpus, not a secret
        words = words_by_script()
        self._topics = {
            script: [
                self._topic(script, words[script])
                for _ in range(TOPICS if script == "ENGLISH" else 4)
            ]
            for script in SCRIPTS
        }
        self._systems = [
            self._prose(self._topics["ENGLISH"][n], 120 + 45 * n) for n in range(SYSTEM_PROMPTS)
        ]

    def examples(self, size: int) -> Iterator[bytes]:
        """Lines with their ends, until they have this many bytes together; they come from one
        source after the other.
        """
        while size > 0:
            source = self._source()
            for _ in range(SOURCE_EXAMPLES):
                line = (
                    json.dumps(
                        self.example(source), ensure_ascii=source.escaped, separators=(",", ":")
                    ).encode()
                    + b"\n"
                )
                size -= len(line)
                yield line
                if size <= 0:
                    return

    def _source(self) -> "Source":
        draw = self._random
        system = draw.choice(self._systems) if draw.random() < 0.85 else None
        return Source(system, with_tools=draw.random() < 0.25, escaped=draw.random() < 0.1)

    def example(self, source: "Source") -> dict[str, Any]:
        """One example: some turns, the source's system prompt, and where it has tools, one in two
        with a call.
        """
        draw = self._random
        script = draw.choices([*SCRIPTS, "CODE"], [*SCRIPTS.values(), 100 - sum(SCRIPTS.values())])[
            0
        ]
        topic = draw.choice(self._topics.get(script, self._topics["ENGLISH"]))
        length = (
            int(
                draw.lognormvariate(4.2, 0.7)
                * (draw.uniform(10, 50) if draw.random() < TAIL else 1)
            )
            + 8
        )
        write: Callable[[int], str] = (
            self._code if script == "CODE" else lambda words: self._prose(topic, words, script)
        )
        messages: list[dict[str, Any]] = (
            [{"role": "system", "content": source.system}] if source.system else []
        )
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            messages.append(
                {
                    "role": "user",
                    "content": self._prose(
                        topic, max(length // 3, 4), script if script != "CODE" else "ENGLISH"
                    ),
                }
            )
            messages.append({"role": "assistant", "content": write(length)})
        if source.with_tools and draw.random() < 0.5:
            return {
                "messages": [*messages[:-1], *self._tool_turn(topic), messages[-1]],
                "tools": [TOOL],
            }
        return {"messages": messages}

    def _tool_turn(self, topic: list[str]) -> list[dict[str, Any]]:
        identity = f"call_{self._random.getrandbits(64):016x}"
        function = {"name": "look_up", "arguments": json.dumps({"term": self._prose(topic, 3)})}
        call = {"id": identity, "type": "function", "function": function}
        return [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": identity, "content": self._prose(topic, 20)},
        ]

    def _topic(self, script: str, words: "Words") -> list[str]:
        """The words of a topic: the common ones of the script first, which are short, then its own,
        with up to two further tokens.
        """
        own = self._random.sample(words.starts, min(WORDS_A_TOPIC, len(words.starts)))
        return [
            *words.starts[:COMMON_WORDS],
            *(start + self._rest(script, words.rests) for start in own),
        ]

    def _rest(self, script: str, rests: list[str]) -> str:
        further = (
            self._random.choices((0, 1, 2), PIECES.get(script, OTHER_PIECES))[0] if rests else 0
        )
        return "".join(rests[int(len(rests) ** self._random.random()) - 1] for _ in range(further))

    def _prose(self, topic: list[str], words: int, script: str = "ENGLISH") -> str:
        draw, written = self._random, list[str]()
        while words > 0:
            sentence = [self._word(topic) for _ in range(min(draw.randint(4, 24), words))]
            words -= len(sentence)
            sentence[0] = sentence[0].capitalize()
            if draw.random() < 0.15:
                sentence.append(
                    str(
                        draw.choice(
                            (
                                draw.randint(0, 99),
                                draw.randint(1900, 2100),
                                round(draw.uniform(0, 5000), 2),
                            )
                        )
                    )
                )
            written.append(("" if script in UNSPACED else " ").join(sentence) + draw.choice(ENDS))
        return ("" if script in UNSPACED else " ").join(written)

    def _word(self, topic: list[str]) -> str:
        # The inverse of a Zipf distribution's cumulative share, over the topic's words in their
        # order.
        return topic[int(len(topic) ** self._random.random()) - 1]

    def _code(self, words: int) -> str:
        draw, names = self._random, self._topics["ENGLISH"][0]
        lines = ["```python"]
        while words > 0:
            a, b, c = (f"{self._word(names)}_{self._word(names)}".lower() for _ in range(3))
            lines.append(f"def {a}({b}: int, {c}: list[str]) -> dict[str, int]:")
            lines.append(f'    """{self._prose(names, draw.randint(3, 9))}"""')
            lines.append(
                f"    return {{item.strip(): {b} * {draw.randint(1, 999)} for item in {c} if "
                f"item >= {draw.randint(0, 20)}}}\n"
            )
            words -= 20
        return "\n".join([*lines, "```"])


TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks a term up in the handbook.",
        "parameters": {
            "type": "object",
            "properties": {"term": {"type": "string"}},
            "required": ["term"],
        },
    },
}


@dataclass
class Words:
    """Tokens that begin a word, and those that go on in one, each the most frequent first."""

    starts: list[str] = field(default_factory=list[str])
    rests: list[str] = field(default_factory=list[str])


def words_by_script() -> dict[str, Words]:
    """The vocabulary's words of each script: a token with a blank before it begins a word, one
    without goes on in it.
    """
    ranks = vocabulary.ranks("o200k_base")
    words = {script: Words() for script in SCRIPTS}
    for token in sorted(ranks, key=ranks.__getitem__):
        text = token.decode(errors="replace")
        word = text.removeprefix(" ")
        script = _script(word) if word.isalpha() else ""
        if script in UNSPACED or (script in words and len(word) > 1):
            part = (
                words[script].starts if text != word or script in UNSPACED else words[script].rests
            )
            part.append(word)
    return words


def _script(word: str) -> str:
    if word.isascii():
        return "ENGLISH"
    name = unicodedata.name(word[0], "").split(" ")[0]
    return "EUROPEAN" if name == "LATIN" else name


def write(path: Path, size: int, seed: int = 1) -> None:
    """Write a file of about this many bytes."""
    with path.open("wb") as file:
        file.writelines(Writer(seed).examples(size))
