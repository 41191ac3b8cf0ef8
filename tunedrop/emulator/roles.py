"""Azure's roles, what each allows, and which of them the caller of the stand-in holds."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from tunedrop.emulator.store import Doc
from tunedrop.emulator.switches import Switches

type Scope = Literal["subscription", "account"]
SUBSCRIPTION: Scope = "subscription"
ACCOUNT: Scope = "account"

_SERVICES = "Microsoft.CognitiveServices"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
# What stands in the name of each data action that is asked for here.
OF_DATA = ("/accounts/OpenAI/", "/containers/blobs/")


# Actions to the letter of Microsoft's catalogue of built-in roles (AI and machine learning,
# storage; December 2024) and, of the two youngest, of the role-based access page of Azure OpenAI. A
# key is no identity: who has one may do all of the data plane, as on Azure.
@dataclass(frozen=True, slots=True)
class Role:
    """A built-in role; `*` in its actions stands for anything."""

    name: str
    id: str
    actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether it allows an action; names compare without case."""
        # What touches data is given by the data actions alone.
        patterns = self.data_actions if any(part in action for part in OF_DATA) else self.actions
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)

    def permissions(self) -> Doc:
        """The role as the permissions call shows it."""
        return {
            "actions": [*self.actions],
            "notActions": [],
            "dataActions": [*self.data_actions],
            "notDataActions": [],
        }


OPENAI_CONTRIBUTOR = Role(
    "Cognitive Services OpenAI Contributor",
    "a001fd3d-188f-4b5d-821b-7da978bf7442",
    (
        f"{_SERVICES}/*/read",
        f"{_SERVICES}/accounts/deployments/write",
        f"{_SERVICES}/accounts/deployments/delete",
        f"{_SERVICES}/accounts/raiPolicies/read",
        f"{_SERVICES}/accounts/raiPolicies/write",
        f"{_SERVICES}/accounts/raiPolicies/delete",
        f"{_SERVICES}/accounts/commitmentplans/read",
        f"{_SERVICES}/accounts/commitmentplans/write",
        f"{_SERVICES}/accounts/commitmentplans/delete",
        "Microsoft.Authorization/roleAssignments/read",
        "Microsoft.Authorization/roleDefinitions/read",
    ),
    (f"{_SERVICES}/accounts/OpenAI/*",),
)
OPENAI_USER = Role(
    "Cognitive Services OpenAI User",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    (
        f"{_SERVICES}/*/read",
        "Microsoft.Authorization/roleAssignments/read",
        "Microsoft.Authorization/roleDefinitions/read",
    ),
    (
        f"{_SERVICES}/accounts/OpenAI/*/read",
        f"{_SERVICES}/accounts/OpenAI/engines/completions/action",
        f"{_SERVICES}/accounts/OpenAI/deployments/completions/action",
        f"{_SERVICES}/accounts/OpenAI/deployments/chat/completions/action",
        f"{_SERVICES}/accounts/OpenAI/deployments/embeddings/action",
    ),
)
CONTRIBUTOR = Role(
    "Cognitive Services Contributor",
    "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68",
    (
        f"{_SERVICES}/*",
        "Microsoft.Authorization/*/read",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
    ),
)
USAGES_READER = Role(
    "Cognitive Services Usages Reader",
    "bba48692-92b0-4667-a9ad-c31c7b334ac2",
    (f"{_SERVICES}/locations/usages/read",),
)
READER = Role("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", ("*/read",))

BLOB_READER = Role(
    "Storage Blob Data Reader",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    (f"{_BLOBS}/containers/read", f"{_BLOBS}/generateUserDelegationKey/action"),
    (f"{_BLOBS}/containers/blobs/read",),
)
# What storage asks for, call by call, stands in tests/faults/blob_roles.py: Azurite itself knows no
# roles.
BLOB_CONTRIBUTOR = Role(
    "Storage Blob Data Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    (
        f"{_BLOBS}/containers/delete",
        f"{_BLOBS}/containers/read",
        f"{_BLOBS}/containers/write",
        f"{_BLOBS}/generateUserDelegationKey/action",
    ),
    tuple(
        f"{_BLOBS}/containers/blobs/{one}"
        for one in ("delete", "read", "write", "move/action", "add/action")
    ),
)

# The role that each switch gives, and on what. A role on the subscription reaches the account in
# it; the other way round it doesn't.
ASSIGNED: dict[str, tuple[Role, Scope]] = {
    "role_openai_contributor": (OPENAI_CONTRIBUTOR, ACCOUNT),
    "role_openai_user": (OPENAI_USER, ACCOUNT),
    "role_contributor": (CONTRIBUTOR, ACCOUNT),
    "role_usages_reader": (USAGES_READER, SUBSCRIPTION),
    "role_reader": (READER, SUBSCRIPTION),
}


def held(switches: Switches, scope: Scope) -> list[Role]:
    """The roles that reach a scope."""
    given = switches.to_json()
    return [
        role
        for switch, (role, at) in ASSIGNED.items()
        if given[switch] and at in {scope, SUBSCRIPTION}
    ]


def allowed(switches: Switches, action: str, scope: Scope) -> bool:
    """Whether the local identity may do this there."""
    return any(role.allows(action) for role in held(switches, scope))
