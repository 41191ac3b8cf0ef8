"""The operations of the management plane: decode, ask the state machines, encode."""

from collections.abc import Callable

from tunedrop.emulator import catalogue, roles
from tunedrop.emulator.arm import errors
from tunedrop.emulator.arm.deployments import Deployments
from tunedrop.emulator.arm.offers import Offers
from tunedrop.emulator.call import Call, Operation, Reply
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import ACCOUNT, RESOURCE_GROUP, SUBSCRIPTION, World

# The first stable version whose description has raiPolicies.
POLICIES_SINCE = "2024-10-01"
VERSIONS = ("2023-05-01", "2024-10-01", "2025-06-01", "2025-09-01")
PERMISSION_VERSIONS = ("2015-07-01", "2018-07-01", "2022-04-01")
PROVIDER = "Microsoft.CognitiveServices"
ACCOUNT_PATH = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}"
    f"/providers/{PROVIDER}/accounts/{{account}}"
)
LOCATION_PATH = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"
PERMISSIONS_PATH = ACCOUNT_PATH + "/providers/Microsoft.Authorization/permissions"
DEPLOYMENT_PATH = ACCOUNT_PATH + "/deployments/{name}"

_DEPLOYMENTS = f"{PROVIDER}/accounts/deployments"
ACCOUNT_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}"
    f"/providers/{PROVIDER}/accounts/{ACCOUNT}"
)


