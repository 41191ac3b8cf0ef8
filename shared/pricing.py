"""What training and hosting cost, by a dated table of estimates.

Azure publishes no training price per model; a table of its own can replace `DEFAULT_PRICES`, and a report names the
date of the table that was used. A model without a price has no estimate. Pure: no I/O.
"""

import re
from datetime import date

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat

HOURS_PER_MONTH = 720  # thirty days, as the service's cost page reckons a month
_BILLING_STEP = 1_000
_VERSION = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class UnknownSku(LookupError):
    """A deployment SKU that the price table does not hold, so that its hourly price would be a guess."""

    def __init__(self) -> None:
        super().__init__("The price table has no hourly price for this deployment SKU; add it to the table's hosting_usd_per_hour.")


class PriceTable(BaseModel):
    """Prices in US dollars, all of them estimates, of one date."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    as_of: date
    training_usd_per_million_tokens: dict[str, NonNegativeFloat]
    """By short model name (`gpt-4.1-mini`), for global training."""
    training_type_factor: dict[str, NonNegativeFloat]
    """What a training type costs relative to global training, by lower-case name."""
    hosting_usd_per_hour: dict[str, NonNegativeFloat]
    """What one deployment costs while it stands, by lower-case SKU; the tokens it serves come on top."""


class Price(BaseModel):
    """An estimate of what a training costs; both figures are absent where no price is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd: float | None = Field(default=None, ge=0)
    usd_per_million_tokens: float | None = Field(default=None, ge=0)
    is_estimate: bool = True


DEFAULT_PRICES = PriceTable(
    as_of=date(2026, 11, 24),
    training_usd_per_million_tokens={
        # OpenAI's own price list, of unknown age, taken for Azure's global training: Azure names no price per model, and
        # its cost page reckons gpt-4.1 with 2 USD in an example. The high figure is the safe one for a budget.
        "gpt-4.1": 25.0,
        "gpt-4.1-mini": 5.0,
        "gpt-4.1-nano": 1.5,
        "gpt-4o": 25.0,
        "gpt-4o-mini": 3.0,
    },
    training_type_factor={
        # Cost management page of Azure OpenAI fine-tuning: global is 10 to 30 % under regional, developer half of global.
        "standard": 1 / 0.9,
        "globalstandard": 1.0,
        "developertier": 0.5,
    },
    hosting_usd_per_hour={
        # The same page.
        "standard": 1.70,
        "globalstandard": 1.70,
        "developertier": 0.0,
    },
)

_SPELLINGS = {"developer": "developertier"}


def training_cost(prices: PriceTable, model: str, billed_tokens: int, training_type: str) -> Price:
    """Estimated price of a supervised or preference training on `billed_tokens` (epochs already in them).

    `model` may carry a version or be a former result (`base.ft-…`), which is priced as its base. Reinforcement
    training is billed by the hour, so its models have no price here.
    """
    base = _VERSION.sub("", model.lower().split(".ft-", 1)[0])
    per_million = prices.training_usd_per_million_tokens.get(base)
    factor = prices.training_type_factor.get(_canonical(training_type))
    if per_million is None or factor is None:
        return Price()
    rate = per_million * factor
    return Price(usd=rate * billed_tokens / 1_000_000, usd_per_million_tokens=rate)


def billed_tokens(total_tokens: int, epochs: int) -> int:
    """Tokens that the service will charge for: those of the training file times the epochs, rounded up to a thousand.

    Validation tokens are free. Source: the cost management page for the formula; one real job, whose 4,980 tokens were
    billed as 5,000, for the rounding.
    """
    return -(-total_tokens * epochs // _BILLING_STEP) * _BILLING_STEP


def auto_epochs(examples: int) -> int:
    """Epochs to expect where the run leaves them to the service; the job itself tells the real number.

    Source: OpenAI's published helper (100 passes over examples, 3 to 25 epochs) below 500 examples; it gives 10 for 10
    examples, as a real job had. The cost management page shows 2 epochs for 500.
    """
    if examples >= 500:
        return 2
    return min(25, max(3, 100 // max(1, examples)))


def hosting_per_hour(prices: PriceTable, sku: str) -> float:
    """Dollars an hour that a deployment of this SKU costs while it stands, used or not.

    Raises:
        UnknownSku: the table has no price for it, as for provisioned SKUs, which are billed by their size.
    """
    try:
        return prices.hosting_usd_per_hour[_canonical(sku)]
    except KeyError:
        raise UnknownSku from None


def _canonical(name: str) -> str:
    """Training types and SKUs are compared without case, and the service has several spellings of some."""
    return _SPELLINGS.get(name.lower(), name.lower())


def prices(path: str | None) -> PriceTable:
    """The price table in force: the one in this JSON file, or the carried one.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no price table.
    """
    if path is None:
        return DEFAULT_PRICES
    with open(path, "rb") as file:
        return PriceTable.model_validate_json(file.read())
