"""Tokens as the service bills them: those of the training file, counted exactly.

Of each example: the published recipe (`tunedrop_check/counting/tokens.py`: 3 a message, the tokens
of every value, 1 for a name, 3 once), the compact JSON of what it declares (tools, functions,
formats), and its images by the vision guide's formula.
"""

from collections.abc import Sequence
from typing import Any

from tunedrop_check.counting import counters, tokens
from tunedrop_check.counting.image_tokens import ImageTokens
from tunedrop_check.counting.upper_bound import DECLARED
from tunedrop_check.formats.recognition import messages_of

type Doc = dict[str, Any]

# The encoding of all models but the old gpt-35-turbo.
USUAL = "o200k_base"


def billable(examples: Sequence[Doc], encoding: str = USUAL) -> int:
    """The tokens of these examples together."""
    counter = counters.counter(encoding)
    counted = tokens.count_all(examples, counter)
    split = sum(one.total for one in counted if one)
    unsplit = [example for example, one in zip(examples, counted, strict=True) if one is None]
    # A text that no tokenizer can split counts by its bytes.
    whole = sum(
        len(tokens.compact_json(example).encode("utf-8", "surrogatepass")) for example in unsplit
    )
    # A published job on a file with tools was billed about four times what the recipe gives; in
    # which form the service writes declarations is not known.
    declared = [
        text for example in examples for text in _declarations(example) if tokens.is_countable(text)
    ]
    return (
        split
        + whole
        + sum(counter.count(declared))
        + sum(_image_tokens(example) for example in examples)
    )


def of_text(text: str, encoding: str = USUAL) -> int:
    """The tokens of a text alone."""
    return counters.counter(encoding).count([text])[0]


def _declarations(example: Doc) -> list[str]:
    """What an example declares, a text for each field."""
    # A preference declares inside of its input.
    inner = example.get("input")
    places: list[Doc] = [example, *([inner] if isinstance(inner, dict) else [])]
    return [
        tokens.compact_json({key: value})
        for place in places
        for key, value in place.items()
        if key in DECLARED and value is not None
    ]


def _image_tokens(example: Doc) -> int:
    images = ImageTokens()
    images.add(messages_of(example))
    return images.tokens
