"""The plan of a run: pinned blobs and settled settings. Made once, kept in the ledger, never
changed.
"""

from typing import Literal

from shared.models.base import Frozen
from shared.models.job_file import Message, Method, TrainingType
from shared.models.service_limits import ServiceLimits
from tunedrop_check.reading.drop_names import Role


class Pin(Frozen):
    """A blob as it was when the drop had settled: every read asks for this ETag."""

    blob: str
    etag: str
    bytes: int
    container: str | None = None
    """Where it stands; None, as in plans of the first releases, is the training container of the
    settings.
    """
    packed: "Pin | None" = None
    """The dropped blob that this one was unpacked from."""

    @property
    def dropped(self) -> "Pin":
        """The blob that was dropped: this one, or the packed one."""
        return self.packed or self


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
    expected: str | None = None
    """The answer of the row that is asked, where the messages are a row of the drop's data: told
    beside the model's, not demanded.
    """
    row_of: Role | None = None
    """The file that this row stands in."""
    row_line: int | None = None
    """Its line there, from 1."""


class ApiVersions(Frozen):
    """None: the v1 surface for the data plane, the adapter's own for the management plane."""

    training: str | None = None
    deployment: str | None = None
    inference: str | None = None


class Account(Frozen):
    """The Azure OpenAI account on which a run trains and deploys. A version of None is the v1
    surface.
    """

    id: str
    """Its resource id."""
    openai_endpoint: str
    arm_endpoint: str
    training_version: str | None = None
    inference_version: str | None = None
    deployment_version: str
    """The api-version of the calls that write and read this run's deployment."""
    management_version: str
    """The api-version of the questions to the account: its models, quotas and permissions."""


class Prices(Frozen):
    """What this run's training and deployment cost by the price table of its day; None where the
    table has no price.
    """

    as_of: str
    training_usd_per_million_tokens: float | None = None
    training_as_of: str | None = None
    """The date of the training price where it is older than the table."""
    training_is_assumed: bool = False
    """Whether the training price is the owner's worst case, because the table has none."""
    hosting_usd_per_hour: float | None = None


class Pinned(Frozen):
    """What later steps read: as the settings and the code were when the plan was made, so that no
    change reaches a run under way.
    """

    account: Account
    training_container: str
    reports_container: str
    span_bytes: int
    counting_version: int
    """The version of the rules by which examples are counted: spans that were counted by another
    one are never joined with these.
    """
    limits: ServiceLimits
    prices: Prices
    data_secrets: Literal["error", "warning"]


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
    reuse: bool = False
    api_versions: ApiVersions = ApiVersions()
    clamped: tuple[str, ...] = ()
    pinned: Pinned | None = None
    """None in plans of the first releases: shared/runs/pinning.py tells what holds for them."""

    def file(self, role: Role) -> Pin | None:
        """The pinned file of this role, or None where the drop has none."""
        return self.training_file if role == "training" else self.validation_file

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that this drop has files for, in the order of their upload."""
        return ("training", "validation") if self.validation_file else ("training",)
