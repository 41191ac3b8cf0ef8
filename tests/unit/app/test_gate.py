"""The gate, by value."""

from typing import Any

import pytest

from shared.models.plan import DeploymentPlan, Plan, Training
from shared.models.record import WorstCase
from shared.models.service_limits import ServiceLimits
from shared.runs import gate
from shared.runs.gate import Preflight
from shared.services.resource_manager import DeploymentFacts, ModelFacts, Quota
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


def trained_by(*types: str, known: bool = True) -> Preflight:
    """An account that trains the model by these training types alone; one that doesn't tell where
    they aren't known.
    """
    said = frozenset(types) if known else None
    return facts(
        models=[
            ModelFacts("gpt-4.1-mini", "2025-04-14", bool(said), {"globalstandard": QUOTA}, said)
        ]
    )


def code(
    plan: Plan, account: Preflight, worst_usd: float = 1.0, *, trains: bool = True
) -> str | None:
    """The code with which the gate refuses, if it does."""
    worst = WorstCase(usd=worst_usd, training_usd=worst_usd, hosting_usd=0, tokens=1, epochs=1)
    problem = gate.refusal(plan, account, worst, "travel-1", trains=trains)
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
        pytest.param(trained_by(), "TD-GATE-001", id="model not trainable"),
        pytest.param(
            facts(models=[ModelFacts("gpt-4.1-mini", "2025-04-14", True, {"standard": QUOTA})]),
            "TD-GATE-002",
            id="SKU",
        ),
        pytest.param(facts(quotas={QUOTA: Quota(91, 100)}), "TD-GATE-003", id="quota"),
        pytest.param(
            facts(quotas={QUOTA: Quota(0, 100), f"{QUOTA}-finetune": Quota(95, 100)}),
            "TD-GATE-003",
            id="fine-tuned quota",
        ),
        pytest.param(facts(may_deploy=False), "TD-GATE-004", id="no right"),
        pytest.param(
            facts(deployments=[a_deployment("Travel")]),
            "TD-GATE-005",
            id="name taken, compared without case",
        ),
        pytest.param(facts(name_held_by="other-1"), "TD-GATE-005", id="name held by a living run"),
        pytest.param(
            facts(deployments=[a_deployment(f"d{n}") for n in range(10)]),
            "TD-GATE-006",
            id="deployments full",
        ),
        pytest.param(facts(files=100), "TD-GATE-007", id="files full"),
        pytest.param(facts(jobs=100), "TD-GATE-008", id="jobs full"),
    ],
)
def test_gate_refuses_what_would_fail_later(account: Preflight, refused: str) -> None:
    """Each with a code of its own."""
    assert code(a_plan(), account) == refused


@pytest.mark.parametrize(
    ("used", "refused"), [(90, None), (91, "TD-GATE-003")], ids=["just fits", "one too many"]
)
def test_quota_is_exact_at_the_limit(used: float, refused: str | None) -> None:
    """A deployment of 10 fits into 10."""
    assert code(a_plan(), facts(quotas={QUOTA: Quota(used, 100)})) == refused


@pytest.mark.parametrize(
    ("worst_usd", "refused"), [(9.99, None), (10, None), (10.01, "TD-BUDGET-001")]
)
def test_budget_is_exact_at_the_limit(worst_usd: float, refused: str | None) -> None:
    """The worst case counts, to the cent."""
    assert code(a_plan(budget_usd=10), facts(), worst_usd) == refused


def test_sku_is_compared_without_case() -> None:
    """The guides write `standard`, the service `Standard`."""
    assert (
        code(
            a_plan(deployment=DeploymentPlan(name="travel", sku="globalstandard", capacity=1)),
            facts(),
        )
        is None
    )


@pytest.mark.parametrize(
    ("sku", "own", "tuned", "refused"),
    [
        pytest.param(
            "Standard",
            ["standard", "globalstandard"],
            ["globalstandard"],
            "TD-GATE-002",
            id="serves the base model alone",
        ),
        pytest.param(
            "DeveloperTier",
            ["standard"],
            ["developertier"],
            None,
            id="serves what was trained alone",
        ),
        pytest.param("Standard", ["standard"], None, None, id="the list doesn't tell them apart"),
    ],
)
def test_sku_is_one_that_serves_what_is_trained(
    sku: str, own: list[str], tuned: list[str] | None, refused: str | None
) -> None:
    """East US 2 deploys gpt-4.1-mini by Standard, and nothing that was trained from it."""
    skus = {name: f"OpenAI.{name}.gpt4.1-mini" for name in own}
    of_tuned = (
        None if tuned is None else {name: f"OpenAI.{name}.gpt4.1-mini-finetune" for name in tuned}
    )
    account = facts(models=[ModelFacts("gpt-4.1-mini", "2025-04-14", True, skus, None, of_tuned)])
    assert (
        code(a_plan(deployment=DeploymentPlan(name="travel", sku=sku, capacity=1)), account)
        == refused
    )


