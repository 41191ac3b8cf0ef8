"""Files, patterns, folders, archives and streams: what each stands for, and what is said of it."""

import gzip
import io
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.data import a_training_set
from tests.unit.check.command.builders import (
    BAD_ROLE,
    NO_SYSTEM,
    a_commit,
    a_file,
    a_spark_folder,
    run,
)
from tunedrop_check import CannotCheck
from tunedrop_check.command import inputs, sources

BOM = b"\xef\xbb\xbf"
EXAMPLES = Path(__file__).parents[4] / "examples"
PACKED = gzip.compress(a_training_set("packed"))


def found(*paths: object) -> list[tuple[str, str, int]]:
    """Path, role and number of parts of what these arguments stand for."""
    return [(one.path, one.role, len(one.parts)) for one in inputs.find(map(str, paths))]


def content_of(*paths: object, limit: int = 2**20) -> bytes:
    """The bytes of the one input at these arguments."""
    [one] = inputs.find(map(str, paths))
    with sources.opened(one, limit) as source:
        return b"".join(source.read(0, source.size))


# --- Which files


def test_patterns_are_expanded_where_the_shell_leaves_them(tmp_path: Path) -> None:
    """In the order of names, through folders with `**`."""
    for name in ("b.jsonl", "a_validation.jsonl", "deep/er/c.jsonl", "d.txt"):
        a_file(tmp_path / name)
    assert [path for path, _, _ in found(tmp_path / "*.jsonl")] == [
        str(tmp_path / "a_validation.jsonl"),
        str(tmp_path / "b.jsonl"),
    ]
    assert len(found(tmp_path / "**" / "*.jsonl")) == 3


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    """What is there is taken by its name."""
    path = a_file(tmp_path / "mine[1].jsonl")
    assert found(path) == [(str(path), "training", 1)]


def test_what_is_named_twice_is_checked_once(tmp_path: Path) -> None:
    """A file, the same through a pattern, and the folder that holds it are one input."""
    path = a_file(tmp_path / "one.jsonl")
    assert found(path, tmp_path / "*.jsonl", tmp_path) == [(str(path), "training", 1)]


def test_folder_of_a_drop_is_its_two_files(tmp_path: Path) -> None:
    """Other files beside them are left alone."""
    for name in ("training_set.jsonl", "validation_set.jsonl", "other.jsonl"):
        a_file(tmp_path / name)
    assert [(Path(path).name, role) for path, role, _ in found(tmp_path)] == [
        ("training_set.jsonl", "training"),
        ("validation_set.jsonl", "validation"),
    ]


def test_folder_of_a_drop_may_hold_folders_that_spark_wrote(tmp_path: Path) -> None:
    """`training/` and `validation/` are one dataset each, and job.json lies above them."""
    a_spark_folder(tmp_path / "training", {"part-0.json": NO_SYSTEM, "part-1.json": NO_SYSTEM})
    a_spark_folder(tmp_path / "validation", {"part-0.json": NO_SYSTEM})
    assert found(tmp_path) == [
        (str(tmp_path / "training"), "training", 2),
        (str(tmp_path / "validation"), "validation", 1),
    ]
    assert {one.home for one in inputs.find([str(tmp_path)])} == {tmp_path}
    assert inputs.find([str(tmp_path / "training")])[0].home == tmp_path


def test_other_folder_is_its_jsonl_files_packed_or_not(tmp_path: Path) -> None:
    """The names end in .jsonl or .jsonl.gz, in any case."""
    for name in ("b.JSONL", "a.jsonl.gz", "notes.txt", "data.json"):
        a_file(tmp_path / name)
    assert [Path(path).name for path, _, _ in found(tmp_path)] == ["a.jsonl.gz", "b.JSONL"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        pytest.param("none.jsonl", "There is no file none.jsonl.", id="no file"),
        pytest.param("*.none", "No file matches *.none.", id="no match"),
        pytest.param("empty", "There is no .jsonl file in empty.", id="nothing in the folder"),
    ],
)
def test_nothing_to_check_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, sentence: str
) -> None:
    """Never silence, and never a good end."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(CannotCheck) as trouble:
        inputs.find([path])
    assert str(trouble.value) == sentence


# --- Folders that Spark wrote


def test_part_files_are_one_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their examples count together: six and six are enough."""
    halves = {f"part-0000{number}.json": a_training_set(f"half {number}", 6) for number in range(2)}
    answer = run(capsys, a_spark_folder(tmp_path / "out", halves), "--json")
    assert answer.code == 0
    [file] = answer.files
    assert (file["path"], file["parts"], file["examples"], file["errors"]) == (
        str(tmp_path / "out"),
        2,
        12,
        0,
    )


