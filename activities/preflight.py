"""Ask the account, before anything is bought, whether everything that comes later can succeed."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import azure.durable_functions as df

from shared.errors import DeadlinePassed
from shared.models.answers import Asked
from shared.models.messages import Answer, RunStep, done, ended
from shared.models.plan import Plan
from shared.models.record import Outcome, RunRecord, Slot, Step, WorstCase
from shared.runs import clients, gate
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, tried
from shared.runs.checkpoints import checkpoint
from shared.runs.gate import Preflight
from shared.runs.ledger import Ledger, Read
from shared.runs.pinning import pinned
from shared.runs.planning import FINE_TUNED_MODEL
from shared.runs.reuse import reuses
from shared.runs.worst_case import of_record
from shared.services import storage
from tunedrop_check.counting import money
from tunedrop_check.rules.wording import lasting

bp = df.Blueprint()


@activity_of_living_run(bp, RunStep, enters=Step.GATE)
def preflight(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Passes the run through the gate, or rejects it with the fix.

    Second run: it reads the account, and takes the claim on the deployment's name that it has
    already. A run that has begun to buy has passed the gate before.
    """
    record = read.record
    if record.effects:
        return done(Asked(reuse=reuses(record)))
    plan = needed(record.plan, "plan")
    worst = of_record(record, plan, wanted.pace)
    estimate = estimated_usd(record, plan)

    def noting(current: RunRecord, _now: datetime) -> RunRecord:
        return current.model_copy(update={"estimate_usd": estimate, "worst_case": worst})

    checkpoint("preflight: before the estimate")
    ledger.change(wanted.run_id, noting)
    checkpoint("preflight: after the estimate")
    name = plan.deployment.name.lower()
    holder = ledger.hold(
        f"deployment/{name}",
        wanted.run_id,
        lambda other: other.outcome is None,
        about=partial(_names, name=name),
    )
    checkpoint("preflight: after the claim of the name")
    waited_s = (read.now - (record.turn_at or record.entered(Step.GATE))).total_seconds()
    deadline = Deadline(ledger, wanted.run_id, "preflight", waited_s, wanted.pace.gate_deadline_s)
    late = DeadlinePassed(
        "TD-DEADLINE-001",
        f"The account gave no answer within {lasting(waited_s)}.",
        "gate_deadline_s",
    )
    asking = Asking(ledger, record, plan, holder, worst)
    return tried(asking.verdict, wanted.pace, deadline, late)


def _names(record: RunRecord, *, name: str) -> bool:
    """Whether this run has begun to buy for a deployment of this name."""
    # A damaged claim is told anew by it.
    return (
        bool(record.effects)
        and record.plan is not None
        and record.plan.deployment.name.lower() == name
    )


@dataclass(frozen=True)
class Asking:
    """One question to the account: may this run go on?"""

    ledger: Ledger
    record: RunRecord
    plan: Plan
    name_held_by: str | None
    worst: WorstCase

    def verdict(self) -> Answer:
        """The gate's answer."""
        facts = self._facts()
        refusal = gate.refusal(
            self.plan, facts, self.worst, self.record.id, trains=self.record.reuse_of is None
        )
        if refusal:
            return ended(Outcome.REJECTED, refusal)
        # By this the ledger knows what the deployment takes of the account.
        self._note_slot(facts)
        return done(Asked(reuse=reuses(self.record)))

    def _note_slot(self, facts: Preflight) -> None:
        wanted = self.plan.deployment
        slot = Slot(
            account=pinned(self.plan).account.id.lower(),
            deployment=wanted.name.lower(),
            quota=gate.quota_of(self.plan, facts),
            capacity=wanted.capacity,
        )

        not_asked = gate.not_asked(self.plan, facts, trains=self.record.reuse_of is None)

        def noting(current: RunRecord, _now: datetime) -> RunRecord:
            return current.model_copy(update={"slot": slot, "not_asked": not_asked})

        checkpoint("preflight: before the slot")
        self.ledger.change(self.record.id, noting)
        checkpoint("preflight: after the slot")

    def _facts(self) -> Preflight:
        # A report that can't be written is known before anything is bought.
        storage.named(pinned(self.plan).reports_container).try_write()
        account = clients.for_account(self.plan)
        service = clients.for_training(self.plan)
        return Preflight(
            models=account.models(),
            quotas=account.quotas(account.location()),
            deployments=account.deployments(),
            may_deploy=account.may_deploy(),
            rai_policies=account.rai_policies() if self.plan.deployment.rai_policy else None,
            own_models=self._own_models(),
            name_held_by=self.name_held_by,
            files=service.count_files(),
            jobs=service.count_jobs(),
            limits=pinned(self.plan).limits,
        )

    def _own_models(self) -> frozenset[str]:
        if FINE_TUNED_MODEL not in self.plan.training.model.lower():
            return frozenset()
        return frozenset(self.ledger.trained_models(self.record.drop.name))


def estimated_usd(record: RunRecord, plan: Plan) -> float | None:
    """What the training will probably cost, by the lab's count of tokens; None without a price."""
    from tunedrop_check.counting import pricing  # msgspec: not at import

    rate = pinned(plan).prices.training_usd_per_million_tokens
    if record.reuse_of is not None or rate is None:
        return 0.0 if rate is not None else None
    training = record.files["training"]
    epochs = plan.training.n_epochs or pricing.auto_epochs(training.examples)
    return money.price(pricing.billed_tokens(training.total_tokens, epochs), rate)
