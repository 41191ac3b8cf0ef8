"""The files that a run's results are kept in, beside its report."""

import json
from typing import Any

from shared.models.record import RunRecord
from shared.runs.pinning import pinned
from shared.services import storage
from shared.services.storage import Container


def reports_of(record: RunRecord) -> Container:
    """The container that this run's results are kept in."""
    return (
        storage.named(pinned(record.plan).reports_container) if record.plan else storage.reports()
    )


def report_path(record: RunRecord, file: str) -> str:
    """Where a file of this run's results stands in the reports container."""
    return f"{record.drop.name}/{record.id}/{file}"


def kept_events(record: RunRecord) -> list[dict[str, Any]]:
    """What the service told of the job, oldest first; empty where nothing was kept."""
    stored = reports_of(record).read(report_path(record, "events.jsonl"), storage.RESULTS_BYTES)
    return [json.loads(line) for line in stored.content.splitlines()] if stored else []
