"""Ask the account, before anything is bought, whether everything that comes later can succeed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared import azure_openai, gate, resource_manager
from shared.answering import Deadline, answered, needed, polled
from shared.checkpoints import checkpoint
from shared.errors import DeadlinePassed
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
    return answered(lambda: _pass(wanted), wanted.pace)


def _pass(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    read = ledger.enter(wanted.run_id, Step.GATE)
    record = read.record
    if record.stopping:
        return CANCELLED
    if record.effects:
        return done()
    plan = needed(record.plan, "plan")
    estimate = estimated_usd(record, plan)

    def noting(current: RunRecord, _now: datetime) -> RunRecord:
        return current.model_copy(update={"estimate_usd": estimate})

    checkpoint("preflight: before the estimate")
    ledger.change(wanted.run_id, noting)
    checkpoint("preflight: after the estimate")
    holder = ledger.hold(f"deployment/{plan.deployment.name.lower()}", wanted.run_id, lambda other: other.outcome is None)
    checkpoint("preflight: after the claim of the name")
    waited_s = (read.now - (record.turn_at or record.entered(Step.GATE))).total_seconds()
    deadline = Deadline(ledger, wanted.run_id, "preflight", waited_s, wanted.pace.gate_deadline_s)
    late = DeadlinePassed("TD-DEADLINE-001", f"The account could not be asked within {waited_s / 3600:.1f} h.", "gate_deadline_s")
    asking = Asking(plan, holder, estimate, wanted.run_id)
    return polled(asking.verdict, wanted.pace, deadline, late)


@dataclass(frozen=True)
class Asking:
    """One question to the account: may this run go on?"""

    plan: Plan
    name_held_by: str | None
    estimate_usd: float | None
    run_id: str

    def verdict(self) -> Answer:
        """The gate's answer."""
        refusal = gate.refusal(self.plan, self._facts(), self.estimate_usd, self.run_id)
        return ended(Outcome.REJECTED, refusal) if refusal else done()

    def _facts(self) -> Preflight:
        account = resource_manager.for_account(self.plan)
        service = azure_openai.for_training(self.plan)
        return Preflight(
            models=account.models(),
            quotas=account.quotas(account.location()),
            deployments=account.deployments(),
            may_deploy=account.may_deploy(),
            name_held_by=self.name_held_by,
            files=service.count_files(),
            jobs=service.count_jobs(),
            limits=settings().limits,
        )


def estimated_usd(record: RunRecord, plan: Plan) -> float | None:
    """What the training will cost by the price table; None where the table doesn't know the model."""
    from shared.dataset import pricing  # msgspec: not at import

    training = record.files["training"]
    epochs = plan.training.n_epochs or pricing.auto_epochs(training.examples)
    billed = pricing.billed_tokens(training.total_tokens, epochs)
    table = pricing.prices(settings().price_table)
    return pricing.training_cost(table, plan.training.model, billed, plan.training.training_type or pricing.GLOBAL).usd
