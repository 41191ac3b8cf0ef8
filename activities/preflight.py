"""Ask the account, before anything is bought, whether everything that comes later can succeed."""

from datetime import datetime
from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared import azure_openai, gate, resource_manager
from shared.answering import answered
from shared.checkpoints import checkpoint
from shared.gate import Preflight
from shared.ledger import open_ledger
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended
from shared.models.plan import Plan
from shared.models.record import Outcome, RunRecord, Step
from shared.settings import settings

bp = df.Blueprint()


@bp.activity_trigger(input_name="request")
def preflight(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Passes the run through the gate, or rejects it with the mend.

    Second run: it reads the account, and takes the claim on the deployment's name that it has already.
    A run that has begun to buy has passed the gate before.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _pass(wanted))


def _pass(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    record = ledger.enter(wanted.run_id, Step.GATE).record
    if record.stopping:
        return CANCELLED
    if record.effects or record.plan is None:
        return done()
    estimate = estimated_usd(record, record.plan)

    def noting(current: RunRecord, _now: datetime) -> RunRecord:
        return current.model_copy(update={"estimate_usd": estimate})

    checkpoint("preflight: before the estimate")
    ledger.change(wanted.run_id, noting)
    checkpoint("preflight: after the estimate")
    holder = ledger.hold(f"deployment/{record.plan.deployment.name.lower()}", wanted.run_id, lambda other: other.outcome is None)
    checkpoint("preflight: after the claim of the name")
    facts = _facts(record.plan, holder)
    refusal = gate.refusal(record.plan, facts, estimate, wanted.run_id)
    return ended(Outcome.REJECTED, refusal) if refusal else done()


def estimated_usd(record: RunRecord, plan: Plan) -> float | None:
    """What the training will cost by the price table; None where the table doesn't know the model."""
    from shared.dataset import pricing  # msgspec: not at import

    training = record.files["training"]
    epochs = plan.training.n_epochs or pricing.auto_epochs(training.examples)
    billed = pricing.billed_tokens(training.total_tokens, epochs)
    table = pricing.prices(settings().price_table)
    return pricing.training_cost(table, plan.training.model, billed, plan.training.training_type or pricing.GLOBAL).usd


def _facts(plan: Plan, name_held_by: str | None) -> Preflight:
    account = resource_manager.connect(None)
    service = azure_openai.connect(plan.api_versions.training)
    return Preflight(
        models=account.models(),
        quotas=account.quotas(account.location()),
        deployments=account.deployments(),
        may_deploy=account.may_deploy(),
        name_held_by=name_held_by,
        files=service.count_files(),
        jobs=service.count_jobs(),
        limits=settings().limits,
    )
