"""Claim what the run is about to train: the same bytes with the same settings are trained once."""

import hashlib
from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared.answering import answered
from shared.ledger import open_ledger
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended
from shared.models.record import Outcome, RunRecord

bp = df.Blueprint()


@bp.activity_trigger(input_name="request")
def claim_content(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Takes the content claim, or ends the run as the duplicate of the one that holds it.

    Second run: the claim is held by this run already, which is the same answer.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _claim(wanted))


def _claim(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    record = ledger.get(wanted.run_id).record
    if record.stopping:
        return CANCELLED
    by_force = bool(record.plan and record.plan.retrain)
    holder = ledger.hold(f"content/{content_key(record)}", wanted.run_id, successes_hold=True, by_force=by_force)
    return ended(Outcome.DUPLICATE, duplicate_of=holder) if holder else done()


def content_key(record: RunRecord) -> str:
    """The hash of both files' content and of every setting that changes the model."""
    plan = record.plan
    if plan is None:
        msg = "a content key needs a plan"
        raise ValueError(msg)
    hashes = [f"{role}:{record.files[role].content_hash}" for role in plan.roles]
    return hashlib.sha256("\n".join([*hashes, plan.training.model_dump_json()]).encode()).hexdigest()
