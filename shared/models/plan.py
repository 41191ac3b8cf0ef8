"""The plan of a run: pinned blobs and settled settings. Made once, kept in the ledger, never changed."""

from shared.dataset.names import Role
from shared.models.base import Frozen
from shared.models.job_file import Message, Method, TrainingType


class Pin(Frozen):
    """A blob as it was when the drop had settled: every read asks for this ETag."""

    blob: str
    etag: str
    bytes: int


class Training(Frozen):
    """What changes the model, apart from the data."""

    model: str
    method: Method = "supervised"
    training_type: TrainingType | None = None
    n_epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    seed: int | None = None


class DeploymentPlan(Frozen):
    """How the model is deployed. Capacity is in thousands of tokens a minute."""

    name: str
    sku: str
    capacity: int
    rai_policy: str | None = None


class SmokeTestPlan(Frozen):
    """The chat completion that proves the deployment."""

    messages: tuple[Message, ...]
    contains: tuple[str, ...] = ()


class ApiVersions(Frozen):
    """None: the v1 surface for the data plane, the adapter's own for the management plane."""

    training: str | None = None
    deployment: str | None = None
    inference: str | None = None


class Plan(Frozen):
    """Everything that a run needs to know, from the drop, job.json and the settings."""

    training_file: Pin
    validation_file: Pin | None = None
    job_file: Pin | None = None
    training: Training
    suffix: str
    deployment: DeploymentPlan
    smoke_test: SmokeTestPlan
    budget_usd: float
    retrain: bool = False
    api_versions: ApiVersions = ApiVersions()
    clamped: tuple[str, ...] = ()

    def file(self, role: Role) -> Pin | None:
        """The pinned file of this role, or None where the drop has none."""
        return self.training_file if role == "training" else self.validation_file

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that this drop has files for, in the order of their upload."""
        return ("training", "validation") if self.validation_file else ("training",)
