"""Check and count one span of bytes of one file."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared.models.messages import CANCELLED, Answer, ScanSpan, done
from shared.runs import scans
from shared.runs.answering import answered, needed
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import open_ledger

bp = df.Blueprint()


@bp.activity_trigger(input_name="request")
def scan_range(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Scans the lines that begin in the span and keeps the result as a blob of the run.

    Second run: the same bytes give the same result, written over itself. Once the files are merged,
    nothing is read again.
    """
    wanted = ScanSpan.model_validate(request)
    return answered(lambda: _scan(wanted))


def _scan(wanted: ScanSpan) -> Answer:
    record = open_ledger().get(wanted.run_id).record
    if record.stopping:
        return CANCELLED
    plan = needed(record.plan, "plan")
    if (
        record.files
    ):  # a resume: what the blobs are by now must not undo a run that may have paid already
        return done()
    checkpoint("scan_range: before the span")
    scans.scan_span(plan, wanted)
    checkpoint("scan_range: after the span")
    return done()
