"""`--grader`: a grader is checked, and each line for the fields that it reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.data import a_training_set
from tests.unit.check.command.builders import run
from tunedrop_check import CannotCheck, check
from tunedrop_check.command import grader_file

GRADER: dict[str, Any] = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{sample.output_text}}",
    "reference": "{{item.truth.names[0]}}",
}
MODEL = "o4-mini"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a grader and lines for it, the eighth of which has an empty list of names, as
    the current one.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grader.json").write_text(json.dumps(GRADER, indent=2))
    (tmp_path / "graded.jsonl").write_bytes(
        b"".join(a_line(["Ann"] if number != 7 else []) for number in range(12))
    )
    return tmp_path


def a_line(names: list[str]) -> bytes:
    """A question and the truth."""
    messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "Who?"}]
    return json.dumps({"messages": messages, "truth": {"names": names}}).encode() + b"\n"


def found_in(files: list[dict[str, Any]], *codes: str) -> list[tuple[str, int | None, str]]:
    """File, line and field of the findings with these codes."""
    return [
        (found["file"], found["line"], found["field"])
        for file in files
        for found in file["findings"]
        if found["code"] in codes
    ]


@pytest.mark.usefixtures("here")
def test_line_without_a_field_that_the_grader_reads_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is an error of that line; without a grader nobody knows."""
    answer = run(capsys, "graded.jsonl", "--model", MODEL, "--grader", "grader.json", "--json")
    assert (answer.code, found_in(answer.files, "TD-DATA-609")) == (
        2,
        [("graded.jsonl", 8, "/truth/names/0")],
    )
    assert run(capsys, "graded.jsonl", "--model", MODEL).code == 0
    found = check("graded.jsonl", model=MODEL, grader="grader.json")
    assert found == {"files": answer.files}


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_grader_that_is_wrong_is_told_of_once(
    here: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """However many files there are, and in every form, by its file and the place in it."""
    (here / "grader.json").write_text(json.dumps(GRADER | {"operation": "equals"}))
    (here / "more.jsonl").write_bytes(a_line(["Bo"]) * 10)
    answer = run(
        capsys,
        "more.jsonl",
        "graded.jsonl",
        "--model",
        MODEL,
        "--grader",
        "grader.json",
        "--format",
        form,
    )
    assert answer.code == 2
    assert answer.out.count("grader.json") == 1
    if form == "json":
        assert found_in(answer.files, "TD-DATA-603") == [("grader.json", None, "/operation")]
        assert [file["errors"] for file in answer.files] == [1, 1]


def test_supervised_lines_are_no_lines_for_a_grader(here: Path) -> None:
    """Who names a grader means reinforcement."""
    (here / "supervised.jsonl").write_bytes(a_training_set("s"))
    [file] = check("supervised.jsonl", model=MODEL, grader="grader.json")["files"]
    assert "TD-DATA-011" in file["counts"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "contains no grader: Not JSON."),
        (b'["string_check"]', "contains no grader: Not an object."),
        (b'{"type": "python", "type": "multi"}', "contains no grader: Key given twice."),
        (
            b'{"type": "python", "source": "' + b" " * grader_file.MAX_BYTES + b'"}',
            "has more than 1,048,576 bytes; a grader must have fewer.",
        ),
        (None, "can't be read: No such file or directory."),
    ],
    ids=["empty", "a list", "a key twice", "too large", "no file"],
)
def test_file_that_holds_no_grader_is_refused(here: Path, content: bytes | None, why: str) -> None:
    """In a sentence, before anything is checked."""
    if content is not None:
        (here / "other.json").write_bytes(content)
    with pytest.raises(CannotCheck) as refused:
        check("graded.jsonl", model=MODEL, grader="other.json")
    assert str(refused.value) == f"other.json {why}"


@pytest.mark.usefixtures("here")
def test_byte_order_mark_before_a_grader_does_no_harm() -> None:
    """Some editors write one."""
    file = Path("grader.json")
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert grader_file.read(file).fields == {"truth.names[0]"}
