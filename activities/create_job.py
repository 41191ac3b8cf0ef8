"""Create the fine-tuning job of a run: the call that costs money."""

import logging

import azure.durable_functions as df

from shared.errors import DeadlinePassed
from shared.models.effect_kinds import FILE, JOB
from shared.models.messages import Answer, RunStep
from shared.models.plan import Plan
from shared.models.record import RunRecord, Step
from shared.runs import clients
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, tried
from shared.runs.effects import Making
from shared.runs.ledger import Ledger, Read
from shared.services.azure_openai import JobOrder
from tunedrop_check.rules.wording import lasting

bp = df.Blueprint()
log = logging.getLogger("tunedrop")


# The orchestrator gives it no retry policy, so "try me again" is always said as a value.
@activity_of_living_run(bp, RunStep, enters=Step.TRAIN)
def create_job(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Creates the job and answers its id; `wait` for room on the account, or an unknown outcome.

    Second run: the training file belongs to this run alone, so a job on it is the run's, and is
    adopted. Of two executions at once, one acts; a call without an answer is looked up and never
    repeated blindly.
    """
    plan, training_file = (
        needed(read.record.plan, "plan"),
        needed(read.record.made(FILE.named("training")), "training file"),
    )
    service = clients.for_training(plan)

    def look() -> str | None:
        jobs = service.jobs_of_file(training_file)
        # A call that was repeated on its way: the oldest job stays.
        for second in (job for job in jobs[1:] if not job.ended):
            log.error("second job cancelled", extra={"run": wanted.run_id, "job": second.id})
            service.cancel_job(second.id)
        return jobs[0].id if jobs else None

    def act(within_s: float) -> str:
        return service.create_job(order_of(read.record, plan, training_file), within_s).id

    waited_s = (read.now - read.record.entered(Step.TRAIN)).total_seconds()
    deadline = Deadline(ledger, wanted.run_id, "create_job", waited_s, wanted.pace.job_deadline_s)
    late = DeadlinePassed(
        "TD-DEADLINE-004",
        f"No job could be created within {lasting(wanted.pace.job_deadline_s)}.",
        "job_deadline_s",
    )
    making = Making(ledger, wanted, JOB.named(), look, act, wanted.pace.call_s)
    return tried(making.once, wanted.pace, deadline, late)


def order_of(record: RunRecord, plan: Plan, training_file: str) -> JobOrder:
    """What the job is made of."""
    chosen = {
        "n_epochs": plan.training.n_epochs,
        "batch_size": plan.training.batch_size,
        "learning_rate_multiplier": plan.training.learning_rate_multiplier,
    }
    return JobOrder(
        model=plan.training.model,
        training_file=training_file,
        validation_file=record.made(FILE.named("validation")),
        suffix=plan.suffix,
        seed=plan.training.seed,
        method=plan.training.method,
        training_type=_spelled(plan.training.training_type),
        hyperparameters={name: value for name, value in chosen.items() if value is not None},
    )


def _spelled(training_type: str | None) -> str | None:
    """The training type as the service spells it."""
    # Source: fine-tuning guide, REST page.
    return "developerTier" if training_type == "Developer" else training_type
