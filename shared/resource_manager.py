"""Azure Resource Manager in our words: the account, what it can train and deploy, its deployments.

No type of azure.mgmt leaves this module. Waiting is the caller's: PUT and DELETE return at once.
"""

import fnmatch
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.credentials import credential_for
from shared.errors import OutcomeUnknown, PlanRejected, ServiceRejected, ServiceUnavailable, retry_after_s
from shared.models.plan import DeploymentPlan, Plan
from shared.pinning import pinned
from shared.settings import is_loopback

SERVICE = "Azure Resource Manager"
READ_TIMEOUT_S = 30
CLIENTS_KEPT = 16  # a drop chooses the api-version, and each client holds connections
PERMISSIONS_API = "2022-04-01"
TAGS_SINCE = "2024-10-01"  # the deployment's `tags` in the published description; the lab's version has none
OWNER_TAG = "tunedrop-run"
TRAINING_TYPES = {"finetune": "Standard", "globalfinetune": "GlobalStandard", "devtierfinetune": "Developer"}
"""Which capability of ARM's model list, in lower case, stands for which training type."""
BUILT_IN_POLICIES = frozenset({"Microsoft.Default", "Microsoft.DefaultV2"})  # every account has them; they need not be listed
CONFLICTS = frozenset({"RequestConflict", "AnotherOperationInProgress", "Conflict"})  # one write at a time per account


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
    """A base model as the account offers it; `skus` maps a SKU's name in lower case to the name of its quota.

    `training_types`: the types that the account trains it by; None where the list doesn't say it in a form that we know, which is no "no".
    `trainable`: whether it is said to be trained by any of them.
    """

    name: str
    version: str
    trainable: bool
    skus: dict[str, str]
    training_types: frozenset[str] | None = None

    def is_called(self, wanted: str) -> bool:
        """Whether `name-version`, or the bare name, is what was asked for."""
        return wanted in {f"{self.name}-{self.version}", self.name}


@dataclass(frozen=True)
class Quota:
    """Use and limit of one quota, in units of capacity."""

    used: float
    limit: float


class ResourceManager:
    """One Azure OpenAI account."""

    def __init__(self, client: Any, resource_group: str, account: str, resource_id: str, base_url: str, api_version: str) -> None:
        self._client = client
        self._where = (resource_group, account)
        self._id = resource_id
        self._base_url = base_url
        self._api_version = api_version
        self._insecure: dict[str, Any] = {"enforce_https": False} if is_loopback(base_url) else {}

    def location(self) -> str:
        """The account's region.

        Raises:
            ServiceRejected: there is no such account, or it may not be read.
        """
        with _translated():
            return str(self._client.accounts.get(*self._where, **self._options()).location)

    def models(self) -> list[ModelFacts]:
        """The base models that the account offers."""
        with _translated():
            return [_model(m) for m in self._client.accounts.list_models(*self._where, **self._options())]

    def quotas(self, location: str) -> dict[str, Quota] | None:
        """The subscription's quotas in a region, by name; None where the caller may not ask: the right is one of the subscription's."""

        def ask() -> dict[str, Quota]:
            found = self._client.usages.list(location, **self._options())
            return {str(u.name.value): Quota(float(u.current_value or 0), float(u.limit or 0)) for u in found if u.name}

        return _none_on({403}, ask)

    def may_deploy(self) -> bool | None:
        """Whether the caller may write deployments on the account, by its effective permissions; None where it may not ask for them."""
        from azure.core.rest import HttpRequest

        url = f"{self._base_url}{self._id}/providers/Microsoft.Authorization/permissions?api-version={PERMISSIONS_API}"

        def ask() -> bool:
            response = self._client._send_request(HttpRequest("GET", url), **self._options())
            response.raise_for_status()
            granted: list[dict[str, list[str]]] = response.json().get("value", [])
            return any(_grants(entry, "Microsoft.CognitiveServices/accounts/deployments/write") for entry in granted)

        return _none_on({403}, ask)

    def rai_policies(self) -> frozenset[str] | None:
        """The names of the content filter policies that a deployment can have; None where they can't be asked for.

        An older api-version doesn't know them, and the caller may lack the right: both are no reason against a policy.
        """

        def ask() -> frozenset[str]:
            return BUILT_IN_POLICIES.union(str(p.name) for p in self._client.rai_policies.list(*self._where, **self._options()))

        return _none_on({400, 403, 404}, ask)

    def deployments(self) -> list[DeploymentFacts]:
        """Every deployment of the account."""
        with _translated():
            return [_deployment(d) for d in self._client.deployments.list(*self._where, **self._options())]

    def deployment(self, name: str) -> DeploymentFacts | None:
        """A deployment by name; None where there is none."""
        return _none_on({404}, lambda: _deployment(self._client.deployments.get(*self._where, name, **self._options())))

    def put_deployment(self, plan: DeploymentPlan, model: str, run_id: str, timeout_s: float) -> str:
        """Creates the deployment, or puts the same one again, and answers its name. Sent once, in bounded time.

        Raises:
            OutcomeUnknown: the write may have been taken.
            ServiceUnavailable: another write is under way on the account; nothing was taken.
        """
        from azure.mgmt.cognitiveservices.models import Deployment, DeploymentModel, DeploymentProperties, Sku

        body = Deployment(
            sku=Sku(name=plan.sku, capacity=plan.capacity),
            properties=DeploymentProperties(
                model=DeploymentModel(format="OpenAI", name=model, version="1"), rai_policy_name=plan.rai_policy
            ),
            tags={OWNER_TAG: run_id} if self._api_version >= TAGS_SINCE else None,
        )
        with _translated(creating=True):
            self._client.deployments.begin_create_or_update(
                *self._where, plan.name, body, polling=False, retry_total=0, read_timeout=timeout_s, **self._insecure
            )
        return plan.name

    def delete_deployment(self, name: str) -> None:
        """Deletes a deployment; one that isn't there is gone already."""
        _none_on({404}, lambda: self._client.deployments.begin_delete(*self._where, name, polling=False, **self._options()))

    def _options(self) -> dict[str, Any]:
        return {"read_timeout": READ_TIMEOUT_S, "retry_total": 2, **self._insecure}


