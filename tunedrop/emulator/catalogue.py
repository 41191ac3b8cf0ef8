"""The models that the stand-in offers: what ARM's model lists, job creation and prices rest on.

Versions, methods and dates: Microsoft's fine-tuning model page (mid 2026) and retirement schedule (2 September 2026).
Prices are estimates from OpenAI's own list; no official price per model was found. The old gpt-35-turbo versions are
long retired; the stand-in keeps them for the lab that TuneDrop replaces.
"""

from dataclasses import dataclass
from decimal import Decimal

HOSTING_USD_PER_HOUR = {"standard": 1.70, "globalstandard": 1.70, "datazonestandard": 1.70, "developertier": 0.0, "provisionedmanaged": 0.0}
"""A deployed fine-tuned model, by SKU (cost management page, 03/2026); provisioned is billed by its units, not here."""

SKUS = {name.lower(): name for name in ("Standard", "GlobalStandard", "DataZoneStandard", "ProvisionedManaged", "DeveloperTier")}
"""SKU names as ARM spells them, by their lower case: names compare without case."""

TRAINING_TYPES = {
    "standard": "Standard",
    "globalstandard": "GlobalStandard",
    "developer": "Developer",
    "developertier": "Developer",
    "1": "GlobalStandard",
}
"""Spellings of trainingType that guides and reports show, by their lower case."""

CAPABILITIES = {"Standard": "fineTune", "GlobalStandard": "globalFineTune", "Developer": "devTierFineTune"}
"""The capability of ARM's model list that says a training type is offered (live lists of East US 2, 2026)."""

CONTENT_FILTERS = ("Microsoft.Default", "Microsoft.DefaultV2")
"""Policies that every account has (live list of an account, api-version 2024-10-01)."""


_REGIONS = ("northcentralus", "swedencentral")
_LAB_REGIONS = ("eastus2", *_REGIONS, "switzerlandwest")


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model and version."""

    name: str
    version: str
    methods: tuple[str, ...]
    training_usd_per_million: float
    """Estimate for regional training, USD per million tokens."""
    inference_ends: str
    """Date; midnight UTC."""
    fine_tuning_ends: str
    """Date; midnight UTC."""
    requests_per_unit: int = 1
    """Chat requests a minute per unit of capacity."""
    lifecycle: str = "GenerallyAvailable"
    standard_regions: tuple[str, ...] = _REGIONS
    training_types: tuple[str, ...] = ("Standard", "GlobalStandard", "Developer")
    encoding: str = "o200k_base"

    @property
    def full_name(self) -> str:
        """The name that job creation takes."""
        return f"{self.name}-{self.version}"


_OLD_TYPES = ("Standard", "GlobalStandard")
_SFT = ("supervised",)
_SFT_DPO = ("supervised", "dpo")

MODELS = (
    BaseModel("gpt-4.1", "2025-04-14", _SFT_DPO, 25.0, "2027-04-14", "2027-04-14"),
    BaseModel("gpt-4.1-mini", "2025-04-14", _SFT_DPO, 5.0, "2027-04-14", "2027-04-14"),
    BaseModel("gpt-4.1-nano", "2025-04-14", _SFT_DPO, 1.5, "2027-04-14", "2027-04-14"),
    BaseModel("gpt-4o", "2024-08-06", _SFT_DPO, 25.0, "2027-04-14", "2027-04-01", 1, "Deprecating", ("eastus2", *_REGIONS)),
    BaseModel("gpt-4o-mini", "2024-07-18", _SFT, 3.0, "2027-04-14", "2027-04-01", 1, "Deprecating"),
    BaseModel(
        "gpt-35-turbo", "0613", _SFT, 8.0, "2027-12-31", "2027-12-31", 6, "GenerallyAvailable", _LAB_REGIONS, _OLD_TYPES, "cl100k_base"
    ),
    BaseModel(
        "gpt-35-turbo", "1106", _SFT, 8.0, "2027-12-31", "2027-12-31", 6, "GenerallyAvailable", _LAB_REGIONS, _OLD_TYPES, "cl100k_base"
    ),
    BaseModel(
        "gpt-35-turbo", "0125", _SFT, 8.0, "2027-12-31", "2027-12-31", 6, "GenerallyAvailable", _LAB_REGIONS, _OLD_TYPES, "cl100k_base"
    ),
)


def of_training(name: str) -> BaseModel | None:
    """The model that a job's `model` names: with its version, or short where the guides do so (`gpt-4.1`)."""
    return next((model for model in MODELS if name in (model.full_name, model.name)), None)


def of_deployment(name: str, version: str | None) -> BaseModel | None:
    """The base model that a deployment names; without a version the newest."""
    found = [model for model in MODELS if model.name == name and version in (None, model.version)]
    return found[-1] if found else None


_SHARES = {"Standard": Decimal("1"), "GlobalStandard": Decimal("0.8"), "Developer": Decimal("0.4")}


def training_usd(model: BaseModel, training_type: str, tokens: int) -> float:
    """What training tokens cost: developer is 50 % under global, global 20 % under regional (pages say 10 to 30); reckoned in decimal."""
    return float(Decimal(str(model.training_usd_per_million)) * _SHARES[training_type] * tokens / 1_000_000)


def usage_name(model: BaseModel, sku: str, *, fine_tuned: bool) -> str:
    """The quota counter that a deployment draws on, one per model and SKU; fine-tuned use has its own."""
    return f"OpenAI.{sku}.{model.name}{'-finetune' if fine_tuned else ''}"