def test_finding_names_part_and_line_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also in a packed part, and in one whose last line has no end."""
    parts = {
        "part-0.json": a_training_set("x", 8).rstrip(b"\n"),
        "part-1.json.gz": a_training_set("y", 3) + BAD_ROLE,
        "part-2": BOM + BAD_ROLE,
    }
    answer = run(capsys, a_spark_folder(tmp_path / "out", parts), "--json")
    [file] = answer.files
    places = [
        (Path(f["file"]).name, f["line"]) for f in file["findings"] if f["code"] == "TD-DATA-203"
    ]
    assert (file["examples"], places) == (13, [("part-1.json.gz", 4), ("part-2", 1)])
    assert f"{tmp_path / 'out' / 'part-2'}:1 /messages/1/role" in run(capsys, tmp_path / "out").out


def test_uncommitted_parts_are_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a failed task left is no data, and the output says how much of it there was."""
    parts = {"part-0-tid-1-a.json": a_training_set("good"), "part-0-tid-2-b.json": b"half a li"}
    marks = {
        "_started_1": b"",
        "_started_2": b"",
        "_committed_1": a_commit(["part-0-tid-1-a.json"]),
    }
    answer = run(capsys, a_spark_folder(tmp_path / "out", parts, marks), "--json")
    assert (answer.code, answer.files[0]["examples"]) == (0, 12)
    assert answer.files[0]["notes"] == [
        "Part files that are not read, because no commit names them: 1."
    ]
    assert "Part files that are not read" in run(capsys, tmp_path / "out").out


@pytest.mark.parametrize(
    ("marks", "parts", "codes"),
    [
        pytest.param({}, {"part-0": a_training_set("p")}, {"TD-DATA-053": 1}, id="no mark"),
        pytest.param({"_SUCCESS": b""}, {}, {"TD-DATA-001": 1}, id="no parts"),
        pytest.param(
            {"_committed_1": a_commit(["part-0", "part-1"])},
            {"part-0": a_training_set("p")},
            {"TD-DATA-052": 1},
            id="gone",
        ),
        pytest.param(
            {"_committed_1": b"{"},
            {"part-0": a_training_set("p")},
            {"TD-DATA-001": 1, "TD-DATA-052": 1},
            id="a broken commit",
        ),
        pytest.param(
            {"_started_7": b""},
            {"part-0-tid-7-x": a_training_set("p")},
            {"TD-DATA-001": 1, "TD-DATA-053": 1},
            id="only begun",
        ),
        pytest.param(
            {"_SUCCESS": b""},
            {"part-0.parquet": b"PAR1" + bytes(99)},
            {"TD-DATA-004": 1},
            id="another format",
        ),
    ],
)
def test_what_is_wrong_with_a_folder_has_a_code(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    marks: dict[str, bytes],
    parts: dict[str, bytes],
    codes: dict[str, int],
) -> None:
    """Each is a finding of the folder, none a traceback."""
    [file] = run(capsys, a_spark_folder(tmp_path / "out", parts, marks), "--json").files
    assert {finding["code"]: 1 for finding in file["findings"]} == codes
    assert file["errors"] + file["warnings"] == len(codes)


