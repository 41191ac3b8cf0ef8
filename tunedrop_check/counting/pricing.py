"""What a training costs, by a dated table of estimates: epochs, billed tokens, dollars.

Azure publishes no training price per model; a table of one's own can replace the carried
`prices.json`, and whoever shows a price shows the date of its table. A model without a price has no
estimate.
"""

import datetime
import functools
import re
from pathlib import Path
from typing import Annotated

import msgspec

from . import money

# The training type where none is asked for.
GLOBAL = "GlobalStandard"

# Where its figures come from. Training: OpenAI's own price list, of unknown age, taken for Azure's
# global training; Azure names no price per model, and its cost page reckons gpt-4.1 with 2 USD in
# an example, so the high figure is the safe one for a budget. Training types: the cost management
# page of Azure OpenAI fine-tuning has global 10 to 30 % under regional and developer at half of
# global; the table takes the near end. Hosting: the same page.
_CARRIED = Path(__file__).parent / "prices.json"
_BILLING_STEP = 1_000
_VERSION = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_SPELLINGS = {"developer": "developertier"}
_NotNegative = Annotated[float, msgspec.Meta(ge=0)]


class PriceTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices in US dollars, all of them estimates, of one date; training types and SKUs in lower
    case.
    """

    as_of: datetime.date
    # By short model name (`gpt-4.1-mini`), for global training; the factors say what another
    # training type costs relative to it.
    training_usd_per_million_tokens: dict[str, _NotNegative]
    training_type_factor: dict[str, _NotNegative]
    # What one deployment costs while it stands, by SKU; the tokens that it serves come on top.
    hosting_usd_per_hour: dict[str, _NotNegative]
    hosting_usd_per_unit_hour: dict[str, _NotNegative] = {}
    """Of SKUs that are billed by their size, what one unit of capacity costs an hour."""
    training_price_dates: dict[str, datetime.date] = {}
    """The date of a training price that is older than the table, as of a model that has retired."""


class Price(msgspec.Struct, frozen=True):
    """An estimate of what a training costs; both figures are None where no price is known."""

    usd: float | None = None
    usd_per_million_tokens: float | None = None


class NotAPriceTable(ValueError):
    """The file holds something else; the message says what is wrong in it and where."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The file is not a price table: {reason}.")


def prices(path: Path | str | None = None) -> PriceTable:
    """The price table in force: the one in this JSON file, or the carried one.

    Raises:
        OSError: The file can't be read.
        NotAPriceTable: It holds something else.
    """
    return _carried() if path is None else _read(Path(path))


def training_cost(table: PriceTable, model: str, billed: int, training_type: str = GLOBAL) -> Price:
    """Estimated price of a training on `billed` tokens (epochs already in them). `model` may carry
    a version or be a former result (`base.ft-…`), which is priced as its base.
    """
    per_million = table.training_usd_per_million_tokens.get(base_name(model))
    factor = table.training_type_factor.get(canonical(training_type))
    # Reinforcement training is billed by the hour, so its models have no price here.
    if per_million is None or factor is None:
        return Price()
    rate = money.exact(per_million) * money.exact(factor)
    return Price(usd=money.price(billed, float(rate)), usd_per_million_tokens=float(rate))


def base_name(model: str) -> str:
    """A model as the table writes it: without its date, and a former result by its base."""
    return _VERSION.sub("", model.lower().split(".ft-", 1)[0])


def billed_tokens(total_tokens: int, epochs: int) -> int:
    """Tokens that the service will charge for: those of the training file times the epochs, rounded
    up to a thousand. Validation tokens are free.
    """
    # Source: the cost management page for the formula; one real job, whose 4,980 tokens were billed
    # as 5,000, for the rounding.
    return -(-total_tokens * epochs // _BILLING_STEP) * _BILLING_STEP


def auto_epochs(examples: int) -> int:
    """Epochs to expect where the run leaves them to the service; the job itself tells the real
    number.
    """
    # Below 500 examples OpenAI's published helper (100 passes over examples, 3 to 25 epochs); it
    # gives 10 for 10 examples, as a real job had. The cost management page shows 2 epochs for 500.
    if examples >= 500:
        return 2
    return min(25, max(3, 100 // max(1, examples)))


def auto_epochs_at_most(examples: int) -> int:
    """The most epochs to expect where the run leaves them to the service."""
    # The published helper never goes under 3 where it can.
    return max(3, auto_epochs(examples))


def canonical(name: str) -> str:
    """A training type or SKU as the table writes it."""
    # The service compares them without case and has several spellings of some.
    return _SPELLINGS.get(name.lower(), name.lower())


@functools.cache
def _carried() -> PriceTable:
    return _read(_CARRIED)


def _read(path: Path) -> PriceTable:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PriceTable)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotAPriceTable(str(error) or type(error).__name__) from None
