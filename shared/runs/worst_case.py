"""What a run may cost at most until it ends: the one answer for gate, wallet and report. Pure; what
isn't known is a no.
"""

import math

from shared.errors import PlanRejected
from shared.models.pace import Pace
from shared.models.plan import Plan, Prices
from shared.models.record import FileSummary, RunRecord, WorstCase
from shared.runs.pinning import pinned
from tunedrop_check.counting import money

SECONDS_PER_HOUR = 3600


def of_record(record: RunRecord, plan: Plan, pace: Pace) -> WorstCase:
    """The most that this run may cost until its end.

    Raises:
        PlanRejected: a price is not known.
    """
    prices = pinned(plan).prices
    return (
        hosting_only(plan, prices, pace)
        if record.reuse_of
        else worst_case(plan, prices, record.files["training"], pace)
    )


# The upper bound of the training file's tokens, times the epochs, at the price of the training type
# that is really sent; and the deployment's hours while the run proves it, and while its end takes
# it back. After a success the deployment costs on by the hour: that no budget bounds, the report
# tells it.
def worst_case(plan: Plan, prices: Prices, training: FileSummary, pace: Pace) -> WorstCase:
    """The most that a run of this plan may cost until its end, in US dollars.

    Raises:
        PlanRejected: a price is not known, so nothing can be said.
    """
    from tunedrop_check.counting import pricing  # msgspec: not at import

    per_million, _ = known_prices(plan, prices)
    epochs = plan.training.n_epochs or pricing.auto_epochs_at_most(training.examples)
    tokens = tokens_at_most(plan, training)
    training_usd = money.price(pricing.billed_tokens(tokens, epochs), per_million)
    hosting_usd = hosting_at_most(plan, prices, pace)
    return WorstCase(
        usd=money.total(training_usd, hosting_usd),
        training_usd=training_usd,
        hosting_usd=hosting_usd,
        tokens=tokens,
        epochs=epochs,
    )


def hosting_only(plan: Plan, prices: Prices, pace: Pace) -> WorstCase:
    """The same of a run that deploys a model which is trained already.

    Raises:
        PlanRejected: the SKU has no price.
    """
    hosting_usd = hosting_at_most(plan, prices, pace)
    return WorstCase(usd=hosting_usd, training_usd=0, hosting_usd=hosting_usd, tokens=0, epochs=0)


def known_prices(plan: Plan, prices: Prices) -> tuple[float, float]:
    """Dollars for a million training tokens, and for an hour of the deployment.

    Raises:
        PlanRejected: one of them is not known: no budget could hold.
    """
    per_million = prices.training_usd_per_million_tokens
    if per_million is None:
        raise PlanRejected(
            "TD-GATE-010",
            (
                "The price table has no training price for this model and training type, so no "
                "budget can be kept."
            ),
            (
                "Name a model with a price, add the price to TUNEDROP_PRICE_TABLE, or set "
                "TUNEDROP_WORST_TRAINING_PRICE."
            ),
        )
    return per_million, known_hosting(plan, prices)


def known_hosting(plan: Plan, prices: Prices) -> float:
    """Dollars for an hour of the deployment.

    Raises:
        PlanRejected: the price table has none for its SKU.
    """
    if prices.hosting_usd_per_hour is None:
        raise PlanRejected(
            "TD-GATE-011",
            (
                f"The price table has no price per hour for the SKU {plan.deployment.sku}, so no "
                "budget can be kept."
            ),
            (
                "Set deployment.sku in job.json to one that has a price, or add the price to "
                "TUNEDROP_PRICE_TABLE."
            ),
        )
    return prices.hosting_usd_per_hour


def hosting_at_most(plan: Plan, prices: Prices, pace: Pace) -> float:
    """Dollars for the whole hours that the deployment can stand before the run has ended."""
    # By the run's own deadlines, that of taking back among them: a service that refuses to delete
    # it for so long is paid for so long.
    seconds = (
        pace.deployment_deadline_s + pace.first_answer_s + pace.smoke_deadline_s + pace.take_back_s
    )
    return known_hosting(plan, prices) * math.ceil(seconds / SECONDS_PER_HOUR)


def tokens_at_most(plan: Plan, training: FileSummary) -> int:
    """The upper bound of the scan, in tokens."""
    # A scan of the first releases has none: the bytes of the file, of which a token has one at
    # least.
    return (
        plan.training_file.bytes
        if training.at_most_tokens is None
        else max(training.at_most_tokens, training.total_tokens)
    )
