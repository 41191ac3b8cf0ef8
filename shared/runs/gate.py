"""The gate: what would fail in two hours is said in two seconds, before anything is bought. Pure.

Facts come from the preflight activity; each refusal says what to fix.
"""

from collections.abc import Iterator

from shared.errors import BudgetExceeded, PlanRejected, Problem, TuneDropError
from shared.models.base import Frozen
from shared.models.plan import Plan
from shared.models.record import WorstCase
from shared.models.service_limits import ServiceLimits
from shared.runs.hosting import capacity_unit
from shared.runs.pinning import NOT_SENT
from shared.runs.planning import FINE_TUNED_MODEL
from shared.services.arm_facts import FINE_TUNED_QUOTA
from shared.services.resource_manager import DeploymentFacts, ModelFacts, Quota

NO_QUOTAS = (
    "The quota was not checked: the app's identity can't read it without the role Cognitive "
    "Services Usages Reader on the subscription. Only the deployment itself will show whether "
    "the quota is enough."
)
NO_PERMISSIONS = (
    "The app's right to write deployments was not checked: its role does not let it read its "
    "own permissions."
)
NO_POLICIES = (
    "The account's content filter policies were not checked: the app has no right to read "
    "them, or the api-version has none."
)
NO_TRAINING_TYPES = (
    "It is not known which training types this region offers for the model: the account's list "
    "has no known form for it."
)


class Preflight(Frozen):
    """What the account can do, and how full it is."""

    models: list[ModelFacts]
    quotas: dict[str, Quota] | None
    """None where the account doesn't tell."""
    deployments: list[DeploymentFacts]
    may_deploy: bool | None
    """None where the account doesn't tell."""
    rai_policies: frozenset[str] | None = None
    """The content filter policies of the account; None where it doesn't tell, or nobody asked."""
    own_models: frozenset[str] = frozenset()
    """The fine-tuned models that runs of the same name have trained."""
    name_held_by: str | None = None
    files: int
    jobs: int
    limits: ServiceLimits = ServiceLimits()


def refusal(
    plan: Plan, facts: Preflight, worst: WorstCase, run_id: str, *, trains: bool = True
) -> Problem | None:
    """The first reason why this run must not go on, or None."""
    # A run that deploys a trained model needs only what its deployment needs.
    return next((error.problem for error in _reasons(plan, facts, worst, run_id, trains)), None)


def _reasons(
    plan: Plan, facts: Preflight, worst: WorstCase, run_id: str, trains: bool
) -> Iterator[TuneDropError]:
    if round(worst.usd, 6) > plan.budget_usd:
        yield BudgetExceeded(worst.usd, plan.budget_usd)
    base = base_of(plan)
    model = model_of(plan, facts)
    if trains:
        yield from _trainable(plan, facts, model)
    if model is None:
        yield _not_offered(base, facts)
    else:
        yield from _sku(plan, model, facts)
    yield from _deployment(plan, facts, run_id)
    if trains:
        yield from _room(plan, facts)


def not_asked(plan: Plan, facts: Preflight, *, trains: bool = True) -> tuple[str, ...]:
    """What the account did not tell, a sentence each."""
    # No reason against the run, and worth knowing where it fails later.
    model = model_of(plan, facts)
    known = (
        (facts.quotas is not None, NO_QUOTAS),
        (facts.may_deploy is not None, NO_PERMISSIONS),
        (facts.rai_policies is not None or not plan.deployment.rai_policy, NO_POLICIES),
        (model is None or model.training_types is not None or not trains, NO_TRAINING_TYPES),
    )
    return tuple(sentence for told, sentence in known if not told)


def base_of(plan: Plan) -> str:
    """The base model of the plan, also where it trains on from a fine-tuned one."""
    return plan.training.model.lower().partition(FINE_TUNED_MODEL)[0]


def model_of(plan: Plan, facts: Preflight) -> ModelFacts | None:
    """The base model as the account offers it."""
    return next((model for model in facts.models if model.is_called(base_of(plan))), None)


def _trainable(plan: Plan, facts: Preflight, model: ModelFacts | None) -> Iterator[TuneDropError]:
    wanted = plan.training.training_type or NOT_SENT
    # What isn't told is no "no".
    if model is None or (model.training_types is not None and not model.trainable):
        yield _not_offered(base_of(plan), facts)
    elif model.training_types is not None and wanted not in model.training_types:
        yield PlanRejected(
            "TD-GATE-014",
            f"In this region {base_of(plan)} can't be trained with the training type {wanted}.",
            (
                "Set training_type to one of: "
                f"{', '.join(sorted(model.training_types)) or 'none'}; or use an account in "
                "another region."
            ),
        )
    if (
        FINE_TUNED_MODEL in plan.training.model.lower()
        and plan.training.model not in facts.own_models
    ):
        yield PlanRejected(
            "TD-GATE-012",
            "The drop continues from a fine-tuned model that no run of this name has trained.",
            "Name a base model, or a model that a run of the same name has trained.",
        )


