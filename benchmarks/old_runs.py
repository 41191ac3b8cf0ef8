"""Old runs, many at a time: one is made by the app's own code, the others are copies of it that are
written straight into Azurite's database, each with a name, a time and rows of its own.

The content of a copied record is the first one's: what asks for old runs reads their rows, and a
record itself is only read by its id.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.models.drop import Drop, drop_of
from shared.models.record import Ending, Entered, Outcome, RunRecord, Step, summary_of
from shared.runs.ledger import Ledger
from shared.runs.run_rows import RUNS, ended_blob, metadata_of, record_blob

BLOBS = "$BLOBS_COLLECTION$"
DATABASE = "__azurite_db_blob__.json"
SPREAD = timedelta(days=700)
"""The old runs began within this time, evenly: nearly two years, as of a house that uses it."""


def one(ledger: Ledger, container: str, account: str) -> RunRecord:
    """An ended run, claimed and ended as the app does it."""
    drop = drop_of(account, container, "first/training_set.jsonl", "0x1")
    if drop is None:
        msg = "no drop"
        raise LookupError(msg)
    record = _ended(drop, datetime.now(UTC) - SPREAD)
    ledger.claim(record)
    ledger.index_older()
    return record


def _ended(drop: Drop, at: datetime) -> RunRecord:
    return RunRecord(
        id=drop.run_id,
        drop=drop,
        created_at=at,
        updated_at=at,
        timeline=(Entered(step=Step.ENDED, at=at),),
        step=Step.ENDED,
        ending=Ending(outcome=Outcome.SUCCEEDED),
        ended_at=at,
        report=f"reports/{drop.name}/{drop.run_id}/report.html",
    )


def multiply(azurite: Path, first: RunRecord, count: int) -> None:
    """Makes so many copies of the first run in the database of an Azurite that doesn't run."""
    file = azurite / DATABASE
    database = json.loads(file.read_bytes())
    [blobs] = [one for one in database["collections"] if one["name"] == BLOBS]
    docs: list[dict[str, Any]] = blobs["data"]
    row = ended_blob(summary_of(first))
    templates = {doc["name"]: doc for doc in docs if doc["name"] in {record_blob(first.id), row}}
    number = max(int(doc["$loki"]) for doc in docs)
    for name, metadata in _copies(first, count):
        number += 1
        like = templates[record_blob(first.id) if name.startswith(RUNS) else row]
        docs.append({**like, "name": name, "metadata": metadata, "$loki": number})
    blobs["maxId"] = number
    for field, index in blobs["binaryIndices"].items():
        index["values"] = sorted(range(len(docs)), key=lambda at: str(docs[at][field]))
    file.write_text(json.dumps(database), encoding="utf-8")


def _copies(first: RunRecord, count: int) -> Iterator[tuple[str, dict[str, str]]]:
    """The names and metadata of the blobs of each copy: its record, and its entry in the index."""
    for number in range(count):
        name = f"old{number:06}"
        drop = drop_of("old", first.drop.container, f"{name}/training_set.jsonl", f"0x{number:X}")
        if drop:
            record = _ended(drop, first.created_at + SPREAD * (number / max(count, 1)))
            yield record_blob(record.id), metadata_of(record)
            yield ended_blob(summary_of(record)), metadata_of(record)
