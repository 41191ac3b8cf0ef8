"""Which files of a folder that Spark or Databricks wrote are its data."""

import json

import pytest

from tunedrop_check.reading import spark

ONE, TWO = "part-00000-tid-11-aa-c000.json", "part-00001-tid-11-aa-c000.json"
FAILED = "part-00000-tid-22-bb-c000.json"


def folder(names: list[str], **commits: str | dict[str, list[str]]) -> spark.Folder:
    """The folder with these files and these commits."""
    contents = {
        name: text if isinstance(text, str) else json.dumps(text) for name, text in commits.items()
    }
    return spark.folder([*names, *contents], lambda name: contents[name].encode())


def test_parts_are_the_data_in_the_order_of_their_names() -> None:
    """What begins with a dot or an underscore is none."""
    found = folder(["part-2", "part-1", ".part-1.crc", "_SUCCESS", "_metadata"])
    assert (found.parts, found.uncommitted, found.finished) == (("part-1", "part-2"), 0, True)


def test_only_committed_parts_are_data_where_there_are_commits() -> None:
    """A part of a failed task lies beside them, and is counted as left out."""
    found = folder(
        [ONE, TWO, FAILED, "_started_11", "_started_22"],
        _committed_11={"added": [ONE, TWO], "removed": []},
    )
    assert found == spark.Folder((ONE, TWO), uncommitted=1, missing=0, unreadable=0, finished=True)


def test_a_part_that_a_later_commit_removed_is_no_data() -> None:
    """An overwritten part stays on disk until it is vacuumed."""
    found = folder(
        [ONE, TWO],
        _committed_11={"added": [ONE], "removed": []},
        _committed_12={"added": [TWO], "removed": [ONE]},
    )
    assert (found.parts, found.uncommitted) == ((TWO,), 1)


def test_a_vacuum_adds_nothing() -> None:
    """Its commit names what it deleted; that it isn't there is right."""
    found = folder(
        [TWO],
        _committed_11={"added": [ONE, TWO]},
        _committed_vacuum99={"added": [], "removed": [ONE]},
    )
    assert (found.parts, found.missing) == ((TWO,), 0)


def test_started_parts_are_no_data_without_their_commit() -> None:
    """The job that wrote them failed or still writes; parts of a plain writer beside them count."""
    found = folder(["part-00000.json", FAILED, "_started_22", "_SUCCESS"])
    assert (found.parts, found.uncommitted, found.finished) == (("part-00000.json",), 1, True)


def test_a_committed_part_that_is_not_there_is_missing() -> None:
    """Data would be lost in silence."""
    assert folder([ONE], _committed_11={"added": [ONE, TWO]}).missing == 1


def test_a_name_that_leaves_the_folder_is_never_read() -> None:
    """A commit is text from outside: only names of files that are there count."""
    found = folder([ONE], _committed_11={"added": [ONE, "../../part-secret", "/etc/passwd"]})
    assert found.parts == (ONE,)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"added": "part-1"}', '{"added": [1]}', "[" * 100_000],
    ids=["empty", "half", "array", "text", "number", "deep"],
)
def test_a_commit_that_can_not_be_read_is_counted(content: str) -> None:
    """It names nothing, so that its parts aren't data."""
    found = folder([ONE], _committed_11=content)
    assert (found.parts, found.unreadable) == ((), 1)


def test_parts_without_a_mark_are_unfinished() -> None:
    """Neither `_SUCCESS` nor a commit says that the writer has ended."""
    assert not folder(["part-1"]).finished


@pytest.mark.parametrize(
    ("names", "is_one"),
    [
        (["part-0"], True),
        (["_SUCCESS"], True),
        (["training_set.jsonl", "job.json"], False),
        ([], False),
        ([".part-0.crc"], False),
    ],
)
def test_folder_is_told_by_its_names(names: list[str], is_one: bool) -> None:
    """Part files or `_SUCCESS` make a folder one that Spark wrote."""
    assert spark.is_folder(names) == is_one
