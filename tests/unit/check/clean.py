"""Clean lines by the thousand, seeded: whatever the formats allow, in every mixture."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.unit.check.builders import a_message
from tests.unit.check.pictures import ENCODED

WORDS = [
    *(
        "How",
        "do",
        "I",
        "book",
        "a",
        "flight?",
        "Der",
        "Beleg",
        "fehlt.",
        "Où",
        "gare ?",
        "naïve",
        "e\u0301",
    ),
    *(
        "出張の申請",
        "πτήση",
        "הטיסה",
        "سافرت",
        "🧳✈️",
        "\U0001f469\u200d\U0001f469\u200d\U0001f467",
        "a\u00a0b",
        "\u2028",
    ),
    *(
        "<|endoftext|>",
        "{{item}}",
        "C:\\temp",
        '"quoted"',
        "'single'",
        "100 %",
        "<b>&amp;</b>",
        "x = {1: [2]}",
        "/* // */",
    ),
]
ADDRESSES = (
    "https://example.com/a.png",
    "http://images.example.org:8080/b?id=1&x=%20#top",
    "https://sub.example.co.uk/ü.webp",
    "https://9.9.9.9/c",
)
NAMES = ("book", "get_rate", "find-hotel", "f", "x" * 64)
KINDS: dict[str, Callable[["Maker"], dict[str, Any]]] = {}


def kind(make: Callable[["Maker"], dict[str, Any]]) -> Callable[["Maker"], dict[str, Any]]:
    """Register a way to make a supervised example, by its name."""
    KINDS[make.__name__] = make
    return make


class Maker:
    """Makes the parts of examples from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311

    def text(self, most: int = 40) -> str:
        """Some words of several scripts, on one or more lines."""
        return "".join(
            self.random.choice(WORDS) + self.random.choice((" ", " ", "\n", "\t"))
            for _ in range(self.random.randint(1, most))
        )

    def chance(self, share: float) -> bool:
        """Yes, in this share of cases."""
        return self.random.random() < share

    def named(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message, sometimes with a name."""
        return message | (
            {"name": self.random.choice(("Ann-1", "a_b", "Z" * 64))} if self.chance(0.2) else {}
        )

    def opening(self) -> list[dict[str, Any]]:
        """A system or developer message, or none."""
        return [
            a_message(role, self.text())
            for role in self.random.choice((("system",), ("system",), ("developer",), ()))
        ]

    def question(self) -> dict[str, Any]:
        """A question, as a text or in parts."""
        content: Any = self.text()
        if self.chance(0.2):
            content = [
                {"type": "text", "text": self.text()} for _ in range(self.random.randint(1, 3))
            ]
        return self.named(a_message("user", content))

    def answer(self, weight: Any = 1) -> dict[str, Any]:
        """An answer, its weight given or left out."""
        return self.named(a_message("assistant", self.text())) | (
            {"weight": weight} if not weight or self.chance(0.3) else {}
        )

    def unweighed(self) -> dict[str, Any]:
        """An answer of a format that knows no weights."""
        return without_weight(self.answer())

    def tools(self) -> list[dict[str, Any]]:
        """Declared tools, one of each name."""
        return [{"type": "function", "function": function} for function in self.functions()]

    def functions(self) -> list[dict[str, Any]]:
        """Declared functions, with and without what they may leave out."""
        schema = {
            "type": "object",
            "properties": {
                "to": {"type": "string", "enum": ["a", "b"]},
                "n": {"type": ["integer", "null"]},
            },
        }
        more: tuple[dict[str, Any], ...] = (
            {},
            {"description": self.text(5)},
            {"parameters": schema},
            {"description": "", "parameters": {}, "strict": True},
        )
        return [{"name": name, **self.random.choice(more)} for name in NAMES]

    def arguments(self) -> str:
        """The arguments of a call, as JSON in a text."""
        value = self.random.choice(
            ({}, {"to": "b", "n": None}, {"text": self.text(6), "deep": [{"a": [1.5, -2e3, True]}]})
        )
        return json.dumps(
            value, ensure_ascii=self.chance(0.5), indent=self.random.choice((None, 2))
        )

    def calls(self, number: int, round_: int) -> dict[str, Any]:
        """A message that calls tools, its content null, absent, or a text."""
        calls = [
            {
                "id": f"call_{round_}_{index}",
                "type": "function",
                "function": {"name": self.random.choice(NAMES), "arguments": self.arguments()},
            }
            for index in range(number)
        ]
        content: dict[str, Any] = self.random.choice(
            ({"content": None}, {}, {"content": self.text(5)})
        )
        return {"role": "assistant", **content, "tool_calls": calls} | (
            {"weight": 1} if self.chance(0.2) else {}
        )

    def answered(self, calls: dict[str, Any]) -> list[dict[str, Any]]:
        """The calls, and an answer to each, in any order."""
        answers = [
            a_message("tool", self.text(8), tool_call_id=call["id"]) for call in calls["tool_calls"]
        ]
        self.random.shuffle(answers)
        return [calls, *answers]

    def image(self) -> dict[str, Any]:
        """A part with an image, embedded or at an address."""
        kind, encoded = self.random.choice(list(ENCODED.items()))
        url = f"data:{kind};base64,{encoded}" if self.chance(0.6) else self.random.choice(ADDRESSES)
        return {
            "type": "image_url",
            "image_url": {
                "url": url,
                **self.random.choice(
                    ({}, {"detail": "low"}, {"detail": "high"}, {"detail": "auto"})
                ),
            },
        }


def without_weight(message: dict[str, Any]) -> dict[str, Any]:
    """The message as a format without weights writes it."""
    return {key: value for key, value in message.items() if key != "weight"}


@kind
def plain(maker: Maker) -> dict[str, Any]:
    """One or more questions and answers."""
    turns = [
        message
        for _ in range(maker.random.randint(0, 4))
        for message in (maker.question(), maker.answer(maker.random.choice((0, 1))))
    ]
    return {"messages": [*maker.opening(), *turns, maker.question(), maker.answer()]}


@kind
def with_tools(maker: Maker) -> dict[str, Any]:
    """Calls one after the other, each answered."""
    rounds = [
        message
        for index in range(maker.random.randint(1, 3))
        for message in maker.answered(maker.calls(1, index))
    ]
    return {
        "messages": [*maker.opening(), maker.question(), *rounds, maker.answer()],
        "tools": maker.tools(),
    }


@kind
def with_parallel_calls(maker: Maker) -> dict[str, Any]:
    """Several calls at once, and a second question."""
    first = maker.answered(maker.calls(maker.random.randint(2, 5), 0))
    messages = [
        *maker.opening(),
        maker.question(),
        *first,
        maker.answer(),
        maker.question(),
        *maker.answered(maker.calls(2, 1)),
        maker.answer(),
    ]
    return {"messages": messages, "tools": maker.tools(), "parallel_tool_calls": maker.chance(0.5)}


@kind
def ending_with_a_call(maker: Maker) -> dict[str, Any]:
    """The call itself is what is learnt."""
    return {
        "messages": [
            *maker.opening(),
            maker.question(),
            maker.calls(maker.random.randint(1, 3), 0),
        ],
        "tools": maker.tools(),
    }


@kind
def with_functions(maker: Maker) -> dict[str, Any]:
    """The deprecated form of calls."""
    name = maker.random.choice(NAMES)
    call = {
        "role": "assistant",
        **maker.random.choice(({}, {"content": None})),
        "function_call": {"name": name, "arguments": maker.arguments()},
    }
    return {
        "messages": [
            *maker.opening(),
            maker.question(),
            call,
            a_message("function", maker.text(), name=name),
            maker.answer(),
        ],
        "functions": maker.functions(),
    }


@kind
def with_images(maker: Maker) -> dict[str, Any]:
    """Images among texts, and sometimes as many as are allowed."""
    number = 64 if maker.chance(0.05) else maker.random.randint(1, 4)
    parts = [maker.image() for _ in range(number)] + [{"type": "text", "text": maker.text()}]
    maker.random.shuffle(parts)
    return {"messages": [*maker.opening(), a_message("user", parts), maker.answer()]}


def supervised(seed: int, number: int) -> Iterator[dict[str, Any]]:
    """So many chat examples, of all kinds in turn."""
    maker = Maker(seed)
    makes = list(KINDS.values())
    return (makes[index % len(makes)](maker) for index in range(number))


def preferences(seed: int, number: int) -> Iterator[dict[str, Any]]:
    """So many preferences, a third of them with calls in an output."""
    maker = Maker(seed)
    for index in range(number):
        given: dict[str, Any] = {
            "messages": [
                *maker.opening(),
                maker.question(),
                *([maker.unweighed(), maker.question()] if index % 2 else []),
            ]
        }
        outputs = [[maker.unweighed()], [maker.unweighed()]]
        if index % 3 == 0:
            given |= {"tools": maker.tools(), "parallel_tool_calls": True}
            outputs[index % 2] = [
                without_weight(message) for message in maker.answered(maker.calls(2, 0))
            ] + outputs[index % 2]
        yield {"input": given, "preferred_output": outputs[0], "non_preferred_output": outputs[1]}


def reinforcements(seed: int, number: int) -> Iterator[dict[str, Any]]:
    """So many lines for reinforcement, with fields of any kind for a grader."""
    maker = Maker(seed)
    values: tuple[Any, ...] = ("4", 4.5, None, ["a"], {"dates": [{"day": 9}]}, True)
    for index in range(number):
        turns = [maker.question(), maker.unweighed()] if index % 2 else []
        fields = {
            f"field_{place}": maker.random.choice(values)
            for place in range(maker.random.randint(0, 3))
        }
        yield {
            "messages": [*maker.opening(), *turns, maker.question()],
            **fields,
            **({"tools": maker.tools()} if index % 5 == 0 else {}),
        }
