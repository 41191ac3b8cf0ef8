"""Scans: of the lab's files, of hostile ones, and of every split."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import (
    IMAGE_MODEL,
    LOADED,
    TEXT_MODEL,
    MemorySource,
    a_conversation,
    a_file,
    a_message,
    a_span,
    an_example,
    codes_of,
    options,
    scanned,
)
from tunedrop_check.counting import tokens
from tunedrop_check.models import base_models
from tunedrop_check.rules import format_rules
from tunedrop_check.rules.findings import KEPT
from tunedrop_check.scan import scanning

PREFERENCE: dict[str, Any] = {
    "input": {"messages": [a_message("system", "Be brief."), a_message("user")]},
    "preferred_output": [a_message("assistant", "Four.")],
    "non_preferred_output": [a_message("assistant", "Five or so.")],
}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f"}}
CALLING: dict[str, Any] = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
GRADED = {"messages": [a_message("system"), a_message("user")], "answer": "4"}
LINES = st.sampled_from(
    [
        json.dumps(an_example()).encode(),
        json.dumps(
            an_example(a_message("system", "Other."), a_message("assistant", weight=0))
        ).encode(),
        json.dumps(PREFERENCE).encode(),
        json.dumps(GRADED).encode(),
        json.dumps(an_example(tools=[{"type": "function", "function": {"name": "f"}}])).encode(),
        json.dumps(
            an_example(a_message("user", [IMAGE]), a_message("assistant"), metadata="m" * 40)
        ).encode(),
        b"",
        b" ",
        b"{",
        b"\xff",
        b"x" * 400,
        b"[" + b"{}," * 9,
        json.dumps([an_example()]).encode(),
        b"[{" + b"x" * 400,
        json.dumps(
            an_example(a_message("user", name=None), a_message("assistant"), metadata=1, tools=None)
        ).encode(),
        json.dumps(an_example(a_message("user"), CALLING, tools=[TOOL])).encode(),
        b"\xef\xbb\xbf{}",
    ]
)


@settings(LOADED, max_examples=60)
@given(
    st.booleans(),
    st.lists(LINES, max_size=6),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    st.data(),
)
def test_scan_does_not_depend_on_where_the_cuts_fall(
    bom: bool, lines: list[bytes], end: bytes, last_end: bool, data: st.DataObject
) -> None:
    """Any cuts give the scan of the whole file, byte for byte, also by way of JSON."""
    content = b"\xef\xbb\xbf" * bom + end.join(lines) + end * last_end
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=5)))
    chosen = options(block_bytes=1, max_line_bytes=300, watched=True)
    source = MemorySource(content, piece=data.draw(st.integers(1, 200)))
    edges = [0, *cuts, len(content)]
    parts = [
        scanning.scan_span(source, scanning.Span(start, stop), chosen)
        for start, stop in itertools.pairwise(edges)
    ]
    stored = [scanning.span_scan_from_json(scanning.to_json(part)) for part in parts]
    whole = scanned(content, chosen=chosen)
    assert scanning.to_json(scanning.merge(stored, chosen)) == scanning.to_json(whole)
    assert whole.content_hash == scanning.content_hash_of([content], block_bytes=1)


@settings(LOADED, max_examples=60)
@given(st.lists(LINES, max_size=30).map(b"\n".join), st.data())
def test_where_checking_stops_does_not_depend_on_the_spans(
    content: bytes, data: st.DataObject
) -> None:
    """Any cuts between windows, and any pieces of reading, give the scan of the whole file: it
    stops in each window by itself.
    """
    chosen = msgspec.structs.replace(
        options(block_bytes=1, max_line_bytes=300, watched=True),
        window_bytes=100,
        max_error_lines=2,
    )
    cuts = sorted(
        100 * cut for cut in data.draw(st.lists(st.integers(0, len(content) // 100), max_size=5))
    )
    source = MemorySource(content, piece=data.draw(st.integers(1, 200)))
    edges = [0, *cuts, len(content)]
    parts = [
        scanning.scan_span(source, scanning.Span(start, stop), chosen)
        for start, stop in itertools.pairwise(edges)
    ]
    assert scanning.to_json(scanning.merge(parts, chosen, len(content))) == scanning.to_json(
        scanned(content, chosen=chosen)
    )


def test_checking_stops_after_many_errors_and_says_where() -> None:
    """Of lines with errors the first thousand of a window are told; the others are counted, and the
    hash is that of all bytes.
    """
    content = a_file(an_example(), times=20) + b"{}\n" * 5000
    chosen = scanning.ScanOptions(TEXT_MODEL)
    found = scanned(content, chosen=chosen)
    assert (
        found.lines,
        found.examples,
        found.counts["TD-DATA-201"],
        found.counts["TD-DATA-113"],
    ) == (5020, 1020, 1000, 1)
    [told] = [one for one in found.findings if one.code == "TD-DATA-113"]
    assert (told.line, told.severity) == (1020, "error")
    assert told.message.endswith("4,000 lines were not checked.")
    assert found.content_hash == scanning.content_hash_of([content])
    assert found.at_most_tokens >= len(content)


def test_checking_stops_after_many_errors_of_few_lines() -> None:
    """A line with a million errors counts as many: the lines that follow it are not checked."""
    content = a_file({"messages": [1] * 100_000}, an_example(), an_example())
    found = scanned(content, chosen=scanning.ScanOptions(TEXT_MODEL, max_line_bytes=2**20))
    assert (found.counts["TD-DATA-202"], found.counts["TD-DATA-113"], found.examples) == (
        100_000,
        1,
        1,
    )


def test_scan_does_not_depend_on_any_single_cut() -> None:
    """Each cut of a file with every kind of line gives the same scan."""
    content = b"\xef\xbb\xbf" + a_file(
        an_example(), "", "{", a_conversation(a_message("robot")), "", "", end="\r\n"
    )
    chosen = options(block_bytes=1)
    whole = scanned(content, chosen=chosen)
    assert all(scanned(content, [cut], chosen) == whole for cut in range(len(content) + 1))


@pytest.mark.parametrize(
    ("file", "total", "assistant"),
    [
        pytest.param("training", (47, 62, 52.1, 50.5), (13, 30, 17.6, 15.5), id="training"),
        pytest.param("validation", (43, 65, 51.4, 49.0), (8, 29, 15.9, 13.5), id="validation"),
    ],
)
def test_scan_prints_the_labs_figures(
    file: str, total: tuple[float, ...], assistant: tuple[float, ...]
) -> None:
    """The figures of files like the lab's are those of its notebook: min, max, mean, median."""
    found = scanning.scan_file(
        LAB / f"{file}_set.jsonl", options(base_models.base_model("gpt-35-turbo-0613"))
    )
    assert found.findings == []
    assert [
        (figures.min, figures.max, figures.mean, figures.median)
        for figures in (found.total.distribution(), found.assistant.distribution())
        if figures
    ] == [total, assistant]
    assert (found.lines, found.examples, found.format) == (10, 10, "supervised")
    assert found.messages_by_role == {"system": 10, "user": 10, "assistant": 10}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "TD-DATA-001", id="empty"),
        pytest.param(b"\xef\xbb\xbf", "TD-DATA-001", id="a byte-order mark only"),
        pytest.param(b"\n \r\n\n", "TD-DATA-001", id="blank lines only"),
        *(
            pytest.param(head + b"\n\x00\n{}\n" * 20, "TD-DATA-004", id=name)
            for name, head in {
                "gzip": b"\x1f\x8b",
                "zip": b"PK\x03\x04",
                "parquet": b"PAR1",
                "PDF": b"%PDF-1.7",
                "UTF-16": b"\xff\xfe",
                "UTF-32": b"\x00\x00\xfe\xff",
            }.items()
        ),
        pytest.param(
            a_file({"prompt": "a", "completion": "b"}, times=30), "TD-DATA-005", id="completion"
        ),
        pytest.param(a_file(an_example(), PREFERENCE), "TD-DATA-006", id="mixed"),
    ],
)
def test_file_has_one_clear_error_when_it_is_the_wrong_kind(content: bytes, code: str) -> None:
    """A file of another kind ends in one error, not in a flood."""
    found = scanned(content)
    assert (found.counts, found.errors) == ({code: 1}, 1)


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        pytest.param(a_file(an_example()), set[str](), id="LF"),
        pytest.param(a_file(an_example(), end="\r\n"), set[str](), id="CRLF"),
        pytest.param(a_file(an_example()).rstrip(), set[str](), id="no end"),
        pytest.param(a_file(an_example()) + b"\r\n\n", set[str](), id="blank lines at the end"),
        pytest.param(b"\xef\xbb\xbf" + a_file(an_example()), set[str](), id="byte-order mark"),
        pytest.param(
            a_file(an_example(), "", an_example()), {"TD-DATA-108"}, id="blank line inside"
        ),
        pytest.param(a_file(an_example(), an_example(), end="\r"), {"TD-DATA-109"}, id="CR"),
        pytest.param(
            a_file(an_example()) + b"\xef\xbb\xbf" + a_file(an_example()),
            {"TD-DATA-112"},
            id="joined files",
        ),
        pytest.param(b"x" * (2**20 + 1), {"TD-DATA-101"}, id="long line"),
        pytest.param(a_file(a_conversation()), {"TD-DATA-009"}, id="no system message"),
        pytest.param(
            a_file(
                *(
                    a_conversation()
                    | {"messages": [a_message("system", text), *a_conversation()["messages"]]}
                    for text in "ab"
                )
            ),
            {"TD-DATA-010"},
            id="system messages differ",
        ),
        pytest.param(
            a_file(
                an_example(
                    a_message("system"),
                    a_message("user", " " * 600_000 + "x"),
                    a_message("assistant"),
                )
            ),
            {"TD-DATA-219"},
            id="blanks",
        ),
    ],
)
def test_file_has_the_findings_of_its_lines(content: bytes, codes: set[str]) -> None:
    """Line ends, marks and blank lines are taken as the page on formats says."""
    assert codes_of(content) == codes