def test_example_of_a_drop_has_no_findings(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither of its files, not even a warning."""
    assert [file["counts"] for file in run(capsys, EXAMPLES / "travel-desk", "--json").files] == [
        {},
        {},
    ]


def test_example_of_part_files_is_checked_as_its_page_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Twelve examples, and the part of the failed task left out."""
    answer = run(capsys, EXAMPLES / "part-files", "--json")
    [file] = answer.files
    assert (answer.code, file["examples"], file["parts"], len(file["notes"])) == (0, 12, 2, 1)


@pytest.mark.parametrize("cut", range(1, 40))
def test_joined_parts_read_as_one_file_at_every_cut(tmp_path: Path, cut: int) -> None:
    """Any range of the whole is the same bytes, whichever parts it lies in."""
    parts = {
        "part-0": b"one\ntwo",
        "part-1": BOM + b"three\n",
        "part-2": b"",
        "part-3": BOM,
        "part-4": b"four\n\nfive",
    }
    [one] = inputs.find([str(a_spark_folder(tmp_path / "out", parts))])
    with sources.opened(one) as source:
        assert b"".join(source.read(0, source.size)) == b"one\ntwo\nthree\nfour\n\nfive"
        middle = min(cut, source.size)
        assert (
            b"".join([*source.read(0, middle), *source.read(middle, source.size)])
            == b"one\ntwo\nthree\nfour\n\nfive"
        )


# --- Archives and streams


def test_archive_is_checked_as_what_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also one of several members, as `cat a.gz b.gz` makes."""
    path = tmp_path / "mine.jsonl.gz"
    path.write_bytes(gzip.compress(a_training_set("a", 6)) + gzip.compress(a_training_set("b", 6)))
    answer = run(capsys, path, "--json")
    assert (answer.code, answer.files[0]["examples"]) == (0, 12)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PACKED[:-20], id="cut off"),
        pytest.param(PACKED[:-8] + bytes(8), id="wrong sum"),
        pytest.param(PACKED[:30] + bytes(30) + PACKED[60:], id="overwritten"),
        pytest.param(PACKED + b"more", id="something behind it"),
        pytest.param(b"plain text", id="no archive"),
    ],
)
def test_damaged_archive_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    """One error with its code; what came out before the damage is not judged."""
    path = tmp_path / "mine.jsonl.gz"
    path.write_bytes(content)
    answer = run(capsys, path, "--json")
    [file] = answer.files
    assert (answer.code, file["errors"], [f["code"] for f in file["findings"]]) == (
        2,
        1,
        ["TD-DATA-051"],
    )
    assert (file["examples"], file["tokens"]["total"], file["cost"]) == (0, None, None)
    assert file["counts"] == {"TD-DATA-051": 1}


def test_archive_that_unpacks_beyond_the_limit_is_not_unpacked_further(tmp_path: Path) -> None:
    """A bomb ends as a file that is too large, after one piece more than the limit at most."""
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(bytes(2**24)))
    with pytest.raises(sources.Refused) as refused:
        content_of(path, limit=2**21)
    assert (refused.value.finding.code, refused.value.part) == ("TD-DATA-003", path)


def test_limit_holds_for_all_packed_parts_together(tmp_path: Path) -> None:
    """Many small archives are no way around it."""
    folder = a_spark_folder(
        tmp_path / "out", {f"part-{number}.gz": bytes(400) for number in range(3)}
    )
    assert len(content_of(folder, limit=1_201)) == 1_202
    with pytest.raises(sources.Refused):
        content_of(folder, limit=1_200)


def test_standard_input_is_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-` is told as `-`, with the lines of the stream."""
    stream = io.TextIOWrapper(io.BytesIO(a_training_set("piped") + BAD_ROLE))
    monkeypatch.setattr(sys, "stdin", stream)
    answer = run(capsys, "-", "--json")
    [file] = answer.files
    assert (answer.code, file["path"], file["examples"]) == (2, "-", 13)
    assert {f["line"] for f in file["findings"] if f["severity"] == "error"} == {13}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_named_pipe_is_read_as_a_stream(tmp_path: Path) -> None:
    """As a shell's `<(zcat mine.gz)` gives it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"from a pipe\n",))
    writer.start()
    assert content_of(path) == b"from a pipe\n"
    writer.join()
