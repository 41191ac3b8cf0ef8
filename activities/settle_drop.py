"""Wait until a drop is whole: quiet for the settle time, and with the file that job.json announces;
and for runs of its name before it.
"""

from datetime import timedelta

import azure.durable_functions as df

from shared.errors import DataRejected, PlanRejected
from shared.models.drop import JOB_FILE, VALIDATION_SET, Drop
from shared.models.messages import Answer, RunStep, done, wait
from shared.models.pace import Pace
from shared.models.record import RunRecord, Step
from shared.runs import planning
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, polled
from shared.runs.drop_blobs import present, readable
from shared.runs.ledger import Ledger, Read
from shared.services import storage
from shared.services.storage import BlobFacts, TooLarge

bp = df.Blueprint()
# So many runs of one name may be between their claim and the gate: who drops one name again and
# again delays nobody else by it.
AT_ONCE = 3
BEFORE_THE_GATE = {Step.CLAIMED, Step.SETTLE, Step.PLAN, Step.SCAN}


@activity_of_living_run(bp, RunStep, enters=Step.SETTLE)
def settle_drop(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Says whether the drop is whole, or how long to wait before asking again.

    Second run: it only looks. A run that has its plan is settled for good.
    """
    record, pace = read.record, wanted.pace
    if record.plan:
        return done()
    waited_s = (read.now - record.entered(Step.SETTLE)).total_seconds()
    deadline = Deadline(ledger, wanted.run_id, "settle_drop", waited_s, pace.companion_s)
    late = DataRejected(
        "TD-DROP-010",
        "The dropped files could not be checked in time.",
        "Check the storage, then drop again.",
    )
    answer = polled(lambda: _whole(ledger, read, pace), pace, deadline, late)
    if answer.kind == "wait" and answer.because:
        ledger.show_wait(wanted.run_id, answer.because)
    return answer


def _whole(ledger: Ledger, read: Read, pace: Pace) -> Answer:
    record = read.record
    blobs = present(
        storage.named(record.drop.container), record.drop, with_job=record.job_settings is None
    )
    quiet_at = max(b.modified for b in blobs.values()) + timedelta(
        seconds=0 if record.drop.at_once else pace.settle_s
    )
    if read.now < quiet_at:
        return wait(max((quiet_at - read.now).total_seconds(), 0.1))
    readable(blobs)
    waited_s = (read.now - record.entered(Step.SETTLE)).total_seconds()
    if waited_s <= pace.companion_s and (reason := in_the_way(ledger, record)):
        return wait(pace.next_poll_s(waited_s), reason)
    if VALIDATION_SET in blobs or not _announced(record.drop, blobs, record.job_settings):
        return done()
    return _patience(waited_s, pace)


def in_the_way(ledger: Ledger, record: RunRecord) -> str | None:
    """Why this run waits: many older runs of its name are not at the gate yet. None: its turn."""
    name, mine = record.drop.name, (record.created_at, record.id)
    rows = (
        row
        for row in ledger.living(f"{name}-")
        if row.name == name and row.outcome is None and row.step in BEFORE_THE_GATE
    )
    # The oldest go first, so that none waits for ever; and a wait ends with the patience for
    # companions, whatever holds the others up.
    if sum((row.created_at, row.id) < mine for row in rows) < AT_ONCE:
        return None
    return f"{AT_ONCE} older runs of this name are being read; this is the limit."


def _announced(
    drop: Drop, blobs: dict[str, BlobFacts], job_settings: dict[str, object] | None
) -> bool:
    """Whether a validation file is to come."""
    # A job.json that can't be read is refused by make_plan, not here.
    if job_settings is not None:
        return job_settings.get("validation") == "expected"
    path = drop.companion(JOB_FILE)
    if path is None or JOB_FILE not in blobs:
        return False
    try:
        stored = storage.named(drop.container).read(
            path, planning.JOB_FILE_MAX_BYTES, blobs[JOB_FILE].etag
        )
        return stored is not None and planning.parsed(stored.content).validation == "expected"
    except (PlanRejected, TooLarge):  # too large: it was replaced a moment ago
        return False


def _patience(waited_s: float, pace: Pace) -> Answer:
    if waited_s > pace.companion_s:
        raise DataRejected(
            "TD-DROP-003",
            f"job.json announces {VALIDATION_SET}, but after {waited_s:.0f} s it is not there.",
            (
                f"Drop {VALIDATION_SET} first, or remove `validation` from job.json; then drop the "
                "training file again."
            ),
        )
    return wait(
        pace.next_poll_s(waited_s), f"job.json announces {VALIDATION_SET}, which is not there yet."
    )
