"""Join the spans of each file into one exact result, and refuse what has errors."""

from datetime import datetime
from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared.errors import DataRejected
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended
from shared.models.record import Outcome, RunRecord, Step
from shared.runs import scans
from shared.runs.answering import answered, needed
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import open_ledger

bp = df.Blueprint()


@bp.activity_trigger(input_name="request")
def merge_scan(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Writes one scan blob a file, its summary into the ledger, and rejects a drop with errors.

    Second run: the same spans give the same result, written over itself.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _merge(wanted))


def _merge(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    record = ledger.enter(wanted.run_id, Step.SCAN).record
    if record.stopping:
        return CANCELLED
    plan = needed(record.plan, "plan")
    checkpoint("merge_scan: before the scans")
    summaries = record.files or scans.merged(plan, wanted.run_id)

    def noting(current: RunRecord, _now: datetime) -> RunRecord:
        return current.model_copy(update={"files": summaries})

    checkpoint("merge_scan: after the scans")
    ledger.change(wanted.run_id, noting)
    checkpoint("merge_scan: after the record")
    if faulty := {role: s.errors for role, s in summaries.items() if s.errors}:
        told = " and ".join(
            f"the {role} file has {count:,} error{'s' if count > 1 else ''}"
            for role, count in faulty.items()
        )
        return ended(
            Outcome.REJECTED,
            DataRejected(
                "TD-DROP-006",
                f"{told[0].upper()}{told[1:]}.",
                (
                    "The report lists the first 100 with line, field and fix; correct them and "
                    "drop the file again."
                ),
            ).problem,
        )
    return done()
