"""The files that a run's results are kept in, beside its report."""

import json
from typing import Any

from shared import storage
from shared.models.record import RunRecord


def report_path(record: RunRecord, file: str) -> str:
    """Where a file of this run's results stands in the reports container."""
    return f"{record.drop.name}/{record.id}/{file}"


def kept_events(record: RunRecord) -> list[dict[str, Any]]:
    """What the service told of the job, oldest first; empty where nothing was kept."""
    stored = storage.reports().read(report_path(record, "events.jsonl"), storage.RESULTS_BYTES)
    return [json.loads(line) for line in stored.content.splitlines()] if stored else []
