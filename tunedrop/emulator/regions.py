"""The regions that a stand-in can stand in, and what each one offers of a base model."""

from tunedrop.emulator.catalogue import SKUS, TRAINING_TYPE_NAMES, BaseModel

# The names that ARM writes, and those for people.
# Sources: Microsoft's pages on training regions and on deployments of fine-tuned models (October
# 2026), and live lists of East US 2 (2026): in many regions a model is trained by the global and
# the developer type alone. The lab's model is offered in one region, so that whoever tries the
# lab's example has to choose a region, as on Azure.
REGIONS = {
    "eastus2": "East US 2",
    "northcentralus": "North Central US",
    "swedencentral": "Sweden Central",
}
DEFAULT = "eastus2"
_US = frozenset({"eastus2", "northcentralus"})


def named(text: str) -> str:
    """The region of this name, as ARM writes it; spaces, hyphens and case don't matter. Raises
    ValueError.
    """
    found = "".join(letter for letter in text.lower() if letter.isalnum())
    if found not in REGIONS:
        msg = f"The region is one of {', '.join(REGIONS)}."
        raise ValueError(msg)
    return found


def offers(model: BaseModel, region: str) -> bool:
    """Whether the region has the model at all."""
    return model.only_in is None or region in model.only_in


def training_types(model: BaseModel, region: str) -> tuple[str, ...]:
    """The types by which the region trains the model."""
    if not offers(model, region):
        return ()
    return tuple(
        one
        for one in TRAINING_TYPE_NAMES
        if one in model.training_types and (one != "Standard" or region in model.trained_in)
    )


def skus(model: BaseModel, region: str, *, fine_tuned: bool) -> tuple[str, ...]:
    """The SKUs by which the region serves the model itself, or what was trained from it."""
    return tuple(
        sku
        for sku in SKUS.values()
        if offers(model, region) and _serves(sku, model, region, fine_tuned)
    )


def _serves(sku: str, model: BaseModel, region: str, fine_tuned: bool) -> bool:
    match sku:
        case "Standard":
            return not fine_tuned or region in model.tuned_standard_in
        case "DataZoneStandard":
            return not fine_tuned or region in _US
        case "ProvisionedManaged":
            return not fine_tuned or region in model.tuned_provisioned_in
        case "DeveloperTier":
            return (
                fine_tuned
                and "Developer" in model.training_types
                and not model.name.startswith("gpt-4o")
            )
        case _:
            return True
