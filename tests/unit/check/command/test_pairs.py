"""Validation data is held against the training data that it belongs to."""

from pathlib import Path
from typing import Any

import pytest

from tests.data import a_training_set
from tests.unit.check.command.builders import a_file, a_spark_folder, run
from tunedrop_check.command import inputs, pairs

REPEATED = a_training_set("pairs", 1)


def repeats(file: dict[str, Any]) -> list[tuple[str, int, dict[str, list[int]]]]:
    """File, number and lines of what a validation file repeats of its training file."""
    return [
        (one["file"], one["times"], one["lines"])
        for one in file["findings"]
        if one["code"] == "TD-DATA-707"
    ]


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a drop whose validation file repeats one training example, on line 3."""
    monkeypatch.chdir(tmp_path)
    a_file(Path("drop/training_set.jsonl"), a_training_set("pairs"))
    a_file(Path("drop/validation_set.jsonl"), a_training_set("else", 2) + REPEATED)
    return tmp_path


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param(["drop"], id="the folder of a drop"),
        pytest.param(["drop/training_set.jsonl", "drop/validation_set.jsonl"], id="its two files"),
        pytest.param(
            ["drop/validation_set.jsonl", "drop/training_set.jsonl"], id="the other way round"
        ),
        pytest.param(["drop/*.jsonl"], id="a pattern"),
    ],
)
@pytest.mark.usefixtures("drop")
def test_repeated_example_is_told_with_its_line(
    capsys: pytest.CaptureFixture[str], paths: list[str]
) -> None:
    """In the result of the validation file alone, which counts it."""
    files = run(capsys, *paths, "--json").files
    told = {
        Path(file["path"]).name: (repeats(file), file["warnings"], file["counts"]) for file in files
    }
    place = "drop/validation_set.jsonl"
    assert told == {
        "training_set.jsonl": ([], 0, {}),
        "validation_set.jsonl": (
            [(place, 1, {place: [3]})],
            2,
            {"TD-DATA-010": 1, "TD-DATA-707": 1},
        ),
    }


@pytest.mark.usefixtures("drop")
def test_repeated_examples_are_one_row_of_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    """With the numbers of their lines."""
    a_file(Path("drop/validation_set.jsonl"), REPEATED + a_training_set("else", 2) + REPEATED)
    assert (
        "    drop/validation_set.jsonl:1  Validation examples that are in the training file, "
        "exactly or nearly: 2. Lines 1, 4."
    ) in run(capsys, "drop").out.splitlines()


def test_lines_of_part_files_are_those_of_their_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a finding on several lines each line is told with its part; the first one is where it
    stands.
    """
    a_spark_folder(
        tmp_path / "training",
        {"part-0": a_training_set("pairs", 7), "part-1": a_training_set("more", 7)},
    )
    other = a_training_set("else", 2)
    a_spark_folder(
        tmp_path / "validation",
        {
            "part-0": other,
            "part-1": other + REPEATED,
            "part-2": REPEATED,
            "part-3": b"\n" + REPEATED,
        },
    )
    [_, file] = run(capsys, tmp_path, "--json").files
    parts = [f"{tmp_path}/validation/part-{number}" for number in range(4)]
    assert repeats(file) == [(parts[1], 3, {parts[1]: [3], parts[2]: [1], parts[3]: [2]})]
    assert f"{parts[1]}:3  Validation examples" in (out := run(capsys, tmp_path).out)
    assert ": 3. Lines 3; 1 of part-2; 2 of part-3." in out


@pytest.mark.parametrize(
    ("paths", "partner"),
    [
        pytest.param(
            ["a/training_set.jsonl", "a/validation_set.jsonl"],
            "a/training_set.jsonl",
            id="one of each",
        ),
        pytest.param(
            ["x/mine.jsonl", "y/my_validation.jsonl"], "x/mine.jsonl", id="the only ones of all"
        ),
        pytest.param(["-", "y/my_validation.jsonl"], "-", id="standard input"),
        pytest.param(
            ["a/validation_set.jsonl", "a/old.jsonl", "a/training_set.jsonl"],
            "a/training_set.jsonl",
            id="as in a drop",
        ),
        pytest.param(
            ["b/training_set.jsonl", "a/validation_set.jsonl", "a/training_set.jsonl"],
            "a/training_set.jsonl",
            id="beside it",
        ),
        pytest.param(
            ["a/one.jsonl", "a/two.jsonl", "a/validation_set.jsonl"], None, id="one of two"
        ),
        pytest.param(
            ["b/training_set.jsonl", "c/training_set.jsonl", "a/validation_set.jsonl"],
            None,
            id="two elsewhere",
        ),
        pytest.param(["a/validation_set.jsonl"], None, id="alone"),
    ],
)
def test_validation_data_belongs_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], partner: str | None
) -> None:
    """The training data beside it, or the only one: no guess where there are several."""
    monkeypatch.chdir(tmp_path)
    for path in paths:
        a_file(Path(path))
    found = inputs.find(paths)
    told = {one.path: pairs.training_of(one, found) for one in found}
    assert {path: one and one.path for path, one in told.items()} == {
        path: partner if "validation" in path else None for path in paths
    }


@pytest.mark.usefixtures("drop")
def test_training_data_that_can_not_be_read_is_compared_with_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its own finding says why."""
    Path("drop/training_set.jsonl").unlink()
    Path("drop/mine.jsonl.gz").write_bytes(b"no archive")
    files = run(capsys, "drop/mine.jsonl.gz", "drop/validation_set.jsonl", "--json").files
    assert [repeats(file) for file in files] == [[], []]