class ManagementPlane:
    """The management plane of one account."""

    def __init__(self, world: World, deployments: Deployments) -> None:
        self._world = world
        self._deployments = deployments
        self._offers = Offers(world, deployments)

    def operations(self) -> list[Operation]:
        """What it offers."""
        return [
            Operation(
                "accounts.get",
                "GET",
                ACCOUNT_PATH,
                self._account,
                action=f"{PROVIDER}/accounts/read",
            ),
            Operation(
                "accounts.list_models",
                "GET",
                f"{ACCOUNT_PATH}/models",
                self._models,
                action=f"{PROVIDER}/accounts/models/read",
            ),
            Operation(
                "deployments.list",
                "GET",
                f"{ACCOUNT_PATH}/deployments",
                self._list,
                action=f"{_DEPLOYMENTS}/read",
            ),
            Operation(
                "deployments.get", "GET", DEPLOYMENT_PATH, self._get, action=f"{_DEPLOYMENTS}/read"
            ),
            Operation(
                "deployments.create_or_update",
                "PUT",
                DEPLOYMENT_PATH,
                self._put,
                takes="json",
                writes=True,
                action=f"{_DEPLOYMENTS}/write",
            ),
            Operation(
                "deployments.delete",
                "DELETE",
                DEPLOYMENT_PATH,
                self._delete,
                writes=True,
                action=f"{_DEPLOYMENTS}/delete",
            ),
            Operation(
                "rai_policies.list",
                "GET",
                f"{ACCOUNT_PATH}/raiPolicies",
                self._policies,
                action=f"{PROVIDER}/accounts/raiPolicies/read",
            ),
            Operation(
                "permissions.list_for_resource",
                "GET",
                PERMISSIONS_PATH,
                self._permissions,
                action="Microsoft.Authorization/permissions/read",
            ),
            *self._of_location(),
        ]

    def _of_location(self) -> list[Operation]:
        """What is asked of the subscription."""

        # Scope: no role on the account reaches it.
        def asked(
            name: str, path: str, run: Callable[[Call], Reply], what: str, *query: str
        ) -> Operation:
            action = f"{PROVIDER}/locations/{what}/read"
            return Operation(
                name,
                "GET",
                f"{LOCATION_PATH}/{path}",
                run,
                frozenset(query),
                action=action,
                scope="subscription",
            )

        return [
            asked(
                "locations.operation_status",
                "operationStatuses/{name}",
                self._operation_status,
                "operationStatuses",
            ),
            asked("usages.list", "usages", self._usages, "usages", "$filter"),
            asked("locations.list_models", "models", self._location_models, "models"),
        ]

    def check_address(self, call: Call) -> None:
        """Refuse another subscription, resource group, account or location than ours."""
        # ARM compares names without case.
        path = {name: value.lower() for name, value in call.path.items()}
        if path.get("subscription") != SUBSCRIPTION:
            raise errors.resource_not_found("Microsoft.Resources/subscriptions")
        if "account" in path and (path["group"], path["account"]) != (RESOURCE_GROUP, ACCOUNT):
            raise errors.resource_not_found(f"{PROVIDER}/accounts")
        if "location" in path and path["location"].replace(" ", "") != self._world.region:
            raise errors.location_unknown(self._world.region)

    def _account(self, call: Call) -> Reply:
        properties: Doc = {
            "endpoint": f"{call.base_url}/",
            "provisioningState": "Succeeded",
            "customSubDomainName": ACCOUNT,
            "publicNetworkAccess": "Enabled",
            "disableLocalAuth": False,
            "endpoints": {"OpenAI Language Model Instance API": f"{call.base_url}/"},
        }
        body: Doc = {
            "id": ACCOUNT_ID,
            "name": ACCOUNT,
            "type": f"{PROVIDER}/accounts",
            "kind": "OpenAI",
            "location": self._world.region,
            "sku": {"name": "S0"},
            "properties": properties,
        }
        return Reply(200, body, id=ACCOUNT)

    def _models(self, call: Call) -> Reply:
        return Reply(200, {"value": self._offers.models()})

    def _location_models(self, call: Call) -> Reply:
        return Reply(
            200,
            {
                "value": [
                    {"kind": "OpenAI", "skuName": "S0", "model": model}
                    for model in self._offers.models()
                ]
            },
        )

    def _shown(self, doc: Doc) -> Doc:
        usage_period = {"renewalPeriod": 60}
        rate: list[Doc] = [{"key": "token", "count": 1000 * doc["sku"]["capacity"], **usage_period}]
        properties: Doc = {
            **doc["properties"],
            "model": doc["model"],
            "provisioningState": doc["state"],
        }
        properties |= {"capabilities": {"chatCompletion": "true"}, "rateLimits": rate}
        shown: Doc = {
            "id": f"{ACCOUNT_ID}/deployments/{doc['name']}",
            "type": f"{PROVIDER}/accounts/deployments",
            "name": doc["name"],
            "sku": doc["sku"],
            "properties": properties,
            "etag": doc["etag"],
        }
        return shown | ({"tags": doc["tags"]} if doc["tags"] is not None else {})

    def _list(self, call: Call) -> Reply:
        found = self._deployments.all()
        young = [
            doc for doc in found if call.lag_s and self._world.now() - doc["created"] < call.lag_s
        ]
        return Reply(200, {"value": [self._shown(doc) for doc in found if doc not in young]})

    def _get(self, call: Call) -> Reply:
        return Reply(
            200, self._shown(self._deployments.read(call.path["name"])), id=call.path["name"]
        )

    def _put(self, call: Call) -> Reply:
        doc, new = self._deployments.put(call.path["name"], call.body)
        return Reply(
            201 if new else 200, self._shown(doc), headers=self._follow(call), id=doc["name"]
        )

    def _delete(self, call: Call) -> Reply:
        name = call.path["name"]
        if not self._deployments.delete(name):
            return Reply(204, id=name)
        return Reply(202, headers=self._follow(call), id=name)

    def _follow(self, call: Call) -> dict[str, str]:
        path = LOCATION_PATH.format(subscription=SUBSCRIPTION, location=self._world.region)
        status = f"operationStatuses/{call.path['name']}?api-version={call.version}"
        address = f"{call.base_url}{path}/{status}"
        return {"azure-asyncoperation": address}

    def _operation_status(self, call: Call) -> Reply:
        """How the write to a deployment goes."""
        # One write at a time, so that the deployment's name tells which.
        name = call.path["name"]
        state = next(
            (doc["state"] for doc in self._deployments.all() if doc["name"] == name), "Succeeded"
        )
        status = state if state in ("Succeeded", "Failed", "Canceled") else "InProgress"
        if status == "InProgress":
            self._deployments.read(name)
        return Reply(200, {"id": name, "name": name, "status": status}, id=name)

    def _usages(self, call: Call) -> Reply:
        return Reply(200, {"value": self._offers.usages()})

    def _policies(self, call: Call) -> Reply:
        return Reply(200, {"value": [_policy(name) for name in catalogue.CONTENT_FILTERS]})

    def _permissions(self, call: Call) -> Reply:
        return Reply(
            200,
            {
                "value": [
                    role.permissions() for role in roles.held(self._world.switches, roles.ACCOUNT)
                ]
            },
        )


def versions(operation: Operation) -> tuple[str, ...]:
    """The api-versions that know an operation."""
    if operation.name.startswith("permissions."):
        return PERMISSION_VERSIONS
    return (
        tuple(v for v in VERSIONS if v >= POLICIES_SINCE)
        if operation.name.startswith("rai_policies.")
        else VERSIONS
    )


def _policy(name: str) -> Doc:
    """A content filter policy as the management client decodes it."""
    # The thresholds of its filters are left out.
    return {
        "id": f"{ACCOUNT_ID}/raiPolicies/{name}",
        "name": name,
        "type": f"{PROVIDER}/accounts/raiPolicies",
        "properties": {"type": "SystemManaged", "mode": "Blocking", "contentFilters": list[Doc]()},
    }
