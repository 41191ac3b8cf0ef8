"""What a standing deployment is said to cost."""

import pytest

from shared.runs import hosting
from shared.runs.hosting import UnknownSku
from tunedrop_check.counting import pricing

TABLE = pricing.prices()


@pytest.mark.parametrize(
    ("sku", "hourly"),
    [
        ("Standard", 1.70),
        ("standard", 1.70),
        ("GlobalStandard", 1.70),
        ("DeveloperTier", 0.0),
        ("developertier", 0.0),
    ],
)
def test_hosting_costs_by_the_hour_whatever_the_case_of_the_sku(sku: str, hourly: float) -> None:
    """The hosting price is read without regard to case, as the service compares SKU names."""
    assert hosting.hosting_per_hour(TABLE, sku) == hourly


def test_a_standing_deployment_costs_1224_dollars_in_a_month_of_thirty_days() -> None:
    """1.70 dollars for 720 hours are 1,224."""
    assert hosting.hosting_per_hour(TABLE, "Standard") * hosting.HOURS_PER_MONTH == pytest.approx(
        1_224
    )


def test_hosting_is_refused_without_quoting_when_the_sku_has_no_price() -> None:
    """A SKU without a price is an error that says where to add one and does not repeat the name."""
    with pytest.raises(UnknownSku, match="hosting_usd_per_hour") as refusal:
        hosting.hosting_per_hour(TABLE, "ProvisionedManaged")
    assert "Provisioned" not in str(refusal.value)
