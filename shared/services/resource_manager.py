"""Azure Resource Manager in our words: the account, what it can train and deploy, its deployments.

The management client sends and signs; addresses, bodies and answers are ours (`arm_facts.py`,
`bounded_azure.py`). Waiting is the caller's: PUT and DELETE return at once.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from shared.errors import (
    OutcomeUnknown,
    PlanRejected,
    ServiceRejected,
    ServiceUnavailable,
    retry_after_s,
)
from shared.models.plan import DeploymentPlan
from shared.services import call_limits, service_text
from shared.services.answer_fields import Told, Unusable
from shared.services.arm_facts import (
    OWNER_TAG,
    DeploymentFacts,
    ModelFacts,
    Quota,
    deployment_of,
    grants,
    model_of,
)
from shared.services.credentials import credential_for
from shared.settings import is_loopback

__all__ = [
    "DeploymentFacts",
    "ModelFacts",
    "Quota",
    "ResourceManager",
    "connect",
]

SERVICE = "Azure Resource Manager"
READ_TIMEOUT_S = 30
RETRIES = 2  # of reads and deletes, by azure-core
CLIENTS_KEPT = 16  # a drop chooses the api-version, and each client holds connections
PERMISSIONS_API = "2022-04-01"
TAGS_SINCE = (
    "2024-10-01"  # the deployment's `tags` in the published description; the lab's version has none
)
WRITE = "Microsoft.CognitiveServices/accounts/deployments/write"
# Every account has them; they need not be listed.
BUILT_IN_POLICIES = frozenset({"Microsoft.Default", "Microsoft.DefaultV2"})
# One write at a time per account.
CONFLICTS = frozenset({"RequestConflict", "AnotherOperationInProgress", "Conflict"})


class ResourceManager:
    """One Azure OpenAI account."""

    def __init__(self, client: Any, account_id: str, base_url: str, api_version: str) -> None:
        self._client = client
        self._id = account_id
        self._base_url = base_url
        self._api_version = api_version
        self._location: str | None = None
        self._insecure: dict[str, Any] = {"enforce_https": False} if is_loopback(base_url) else {}

    def location(self) -> str:
        """The account's region; asked once, since an account never moves.

        Raises:
            ServiceRejected: there is no such account, or it may not be read.
        """
        if self._location is None:
            with _translated():
                told = Told.read(self._send("GET", self._url(self._id)))
                self._location = told.name("location")
        return self._location

    def models(self) -> list[ModelFacts]:
        """The base models that the account offers."""
        with _translated():
            return [model_of(told) for told in self._each(self._url(f"{self._id}/models"))]

    def quotas(self, location: str) -> dict[str, Quota] | None:
        """The subscription's quotas in a region, by name; None where the caller may not ask."""
        # Not the account's: a role on the account alone gets 403 here.
        subscription = "/".join(self._id.split("/")[:3])
        url = self._url(
            f"{subscription}/providers/Microsoft.CognitiveServices"
            f"/locations/{quote(location, safe='')}/usages"
        )

        def ask() -> dict[str, Quota]:
            named = [(told.inner("name").name("value", ""), told) for told in self._each(url)]
            return {
                name: Quota(told.number("currentValue"), told.number("limit"))
                for name, told in named
                if name
            }

        return _none_on({403}, ask)

    def may_deploy(self) -> bool | None:
        """Whether the caller may write deployments; None where it may not ask for that."""
        url = self._url(
            f"{self._id}/providers/Microsoft.Authorization/permissions", PERMISSIONS_API
        )
        return _none_on({403}, lambda: any(grants(entry, WRITE) for entry in self._each(url)))

    def rai_policies(self) -> frozenset[str] | None:
        """The names of the content filter policies that a deployment can have; None where they
        can't be asked for.
        """
        url = self._url(f"{self._id}/raiPolicies")
        # An older api-version doesn't know them, and the caller may lack the right: both are no
        # reason against a policy.
        listed = _none_on({400, 403, 404}, lambda: [told.name("name") for told in self._each(url)])
        return None if listed is None else BUILT_IN_POLICIES.union(listed)

    def deployments(self) -> list[DeploymentFacts]:
        """Every deployment of the account."""
        with _translated():
            return [
                deployment_of(told) for told in self._each(self._url(f"{self._id}/deployments"))
            ]

    def deployment(self, name: str) -> DeploymentFacts | None:
        """A deployment by name; None where there is none."""
        return _none_on(
            {404},
            lambda: deployment_of(
                Told.read(self._send("GET", self._of_deployment(name))).of_id(name, "name")
            ),
        )

    def put_deployment(
        self, plan: DeploymentPlan, model: str, run_id: str, timeout_s: float
    ) -> str:
        """Creates the deployment, or puts the same one again, and answers its name.

        Raises:
            OutcomeUnknown: the write may have been taken.
            ServiceUnavailable: another write is under way on the account; nothing was taken.
        """
        properties: dict[str, Any] = {"model": {"format": "OpenAI", "name": model, "version": "1"}}
        if plan.rai_policy:
            properties["raiPolicyName"] = plan.rai_policy
        body: dict[str, Any] = {
            "sku": {"name": plan.sku, "capacity": plan.capacity},
            "properties": properties,
        }
        if self._api_version >= TAGS_SINCE:
            body["tags"] = {OWNER_TAG: run_id}
        # Sent once, in bounded time: the PUT may have been taken, whatever comes back.
        with _translated(timeout_s, creating=True):
            self._send(
                "PUT",
                self._of_deployment(plan.name),
                json=body,
                retry_total=0,
                read_timeout=timeout_s,
            )
        return plan.name

    def delete_deployment(self, name: str) -> None:
        """Deletes a deployment; one that isn't there is gone already."""
        _none_on({404}, lambda: self._send("DELETE", self._of_deployment(name)))

    def _of_deployment(self, name: str) -> str:
        return self._url(f"{self._id}/deployments/{quote(name, safe='')}")

    def _url(self, path: str, api_version: str | None = None) -> str:
        return f"{self._base_url}{path}?api-version={api_version or self._api_version}"

    def _each(self, url: str) -> Iterator[Told]:
        """The objects of a listing, page by page, all of them from the one host.

        Raises:
            Exceeded: a page leads to another host; nothing was sent there.
            Unusable: the pages have no end.
        """
        seen: set[str] = set()
        while url not in seen and len(seen) < call_limits.limits().pages:
            seen.add(url)
            page = Told.read(self._send("GET", url))
            yield from page.listed("value")
            if not page.fields.get("nextLink"):
                return
            url = page.link("nextLink")
            call_limits.hold_to_origin(url, self._base_url)
        raise Unusable("its pages have no end")

    def _send(self, method: str, url: str, json: Any = None, **options: Any) -> bytes:
        """The body of a yes; it follows no redirect, because a token must not."""
        from azure.core.exceptions import DecodeError
        from azure.core.rest import HttpRequest

        # No redirect is followed: the token would go where an answer points.
        chosen = {
            "read_timeout": READ_TIMEOUT_S,
            "retry_total": RETRIES,
            "permit_redirects": False,
            **self._insecure,
            **options,
        }
        try:
            response = self._client._send_request(HttpRequest(method, url, json=json), **chosen)
        except DecodeError as error:
            # azure-core looks into the body; whether it must be read, the caller knows.
            if error.response is None:
                raise
            response: Any = error.response
        if response.status_code >= 300:
            response.raise_for_status()
            raise Refused(response)
        return response.content


