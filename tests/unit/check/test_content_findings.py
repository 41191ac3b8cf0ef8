"""The watch of a span: what it finds merges exactly, and tells nothing of the texts."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import LOADED, a_message, an_example
from tunedrop_check.contents import content_findings, duplicates
from tunedrop_check.contents.content_findings import ContentObserver, SpanFindings, WatchOptions
from tunedrop_check.formats.recognition import read_as
from tunedrop_check.scan.statistics import Histogram

SECRET = "hf" + "_" + "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh"
ANSWERS = st.sampled_from(
    [
        "Paris",
        "paris.",
        "Rome",
        " ",
        f"key {SECRET}",
        "ann@corp.com",
        "a\u200bb",
        "```",
        "+49 151 23456789",
    ]
)


def watched(answers: list[str]) -> SpanFindings:
    """What is found in the lines with these answers."""
    observer = ContentObserver()
    examples = [
        an_example(a_message("user", "What?"), a_message("assistant", answer)) for answer in answers
    ]
    if examples:
        observer.block(
            "\n".join(json.dumps(example, ensure_ascii=False) for example in examples).encode(), 1
        )
    for line, example in enumerate(examples, 1):
        observer.example(line, *read_as(example).answer(example))
    return observer.result()


def messages_of(whole: SpanFindings) -> dict[str, str]:
    """The messages by code."""
    tally = content_findings.of_file(whole, WatchOptions())
    return {
        found.code.removeprefix("TD-DATA-"): found.message
        for found in (*tally.errors, *tally.warnings)
    }


@settings(LOADED)
@given(st.lists(ANSWERS, max_size=10), st.integers(0, 10))
def test_result_does_not_depend_on_the_cuts(answers: list[str], cut: int) -> None:
    """Two spans, through JSON, appended, are the whole."""
    first, second = watched(answers[:cut]), watched(answers[cut:])
    later = msgspec.json.decode(msgspec.json.encode(second), type=SpanFindings)
    first.append(later, min(cut, len(answers)))
    assert content_findings.of_file(first, WatchOptions()) == content_findings.of_file(
        watched(answers), WatchOptions()
    )
    assert first.fingerprints == watched(answers).fingerprints


@settings(LOADED)
@given(
    st.lists(
        st.text(
            st.characters(min_codepoint=0x100, max_codepoint=0x2FFF, categories=["Ll", "Lo"]),
            min_size=3,
        ),
        max_size=5,
    )
)
def test_findings_hold_no_text_of_the_data(texts: list[str]) -> None:
    """Of a text, nothing but a secret's first four characters reaches a finding."""
    whole = watched([f"{text} {SECRET} {text}@corp.com \u202e" for text in texts] * 2)
    tally = content_findings.of_file(whole, WatchOptions())
    told = msgspec.json.encode(tally).decode()
    assert not any(text in told for text in texts)
    assert SECRET[4:8] not in told
    assert "corp" not in told


def test_sightings_are_one_finding_for_the_file() -> None:
    """A count and the first 20 lines."""
    tally = content_findings.of_file(
        watched(["Paris.", *[f"ann{number}@corp.com" for number in range(22)]]), WatchOptions()
    )
    [found] = [one for one in tally.warnings if one.code == "TD-DATA-811"]
    assert (found.message, found.line, found.times) == ("Lines with e-mail addresses: 22.", 2, 22)
    assert found.lines == tuple(range(2, 22))


def test_secrets_are_one_finding_a_line() -> None:
    """Each with its line, kind and masked start."""
    tally = content_findings.of_file(
        watched(["Paris", f"a {SECRET}", f"b {SECRET}"]), WatchOptions()
    )
    assert [(found.line, found.severity) for found in tally.errors] == [(2, "error"), (3, "error")]
    assert tally.errors[0].message == (
        "The line contains something that looks like this: Hugging Face token, hf_A…"
    )


def test_secrets_are_warnings_where_asked() -> None:
    """A setting lowers them."""
    tally = content_findings.of_file(watched([SECRET]), WatchOptions(secrets="warning"))
    assert (len(tally.errors), tally.warnings[0].code) == (0, "TD-DATA-801")


def test_all_secrets_are_counted_and_the_first_hundred_kept() -> None:
    """As with any finding."""
    tally = content_findings.of_file(
        watched([f"{number} {SECRET}" for number in range(130)]), WatchOptions()
    )
    assert (len(tally.errors), tally.counts["TD-DATA-801"]) == (100, 130)


@pytest.mark.parametrize(
    ("answers", "codes"),
    [
        pytest.param(["Paris", "Rome."], {"703"}, id="conflict"),
        pytest.param(["Paris", "Paris"], {"701"}, id="duplicate"),
        pytest.param(["  "], {"704"}, id="blank"),
        pytest.param(["Run ```x"], {"705"}, id="cut"),
        pytest.param([""], set[str](), id="empty"),
        pytest.param(["Paris"], set[str](), id="sound"),
    ],
)
def test_examples_are_read_and_compared(answers: list[str], codes: set[str]) -> None:
    """The watch hands every example to the checks of answers and to the fingerprints."""
    assert messages_of(watched(answers)).keys() == codes


def test_pair_and_figures_are_told() -> None:
    """The same example in both files, and a long tail."""
    found = duplicates.contamination(
        watched(["Paris"]).fingerprints, watched(["Rome", "paris"]).fingerprints
    )
    assert [one.code for one in found] == ["TD-DATA-707", "TD-DATA-708"]
    assert [
        found.code
        for found in content_findings.of_figures(Histogram({10: 99, 9000: 1}), Histogram())
    ] == ["TD-DATA-706"]
