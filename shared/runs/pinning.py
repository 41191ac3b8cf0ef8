"""What a run pins: everything that a later step would otherwise read from settings or code. What
stays live on purpose is listed in docs/settings.md ("What a change does to runs under way").
"""

from typing import TYPE_CHECKING

from shared.errors import PlanRejected
from shared.models.plan import Account, ApiVersions, DeploymentPlan, Pinned, Plan, Prices, Training
from shared.runs import hosting
from shared.settings import Settings, settings

if TYPE_CHECKING:
    from tunedrop_check.counting.pricing import PriceTable

# The training type of a job that names none: regional, the dearest one (cost management page).
NOT_SENT = "Standard"


def pinned(plan: Plan) -> Pinned:
    """What this plan pins."""
    # A plan of the first releases pinned nothing: what the settings say now.
    return plan.pinned or pins(settings(), plan.api_versions, plan.training, plan.deployment)


# A setting that changes, or a release that is rolled out, reaches only runs whose plan is made
# after it.
def pins(
    wanted: Settings, versions: ApiVersions, training: Training, deployment: DeploymentPlan
) -> Pinned:
    """What a plan that is made now pins."""
    from tunedrop_check.scan import scanning  # numpy and tiktoken, 0.2 s: not at import

    return Pinned(
        account=account_of(wanted, versions),
        training_container=wanted.training_container,
        reports_container=wanted.reports_container,
        span_bytes=wanted.span_mb * 2**20,
        counting_version=scanning.COUNTING_VERSION,
        limits=wanted.limits,
        prices=prices_of(
            wanted, training.model, training.training_type, deployment.sku, deployment.capacity
        ),
        data_secrets=wanted.data_secrets,
    )


def account_of(wanted: Settings, versions: ApiVersions) -> Account:
    """The account of the settings, in the api-versions that a drop asks for, or else the
    settings.
    """
    surface = surface_version(wanted)
    return Account(
        id=wanted.account,
        openai_endpoint=wanted.openai_endpoint,
        arm_endpoint=wanted.arm_endpoint,
        training_version=versions.training or surface,
        inference_version=versions.inference or surface,
        deployment_version=versions.deployment or wanted.arm_api_version,
        management_version=wanted.arm_api_version,
    )


def surface_version(wanted: Settings) -> str | None:
    """The api-version of the settings' surface of Azure OpenAI; None for the v1 surface."""
    return wanted.openai_api_version if wanted.openai_surface == "api-version" else None


def prices_of(
    wanted: Settings, model: str, training_type: str | None, sku: str, capacity: int
) -> Prices:
    """What the price table of the settings says; where it says nothing, what the owner assumes."""
    from tunedrop_check.counting import pricing  # msgspec: not at import

    table = price_table(wanted)
    # A training type that isn't sent is the service's own, Standard.
    found = pricing.training_cost(table, model, 0, training_type or NOT_SENT).usd_per_million_tokens
    dated = table.training_price_dates.get(pricing.base_name(model))
    return Prices(
        as_of=table.as_of.isoformat(),
        training_usd_per_million_tokens=wanted.worst_training_price if found is None else found,
        training_as_of=dated.isoformat() if dated else None,
        training_is_assumed=found is None and wanted.worst_training_price is not None,
        hosting_usd_per_hour=hourly(table, sku, capacity),
    )


def hourly(table: "PriceTable", sku: str, capacity: int) -> float | None:
    """Dollars an hour of a deployment; None where the table has no price."""
    try:
        return hosting.hosting_per_hour(table, sku, capacity)
    except hosting.UnknownSku:
        return None


def price_table(wanted: Settings) -> "PriceTable":
    """The price table of the settings.

    Raises:
        PlanRejected: the file can't be read, or is no price table.
    """
    from tunedrop_check.counting import pricing  # msgspec: not at import

    try:
        return pricing.prices(wanted.price_table)
    except (OSError, pricing.NotAPriceTable):
        raise PlanRejected(
            "TD-SETTING-003",
            "The file in TUNEDROP_PRICE_TABLE can't be read, or is not a price table.",
            (
                "Correct the file, or unset the variable; docs/report.md describes the form. "
                "Then drop "
                "the files again."
            ),
        ) from None
