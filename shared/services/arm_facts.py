"""What Azure Resource Manager tells of models, quotas, roles and deployments, in our words.

Each field is what it is said to be, or the answer is unusable.
"""

import fnmatch
from dataclasses import dataclass

from shared.services.answer_fields import Told

OWNER_TAG = "tunedrop-run"
# Which capability of ARM's model list, in lower case, stands for which training type.
TRAINING_TYPES = {
    "finetune": "Standard",
    "globalfinetune": "GlobalStandard",
    "devtierfinetune": "Developer",
}
# How the quota of a SKU ends that serves fine-tuned models; in a model's list such a SKU stands
# beside the one of the same name that serves the model itself (Azure/azure-dev: its reader of model
# lists leaves these out).
FINE_TUNED_QUOTA = "-finetune"


@dataclass(frozen=True)
class DeploymentFacts:
    """A deployment: whose model it serves, and how far it is."""

    name: str
    model: str
    sku: str
    capacity: int
    state: str
    owner: str | None


@dataclass(frozen=True)
class ModelFacts:
    """A base model as the account offers it; `skus` maps a SKU's name in lower case to the name of
    its quota.

    `tuned_skus`: the same of the SKUs that serve what was trained from it; None where the list
    doesn't tell them apart. `training_types`: the types that the account trains it by; None where
    the list doesn't say it in a form that we know, which is no "no". `trainable`: whether it is
    said to be trained by any of them.
    """

    name: str
    version: str
    trainable: bool
    skus: dict[str, str]
    training_types: frozenset[str] | None = None
    tuned_skus: dict[str, str] | None = None

    def is_called(self, wanted: str) -> bool:
        """Whether `name-version`, or the bare name, is what was asked for."""
        return wanted in {f"{self.name}-{self.version}", self.name}


@dataclass(frozen=True)
class Quota:
    """Use and limit of one quota, in units of capacity."""

    used: float
    limit: float


def grants(entry: Told, action: str) -> bool:
    """Whether a role's entry gives the action and doesn't take it away again."""

    def matches(field: str) -> bool:
        patterns = [pattern for pattern in entry.values(field) if isinstance(pattern, str)]
        return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)

    return matches("actions") and not matches("notActions")


def deployment_of(told: Told) -> DeploymentFacts:
    """A deployment.

    Raises:
        Unusable: a field is not what it must be.
    """
    properties, sku = told.inner("properties"), told.inner("sku")
    return DeploymentFacts(
        name=told.name("name"),
        model=properties.inner("model").name("name", ""),
        sku=sku.name("name", ""),
        capacity=sku.whole("capacity"),
        state=properties.name("provisioningState", "unknown"),
        owner=told.inner("tags").name(OWNER_TAG, "") or None,
    )


def model_of(told: Told) -> ModelFacts:
    """A model.

    Raises:
        Unusable: a field is not what it must be.
    """
    training_types = _training_types(Told.leniently(told.fields.get("capabilities")))
    named = [(sku.name("name").lower(), sku.name("usageName", "")) for sku in told.each("skus")]
    tuned = {name: quota for name, quota in named if quota.lower().endswith(FINE_TUNED_QUOTA)}
    return ModelFacts(
        name=told.name("name", ""),
        version=told.name("version", ""),
        trainable=bool(training_types),
        skus={name: quota for name, quota in named if not quota.lower().endswith(FINE_TUNED_QUOTA)},
        training_types=training_types,
        tuned_skus=tuned or None,
    )


def _training_types(capabilities: Told) -> frozenset[str] | None:
    """The types whose capability is true."""
    # Where none of the three is named, other words about fine-tuning may mean the same.
    said = {name.lower(): str(value)[:8].lower() for name, value in capabilities.fields.items()}
    known = {name: said[name] for name in TRAINING_TYPES if name in said}
    if (
        not said
        or not set(known.values()) <= {"true", "false"}
        or (not known and any("finetune" in name for name in said))
    ):
        return None
    return frozenset(TRAINING_TYPES[name] for name, value in known.items() if value == "true")
