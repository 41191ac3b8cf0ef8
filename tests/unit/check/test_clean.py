"""Clean data in every mixture that the formats allow: no false error."""

import json
from typing import Any

import pytest

from tests.unit.check import clean
from tests.unit.check.builders import IMAGE_MODEL, TEXT_MODEL, a_file, options, scanned
from tunedrop_check.models import base_models
from tunedrop_check.rules import content_rules
from tunedrop_check.scan import scanning

SEED = 20261107
# What the generator provokes: system messages that vary or miss, the developer role, null beside
# calls, deprecated functions.
ADVICE = {"TD-DATA-009", "TD-DATA-010", "TD-DATA-204", "TD-DATA-221", "TD-DATA-308"}


def found_in(examples: Any, model: base_models.KnownModel, method: str) -> scanning.FileScan:
    """The scan of these examples as a training file of a run by this method."""
    chosen = scanning.ScanOptions(model, method=method)
    return scanned(a_file(*examples), chosen=chosen)


def formal(found: scanning.FileScan) -> set[str]:
    """The rules on form that are broken; what the texts hold is another matter."""
    return set(found.counts) - set(content_rules.RULES)


def test_a_thousand_chat_examples_have_no_false_error() -> None:
    """Tools, parallel calls, functions, images, weights, names, null content and the developer role
    pass.
    """
    found = found_in(clean.supervised(SEED, 1000), IMAGE_MODEL, "supervised")
    assert (found.examples, found.errors, formal(found)) == (1000, 0, ADVICE)
    assert found.counts["TD-DATA-204"] == found.messages_by_role["developer"]


def test_two_hundred_preferences_have_no_false_error() -> None:
    """Preferences with and without tools pass."""
    found = found_in(clean.preferences(SEED, 200), TEXT_MODEL, "dpo")
    assert (found.examples, found.errors, formal(found)) == (200, 0, ADVICE - {"TD-DATA-308"})


def test_two_hundred_reinforcement_lines_have_no_false_error() -> None:
    """Lines with any field for a grader, or none, pass; the developer role is usual there."""
    found = found_in(
        clean.reinforcements(SEED, 200), base_models.base_model("o4-mini"), "reinforcement"
    )
    assert (found.examples, found.errors, formal(found)) == (
        200,
        0,
        ADVICE - {"TD-DATA-204", "TD-DATA-221", "TD-DATA-308"},
    )


def test_generator_makes_what_it_promises() -> None:
    """The chat examples hold each construct many times, and the same seed gives the same bytes."""
    text = a_file(*clean.supervised(SEED, 1000)).decode()
    assert text == a_file(*clean.supervised(SEED, 1000)).decode()
    constructs = (
        '"role": "developer"',
        '"content": null, "tool_calls"',
        '"parallel_tool_calls": true',
        '"functions"',
        '"function_call"',
        '"weight": 0',
        '"name": "Ann-1"',
        "data:image/png",
        "data:image/jpeg",
        "data:image/webp",
        '"url": "http',
        '"detail": "low"',
    )
    assert {construct: text.count(construct) >= 20 for construct in constructs} == dict.fromkeys(
        constructs, True
    )


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_clean_lines_pass_in_each_way_to_write_them(ascii_only: bool, end: str) -> None:
    """Escaped or not, with LF or CRLF, with a byte-order mark: the same figures and no error."""
    examples = list(clean.supervised(SEED, 60))
    plain = scanned(a_file(*examples), chosen=options(IMAGE_MODEL))
    other = "".join(
        json.dumps(example, ensure_ascii=ascii_only, separators=(",", ":")) + end
        for example in examples
    )
    found = scanned(b"\xef\xbb\xbf" + other.encode(), chosen=options(IMAGE_MODEL))
    assert (found.errors, found.total, found.trained, found.images) == (
        0,
        plain.total,
        plain.trained,
        plain.images,
    )