@pytest.mark.parametrize(("examples", "too_few"), [(9, True), (10, False)])
@pytest.mark.parametrize("role", ["training", "validation"])
def test_training_file_needs_10_examples(examples: int, too_few: bool, role: Any) -> None:
    """Nine are too few for training; a validation file may have any number."""
    found = scanned(a_file(an_example(), times=examples), chosen=options(role=role))
    assert ("TD-DATA-002" in found.counts) == (too_few and role == "training")


@pytest.mark.parametrize(
    ("step", "refused"), [(-1, False), (0, False), (1, True)], ids=["below", "at", "above"]
)
def test_example_is_refused_above_the_models_limit(step: int, refused: bool) -> None:
    """The limit itself is accepted; one token more names its line and both numbers."""
    empty = [a_message("system", ""), a_message("user", ""), a_message("assistant", "")]
    words = 65_536 - tokens.count(an_example(*empty), "o200k_base").total + step
    example = an_example(
        a_message("system", ""), a_message("user", ""), a_message("assistant", " a" * words)
    )
    found = scanned(a_file(an_example(), example))
    excess = [entry for entry in found.findings if entry.code == format_rules.TOKEN_LIMIT.code]
    assert bool(excess) == refused, found.total
    for entry in excess:
        assert entry.line == 2
        assert "65537" in entry.message
        assert "65536" in entry.message


