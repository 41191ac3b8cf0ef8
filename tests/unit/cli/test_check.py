"""`tunedrop check`: files and folders in, findings, figures and an exit code out."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.data import a_training_set
from tunedrop.cli.app import main

FIGURES = {"min", "max", "mean", "median", "sum"}
NO_ANSWER = (
    b'{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": '
    b'"[red]u\\u001b"}]}\n'
)
NO_SYSTEM = (
    b'{"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]}\n'
)


def checked(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `tunedrop check` with these arguments."""
    with pytest.raises(SystemExit) as ended:
        main(["check", *map(str, arguments)])
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out, said.err


def told(
    capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and files of `tunedrop check --json`."""
    code, out, err = checked(capsys, *arguments, "--json")
    assert err == ""
    return code, json.loads(out)["files"]


def test_good_file_is_counted_and_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One entry a file, with the names that scripts read; exit code 0."""
    path = tmp_path / "mine.jsonl"
    path.write_bytes(a_training_set("checking", 12))
    code, [file] = told(capsys, path)
    assert (
        code,
        file["path"],
        file["examples"],
        file["errors"],
        file["warnings"],
        file["findings"],
    ) == (0, str(path), 12, 0, 0, [])
    assert set(file["tokens"]["total"]) >= FIGURES
    assert file["tokens"]["total"]["sum"] > file["tokens"]["assistant"]["sum"] > 12


def test_error_is_told_with_its_place_and_ends_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line, field, code, message and fix of each finding; exit code 2."""
    path = tmp_path / "mine.jsonl"
    path.write_bytes(a_training_set("errors", 12) + NO_ANSWER)
    code, [file] = told(capsys, path)
    assert (code, file["errors"]) == (2, 1)
    [finding] = [found for found in file["findings"] if found["severity"] == "error"]
    assert set(finding) >= {"line", "field", "code", "message", "fix", "severity"}
    assert (finding["line"], finding["field"], finding["severity"]) == (13, "/messages", "error")


def test_error_is_printed_below_its_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code, title and fix once, then `file:line field message`, then the figures; nothing of the
    data, and no markup.
    """
    path = tmp_path / "mine.jsonl"
    path.write_bytes(a_training_set("errors", 12) + NO_ANSWER)
    code, out, _ = checked(capsys, path)
    assert code == 2
    lines = out.splitlines()
    [number] = [
        number for number, line in enumerate(lines) if line.startswith(f"    {path}:13 /messages  ")
    ]
    assert lines[number - 1].startswith("  error TD-DATA-")
    assert lines[number - 1].count(" — ") == 1
    assert "█" in out
    assert "[red]" not in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("options", "code"),
    [pytest.param([], 0, id="usually"), pytest.param(["--strict"], 1, id="strictly")],
)
def test_warning_is_an_error_only_when_strict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int
) -> None:
    """Exit code 1 under --strict where there are warnings and no errors."""
    path = tmp_path / "mine.jsonl"
    path.write_bytes(a_training_set("warnings", 12) + NO_SYSTEM)
    ended, [file] = told(capsys, path, *options)
    assert (ended, file["errors"], file["warnings"]) == (code, 0, 1)


def test_folder_is_its_two_files_checked_by_their_roles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A validation file needs no ten examples, and other files of the folder are left alone."""
    (tmp_path / "training_set.jsonl").write_bytes(a_training_set("roles", 12))
    (tmp_path / "validation_set.jsonl").write_bytes(a_training_set("roles", 2))
    (tmp_path / "other.jsonl").write_bytes(b"no JSON")
    code, files = told(capsys, tmp_path)
    assert (code, [(Path(f["path"]).name, f["examples"]) for f in files]) == (
        0,
        [("training_set.jsonl", 12), ("validation_set.jsonl", 2)],
    )


def test_folder_of_other_names_is_all_its_jsonl_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order of their names."""
    for name in ("b.jsonl", "a_validation.jsonl", "notes.txt"):
        (tmp_path / name).write_bytes(a_training_set(name, 12))
    _, files = told(capsys, tmp_path)
    assert [Path(f["path"]).name for f in files] == ["a_validation.jsonl", "b.jsonl"]


def test_model_of_the_job_file_decides_the_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """cl100k_base where job.json beside the file asks for gpt-35-turbo, unless --model says
    otherwise.
    """
    (tmp_path / "training_set.jsonl").write_bytes(
        a_training_set("日本語の長い文章 — Überraschungsgäste", 12)
    )
    older = '{"model": "gpt-35-turbo-0613"}'
    sums: list[int] = []
    for job, options in (("{}", []), (older, []), (older, ["--model", "gpt-4.1-mini"])):
        (tmp_path / "job.json").write_text(job)
        _, [file] = told(capsys, tmp_path, *options)
        sums.append(file["tokens"]["total"]["sum"])
    assert sums[0] < sums[1]
    assert sums[0] == sums[2]


@pytest.mark.parametrize(
    ("name", "content", "options", "sentence"),
    [
        pytest.param("mine.jsonl", None, [], "error: There is no file mine.jsonl.", id="no file"),
        pytest.param(
            "empty/notes.txt",
            b"",
            [],
            "error: There is no .jsonl file in empty.",
            id="no data in the folder",
        ),
        pytest.param(
            "mine.jsonl",
            b"{}",
            ["--model", "gpt-\x1b9"],
            "error: The base model is not known; the nearest known one is gpt-5-2025-08-07.",
            id="unknown model",
        ),
        pytest.param(
            "job.json",
            b"{",
            [],
            "error: job.json: job.json is not valid JSON",
            id="broken job file",
        ),
    ],
)
def test_what_can_not_be_checked_ends_with_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    options: list[str],
    sentence: str,
) -> None:
    """Exit code 2, one sentence on stderr, nothing on stdout."""
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    if name == "job.json":
        Path("training_set.jsonl").write_bytes(a_training_set("jobs"))
        path = Path("training_set.jsonl")
    code, out, err = checked(
        capsys, path.parent if path.name == "notes.txt" else path, *options, "--json"
    )
    assert (code, out) == (2, "")
    assert err.startswith(sentence)


def test_options_are_those_of_the_dataset_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command under both names: forms, help, `--` before a name, and the sentence where an
    option is unknown.
    """
    path = tmp_path / "-mine.jsonl"
    path.write_bytes(a_training_set("options", 12) + NO_ANSWER)
    code, out, _ = checked(capsys, "--format", "github", "--", path)
    assert (code, f"::error file={path},line=13,title=TD-DATA-" in out) == (2, True)
    assert checked(capsys, "--help")[1].startswith("usage: tunedrop check ")
    assert checked(capsys, "--explain", "103")[1].startswith("TD-DATA-103 Not JSON  error\n")
    assert checked(capsys, path, "--jsn") == (
        2,
        "",
        "error: Unrecognized arguments: --jsn. See tunedrop check --help.\n",
    )
