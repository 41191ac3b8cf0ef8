"""Findings as workflow commands of GitHub."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.data import a_training_set
from tests.unit.check.command.builders import BAD_ROLE, a_file, a_finding, run
from tunedrop_check.command import as_github

COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-zA-Z]+=[^,:\r\n]*,?)+)::([^\r\n]*)")


def commands(*findings: dict[str, Any], path: str = "data/a.jsonl") -> list[str]:
    """The lines for one file with these findings, without its notice."""
    tokens = {"total": None, "assistant": None}
    file = {
        "path": path,
        "examples": 1,
        "errors": 1,
        "warnings": 0,
        "tokens": tokens,
        "findings": findings,
    }
    return list(as_github.lines([file]))[:-1]


def test_finding_is_an_annotation_on_its_line() -> None:
    """File, line and title as properties; field, message and fix as the text."""
    assert commands(a_finding()) == [
        (
            "::error file=data/a.jsonl,line=7,title=TD-DATA-201 No messages::/messages: It is "
            "wrong. Fix it."
        )
    ]


def test_finding_of_the_whole_file_has_no_line() -> None:
    """The annotation then stands at the file."""
    assert commands(a_finding(line=None, field="", severity="warning", code="TD-DATA-009")) == [
        "::warning file=data/a.jsonl,title=TD-DATA-009 System message missing::It is wrong. Fix it."
    ]


def test_finding_of_several_lines_stands_at_the_first_and_names_them() -> None:
    """One annotation; where lines lie in another part of a folder, the part is named."""
    places = {"data/a.jsonl": [7, 9], "data/b.jsonl": [1]}
    [line] = commands(a_finding(field="", times=5, lines=places))
    assert line.startswith("::error file=data/a.jsonl,line=7,title=TD-DATA-201 No messages::")
    assert line.endswith("::It is wrong. Lines 7, 9; 1 of b.jsonl and 2 more. Fix it.")


def test_finding_in_standard_input_has_no_file() -> None:
    """There is none to mark."""
    assert commands(a_finding(file="-")) == [
        "::error line=7,title=TD-DATA-201 No messages::/messages: It is wrong. Fix it."
    ]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param("a,line=1.jsonl", "a%2Cline=1.jsonl", id="comma"),
        pytest.param("a::error::b", "a%3A%3Aerror%3A%3Ab", id="colons"),
        pytest.param("100%25.jsonl", "100%2525.jsonl", id="percent"),
        pytest.param(
            "a\n::stop-commands::x", "a⟦U+000A⟧%3A%3Astop-commands%3A%3Ax", id="line feed"
        ),
        pytest.param("\x1b[31m\u202e.jsonl", "⟦U+001B⟧[31m⟦U+202E⟧.jsonl", id="terminal controls"),
        pytest.param("\udcff.jsonl", "⟦U+DCFF⟧.jsonl", id="a byte that is no UTF-8"),
    ],
)
def test_hostile_name_stays_one_property_of_one_line(name: str, written: str) -> None:
    """No name begins a command, ends a property or a line."""
    [line] = commands(a_finding(file=name))
    assert line == (
        f"::error file={written},line=7,title=TD-DATA-201 No messages::/messages: It is wrong. "
        "Fix it."
    )


def test_hostile_text_stays_in_its_line() -> None:
    """A field is made of known keys only; the text is escaped all the same."""
    [line] = commands(a_finding(message="50% of\r\n::error::it"))
    assert line.endswith("::/messages: 50%25 of⟦U+000D⟧⟦U+000A⟧::error::it Fix it.")


def test_every_line_of_the_output_is_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a whole check; the last one sums the file up."""
    monkeypatch.chdir(tmp_path)
    a_file(Path("mine.jsonl"), a_training_set("g") + BAD_ROLE)
    answer = run(capsys, "mine.jsonl", "--format", "github")
    lines = answer.out.splitlines()
    assert answer.code == 2
    assert [line for line in lines if not COMMAND.fullmatch(line)] == []
    assert [line.split("::")[1].split()[0] for line in lines] == [
        "error",
        "error",
        "warning",
        "notice",
    ]
    assert lines[-1].startswith("::notice title=mine.jsonl::13 examples, ")