def test_limits_are_the_settings() -> None:
    """A resource with more room than the published limits is used."""
    assert code(a_plan(), facts(jobs=100, limits=ServiceLimits(jobs=200))) is None


@pytest.mark.parametrize(
    ("wanted", "account", "refused"),
    [
        pytest.param(
            "GlobalStandard", trained_by("GlobalStandard", "Developer"), None, id="offered"
        ),
        pytest.param(
            "Standard", trained_by("GlobalStandard", "Developer"), "TD-GATE-014", id="not offered"
        ),
        pytest.param(
            None, trained_by("GlobalStandard"), "TD-GATE-014", id="what is not sent is Standard"
        ),
        pytest.param(None, trained_by("Standard"), None, id="Standard is offered"),
        pytest.param("Standard", trained_by(known=False), None, id="the account does not tell"),
        pytest.param("Standard", trained_by(), "TD-GATE-001", id="offered by no type"),
    ],
)
def test_training_type_is_one_that_the_region_trains_by(
    wanted: Any, account: Preflight, refused: str | None
) -> None:
    """In East US 2, for example, gpt-4.1-mini has no regional training; a list in a form that isn't
    known is no "no".
    """
    assert (
        code(
            a_plan(training=Training(model="gpt-4.1-mini-2025-04-14", training_type=wanted)),
            account,
        )
        == refused
    )


@pytest.mark.parametrize(
    ("account", "refused"),
    [
        pytest.param(facts(rai_policies=frozenset({"Strict"})), "TD-GATE-013", id="no such policy"),
        pytest.param(facts(rai_policies=frozenset({"Mild"})), None, id="compared without case"),
        pytest.param(facts(rai_policies=None), None, id="the account does not tell"),
    ],
)
def test_content_filter_policy_is_one_of_the_account(
    account: Preflight, refused: str | None
) -> None:
    """A name that isn't there would be refused when the model is paid for."""
    assert (
        code(
            a_plan(
                deployment=DeploymentPlan(
                    name="travel", sku="GlobalStandard", capacity=1, rai_policy="mild"
                )
            ),
            account,
        )
        == refused
    )


def test_what_the_account_does_not_tell_refuses_nothing() -> None:
    """The role of the app may not read permissions or quotas."""
    assert code(a_plan(), facts(may_deploy=None, quotas=None)) is None


OTHERS = "gpt-4.1-mini-2025-04-14.ft-0123456789abcdef-support-00000000"


@pytest.mark.parametrize(
    ("own", "refused"),
    [(frozenset({OTHERS}), None), (frozenset[str](), "TD-GATE-012")],
    ids=["own", "others'"],
)
def test_training_goes_on_from_models_of_the_same_name_alone(
    own: frozenset[str], refused: str | None
) -> None:
    """Who trains on from somebody else's model could read its answers in the report."""
    assert (
        code(
            a_plan(training=Training(model=OTHERS, training_type="GlobalStandard")),
            facts(own_models=own),
        )
        == refused
    )


@pytest.mark.parametrize(
    ("account", "refused"),
    [
        pytest.param(facts(jobs=100, files=100), None, id="no room for jobs and files"),
        pytest.param(
            facts(
                models=[ModelFacts("gpt-4.1-mini", "2025-04-14", False, {"globalstandard": QUOTA})]
            ),
            None,
            id="not trainable",
        ),
        pytest.param(
            facts(deployments=[a_deployment(f"d{n}") for n in range(10)]),
            "TD-GATE-006",
            id="no place for a deployment",
        ),
        pytest.param(facts(models=[]), "TD-GATE-001", id="a model that is gone"),
    ],
)
def test_deploying_a_trained_model_needs_only_what_a_deployment_needs(
    account: Preflight, refused: str | None
) -> None:
    """A run with `reuse_of` begins no job and uploads no file."""
    assert code(a_plan(), account, trains=False) == refused
