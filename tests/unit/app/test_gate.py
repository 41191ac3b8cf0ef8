"""The gate, by value."""

from typing import Any

import pytest

from shared import gate
from shared.gate import Preflight
from shared.limits import ServiceLimits
from shared.models.plan import DeploymentPlan, Plan
from shared.resource_manager import DeploymentFacts, ModelFacts, Quota
from tests.builders import a_plan

QUOTA = "OpenAI.GlobalStandard.gpt-4.1-mini"


def facts(**changes: Any) -> Preflight:
    """An account that can do all that the plan asks."""
    account = Preflight(
        models=[ModelFacts("gpt-4.1-mini", "2025-04-14", True, {"globalstandard": QUOTA})],
        quotas={QUOTA: Quota(0, 100)},
        deployments=[],
        may_deploy=True,
        files=0,
        jobs=0,
    )
    return account.model_copy(update=changes)


def code(plan: Plan, account: Preflight, estimate: float | None = 1.0) -> str | None:
    """The code with which the gate refuses, if it does."""
    problem = gate.refusal(plan, account, estimate, "travel-1")
    return problem.code if problem else None


def a_deployment(name: str, model: str = "gpt-4.1-mini.ft-1") -> DeploymentFacts:
    """A deployment of the account."""
    return DeploymentFacts(name, model, "GlobalStandard", 1, "Succeeded", None)


def test_gate_lets_a_possible_run_pass() -> None:
    """Nothing to refuse."""
    assert code(a_plan(), facts()) is None


@pytest.mark.parametrize(
    ("account", "refused"),
    [
        pytest.param(facts(models=[]), "TD-GATE-001", id="model not offered"),
        pytest.param(facts(models=[ModelFacts("gpt-4.1-mini", "2025-04-14", False, {})]), "TD-GATE-001", id="model not trainable"),
        pytest.param(facts(models=[ModelFacts("gpt-4.1-mini", "2025-04-14", True, {"standard": QUOTA})]), "TD-GATE-002", id="SKU"),
        pytest.param(facts(quotas={QUOTA: Quota(91, 100)}), "TD-GATE-003", id="quota"),
        pytest.param(facts(quotas={QUOTA: Quota(0, 100), f"{QUOTA}-finetune": Quota(95, 100)}), "TD-GATE-003", id="fine-tuned quota"),
        pytest.param(facts(may_deploy=False), "TD-GATE-004", id="no right"),
        pytest.param(facts(deployments=[a_deployment("Travel")]), "TD-GATE-005", id="name taken, compared without case"),
        pytest.param(facts(name_held_by="other-1"), "TD-GATE-005", id="name held by a living run"),
        pytest.param(facts(deployments=[a_deployment(f"d{n}") for n in range(10)]), "TD-GATE-006", id="deployments full"),
        pytest.param(facts(files=100), "TD-GATE-007", id="files full"),
        pytest.param(facts(jobs=100), "TD-GATE-008", id="jobs full"),
    ],
)
def test_gate_refuses_what_would_fail_later(account: Preflight, refused: str) -> None:
    """Each with a code of its own."""
    assert code(a_plan(), account) == refused


@pytest.mark.parametrize(("used", "refused"), [(90, None), (91, "TD-GATE-003")], ids=["just fits", "one too many"])
def test_quota_is_exact_at_the_limit(used: float, refused: str | None) -> None:
    """A deployment of 10 fits into 10."""
    assert code(a_plan(), facts(quotas={QUOTA: Quota(used, 100)})) == refused


@pytest.mark.parametrize(("estimate", "refused"), [(9.99, None), (10, None), (10.01, "TD-BUDGET-001"), (None, None)])
def test_budget_is_exact_at_the_limit(estimate: float | None, refused: str | None) -> None:
    """A price that isn't known refuses nothing."""
    assert code(a_plan(budget_usd=10), facts(), estimate) == refused


def test_sku_is_compared_without_case() -> None:
    """The guides write `standard`, the service `Standard`."""
    assert code(a_plan(deployment=DeploymentPlan(name="travel", sku="globalstandard", capacity=1)), facts()) is None


def test_limits_are_the_settings() -> None:
    """A resource with more room than the published limits is used."""
    assert code(a_plan(), facts(jobs=100, limits=ServiceLimits(jobs=200))) is None