def test_every_error_is_counted_and_the_first_hundred_of_each_severity_shown() -> None:
    """Many warnings don't hide an error, and the shown findings are in file order."""
    found = scanned(a_file(an_example(preferred_output=1), times=150) + a_file("{", times=120))
    assert (found.errors, found.warnings) == (120, 150)
    assert [entry.severity for entry in found.findings] == ["warning"] * KEPT + ["error"] * KEPT
    assert [entry.line for entry in found.findings] == [*range(1, 101), *range(151, 251)]


def test_all_findings_of_a_line_are_reported_in_order() -> None:
    """One line gives all of its findings, errors first, before those of the next line."""
    found = scanned(a_file(a_conversation(a_message("robot", 1), extra=1), "{"))
    assert [(entry.line, entry.code[-3:]) for entry in found.findings] == [
        (1, "203"),
        (1, "209"),
        (1, "009"),
        (1, "216"),
        (2, "103"),
    ]


FORMATS: dict[str, dict[str, Any]] = {
    "supervised": an_example(),
    "dpo": PREFERENCE,
    "reinforcement": GRADED,
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-4o-mini", "o4-mini"])
def test_file_for_a_method_that_the_model_does_not_offer_is_one_error(
    name: str, model: str
) -> None:
    """A format that the model can't be trained with is named once; any other passes."""
    chosen = base_models.base_model(model)
    found = scanned(a_file(FORMATS[name], times=12), chosen=options(chosen))
    assert (found.format, found.counts) == (
        name,
        {} if name in chosen.methods else {"TD-DATA-008": 1},
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("method", FORMATS)
def test_file_of_another_format_than_the_runs_method_is_one_error(name: str, method: str) -> None:
    """The run's method decides, where it is known."""
    chosen = msgspec.structs.replace(
        options(base_models.base_model("o4-mini" if name == "reinforcement" else "gpt-4.1")),
        method=method,
    )
    found = scanned(a_file(FORMATS[name], times=12), chosen=chosen)
    assert found.counts == ({} if name == method else {"TD-DATA-011": 1})


@pytest.mark.parametrize(
    ("name", "roles", "learnt"),
    [
        ("supervised", {"system": 1, "user": 1, "assistant": 1}, "The Pacific."),
        ("dpo", {"system": 1, "user": 1, "assistant": 2}, "Four."),
        ("reinforcement", {"system": 1, "user": 1}, ""),
    ],
)
def test_file_has_the_figures_of_its_format(name: str, roles: dict[str, int], learnt: str) -> None:
    """Messages of all fields are counted by role; learnt are the answers that the method learns
    from.
    """
    found = scanned(a_file(FORMATS[name]))
    assert found.messages_by_role == roles
    assert (
        found.trained.sum
        == tokens.count({"messages": [a_message("assistant", learnt)]}, "o200k_base").assistant
    )
    assert found.total.size == 1


def test_examples_over_the_limit_are_counted() -> None:
    """Two of three examples are longer than the model takes."""
    chosen = options(msgspec.structs.replace(TEXT_MODEL, max_example_tokens=40), "validation")
    long = an_example(a_message("system"), a_message("user", "word " * 40), a_message("assistant"))
    found = scanned(a_file(long, an_example(), long), chosen=chosen)
    assert (found.over_limit, found.counts) == (2, {"TD-DATA-218": 2, "TD-DATA-010": 1})


def test_examples_with_images_are_counted_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """One example with images more than allowed is an error of the file."""
    monkeypatch.setattr("tunedrop_check.scan.file_result.MAX_IMAGE_EXAMPLES", 2)
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    example = an_example(a_message("system"), a_message("user", [image]), a_message("assistant"))
    assert [
        scanned(a_file(example, times=times), chosen=options(IMAGE_MODEL, "validation")).errors
        for times in (2, 3)
    ] == [0, 1]


@pytest.mark.parametrize(("size", "refused"), [(512 * 2**20 - 1, False), (512 * 2**20, True)])
def test_file_of_512_mb_is_refused(size: int, refused: bool) -> None:
    """The service takes files under 512 MB."""
    found = scanning.merge([a_span(0, size, lines=1)], options(role="validation"))
    assert ("TD-DATA-003" in found.counts) == refused


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param([(0, 8), (16, 24)], id="a gap"),
        pytest.param([(0, 8), (0, 8), (8, 24)], id="one twice"),
        pytest.param([(0, 16), (8, 24)], id="an overlap"),
        pytest.param([(8, 24)], id="none at the start"),
        pytest.param([(8, 24), (0, 8)], id="out of order"),
        pytest.param([(0, 16)], id="none at the end"),
        pytest.param([(0, 32)], id="beyond the end"),
        pytest.param([(0, 24), (24, 8), (8, 24)], id="backwards"),
        pytest.param([], id="none"),
    ],
)
def test_merge_refuses_spans_that_are_not_the_file(spans: list[tuple[int, int]]) -> None:
    """Each byte exactly once and in order, or no result: never that of a smaller or another
    file.
    """
    with pytest.raises(scanning.SpansDontFit):
        scanning.merge([a_span(*span) for span in spans], options(), size=24)