def _not_offered(base: str, facts: Preflight) -> PlanRejected:
    offered = sorted(f"{m.name}-{m.version}" for m in facts.models if m.trainable)
    return PlanRejected(
        "TD-GATE-001",
        f"This account does not offer {base} for fine-tuning.",
        (
            f"Name a model that it offers: {', '.join(offered[:12]) or 'none'}; or use an "
            "account in "
            "another region."
        ),
    )


def _sku(plan: Plan, model: ModelFacts, facts: Preflight) -> Iterator[TuneDropError]:
    wanted, served = plan.deployment, skus_of(model)
    if wanted.sku.lower() not in served:
        yield PlanRejected(
            "TD-GATE-002",
            f"The SKU {wanted.sku} is not offered for {model.name} {model.version} in this region.",
            (
                f"Set deployment.sku to one of: {', '.join(sorted(served)) or 'none offered'}; it "
                "needs a price per hour, too."
            ),
        )
        return
    name = quota_of(plan, facts)
    quota = (facts.quotas or {}).get(name or "")
    if quota and quota.used + wanted.capacity > quota.limit:
        yield no_quota(plan, name or "", quota)


def skus_of(model: ModelFacts) -> dict[str, str]:
    """The SKUs that serve what is trained from this model, with their quotas."""
    # The model's own where the account doesn't tell.
    return model.skus if model.tuned_skus is None else model.tuned_skus


def quota_of(plan: Plan, facts: Preflight) -> str | None:
    """The name of the quota that the deployment counts against."""
    model = model_of(plan, facts)
    name = skus_of(model).get(plan.deployment.sku.lower()) if model else None
    # That of fine-tuned deployments where the subscription has one.
    return name and (
        name + FINE_TUNED_QUOTA if name + FINE_TUNED_QUOTA in (facts.quotas or {}) else name
    )


def no_quota(plan: Plan, name: str, quota: Quota) -> PlanRejected:
    """The refusal for want of quota."""
    free, unit = quota.limit - quota.used, capacity_unit(plan.deployment.sku)
    return PlanRejected(
        "TD-GATE-003",
        (
            f"The deployment needs {plan.deployment.capacity} of quota {name}; {free:g} of "
            f"{quota.limit:g} is free (unit: {unit})."
        ),
        (
            "Lower deployment.capacity, delete a deployment that uses this quota, or ask for more "
            "quota."
        ),
    )


def no_place(fine_tuned: int, limits: ServiceLimits) -> PlanRejected:
    """The refusal for want of a place for another deployment."""
    return PlanRejected(
        "TD-GATE-006",
        f"The account has {fine_tuned} of {limits.fine_tuned_deployments} fine-tuned deployments.",
        "Delete deployments that are no longer used, or use another account.",
    )


def _deployment(plan: Plan, facts: Preflight, run_id: str) -> Iterator[TuneDropError]:
    if facts.may_deploy is False:
        yield PlanRejected(
            "TD-GATE-004",
            "The app's identity has no right to write deployments on this account.",
            (
                "Assign it the role Cognitive Services OpenAI Contributor on the account; a new "
                "assignment needs some minutes."
            ),
        )
    taken = next(
        (d for d in facts.deployments if d.name.lower() == plan.deployment.name.lower()), None
    )
    if taken or facts.name_held_by:
        whose = (
            f"by run {facts.name_held_by}" if facts.name_held_by else "already, but not by this run"
        )
        yield PlanRejected(
            "TD-GATE-005",
            f"The deployment name {plan.deployment.name} is taken {whose}.",
            (
                "Choose another deployment.name in job.json, remove it (then the run's id is "
                "used), or delete that deployment."
            ),
        )
    fine_tuned = fine_tuned_among(facts.deployments)
    if (
        fine_tuned >= facts.limits.fine_tuned_deployments
        or len(facts.deployments) >= facts.limits.deployments
    ):
        yield no_place(fine_tuned, facts.limits)
    if (
        plan.deployment.rai_policy
        and facts.rai_policies is not None
        and not _has(facts.rai_policies, plan.deployment.rai_policy)
    ):
        yield PlanRejected(
            "TD-GATE-013",
            "The account has no content filter policy with the name in deployment.rai_policy.",
            (
                f"Name one of: {', '.join(sorted(facts.rai_policies)[:12])}; or remove "
                "deployment.rai_policy."
            ),
        )


def fine_tuned_among(deployments: list[DeploymentFacts]) -> int:
    """How many of these deployments serve a fine-tuned model."""
    return sum(1 for deployment in deployments if FINE_TUNED_MODEL in deployment.model.lower())


def _has(names: frozenset[str], wanted: str) -> bool:
    """Names of resources are compared without case."""
    return wanted.lower() in {name.lower() for name in names}


def _room(plan: Plan, facts: Preflight) -> Iterator[TuneDropError]:
    if facts.files + len(plan.roles) > facts.limits.files:
        yield PlanRejected(
            "TD-GATE-007",
            f"The account holds {facts.files} files of {facts.limits.files}.",
            "Delete files of earlier runs that you no longer need.",
        )
    if facts.jobs >= facts.limits.jobs:
        yield PlanRejected(
            "TD-GATE-008",
            f"The account remembers {facts.jobs} jobs of {facts.limits.jobs}.",
            "Delete old jobs in the Foundry portal.",
        )
