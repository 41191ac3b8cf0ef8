"""Roles on blob containers, held against each request before it reaches Azurite, which knows none.

Which call needs which action: the storage documentation's page on permissions for data operations.
Code and body of a refusal: Azure's own, as microsoft/AzureStorageExplorer issue 3767 shows them.
"""

from urllib.parse import parse_qs, urlsplit

from tunedrop.emulator.roles import BLOB_CONTRIBUTOR, BLOB_READER, Role

type Roles = dict[str, Role]
"""The one role of the caller on each container, by the container's name; none on those that aren't
there.
"""

# What docs/security.md gives the app, and no more.
APP: Roles = {"training": BLOB_READER, "reports": BLOB_CONTRIBUTOR, "tunedrop": BLOB_CONTRIBUTOR}
REFUSED = "AuthorizationPermissionMismatch"
REFUSAL = (
    f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{REFUSED}</Code><Message>This request '
    "is not authorized to perform this operation "
    "using this permission.\nRequestId:00000000-0000-0000-0000-000000000000\n"
    "Time:2026-11-28T12:00:00.0000000Z</Message></Error>"
).encode()
_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_OF_BLOBS = {"GET": "read", "HEAD": "read", "PUT": "write", "POST": "write", "DELETE": "delete"}


def allowed(roles: Roles, method: str, address: str) -> bool:
    """Whether these roles allow a request to Azurite, whose paths begin with the account's name."""
    parts = urlsplit(address)
    _account, _, rest = parts.path.strip("/").partition("/")
    container, _, blob = rest.partition("/")
    role = roles.get(container)
    return role is not None and role.allows(_action(method, blob, parse_qs(parts.query)))


def _action(method: str, blob: str, query: dict[str, list[str]]) -> str:
    """The action of a request: a listing of blobs reads blobs; a lease, metadata and blocks write
    them.
    """
    if blob or query.get("comp") == ["list"]:
        return f"{_CONTAINERS}/blobs/{_OF_BLOBS[method]}"
    return f"{_CONTAINERS}/{_OF_BLOBS[method]}"
