"""The app's settings: read once at the edge from the environment, and passed inward.

Each field's docstring is its documentation; docs/settings.md holds one heading per field, by test.
"""

from functools import cache
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import PlanRejected
from shared.json_input import NotJson, decoded
from shared.models.job_file import TrainingType
from shared.models.pace import PACES, Pace
from shared.models.service_limits import ServiceLimits

AZURITE = "UseDevelopmentStorage=true"
# The name of the storage connection, in the Functions convention: the blob trigger reads the same
# one.
CONNECTION = "DropStorage"
# the public, documented account of the storage emulator, not a secret
AZURITE_CONNECTION_STRING = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
)


class StorageConnection(BaseSettings):
    """Where drops, ledger and reports are: a connection string, or addresses reached by identity.

    The Functions host and the Python worker read the same variables, and each has its own idea of
    them, so that what one of them would refuse at the first event is refused at the start:
    azurefunctions-extensions-bindings-blob 1.1.2 takes `accountName` of AzureWebJobsStorage only,
    and the blob trigger opens a queue of the account as soon as it is indexed.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        env_prefix=CONNECTION,
        case_sensitive=True,
    )

    connection_string: SecretStr | None = Field(None, validation_alias=CONNECTION)
    blob_service_uri: str | None = Field(None, validation_alias=f"{CONNECTION}__blobServiceUri")
    queue_service_uri: str | None = Field(None, validation_alias=f"{CONNECTION}__queueServiceUri")
    account_name: str | None = Field(None, validation_alias=f"{CONNECTION}__accountName")

    @model_validator(mode="after")
    def _is_taken_by_all(self) -> "StorageConnection":
        if self.connection_string:  # the Functions host then reads nothing else
            return self
        if self.account_name:
            msg = (
                f"the Python worker does not accept {CONNECTION}__accountName; set "
                "__blobServiceUri "
                "and __queueServiceUri instead"
            )
            raise ValueError(msg)
        if self.blob_service_uri and not self.queue_service_uri:
            msg = (
                f"{CONNECTION}__queueServiceUri is missing beside __blobServiceUri: without it the "
                "Functions host does not load on_drop"
            )
            raise ValueError(msg)
        if any(
            uri and not (uri.startswith("https://") or is_loopback(uri))
            for uri in (self.blob_service_uri, self.queue_service_uri)
        ):
            msg = "an address must begin with https://, because a token is sent there"
            raise ValueError(msg)
        return self

    @property
    def address(self) -> str | None:
        """The blob endpoint for identity-based access."""
        return self.blob_service_uri


class Settings(BaseSettings):
    """Everything that a deployment of TuneDrop can choose, as environment variables
    `TUNEDROP_<FIELD>`.
    """

    model_config = SettingsConfigDict(
        env_prefix="TUNEDROP_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    training_container: str = "training"
    """The container for drops."""
    reports_container: str = "reports"
    """The container that reports are written to."""
    ledger_container: str = "tunedrop"
    """The container of the ledger, the claims and the scans."""
    blob_source: Literal["EventGrid", "LogsAndContainerScan"] = "EventGrid"
    """Where blob events come from. Flex Consumption knows Event Grid only; Core Tools and the
    embedded host take either.
    """
    sweep_schedule: str = "0 */5 * * * *"
    """When the sweep runs: six NCRONTAB fields, UTC."""
    claim_patience_s: Annotated[float, Field(ge=0)] = 120
    """How old a claim without a living orchestration must be before the sweep starts it, in
    seconds.
    """
    drop_patience_s: Annotated[float, Field(ge=0)] = 300
    """How old a drop without a claim must be before the sweep takes its event for lost, in
    seconds.
    """
    sweep_days: Annotated[float, Field(gt=0)] = 7
    """How far back the sweep looks for drops whose event never came, in days."""
    sweep_blobs: Annotated[int, Field(ge=1, le=5000)] = 5000
    """How many blobs of the container of the drops one sweep looks at; the next goes on there."""
    pace: Annotated[Pace, NoDecode] = PACES["azure"]
    """Waits and deadlines: `azure`, `local`, or a JSON object of the fields of Pace."""
    span_mb: Annotated[int, Field(ge=8, multiple_of=8)] = 32
    """The size of the byte range that one scan activity reads, in MiB: seconds of work, not
    minutes.
    """

    openai_endpoint: str = ""
    """The endpoint of the Azure OpenAI resource, for example https://contoso.openai.azure.com."""
    openai_api_key: SecretStr | None = None
    """A key for Azure OpenAI. Unset, as it should be in Azure: the identity is used."""
    openai_surface: Literal["v1", "api-version"] = "v1"
    """Which of the two surfaces of Azure OpenAI is called."""
    openai_api_version: str = "2025-04-01-preview"
    """The api-version where the surface is api-version."""
    arm_endpoint: str = "https://management.azure.com"
    """The address of Azure Resource Manager."""
    arm_api_version: str = "2024-10-01"
    """The api-version of the deployments calls."""
    account: str = ""
    """The resource id of the Azure OpenAI account:
    /subscriptions/…/resourceGroups/…/providers/Microsoft.CognitiveServices/accounts/…
    """
    credential: Literal["managed-identity", "azure-cli", "stand-in"] = "managed-identity"
    """Who calls Azure: the app's managed identity, or az login on a laptop. `stand-in` works
    against loopback addresses only.
    """
    managed_identity_client_id: str | None = None
    """The client id of a user-assigned identity; unset for the system-assigned one."""

    model: str = "gpt-4.1-mini-2025-04-14"
    """The base model of a drop that names none."""
    allowed_models: Annotated[list[str], NoDecode] = []
    """The base models that a drop may name; empty: all that are known."""
    training_type: TrainingType = "GlobalStandard"
    """The training type of a drop that names none, where the surface of Azure OpenAI takes one."""
    deployment_sku: str = "GlobalStandard"
    """The SKU of a deployment whose drop names none."""
    allowed_skus: Annotated[list[str], NoDecode] = []
    """The SKUs that a drop may name; empty: all that have a price an hour."""
    deployment_capacity: Annotated[int, Field(ge=1)] = 50
    """The capacity of a deployment whose drop names none, in thousands of tokens a minute."""
    max_capacity: Annotated[int, Field(ge=1)] = 200
    """The most capacity that a drop may ask for; more is clamped, and the report says so."""
    budget_usd: Annotated[float, Field(ge=0)] = 50
    """The most that one run may cost until its end, by its worst case; a drop may ask for less,
    never for more.
    """
    jobs_at_a_time: Annotated[int, Field(ge=1)] = 10
    """How many runs may be between the gate and their end at a time; a run over it waits in the
    gate.
    """
    jobs_a_day: Annotated[int, Field(ge=0)] = 50
    """How many jobs all runs together may start on one day (UTC)."""
    usd_a_day: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 250
    """How much all runs together may cost on one day (UTC): by their worst cases, then by what was
    billed.
    """
    when_day_is_full: Literal["reject", "wait"] = "reject"
    """What becomes of a run over the jobs or the money of the day: it ends rejected, or waits for
    another day.
    """
    limits: Annotated[ServiceLimits, NoDecode] = ServiceLimits()
    """The service's limits where they differ from the published ones: a JSON object of the fields
    of ServiceLimits.
    """
    data_secrets: Literal["error", "warning"] = "error"
    """Whether a probable secret in the data stops a run, or is only told."""
    worst_training_price: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """What a million training tokens cost at most, in US dollars, where the price table has no
    price; unset: such a run is rejected.
    """
    continue_from: Literal["none", "own"] = "none"
    """Whether a drop may train on from a fine-tuned model: never, or from those that runs of its
    own name have trained.
    """
    price_table: str | None = None
    """A JSON file that replaces the price table, see docs/report.md."""

    @field_validator("pace", "limits", "allowed_models", "allowed_skus", mode="before")
    @classmethod
    def _decoded(cls, value: Any, about: ValidationInfo) -> Any:
        return _of_json(str(about.field_name), value) if isinstance(value, str) else value

    @field_validator("openai_endpoint", "arm_endpoint")
    @classmethod
    def _private(cls, address: str) -> str:
        if address and not address.startswith("https://") and not is_loopback(address):
            msg = "must begin with https://, because a token is sent there"
            raise ValueError(msg)
        return address

    @model_validator(mode="after")
    def _stand_in_is_local(self) -> "Settings":
        if self.credential == "stand-in" and not (
            is_loopback(self.arm_endpoint) and is_loopback(self.openai_endpoint)
        ):
            msg = (
                "credential `stand-in` needs arm_endpoint and openai_endpoint on a loopback address"
            )
            raise ValueError(msg)
        return self


