"""Ask whether the service has processed the uploaded files."""

import azure.durable_functions as df

from shared.errors import DeadlinePassed, ServiceLost, ServiceRejected
from shared.models.effect_kinds import FILE, JOB, kind_of
from shared.models.messages import Answer, RunStep, done, wait
from shared.models.pace import Pace
from shared.models.plan import Plan
from shared.models.record import RunRecord
from shared.runs import clients
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, polled
from shared.runs.ledger import Ledger, Read

bp = df.Blueprint()


@activity_of_living_run(bp, RunStep)
def file_status(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Says whether all files of the run are processed, or how long to wait.

    Second run: it only reads.
    """
    record = read.record
    plan = needed(record.plan, "plan")
    if record.effects.get(JOB.named()):
        return done()
    uploaded_at = max(effect.at for name, effect in record.effects.items() if kind_of(name) is FILE)
    # An upload may have taken longer than the processing may.
    waited_s = (read.now - uploaded_at).total_seconds()
    deadline = Deadline(ledger, wanted.run_id, "file_status", waited_s, wanted.pace.file_deadline_s)
    late = DeadlinePassed(
        "TD-DEADLINE-003",
        f"The uploaded files were not processed within {waited_s:.0f} s.",
        "file_deadline_s",
    )
    return polled(
        lambda: _looked_at(record, plan, waited_s, wanted.pace), wanted.pace, deadline, late
    )


def _looked_at(record: RunRecord, plan: Plan, waited_s: float, pace: Pace) -> Answer:
    service = clients.for_training(plan)
    files = [
        service.file(file_id) for role in plan.roles if (file_id := record.made(FILE.named(role)))
    ]
    for file in files:
        if file is None or file.status in {"deleted", "deleting"}:
            raise ServiceLost(
                "TD-FILE-001",
                "An uploaded file is gone: somebody deleted it.",
                "Drop the files again.",
            )
        if file.status == "error":
            reason = (file.reason or "no reason given")[:300]
            raise ServiceRejected(
                "Azure OpenAI",
                None,
                "fileError",
                reason,
                said="Azure OpenAI did not accept an uploaded file:",
            )
    if all(file and file.status == "processed" for file in files):
        return done()
    return wait(pace.next_poll_s(waited_s))
