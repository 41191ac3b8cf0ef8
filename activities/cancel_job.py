"""Cancel the fine-tuning job of a run that ends badly, and a second one of a run that ends well."""

import azure.durable_functions as df

from shared.models.effect_kinds import FILE, JOB
from shared.models.messages import Answer, RunStep, done
from shared.models.record import Outcome
from shared.runs import clients
from shared.runs.activity import activity
from shared.runs.answering import needed
from shared.runs.effects import Removing
from shared.runs.ledger import open_ledger

bp = df.Blueprint()


@activity(bp, RunStep)
def cancel_job(wanted: RunStep) -> Answer:
    """Cancels every job on the run's training file; a success keeps the one that it recorded.

    Second run: a job that has ended, or isn't there, needs no cancelling.
    """
    # Also a job whose creation nobody confirmed: it may train and cost.
    return take_back_job(wanted)


def take_back_job(wanted: RunStep) -> Answer:
    """Done where the run has no job that could still train; `wait` where that isn't known yet."""
    ledger = open_ledger()
    record = ledger.get(wanted.run_id).record
    effect = record.effects.get(FILE.named("training"))
    succeeded = record.ending is not None and record.ending.outcome is Outcome.SUCCEEDED
    if effect is None or effect.id is None:
        return done()
    service, training_file = clients.for_training(needed(record.plan, "plan")), effect.id

    def look() -> list[str]:
        return [job.id for job in service.jobs_of_file(training_file)]

    takes_s = wanted.pace.call_s
    return Removing(
        ledger, wanted, JOB.named(), look, service.cancel_job, takes_s, keeps=succeeded
    ).once()
