"""The gate: what would fail in two hours is said in two seconds, before anything is bought. Pure.

Facts come from the preflight activity; each refusal says what to mend.
"""

from collections.abc import Iterator

from shared.errors import BudgetExceeded, PlanRejected, Problem, TuneDropError
from shared.limits import ServiceLimits
from shared.models.base import Frozen
from shared.models.plan import Plan
from shared.resource_manager import DeploymentFacts, ModelFacts, Quota

FINE_TUNED_QUOTA = "-finetune"  # the suffix of the quota that counts fine-tuned deployments, where a subscription has one
FINE_TUNED_MODEL = ".ft-"


class Preflight(Frozen):
    """What the account can do, and how full it is."""

    models: list[ModelFacts]
    quotas: dict[str, Quota] | None
    deployments: list[DeploymentFacts]
    may_deploy: bool | None
    name_held_by: str | None = None
    files: int
    jobs: int
    limits: ServiceLimits = ServiceLimits()


def refusal(plan: Plan, facts: Preflight, estimate_usd: float | None, run_id: str) -> Problem | None:
    """The first reason why this run must not go on, or None."""
    return next((error.problem for error in _reasons(plan, facts, estimate_usd, run_id)), None)


def _reasons(plan: Plan, facts: Preflight, estimate_usd: float | None, run_id: str) -> Iterator[TuneDropError]:
    if estimate_usd is not None and estimate_usd > plan.budget_usd:
        yield BudgetExceeded(estimate_usd, plan.budget_usd)
    base = plan.training.model.split(FINE_TUNED_MODEL)[0]
    model = next((m for m in facts.models if m.is_called(base)), None)
    if model is None or not model.trainable:
        offered = sorted(f"{m.name}-{m.version}" for m in facts.models if m.trainable)
        yield PlanRejected(
            "TD-GATE-001",
            f"This account does not offer {base} for fine-tuning.",
            f"Name one that it offers: {', '.join(offered[:12]) or 'none'}; or use an account in another region.",
        )
    else:
        yield from _sku(plan, model, facts)
    yield from _deployment(plan, facts, run_id)
    yield from _room(plan, facts)


def _sku(plan: Plan, model: ModelFacts, facts: Preflight) -> Iterator[TuneDropError]:
    wanted = plan.deployment
    if wanted.sku.lower() not in model.skus:
        yield PlanRejected(
            "TD-GATE-002",
            f"The SKU {wanted.sku} is not offered for {model.name} {model.version} in this region.",
            f"Set deployment.sku to one of: {', '.join(sorted(model.skus)) or 'none offered'}.",
        )
        return
    name = model.skus[wanted.sku.lower()]
    quotas = facts.quotas or {}  # unknown is no "no"
    quota_name = name + FINE_TUNED_QUOTA if name + FINE_TUNED_QUOTA in quotas else name
    quota = quotas.get(quota_name)
    if quota and quota.used + wanted.capacity > quota.limit:
        yield PlanRejected(
            "TD-GATE-003",
            f"The deployment needs {wanted.capacity} of quota {quota_name}; {quota.limit - quota.used:g} of {quota.limit:g} is free.",
            "Lower deployment.capacity, delete a deployment that uses this quota, or ask for more quota.",
        )


def _deployment(plan: Plan, facts: Preflight, run_id: str) -> Iterator[TuneDropError]:
    if facts.may_deploy is False:
        yield PlanRejected(
            "TD-GATE-004",
            "The app's identity may not write deployments on this account.",
            "Assign it the role Cognitive Services OpenAI Contributor on the account; a new assignment needs some minutes.",
        )
    taken = next((d for d in facts.deployments if d.name.lower() == plan.deployment.name.lower()), None)
    if taken or facts.name_held_by:
        whose = f"by run {facts.name_held_by}" if facts.name_held_by else "already, and not by this run"
        yield PlanRejected(
            "TD-GATE-005",
            f"The deployment name {plan.deployment.name} is taken {whose}.",
            "Choose another deployment.name in job.json, leave it out (the run's id is used), or delete that deployment.",
        )
    fine_tuned = sum(1 for d in facts.deployments if FINE_TUNED_MODEL in d.model)
    if fine_tuned >= facts.limits.fine_tuned_deployments or len(facts.deployments) >= facts.limits.deployments:
        yield PlanRejected(
            "TD-GATE-006",
            f"The account has {fine_tuned} of {facts.limits.fine_tuned_deployments} fine-tuned deployments.",
            "Delete deployments that are no longer used, or use another account.",
        )


def _room(plan: Plan, facts: Preflight) -> Iterator[TuneDropError]:
    if facts.files + len(plan.roles) > facts.limits.files:
        yield PlanRejected(
            "TD-GATE-007",
            f"The account holds {facts.files} files of {facts.limits.files}.",
            "Delete files of earlier runs that are no longer needed.",
        )
    if facts.jobs >= facts.limits.jobs:
        yield PlanRejected(
            "TD-GATE-008", f"The account remembers {facts.jobs} jobs of {facts.limits.jobs}.", "Delete old jobs in the Foundry portal."
        )
