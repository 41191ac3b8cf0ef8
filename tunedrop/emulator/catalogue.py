"""The models that the stand-in offers: what ARM's model list, job creation and prices rest on. What
a region offers: `regions.py`.
"""

from dataclasses import dataclass
from decimal import Decimal

# A deployed fine-tuned model, by SKU (cost management page, 03/2026); provisioned is billed by its
# units, not here.
HOSTING_USD_PER_HOUR = {
    "standard": 1.70,
    "globalstandard": 1.70,
    "datazonestandard": 1.70,
    "developertier": 0.0,
    "provisionedmanaged": 0.0,
}

# SKU names as ARM spells them, by their lower case: names compare without case.
SKUS = {
    name.lower(): name
    for name in (
        "Standard",
        "GlobalStandard",
        "DataZoneStandard",
        "ProvisionedManaged",
        "DeveloperTier",
    )
}

# Spellings of trainingType that guides and reports show, by their lower case.
TRAINING_TYPES = {
    "standard": "Standard",
    "globalstandard": "GlobalStandard",
    "developer": "Developer",
    "developertier": "Developer",
    "1": "GlobalStandard",
}

# The capability of ARM's model list that says a training type is offered (live lists of East US 2,
# 2026).
CAPABILITIES = {
    "Standard": "fineTune",
    "GlobalStandard": "globalFineTune",
    "Developer": "devTierFineTune",
}

# Policies that every account has (live list of an account, api-version 2024-10-01).
CONTENT_FILTERS = ("Microsoft.Default", "Microsoft.DefaultV2")

TRAINING_TYPE_NAMES = ("Standard", "GlobalStandard", "Developer")

# The day on which the dates below were written down; see `World.day`.
AS_OF = "2026-11-28"

_EAST, _NORTH, _SWEDEN = "eastus2", "northcentralus", "swedencentral"


# Versions, methods and dates: Microsoft's fine-tuning model page (mid 2026) and retirement schedule
# (2 September 2026). Prices are estimates from OpenAI's own list; no official price per model was
# found. The old gpt-35-turbo versions are long retired; the stand-in keeps them for the lab that
# TuneDrop replaces, in one region.
@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model and version. Regions by their ARM names; dates are days, midnight UTC."""

    name: str
    version: str
    methods: tuple[str, ...]
    training_usd_per_million: float
    """Estimate for regional training, USD per million tokens."""
    inference_ends: str
    fine_tuning_ends: str
    tuned_ends: str
    """When deployments of models that were trained from it end: half a year after training
    (retirement schedule).
    """
    trained_in: tuple[str, ...]
    """Where it is trained by the type Standard."""
    tuned_standard_in: tuple[str, ...]
    """Where a model trained from it is deployed by the SKU Standard."""
    tuned_provisioned_in: tuple[str, ...] = ()
    lifecycle: str = "GenerallyAvailable"
    """Deprecating: only who has deployed it before may deploy it anew."""
    training_types: tuple[str, ...] = TRAINING_TYPE_NAMES
    only_in: tuple[str, ...] | None = None
    """The regions that have it at all; None for all of them."""
    requests_per_unit: int = 1
    """Chat requests a minute per unit of capacity."""
    encoding: str = "o200k_base"

    @property
    def full_name(self) -> str:
        """The name that job creation takes."""
        return f"{self.name}-{self.version}"


_SFT = ("supervised",)
_SFT_DPO = ("supervised", "dpo")
_TWO = (_NORTH, _SWEDEN)


def _of_the_4_1_family(name: str, usd: float, provisioned: tuple[str, ...] = ()) -> BaseModel:
    return BaseModel(
        name,
        "2025-04-14",
        _SFT_DPO,
        usd,
        "2027-04-14",
        "2027-04-14",
        "2027-10-14",
        _TWO,
        _TWO,
        provisioned,
    )


def _of_the_4o_family(
    name: str,
    version: str,
    methods: tuple[str, ...],
    usd: float,
    trained_in: tuple[str, ...],
    standard_in: tuple[str, ...],
) -> BaseModel:
    dates = ("2027-04-14", "2027-04-01", "2027-10-01")
    return BaseModel(
        name, version, methods, usd, *dates, trained_in, standard_in, _TWO, "Deprecating"
    )


def _of_the_lab(version: str) -> BaseModel:
    return BaseModel(
        name="gpt-35-turbo",
        version=version,
        methods=_SFT,
        training_usd_per_million=8.0,
        inference_ends="2027-12-31",
        fine_tuning_ends="2027-12-31",
        tuned_ends="2028-06-30",
        trained_in=(_NORTH,),
        tuned_standard_in=(_NORTH,),
        training_types=("Standard", "GlobalStandard"),
        only_in=(_NORTH,),
        requests_per_unit=6,
        encoding="cl100k_base",
    )


MODELS = (
    _of_the_4_1_family("gpt-4.1", 25.0, (_SWEDEN,)),
    _of_the_4_1_family("gpt-4.1-mini", 5.0),
    _of_the_4_1_family("gpt-4.1-nano", 1.5),
    _of_the_4o_family("gpt-4o", "2024-08-06", _SFT_DPO, 25.0, (_EAST, *_TWO), (_EAST, _SWEDEN)),
    _of_the_4o_family("gpt-4o-mini", "2024-07-18", _SFT, 3.0, _TWO, _TWO),
    *(_of_the_lab(version) for version in ("0613", "1106", "0125")),
)


def of_training(name: str) -> BaseModel | None:
    """The model that a job's `model` names: with its version, or by its short name."""
    # The guides use short names such as `gpt-4.1`.
    return next((model for model in MODELS if name in (model.full_name, model.name)), None)


def of_deployment(name: str, version: str | None) -> BaseModel | None:
    """The base model that a deployment names; without a version the newest."""
    found = [model for model in MODELS if model.name == name and version in (None, model.version)]
    return found[-1] if found else None


_SHARES = {"Standard": Decimal("1"), "GlobalStandard": Decimal("0.8"), "Developer": Decimal("0.4")}


def training_usd(model: BaseModel, training_type: str, tokens: int) -> float:
    """What training tokens cost, in USD."""
    # Developer is 50 % under global, global 20 % under regional (pages say 10 to 30). In decimal: a
    # binary fraction can't hold most prices.
    return float(
        Decimal(str(model.training_usd_per_million)) * _SHARES[training_type] * tokens / 1_000_000
    )


def usage_name(model: BaseModel, sku: str, *, fine_tuned: bool) -> str:
    """The quota counter that a deployment draws on, one per model and SKU; fine-tuned use has its
    own.
    """
    # The 4.1 family is written without the first hyphen there (live lists of 2026:
    # `OpenAI.GlobalStandard.gpt4.1-mini-finetune`).
    name = model.name.replace("gpt-4.1", "gpt4.1")
    return f"OpenAI.{sku}.{name}{'-finetune' if fine_tuned else ''}"
