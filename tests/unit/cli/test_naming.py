"""What `tunedrop drop` puts where: names and order, settled before anything is sent."""

from pathlib import Path

import pytest

from tunedrop.cli.naming import NotADrop, layout_of, slug


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with some files to drop."""
    for name in (
        "My Data.jsonl",
        "other.jsonl",
        "my_validation.jsonl",
        "???.jsonl",
        "job.json",
        "full/training_set.jsonl",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    for name in ("validation_set.jsonl", "job.json", "notes.txt"):
        (tmp_path / "full" / name).write_text("{}\n")
    for name in (
        "spark/training/part-0.json",
        "spark/training/part-1.json",
        "spark/training/_SUCCESS",
        "jobs/job.json",
        "some.JSONL",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("{}\n")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "run", "job", "blobs"),
    [
        pytest.param(["My Data.jsonl"], None, None, ["my-data.jsonl"], id="a file alone"),
        pytest.param(
            ["My Data.jsonl"], "other-name", None, ["other-name.jsonl"], id="a file and a name"
        ),
        pytest.param(
            ["full"],
            None,
            None,
            ["full/validation_set.jsonl", "full/job.json", "full/training_set.jsonl"],
            id="a folder",
        ),
        pytest.param(
            ["full/training_set.jsonl"], None, None, ["full.jsonl"], id="a folder's training file"
        ),
        pytest.param(
            ["My Data.jsonl"],
            None,
            "job.json",
            ["my-data/job.json", "my-data/training_set.jsonl"],
            id="a file and a job",
        ),
        pytest.param(
            ["My Data.jsonl", "my_validation.jsonl"],
            None,
            None,
            ["my-data/validation_set.jsonl", "my-data/training_set.jsonl"],
            id="training and validation",
        ),
        pytest.param(
            ["full"],
            "v2",
            "job.json",
            ["v2/validation_set.jsonl", "v2/job.json", "v2/training_set.jsonl"],
            id="another job than the folder's",
        ),
        pytest.param(
            ["spark"], None, None, ["spark/training_set.jsonl"], id="a folder of part files"
        ),
        pytest.param(
            ["spark/training"],
            None,
            None,
            ["spark/training_set.jsonl"],
            id="the part files' own folder",
        ),
        pytest.param(
            ["spark/tr*/part-*"], None, None, ["spark/training_set.jsonl"], id="a pattern"
        ),
        pytest.param(
            ["jobs", "other.jsonl"],
            "both",
            None,
            ["both/job.json", "both/training_set.jsonl"],
            id="a folder with a job alone",
        ),
        pytest.param(["-"], "piped", None, ["piped.jsonl"], id="standard input"),
        pytest.param(["some.JSONL"], None, None, ["some.jsonl"], id="an ending in capitals"),
    ],
)
@pytest.mark.usefixtures("here")
def test_files_become_blobs_with_the_starting_one_last(
    paths: list[str], run: str | None, job: str | None, blobs: list[str]
) -> None:
    """A training file alone is `<run>.jsonl`; more is a folder, whose training file comes last
    because it starts the run.
    """
    found = layout_of([Path(p) for p in paths], run, Path(job) if job else None)
    assert [upload.blob for upload in found.uploads] == blobs


@pytest.mark.parametrize(
    ("paths", "run", "sentence"),
    [
        pytest.param(["nope.jsonl"], None, "There is no file nope.jsonl.", id="missing"),
        pytest.param(["empty"], None, "There is no .jsonl file in empty.", id="empty folder"),
        pytest.param(
            ["my_validation.jsonl"],
            None,
            (
                "There is no training file. Give a .jsonl file, or a folder that contains "
                "training_set.jsonl."
            ),
            id="validation data alone",
        ),
        pytest.param(
            ["none/*.jsonl"],
            None,
            "No file matches none/*.jsonl.",
            id="a pattern that matches nothing",
        ),
        pytest.param(
            ["-"],
            None,
            "The file's name can't become the run's name. Give a name with --run.",
            id="standard input, unnamed",
        ),
        pytest.param(
            ["My Data.jsonl", "other.jsonl"],
            None,
            "Both My Data.jsonl and other.jsonl would be training_set.jsonl. Give one. "
            "The name of a validation file has `validation` in it. To join files, give a "
            "pattern in quotes: 'folder/*.jsonl'.",
            id="two training files",
        ),
        pytest.param(
            ["???.jsonl"],
            None,
            "The file's name can't become the run's name. Give a name with --run.",
            id="no letter in the name",
        ),
        pytest.param(
            ["other.jsonl"],
            "Bad_Name",
            "`Bad_Name` can't be a run's name: lower-case letters, digits and single hyphens "
            "between them, "
            "at most 31 characters. Give another name with --run.",
            id="bad name",
        ),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_is_not_a_drop_is_refused_with_a_sentence(
    paths: list[str], run: str | None, sentence: str
) -> None:
    """Nothing is sent; the message says what is wrong and how to fix it."""
    with pytest.raises(NotADrop) as refused:
        layout_of([Path(p) for p in paths], run)
    assert str(refused.value) == sentence


@pytest.mark.usefixtures("here")
def test_layout_names_the_blobs_that_an_earlier_drop_may_have_left() -> None:
    """A folder without a validation file lists its place as absent."""
    assert layout_of([Path("other.jsonl")], None, Path("job.json")).absent == (
        "other/validation_set.jsonl",
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("Travel Desk (v2)", "travel-desk-v2", id="spaces and brackets"),
        pytest.param("--a__b--", "a-b", id="hyphens at the ends"),
        pytest.param("ÄÖÜ", "", id="nothing that fits"),
        pytest.param("x" * 30 + "-yz", "x" * 30, id="cut at a hyphen"),
        pytest.param("a" * 40, "a" * 31, id="too long"),
    ],
)
def test_slug_is_the_nearest_run_name(text: str, name: str) -> None:
    """Lower-case letters, digits, single hyphens, at most 31 characters."""
    assert slug(text) == name
