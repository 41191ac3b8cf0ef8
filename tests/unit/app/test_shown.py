"""A run as the HTTP API tells it."""

import json
from typing import Any

import pytest

from shared.models.drop import drop_of
from shared.models.record import JobProgress, RunSummary, summary_of
from tests.builders import NOW, a_record
from triggers.runs import shown


def told(**changes: Any) -> dict[str, Any]:
    """The body of GET /api/runs/{id}."""
    body: dict[str, Any] = json.loads(shown(a_record(**changes)).model_dump_json())
    return body


def test_times_of_the_job_are_instants() -> None:
    """ISO 8601 in UTC, as all other times of the API; the ledger keeps the service's seconds."""
    job = told(job=JobProgress(created_at=1_764_000_000, finished_at=1_764_000_060))["job"]
    assert (job["created_at"], job["finished_at"]) == (
        "2025-11-24T16:00:00Z",
        "2025-11-24T16:01:00Z",
    )


@pytest.mark.parametrize("seconds", [10**20, -(10**20)])
def test_time_beyond_any_calendar_is_not_known(seconds: int) -> None:
    """A strange number in an old record hides no run."""
    assert told(job=JobProgress(created_at=seconds))["job"]["created_at"] is None


def test_row_names_the_blob_that_began_the_run() -> None:
    """Also that of a name that can't be a run's; a long one is cut."""
    drop = drop_of("account", "training", f"{'Ünusable ' * 100}.jsonl", "0x1")
    assert drop is not None
    blob = summary_of(a_record().model_copy(update={"drop": drop})).blob
    assert (blob, len(str(blob))) == (f"{('Ünusable ' * 100)[:99]}…", 100)


def test_row_of_an_older_release_is_read() -> None:
    """It has no blob yet."""
    row = json.loads(summary_of(a_record()).model_dump_json())
    del row["blob"]
    assert RunSummary.model_validate(row).created_at == NOW