def _of_json(name: str, text: str) -> Any:
    """The value of a setting that is JSON, or the name of a pace; a field that isn't known is
    refused, not ignored.
    """
    if name == "pace" and text in PACES:
        return PACES[text]
    try:
        value = decoded(text.encode())
    except NotJson as error:
        raise ValueError(str(error)) from None
    fields = {"pace": Pace.model_fields, "limits": ServiceLimits.model_fields}.get(name)
    if fields is not None and not (
        isinstance(value, dict) and set(cast("dict[str, Any]", value)) <= set(fields)
    ):
        msg = f"not an object of these fields: {', '.join(fields)}"
        raise ValueError(msg)
    return cast("Any", value)


def is_loopback(address: str) -> bool:
    """Whether this address can only be this machine."""
    return urlsplit(address).hostname in {"127.0.0.1", "localhost", "::1"}


@cache
def settings() -> Settings:
    """The settings of this process.

    Raises:
        PlanRejected: a setting is wrong; the message names the variable and the form wanted, never
            the value.
    """
    return _read(Settings)


@cache
def storage_connection() -> StorageConnection:
    """The storage connection of this process."""
    return _read(StorageConnection)


def _read[S: BaseSettings](kind: type[S]) -> S:
    try:
        return kind()
    except ValidationError as error:
        wrong = [
            f"{'_'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()
        ]
        prefix = "TUNEDROP_" if kind is Settings else f"{CONNECTION} "
        raise PlanRejected(
            "TD-SETTING-001",
            f"A setting is wrong: {prefix}" + f"; {prefix}".join(wrong),
            "Correct the variable; docs/settings.md describes its form.",
        ) from None
