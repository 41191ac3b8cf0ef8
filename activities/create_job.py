"""Create the fine-tuning job of a run: the call that costs money."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared import azure_openai
from shared.answering import answered
from shared.azure_openai import JobOrder
from shared.errors import ServiceRejected, ServiceUnavailable
from shared.ledger import open_ledger
from shared.models.messages import CANCELLED, Answer, RunStep, ended, wait
from shared.models.plan import Plan
from shared.models.record import Outcome, RunRecord, Step
from shared.once import Making, make_once

bp = df.Blueprint()


@bp.activity_trigger(input_name="request")
def create_job(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Creates the job and answers its id; `wait` where the account has no room or the outcome is unknown.

    Second run: the training file belongs to this run alone, so a job on it is the run's, and is adopted.
    Of two executions at once, one acts; a call without an answer is looked up and never repeated blindly.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _create_or_wait(wanted))


def _create_or_wait(wanted: RunStep) -> Answer:
    """The orchestrator gives this activity no retry policy, so "try me again" is said as a value too."""
    try:
        return _create(wanted)
    except ServiceUnavailable as unavailable:
        return wait(max(unavailable.retry_after_s or 0, wanted.pace.brief_s))


def _create(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    read = ledger.enter(wanted.run_id, Step.TRAIN)
    plan, training_file = read.record.plan, read.record.made("file:training")
    if plan is None or training_file is None:
        return CANCELLED
    if (read.now - read.record.entered(Step.TRAIN)).total_seconds() > wanted.pace.job_deadline_s:
        return ended(Outcome.EXPIRED, ServiceRejected("Azure OpenAI", None, "jobDeadline", "no job could be created in time").problem)
    service = azure_openai.connect(plan.api_versions.training)

    def look() -> str | None:
        return next((job.id for job in service.jobs_of_file(training_file)), None)

    def act(within_s: float) -> str:
        return service.create_job(order_of(read.record, plan, training_file), within_s).id

    return make_once(ledger, wanted.run_id, wanted.pace, Making("job", look, act, wanted.pace.call_s))


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
        validation_file=record.made("file:validation"),
        suffix=plan.suffix,
        seed=plan.training.seed,
        method=plan.training.method,
        training_type=_spelled(plan.training.training_type),
        hyperparameters={name: value for name, value in chosen.items() if value is not None},
    )


def _spelled(training_type: str | None) -> str | None:
    """As the service spells it: fine-tuning guide, REST page."""
    return "developerTier" if training_type == "Developer" else training_type
