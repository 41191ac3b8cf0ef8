"""What a run may cost at most, by value."""

from typing import Any

import pytest

from shared.errors import PlanRejected
from shared.models.pace import AZURE, LOCAL
from shared.models.plan import Plan, Prices
from shared.models.record import FileSummary
from shared.runs.pinning import pinned, prices_of
from shared.runs.worst_case import hosting_only, known_prices, of_record, worst_case
from shared.settings import Settings
from tests.builders import a_plan, a_record, a_summary

PRICES = Prices(as_of="2026-11-24", training_usd_per_million_tokens=5, hosting_usd_per_hour=1.7)


def a_training(**changes: Any) -> Plan:
    """A plan with these training settings."""
    plan = a_plan()
    return plan.model_copy(update={"training": plan.training.model_copy(update=changes)})


def test_worst_case_is_upper_bound_times_epochs_times_price_and_the_hours_of_proving() -> None:
    """40 lines whose declarations hold 2.2 million tokens, 50 epochs: 550 USD, not the 1.50 that
    the texts alone cost.
    """
    training = a_summary(examples=40, total_tokens=1_200, at_most_tokens=2_200_000)
    found = worst_case(a_training(n_epochs=50), PRICES, training, AZURE)
    assert (found.training_usd, found.tokens, found.epochs) == (550, 2_200_000, 50)
    # The deadlines of deployment, smoke test and taking back, in whole hours.
    assert found.hosting_usd == pytest.approx(4 * 1.7)
    assert found.usd == found.training_usd + found.hosting_usd


@pytest.mark.parametrize(
    ("examples", "epochs"), [(10, 10), (40, 3), (499, 3), (500, 3), (50_000, 3), (1, 25)]
)
def test_epochs_left_to_the_service_are_reckoned_at_most(examples: int, epochs: int) -> None:
    """The published helper goes to 3 and more; the cost page's 2 is what to expect, not the
    most.
    """
    assert worst_case(a_plan(), PRICES, a_summary(examples=examples), AZURE).epochs == epochs


def test_scan_without_an_upper_bound_is_taken_for_its_bytes() -> None:
    """A record of the first releases: a token has one byte at least."""
    old = FileSummary(examples=10, errors=0, warnings=0, total_tokens=5, content_hash="ab")
    assert worst_case(a_plan(), PRICES, old, AZURE).tokens == a_plan().training_file.bytes


@pytest.mark.parametrize(
    ("lacking", "code"),
    [("training_usd_per_million_tokens", "TD-GATE-010"), ("hosting_usd_per_hour", "TD-GATE-011")],
)
def test_what_has_no_price_is_refused(lacking: str, code: str) -> None:
    """Nothing that isn't known can hold a budget."""
    with pytest.raises(PlanRejected) as refused:
        known_prices(a_plan(), PRICES.model_copy(update={lacking: None}))
    assert refused.value.problem.code == code


def test_reuse_costs_the_hours_of_its_deployment_alone() -> None:
    """Nothing is trained."""
    assert of_record(a_record(reuse_of="other-1"), a_plan(), LOCAL) == hosting_only(
        a_plan(), pinned(a_plan()).prices, LOCAL
    )
    assert hosting_only(a_plan(), PRICES, LOCAL).usd == pytest.approx(1.7)


@pytest.mark.parametrize(
    ("model", "training_type", "rate"),
    [
        ("gpt-4.1-mini-2025-04-14", "GlobalStandard", 5),
        ("gpt-4.1-mini-2025-04-14", "Developer", 2.5),
        ("gpt-4.1-mini-2025-04-14", None, 5 * 10 / 9),
        ("gpt-35-turbo-0613", None, 8 * 10 / 9),
        ("gpt-35-turbo-0125", "Standard", None),
        ("gpt-oss-20b", "GlobalStandard", None),
    ],
)
def test_price_is_that_of_what_is_sent(
    model: str, training_type: str | None, rate: float | None
) -> None:
    """A training type that isn't sent is Standard; a model without a price has none."""
    found = prices_of(Settings(), model, training_type, "Standard", 1)
    assert found.training_usd_per_million_tokens == (rate if rate is None else pytest.approx(rate))


def test_price_of_the_lab_s_retired_model_tells_its_own_date() -> None:
    """It is older than the table."""
    found = prices_of(Settings(), "gpt-35-turbo-0613", None, "standard", 1)
    assert found.training_as_of is not None
    assert found.training_as_of < found.as_of


def test_owner_can_say_what_a_model_without_a_price_costs_at_most() -> None:
    """The setting fills a gap and replaces no price."""
    chosen = Settings(worst_training_price=40)
    unknown = prices_of(chosen, "gpt-oss-20b", "GlobalStandard", "Standard", 1)
    assert (unknown.training_usd_per_million_tokens, unknown.training_is_assumed) == (40, True)
    known = prices_of(chosen, "gpt-4.1-mini", "GlobalStandard", "Standard", 1)
    assert (known.training_usd_per_million_tokens, known.training_is_assumed) == (5, False)
