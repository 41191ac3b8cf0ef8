"""The row of a run, as the metadata of a blob holds it, and its place among all rows. Pure."""

import json
from datetime import UTC, datetime

from pydantic import ValidationError

from shared.errors import RecordUnreadable
from shared.models.record import (
    PERCENTAGES,
    Outcome,
    RunRecord,
    RunSummary,
    Step,
    summary_of,
)
from shared.services.storage import BlobFacts

RUNS, OPEN, ENDED = "runs/", "open/", "ended/"
SUMMARY = "summary"  # key of the metadata that holds the row of the run: 8 KB of ASCII at most
REPORT, MISSING = "report", "missing"  # metadata of a run that has ended without one
# Beyond each month (202611) and, in microseconds since 1970, the year 2286: counted down from them,
# the newest comes first.
LAST_MONTH, LAST_MICROSECOND = 999_999, 10**16 - 1
UNREADABLE = RecordUnreadable("").problem.code


def record_blob(run_id: str) -> str:
    """The blob of a run's record."""
    return f"{RUNS}{run_id}.json"


def run_of(blob: str) -> str:
    """The run whose record this blob is."""
    return blob.removeprefix(RUNS).removesuffix(".json")


def open_blob(run_id: str) -> str:
    """The entry of a run that lives, or has something left to do."""
    return f"{OPEN}{run_id}"


def ended_blob(row: RunSummary) -> str:
    """The entry of a run that has ended, in the folder of the month in which it began."""
    return ENDED + key_of(row)


def run_of_entry(blob: str) -> str:
    """The run of which this is the entry, among those that have ended."""
    return blob.rpartition("/")[2].partition("-")[2]


# Rows are in the order of their runs' beginning, the newest first, by names that sort so: storage
# lists in no other order. A run has the same key while it lives and once it has ended.
def key_of(row: RunSummary) -> str:
    """The place of a run: `<month, counted down>-<year>-<month>/<time, counted down>-<id>`."""
    began = row.created_at.astimezone(UTC)
    month = LAST_MONTH - (began.year * 100 + began.month)
    microseconds = round((began - datetime.fromtimestamp(0, UTC)).total_seconds() * 1_000_000)
    return f"{month:06}-{began:%Y-%m}/{LAST_MICROSECOND - microseconds:016}-{row.id}"


def metadata_of(record: RunRecord) -> dict[str, str]:
    """What stands in the metadata of a run's record and of its entries."""
    missing = record.ended_at is not None and record.report is None
    return row_metadata(summary_of(record)) | ({REPORT: MISSING} if missing else {})


def row_metadata(row: RunSummary) -> dict[str, str]:
    """A row as metadata."""
    # ASCII by construction: a header takes no other character, and a blob's name may have any.
    return {SUMMARY: json.dumps(row.model_dump(mode="json", exclude_none=True))}


def row_of(facts: BlobFacts) -> RunSummary | None:
    """The row in a blob's metadata; None where it is damaged or was left out."""
    try:
        return RunSummary.model_validate_json(facts.metadata.get(SUMMARY, ""))
    except ValidationError:
        return None


def unreadable_row(run_id: str, at: datetime) -> RunSummary:
    """The row of a run whose record can't be read: one that has failed."""
    return RunSummary(
        id=run_id,
        name=run_id.rpartition("-")[0],
        step=Step.ENDED,
        percentage=PERCENTAGES[Step.ENDED],
        outcome=Outcome.FAILED,
        created_at=at,
        updated_at=at,
        code=UNREADABLE,
    )


def lacks_report(facts: BlobFacts) -> bool:
    """Whether this is of a run that has ended without a report: it could not be written."""
    return facts.metadata.get(REPORT) == MISSING