@lru_cache(maxsize=CLIENTS_KEPT)
def connect(endpoint: str, account: str, version: str) -> ResourceManager:
    """The account with this resource id, asked in this api-version.

    Raises:
        PlanRejected: the id is not the resource id of an account.
    """
    from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

    from shared.services.bounded_azure import BriefRetries, transport

    parts = account.strip("/").split("/")
    if len(parts) != 8 or [p.lower() for p in parts[:-1:2]] != [
        "subscriptions",
        "resourcegroups",
        "providers",
        "accounts",
    ]:
        raise PlanRejected(
            "TD-SETTING-002",
            "TUNEDROP_ACCOUNT is not the resource id of an Azure OpenAI account.",
            "Set it to the `id` that `az cognitiveservices account show` prints.",
        )
    base = endpoint.rstrip("/")
    client = CognitiveServicesManagementClient(
        credential_for(base),
        parts[1],
        base_url=base,
        api_version=version,
        credential_scopes=["https://management.azure.com/.default"],
        transport=transport(base),
        retry_policy=BriefRetries(),
    )
    return ResourceManager(client, "/" + "/".join(parts), base, version)


class Refused(Exception):
    """An answer that isn't a yes, and that azure-core doesn't take for a no: a redirect."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.response = response


@contextmanager
def _translated(within_s: float | None = None, *, creating: bool = False) -> Generator[None]:
    """A call that is over in so many seconds, a read in its usual time; azure-core's exceptions as
    ours.
    """
    from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

    unclear = OutcomeUnknown if creating else ServiceUnavailable
    try:
        with call_limits.within(within_s or call_limits.limits().read_s):
            yield
    except (HttpResponseError, Refused) as error:
        raise (
            unclear(SERVICE, type(error).__name__)
            if error.response is None
            else _refusal(error.response, creating)
        ) from None
    except ServiceRequestError as error:
        # The request never left.
        raise ServiceUnavailable(SERVICE, type(error).__name__) from None
    except (Unusable, call_limits.Exceeded) as error:
        raise unclear(SERVICE, f"its answer can't be used: {error}") from None
    except (AzureError, ValueError, LookupError, RecursionError, TimeoutError) as error:
        # azure-core can't read the answer: a header such as `Retry-After: soon`, an encoding that
        # isn't one, lists in lists without end
        raise unclear(SERVICE, type(error).__name__) from None


def _refusal(response: Any, creating: bool) -> Exception:
    status, told = int(response.status_code), _error_of(response)
    code, headers = service_text.code(told.fields.get("code")), response.headers
    retry_after = retry_after_s(headers.get("Retry-After"))
    if status == 429 or code in CONFLICTS:
        return ServiceUnavailable(SERVICE, f"{status} {code}", retry_after)
    # Under 300: a yes whose body can't be read.
    if status < 300 or status in {408, 409} or status >= 500:
        return (OutcomeUnknown if creating else ServiceUnavailable)(
            SERVICE, f"{status} {code}", retry_after
        )
    if status == 404 and not told.fields and not creating:
        # A gateway's 404 is no "there is none".
        return ServiceUnavailable(SERVICE, "404 without a reason")
    message = told.words("message") or service_text.told(response.reason) or "no message"
    return ServiceRejected(
        SERVICE, status, code, message, service_text.ident(headers.get("x-ms-request-id"))
    )


def _error_of(response: Any) -> Told:
    try:
        return Told.leniently(Told.read(response.content).fields.get("error"))
    except Unusable:
        return Told({})


def _none_on[T](statuses: set[int], ask: Callable[[], T]) -> T | None:
    """The answer; None where the service refuses it with one of these statuses."""
    try:
        with _translated():
            return ask()
    except ServiceRejected as refusal:
        if refusal.status in statuses:
            return None
        raise
