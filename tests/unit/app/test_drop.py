"""Which blob starts which run, by value."""

import pytest

from shared.models.drop import NAMELESS, drop_of


def started(blob: str, etag: str = "0x1") -> str | None:
    """The name of the run that this blob starts."""
    drop = drop_of("account", "training", blob, etag)
    return drop.name if drop else None


@pytest.mark.parametrize(
    ("blob", "name"),
    [
        ("travel.jsonl", "travel"),
        ("travel/training_set.jsonl", "travel"),
        ("travel/training/_SUCCESS", "travel"),
        ("travel.jsonl.gz", "travel"),
        ("travel/training_set.jsonl.gz", "travel"),
        ("a" * 31 + ".jsonl", "a" * 31),
        ("travel/validation_set.jsonl", None),
        ("travel/job.json", None),
        ("travel/validation_set.jsonl.gz", None),
        ("travel.gz", None),
        ("travel/training_set.gz", None),
        ("travel/training_set.jsonl.zip", None),
        ("travel/readme.txt", None),
        ("_SUCCESS", None),
        ("travel/training/part-00000.json", None),
        ("a" * 32 + ".jsonl", NAMELESS),
        ("Travel.jsonl", NAMELESS),
        ("travel.JSONL", NAMELESS),
        ("Travel.jsonl.gz", NAMELESS),
        ("travel.JSONL.gz", NAMELESS),
        (".jsonl.gz", NAMELESS),
        ("travel.jsonl.jsonl.gz", NAMELESS),
        ("../training_set.jsonl.gz", NAMELESS),
        ("tra--vel.jsonl", NAMELESS),
        ("-travel.jsonl", NAMELESS),
        ("travel-.jsonl", NAMELESS),
        ("tra vel.jsonl", NAMELESS),
        ("a/b/training_set.jsonl", NAMELESS),
        ("../training_set.jsonl", NAMELESS),
        ("<script>.jsonl", NAMELESS),
        ("x\n.jsonl", NAMELESS),
        (".jsonl", NAMELESS),
        ("training_set.jsonl", NAMELESS),  # a name with an underscore
        ("\u202egnp.jsonl", NAMELESS),
        ("invalid-name.jsonl", NAMELESS),
        ("%2e%2e.jsonl", NAMELESS),
        ("CON .jsonl", NAMELESS),
    ],
)
def test_blob_starts_the_run_of_its_name(blob: str, name: str | None) -> None:
    """The contract's table, and names that can't be a run's."""
    assert started(blob) == name


def test_run_id_changes_with_each_upload() -> None:
    """Another ETag is another run; the same one is the same."""
    ids = [drop_of("account", "training", "travel.jsonl", etag) for etag in ("0x1", "0x2", '"0x1"')]
    first, second, again = [drop.run_id if drop else "" for drop in ids]
    assert first == again != second


def test_run_id_fits_a_suffix_when_the_name_is_longest() -> None:
    """31 characters and the hash make 40, the most that a suffix may have."""
    drop = drop_of("account", "training", "a" * 31 + ".jsonl", "0x1")
    assert drop is not None
    assert len(drop.run_id) == 40
