"""Decide that a run ends, and how: once, before anything is taken back."""

from datetime import datetime

import azure.durable_functions as df

from shared.errors import Problem
from shared.models.answers import EndingDecided
from shared.models.effect_kinds import to_take_back
from shared.models.messages import Answer, EndRun, done
from shared.models.record import Ending, Outcome, RunRecord, Step
from shared.runs.activity import activity
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import open_ledger

bp = df.Blueprint()


@activity(bp, EndRun, waits=False)
def begin_ending(wanted: EndRun) -> Answer:
    """Writes the ending and answers the one that stands. From here on nothing new is made for this
    run.

    Second run: the first ending stands. A cancel that was accepted before wins over a success.
    """

    def deciding(record: RunRecord, _now: datetime) -> RunRecord | None:
        if record.ending:
            return None
        cancelled = record.cancel_requested_at is not None and wanted.outcome is Outcome.SUCCEEDED
        ending = (
            Ending(outcome=Outcome.CANCELLED)
            if cancelled
            else Ending(
                outcome=wanted.outcome,
                problem=with_the_model(record, wanted.problem),
                duplicate_of=wanted.duplicate_of,
            )
        )
        return record.model_copy(update={"ending": ending})

    ledger = open_ledger()
    checkpoint("begin_ending: before the record")
    record = ledger.change(wanted.run_id, deciding)
    checkpoint("begin_ending: after the record")
    ledger.enter(wanted.run_id, Step.CLEAN_UP)
    ending = record.ending or Ending(outcome=wanted.outcome)
    roles = record.plan.roles if record.plan else ()
    undoing = to_take_back(ending.outcome, roles)
    return done(EndingDecided(outcome=ending.outcome, roles=roles, take_back=undoing))


def with_the_model(record: RunRecord, problem: Problem | None) -> Problem | None:
    """The problem with the way back to a model that was paid for."""
    # Whatever ends the run after its training, the model stays.
    model = record.job.fine_tuned_model if record.job else None
    if problem is None or model is None:
        return problem
    again = (
        f"The trained model {model} stays: `tunedrop deploy {record.reuse_of or record.id}` "
        "deploys it without paying for training again."
    )
    return problem.model_copy(update={"fix": f"{problem.fix} {again}"})
