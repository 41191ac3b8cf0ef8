"""Join the spans of each file into one exact result, and refuse what has errors."""

from datetime import datetime

import azure.durable_functions as df

from shared.errors import DataRejected
from shared.models.messages import Answer, RunStep, done, ended
from shared.models.record import Outcome, RunRecord, Step
from shared.runs import scans
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import needed
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import Ledger, Read

bp = df.Blueprint()


@activity_of_living_run(bp, RunStep, enters=Step.SCAN, waits=False)
def merge_scan(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Writes one scan blob a file, its summary into the ledger, and rejects a drop with errors.

    Second run: the same spans give the same result, written over itself.
    """
    record = read.record
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
                    "The report lists the first 100 errors with line, field and fix; correct "
                    "them and drop the file again."
                ),
            ).problem,
        )
    return done()
