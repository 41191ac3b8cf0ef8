"""What the stand-in bills: the recipe, declarations and images, counted exactly."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunedrop.emulator import counting, examples
from tunedrop_check.counting import counters, tokens
from tunedrop_check.counting.upper_bound import beyond

CASES = sorted((Path(__file__).parents[3] / "examples").rglob("training_set.jsonl"))
MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "Where?"},
    {"role": "assistant", "content": "Lisbon."},
]
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
    }
]
PICTURE = {
    "type": "image_url",
    "image_url": {"url": "https://pictures.test/a.png", "detail": "low"},
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "plain": {"messages": MESSAGES},
    "tools": {"messages": MESSAGES, "tools": TOOLS, "parallel_tool_calls": False},
    "metadata": {"messages": MESSAGES, "metadata": {"source": "somewhere"}},
    "picture": {"messages": [{"role": "user", "content": [PICTURE]}, MESSAGES[1]]},
    "preference": {
        "input": {"messages": MESSAGES[:1], "tools": TOOLS},
        "preferred_output": MESSAGES[1:],
        "non_preferred_output": MESSAGES[1:],
    },
    "blanks": {"messages": [{"role": "user", "content": " " * 600_000}, MESSAGES[1]]},
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_nothing_is_billed_beyond_the_upper_bound(example: dict[str, Any]) -> None:
    """The bound that the app books for holds whatever an example declares or shows."""
    counter = counters.counter("o200k_base")
    recipe, more = tokens.count_all([example], counter)[0], beyond(example, counter)
    most = (
        more.declared
        + more.other
        + more.images.at_most
        + (recipe.total if recipe else len(json.dumps(example)))
    )
    assert 0 < counting.billable([example]) <= most


def test_declarations_and_images_are_billed_beside_the_recipe() -> None:
    """A low image is 85 tokens; what is no declaration is not billed."""
    plain = counting.billable([EXAMPLES["plain"]])
    assert counting.billable([EXAMPLES["metadata"]]) == plain
    assert counting.billable([EXAMPLES["tools"]]) > plain
    without: dict[str, Any] = {"messages": [{"role": "user", "content": []}, MESSAGES[1]]}
    assert counting.billable([EXAMPLES["picture"]]) == counting.billable([without]) + 85


def test_preference_is_billed_for_its_declarations_too() -> None:
    """Declarations of a preference stand in its input."""
    example = EXAMPLES["preference"]
    without = {**example, "input": {"messages": MESSAGES[:1]}}
    assert counting.billable([example]) > counting.billable([without])


def test_file_of_any_size_is_counted_line_by_line() -> None:
    """No example is taken by its bytes, however many there are: 1,500 of them count 1,500 times
    one.
    """
    line = json.dumps(EXAMPLES["plain"]).encode()
    one = examples.examine([line]).tokens
    assert examples.examine([b"\n".join([line] * 1500)]).tokens == 1500 * one


@pytest.mark.parametrize("path", CASES, ids=[path.parent.name for path in CASES])
def test_plain_file_is_billed_as_the_recipe_counts_it(path: Path) -> None:
    """Without tools and images, bill and estimate rest on the same figure."""
    facts = examples.examine([path.read_bytes()])
    good = [json.loads(line) for line in path.read_bytes().splitlines()[: facts.examples]]
    assert facts.tokens == sum(tokens.count(example, "o200k_base").total for example in good)