def for_deployment(plan: Plan) -> ResourceManager:
    """The account of this plan, for the calls about its deployment."""
    account = pinned(plan).account
    return connect(account.arm_endpoint, account.id, account.deployment_version)


def for_account(plan: Plan) -> ResourceManager:
    """The account of this plan, for questions about the account itself: not every api-version of a lab answers them."""
    account = pinned(plan).account
    return connect(account.arm_endpoint, account.id, account.management_version)


@lru_cache(maxsize=CLIENTS_KEPT)
def connect(endpoint: str, account: str, version: str) -> ResourceManager:
    """The account with this resource id, asked in this api-version.

    Raises:
        PlanRejected: the id is not the resource id of an account.
    """
    from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

    parts = account.strip("/").split("/")
    if len(parts) != 8 or [p.lower() for p in parts[:-1:2]] != ["subscriptions", "resourcegroups", "providers", "accounts"]:
        raise PlanRejected(
            "TD-SETTING-002",
            "TUNEDROP_ACCOUNT is not the resource id of an Azure OpenAI account.",
            "Set it to the `id` that `az cognitiveservices account show` prints.",
        )
    base = endpoint.rstrip("/")
    client = CognitiveServicesManagementClient(
        credential_for(base), parts[1], base_url=base, api_version=version, credential_scopes=["https://management.azure.com/.default"]
    )
    return ResourceManager(client, parts[3], parts[7], "/" + "/".join(parts), base, version)


@contextmanager
def _translated(*, creating: bool = False) -> Generator[None]:
    from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

    try:
        yield
    except HttpResponseError as error:
        raise _refusal(error, creating) from None
    except ServiceRequestError as error:  # the request never left
        raise ServiceUnavailable(SERVICE, type(error).__name__) from None
    except (AzureError, ValueError) as error:  # ValueError: azure-core can't read a header or body, such as `Retry-After: soon`
        raise (OutcomeUnknown if creating else ServiceUnavailable)(SERVICE, type(error).__name__) from None


def _refusal(error: Any, creating: bool) -> Exception:
    status = int(error.status_code or 0)
    body = error.error
    code = str(getattr(body, "code", None) or "unknown")
    headers: Mapping[str, str] = error.response.headers if error.response is not None else {}
    retry_after = retry_after_s(headers.get("Retry-After"))
    if status == 429 or code in CONFLICTS:
        return ServiceUnavailable(SERVICE, f"{status} {code}", retry_after)
    if status < 400 or status in {408, 409} or status >= 500:  # under 400: a yes whose body can't be read
        return (OutcomeUnknown if creating else ServiceUnavailable)(SERVICE, f"{status} {code}", retry_after)
    message = str(getattr(body, "message", None) or error.reason or "no message")
    return ServiceRejected(SERVICE, status, code, message[:600], headers.get("x-ms-request-id"))


def _none_on[T](statuses: set[int], ask: Callable[[], T]) -> T | None:
    """The answer; None where the service refuses it with one of these statuses."""
    try:
        with _translated():
            return ask()
    except ServiceRejected as refusal:
        if refusal.status in statuses:
            return None
        raise


def _grants(entry: dict[str, list[str]], action: str) -> bool:
    def matches(patterns: list[str]) -> bool:
        return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)

    return matches(entry.get("actions", [])) and not matches(entry.get("notActions", []))


def _deployment(found: Any) -> DeploymentFacts:
    if found is None:
        raise ServiceUnavailable(SERVICE, "the answer is empty")
    properties, sku = found.properties, found.sku
    tags: dict[str, str] = found.tags or {}
    return DeploymentFacts(
        name=str(found.name),
        model=str(properties.model.name) if properties and properties.model else "",
        sku=str(sku.name) if sku else "",
        capacity=int(sku.capacity or 0) if sku else 0,
        state=str(properties.provisioning_state) if properties else "unknown",
        owner=tags.get(OWNER_TAG),
    )


def _model(found: Any) -> ModelFacts:
    skus: list[Any] = found.skus or []
    training_types = _training_types(found.capabilities)
    return ModelFacts(
        name=str(found.name),
        version=str(found.version),
        trainable=bool(training_types),
        skus={str(sku.name).lower(): str(sku.usage_name or "") for sku in skus},
        training_types=training_types,
    )


def _training_types(capabilities: dict[str, str] | None) -> frozenset[str] | None:
    """The types whose capability is true. Where none of the three is named, other words about fine-tuning may mean the same."""
    said = {name.lower(): str(value).lower() for name, value in (capabilities or {}).items()}
    known = {name: said[name] for name in TRAINING_TYPES if name in said}
    if not said or not set(known.values()) <= {"true", "false"} or (not known and any("finetune" in name for name in said)):
        return None
    return frozenset(TRAINING_TYPES[name] for name, value in known.items() if value == "true")
