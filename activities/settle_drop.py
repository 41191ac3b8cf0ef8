"""Wait until a drop is whole: quiet for the settle time, and with the file that job.json announces."""

from datetime import datetime, timedelta
from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared import planning, storage
from shared.answering import Deadline, answered, polled
from shared.dropped import present, readable
from shared.errors import DataRejected, PlanRejected
from shared.ledger import Read, open_ledger
from shared.models.drop import JOB_FILE, VALIDATION_SET, Drop
from shared.models.messages import CANCELLED, Answer, RunStep, done, wait
from shared.models.pace import Pace
from shared.models.record import Step
from shared.storage import BlobFacts, TooLarge

bp = df.Blueprint()


@bp.activity_trigger(input_name="request")
def settle_drop(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Says whether the drop is whole, or how long to wait before asking again.

    Second run: it only looks. A run that has its plan is settled for good.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _settle(wanted), wanted.pace)


def _settle(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    read = ledger.enter(wanted.run_id, Step.SETTLE)
    record, pace = read.record, wanted.pace
    if record.stopping:
        return CANCELLED
    if record.plan:
        return done()
    waited_s = (read.now - record.entered(Step.SETTLE)).total_seconds()
    deadline = Deadline(ledger, wanted.run_id, "settle_drop", waited_s, pace.companion_s)
    late = DataRejected("TD-DROP-010", "The dropped files could not be looked at in time.", "Look whether the storage is well; drop again.")
    return polled(lambda: _whole(read, pace), pace, deadline, late)


def _whole(read: Read, pace: Pace) -> Answer:
    record = read.record
    blobs = present(storage.named(record.drop.container), record.drop, with_job=record.job_settings is None)
    quiet_at = max(b.modified for b in blobs.values()) + timedelta(seconds=0 if record.drop.at_once else pace.settle_s)
    if read.now < quiet_at:
        return wait(max((quiet_at - read.now).total_seconds(), 0.1))
    readable(blobs)
    if VALIDATION_SET in blobs or not _announced(record.drop, blobs, record.job_settings):
        return done()
    return _patience(read.now, record.entered(Step.SETTLE), pace.companion_s, pace.next_poll_s)


def _announced(drop: Drop, blobs: dict[str, BlobFacts], job_settings: dict[str, object] | None) -> bool:
    """Whether a validation file is to come. A job.json that can't be read is refused by make_plan, not here."""
    if job_settings is not None:
        return job_settings.get("validation") == "expected"
    path = drop.companion(JOB_FILE)
    if path is None or JOB_FILE not in blobs:
        return False
    try:
        stored = storage.named(drop.container).read(path, planning.JOB_FILE_MAX_BYTES)
        return stored is not None and planning.parsed(stored.content).validation == "expected"
    except (PlanRejected, TooLarge):  # too large: it was replaced a moment ago
        return False


def _patience(now: datetime, since: datetime, companion_s: float, next_poll_s: Any) -> Answer:
    waited_s = (now - since).total_seconds()
    if waited_s > companion_s:
        raise DataRejected(
            "TD-DROP-003",
            f"job.json announces {VALIDATION_SET}, but after {waited_s:.0f} s it is not there.",
            f"Drop {VALIDATION_SET} first, or take `validation` out of job.json; then drop the training file again.",
        )
    return wait(float(next_poll_s(waited_s)))
