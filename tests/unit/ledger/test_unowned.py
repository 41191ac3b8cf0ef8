"""Files that nobody owns any more: only those of runs that this ledger knows to have ended."""

import json

import httpx2
import pytest

from shared.ledger import Ledger
from shared.marks import file_name, run_of_file
from shared.models.record import Outcome
from shared.unowned import delete_unowned_files
from tests.builders import a_record
from tests.unit.adapters.openai_wire import Wire, file_body, refused


def names(ledger: Ledger) -> dict[str, str]:
    """The files at the service by id: of an ended run, of a living one, of a run that this ledger doesn't know, and of people."""
    ended, living, strange = a_record("done", outcome=Outcome.FAILED), a_record("lives"), a_record("elsewhere")
    for record in (ended, living):
        assert ledger.claim(record)
    mine = file_name(ended, "training")
    return {
        "file-mine": mine,
        "file-lives": file_name(living, "training"),
        "file-strange": file_name(strange, "training"),
        "file-role": file_name(ended, "training").replace("training_set", "validation_set"),
        "file-bytes": mine.replace(ended.files["training"].content_hash[:12], "0" * 12),
        "file-copy": f"copy-of-{mine}",
        "file-person": "training_set.jsonl",
        "file-id": f"{ended.id}.jsonl",
    }


@pytest.mark.parametrize("older", [None, "2025-04-01-preview"])
def test_only_the_file_of_a_run_that_has_ended_is_deleted(ledger: Ledger, older: str | None) -> None:
    """Never what lives, what another environment made, or what a person did."""
    there = names(ledger)
    listed = {"object": "list", "data": [file_body(id=one, filename=name) for one, name in there.items()], "has_more": False}
    wire = Wire(lambda _: httpx2.Response(200, json=listed), lambda _: httpx2.Response(204, content=json.dumps({}).encode()))
    assert delete_unowned_files(ledger, wire.service(older)) == ["file-mine"]
    assert [request.url.path.rpartition("/")[2] for request in wire.requests if request.method == "DELETE"] == ["file-mine"]


def test_service_that_can_not_be_asked_keeps_no_sweep_from_its_work(ledger: Ledger) -> None:
    """The next sweep asks it again."""
    assert delete_unowned_files(ledger, Wire(refused(403, "forbidden")).service()) == []


def test_mark_is_read_as_it_is_written() -> None:
    """The run's id, whatever hyphens it has."""
    record = a_record("a-b-c")
    assert run_of_file(file_name(record, "training")) == record.id
    assert [run_of_file(name) for name in ("x.jsonl", "A-0c41aa97-abababababab-training_set.jsonl", "../x-training_set.jsonl")] == [
        None
    ] * 3
