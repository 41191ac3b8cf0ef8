"""What a run pins: everything that a later step would otherwise read from settings or code.

A setting that changes, or a release that is rolled out, reaches only runs whose plan is made after it. What stays live on purpose
is listed in docs/settings.md ("What a change does to runs under way").
"""

from shared.models.plan import Account, ApiVersions, Pinned, Plan, Prices
from shared.settings import Settings, settings


def pinned(plan: Plan) -> Pinned:
    """What this plan pins; for a plan of the first releases, which pinned nothing, what the settings say now."""
    return plan.pinned or pins(settings(), plan.api_versions, plan.training.model, plan.training.training_type, plan.deployment.sku)


def pins(wanted: Settings, versions: ApiVersions, model: str, training_type: str | None, sku: str) -> Pinned:
    """What a plan that is made now pins."""
    return Pinned(
        account=account_of(wanted, versions),
        training_container=wanted.training_container,
        reports_container=wanted.reports_container,
        span_bytes=wanted.span_mb * 2**20,
        counting_version=0,
        limits=wanted.limits,
        prices=prices_of(wanted, model, training_type, sku),
        data_secrets=wanted.data_secrets,
    )


def account_of(wanted: Settings, versions: ApiVersions) -> Account:
    """The account of the settings, in the api-versions that a drop asks for, or else the settings."""
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


def prices_of(wanted: Settings, model: str, training_type: str | None, sku: str) -> Prices:
    """What the price table of the settings says; a training type that isn't sent is the service's own, Standard."""
    from shared.dataset import pricing  # msgspec: not at import

    table = pricing.prices(wanted.price_table)
    return Prices(
        as_of=table.as_of.isoformat(),
        training_usd_per_million_tokens=pricing.training_cost(table, model, 0, training_type or "Standard").usd_per_million_tokens,
        hosting_usd_per_hour=table.hosting_usd_per_hour.get(pricing.canonical(sku)),
    )
