"""Check and count one span of bytes of one file."""

import azure.durable_functions as df

from shared.models.messages import Answer, ScanSpan, done
from shared.runs import scans
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import needed
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import Ledger, Read

bp = df.Blueprint()


@activity_of_living_run(bp, ScanSpan, waits=False)
def scan_range(wanted: ScanSpan, ledger: Ledger, read: Read) -> Answer:
    """Scans the lines that begin in the span and keeps the result as a blob of the run.

    Second run: the same bytes give the same result, written over itself. Once the files are merged,
    nothing is read again.
    """
    record = read.record
    plan = needed(record.plan, "plan")
    # A resume: what the blobs are by now must not undo a run that may have paid already.
    if record.files:
        return done()
    checkpoint("scan_range: before the span")
    scans.scan_span(plan, wanted)
    checkpoint("scan_range: after the span")
    return done()