def test_merge_takes_spans_that_are_the_file() -> None:
    """Whatever their number, the empty file's one span among them."""
    assert (
        scanning.merge([a_span(0, 8), a_span(8, 8), a_span(8, 24)], options(), size=24).bytes == 24
    )
    assert scanning.merge([a_span(0, 0)], options(), size=0).bytes == 0


@pytest.mark.parametrize("version", [0, scanning.COUNTING_VERSION + 1])
def test_merge_refuses_spans_of_another_counting_version(version: int) -> None:
    """Figures that were reckoned in two ways make no sum; a span of 0.1.0 carries the version 0."""
    with pytest.raises(scanning.SpansDontFit):
        scanning.merge(
            [a_span(0, 8), scanning.SpanScan(8, 24, counting_version=version)], options(), size=24
        )


@settings(LOADED, max_examples=100)
@given(st.lists(st.binary(max_size=40), max_size=8).map(b"\n".join))
def test_scan_ends_in_a_diagnosis_whatever_the_bytes(content: bytes) -> None:
    """No bytes lead to an exception, and none without an error or an example."""
    found = scanned(content)
    assert found.errors or found.examples
    assert scanning.file_scan_from_json(scanning.to_json(found)) == found


def test_result_stays_small_when_each_line_is_wrong() -> None:
    """A line with a hundred thousand faults and as many lines with one leave a small result."""
    content = a_file(json.dumps({"messages": [1] * 100_000})) + b"{\n" * 100_000
    found = scanned(content, chosen=msgspec.structs.replace(options(), max_error_lines=10**6))
    assert found.counts["TD-DATA-202"] == 100_000
    assert found.counts["TD-DATA-103"] == 100_000
    assert len(scanning.to_json(found)) < 100_000


MEASURE = r"""
import re, sys
from pathlib import Path
from tunedrop_check.models import base_models
from tunedrop_check.scan import scanning
scanning.scan_file(sys.argv[1], scanning.ScanOptions(base_models.base_model("gpt-4.1-mini")))
print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_memory_stays_bounded_when_a_line_is_100_mb(tmp_path: Path) -> None:
    """A line of 100 MB between sound ones is an error in under 200 MB resident."""
    file = tmp_path / "drop.jsonl"
    with file.open("wb") as out:
        out.write(a_file(an_example(), times=10))
        for _ in range(100):
            out.write(b"x" * 2**20)
        out.write(b"\n" + a_file(an_example(), times=10))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert int(done.stdout) < 200


ROOT = Path(__file__).parents[3]
LAB = ROOT / "tests" / "unit" / "check" / "lab"
