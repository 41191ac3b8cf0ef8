"""What a deployment costs while it stands, by the price table. Pure: no I/O."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.dataset.pricing import PriceTable

HOURS_PER_MONTH = 720  # thirty days, as the service's cost page reckons a month


class UnknownSku(LookupError):
    """A deployment SKU that the price table does not hold, so that its hourly price would be a guess."""

    def __init__(self) -> None:
        super().__init__("The price table has no hourly price for this deployment SKU; add it to the table's hosting_usd_per_hour.")


def hosting_per_hour(prices: "PriceTable", sku: str) -> float:
    """Dollars an hour that a deployment of this SKU costs while it stands, used or not.

    Raises:
        UnknownSku: the table has no price for it, as for provisioned SKUs, which are billed by their size.
    """
    from shared.dataset.pricing import canonical  # msgspec: only where money is reckoned

    try:
        return prices.hosting_usd_per_hour[canonical(sku)]
    except KeyError:
        raise UnknownSku from None
