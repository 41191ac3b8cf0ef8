"""What a deployment costs while it stands, by the price table. Pure: no I/O."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunedrop_check.counting.pricing import PriceTable

HOURS_PER_MONTH = 720  # thirty days, as the service's cost page reckons a month


class UnknownSku(LookupError):
    """A deployment SKU that the price table does not hold, so that its hourly price would be a
    guess.
    """

    def __init__(self) -> None:
        super().__init__(
            "The price table has no hourly price for this deployment SKU; add it to the "
            "table's hosting_usd_per_hour."
        )


def hosting_per_hour(prices: "PriceTable", sku: str, capacity: int = 1) -> float:
    """Dollars an hour that a deployment of this SKU costs while it stands, used or not.

    Raises:
        UnknownSku: the table has no price for it, neither for a deployment nor for a unit of its
            capacity.
    """
    from tunedrop_check.counting.pricing import canonical  # msgspec: only where money is reckoned

    name = canonical(sku)
    if name in prices.hosting_usd_per_hour:
        return prices.hosting_usd_per_hour[name]
    if name in prices.hosting_usd_per_unit_hour:
        return prices.hosting_usd_per_unit_hour[name] * capacity
    raise UnknownSku


def priced_skus(prices: "PriceTable") -> list[str]:
    """The SKUs that have a price an hour, as the table writes them."""
    return sorted({*prices.hosting_usd_per_hour, *prices.hosting_usd_per_unit_hour})


def capacity_unit(sku: str) -> str:
    """What one unit of this SKU's capacity is."""
    # The API counts both in the same field.
    return (
        "provisioned throughput unit"
        if "provisioned" in sku.lower()
        else "thousand tokens a minute"
    )
