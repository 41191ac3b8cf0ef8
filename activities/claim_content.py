"""Claim what the run is about to train: the same bytes with the same settings are trained once."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import partial

import azure.durable_functions as df

from activities.cancel_job import take_back_job
from shared.errors import PlanRejected, Problem, ServiceRejected
from shared.models.effect_kinds import JOB
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended, wait
from shared.models.pace import Pace
from shared.models.record import Outcome, RunRecord, Step
from shared.runs import line
from shared.runs.activity import activity
from shared.runs.answering import needed
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import Ledger, open_ledger
from shared.runs.reuse import source_of, taken_from
from tunedrop_check.rules.wording import lasting

bp = df.Blueprint()


@activity(bp, RunStep)
def claim_content(wanted: RunStep) -> Answer:
    """Takes the content claim; `wait` while a living run holds it, `duplicate` once a successful
    one does.

    Second run: the claim is held by this run already, which is the same answer. A run that has
    begun to buy has held it before, and asks no more.
    """
    return claimed(open_ledger(), wanted, take_back_job)


def claimed(ledger: Ledger, wanted: RunStep, take_back: Callable[[RunStep], Answer]) -> Answer:
    """The run's turn, a wait for the holder's end, or the end as its duplicate."""
    read = ledger.enter(wanted.run_id, Step.GATE)
    record = read.record
    if record.stopping:
        return CANCELLED
    if record.effects:
        return done()
    if record.reuse_of or _reuses(ledger, record):
        return _turn(ledger, wanted.run_id)
    by_force = bool(record.plan and record.plan.retrain)
    checkpoint("claim_content: before the claim")
    key = content_key(record)
    had = partial(_had, key=key)
    holder = ledger.hold(f"content/{key}", wanted.run_id, keeps, by_force=by_force, about=had)
    checkpoint("claim_content: after the claim")
    if holder is None:
        return _turn(ledger, wanted.run_id)
    holding = ledger.get(holder).record
    if holding.outcome is Outcome.SUCCEEDED:
        return ended(Outcome.DUPLICATE, duplicate_of=holder)
    waited_s = (read.now - record.entered(Step.GATE)).total_seconds()
    if waited_s > wanted.pace.run_deadline_s:
        return ended(Outcome.EXPIRED, _held_too_long(holder, waited_s))
    because = f"{holder} trains the same content."
    if holding.outcome is not None and keeps(holding):
        # The holder has ended, and its job was left behind: cancelled, it keeps the claim no
        # longer.
        because = _not_taken_back(take_back, holder, wanted.pace) or because
    ledger.show_wait(wanted.run_id, because)
    if holding.outcome is None:
        before = line.enter(ledger, record.id, record.entered(Step.GATE), holder)
        if ledger.get(holder).record.ended_at is None:  # else its end may have called before that
            left_s = wanted.pace.run_deadline_s - waited_s
            return wait(line.until_the_next_look_s(wanted.pace, left_s, before), because)
    return wait(wanted.pace.next_poll_s(waited_s), because)


def _not_taken_back(take_back: Callable[[RunStep], Answer], holder: str, pace: Pace) -> str | None:
    """Takes back the job of a run that has ended; why it could not be, where this was refused."""
    try:
        take_back(RunStep(run_id=holder, pace=pace))
    except ServiceRejected as refused:  # its trouble is not the end of those that wait for it
        return f"The job of {holder}, with the same content, is left: {refused.problem.message}"
    return None


def _reuses(ledger: Ledger, record: RunRecord) -> bool:
    """Whether the run deploys a model that is trained already."""
    if not needed(record.plan, "plan").reuse:
        return False
    key = content_key(record)
    source = source_of(ledger, f"content/{key}", record, partial(_had, key=key))
    if source is None:
        return False

    def taking(current: RunRecord, _now: datetime) -> RunRecord | None:
        return None if current.reuse_of or current.effects else taken_from(current, source)

    checkpoint("claim_content: before the reuse")
    # From here on it is known as a run that does.
    ledger.change(record.id, taking)
    checkpoint("claim_content: after the reuse")
    return True


def _had(record: RunRecord, *, key: str) -> bool:
    """Whether this run has held this content."""
    # A damaged claim is told anew by it.
    return record.turn_at is not None and record.reuse_of is None and content_key(record) == key


def keeps(record: RunRecord) -> bool:
    """Whether this run keeps its content."""
    job = record.effects.get(JOB.named())
    # It lives, or succeeded, or has left a job behind that may still train.
    return record.outcome in {None, Outcome.SUCCEEDED} or (
        job is not None and job.state != "removed"
    )


def _held_too_long(holder: str, waited_s: float) -> Problem:
    return PlanRejected(
        "TD-GATE-009",
        f"The run {holder} trains the same content and had not ended after {lasting(waited_s)}.",
        "Cancel that run, or find out why it does not end; then drop the files again.",
    ).problem


def _turn(ledger: Ledger, run_id: str) -> Answer:
    def noting(current: RunRecord, now: datetime) -> RunRecord | None:
        return (
            None
            if current.turn_at
            else current.model_copy(update={"waits_because": None, "turn_at": now})
        )

    checkpoint("claim_content: before the turn")
    ledger.change(run_id, noting)
    checkpoint("claim_content: after the turn")
    return done()


def content_key(record: RunRecord) -> str:
    """The hash of both files' content and of every setting that changes the model."""
    plan = needed(record.plan, "plan")
    hashes = [f"{role}:{record.files[role].content_hash}" for role in plan.roles]
    return hashlib.sha256(
        "\n".join([*hashes, plan.training.model_dump_json()]).encode()
    ).hexdigest()
