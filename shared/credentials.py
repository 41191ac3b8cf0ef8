"""Who calls Azure: one credential a process, because its token cache is the point."""

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.errors import ServiceRejected
from shared.settings import is_loopback, settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

OPENAI_SCOPE = "https://cognitiveservices.azure.com/.default"


class StandInCredential:
    """A token for the stand-in on this machine; Settings refuses it for any other address."""

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        """A token that only the stand-in takes."""
        from azure.core.credentials import AccessToken

        return AccessToken("stand-in", int(time.time()) + 3600)


def credential_for(endpoint: str) -> "TokenCredential":
    """The credential that the settings name, for calls to this address: no guessing through a chain, which could pick another principal.

    Raises:
        ServiceRejected: the stand-in's token goes to no address but this machine's.
    """
    if settings().credential == "stand-in" and not is_loopback(endpoint):
        raise ServiceRejected("The stand-in's credential", None, "credential", "its token goes to loopback addresses only")
    return credential()


@cache
def credential() -> "TokenCredential":
    """The credential of this process."""
    from azure.identity import AzureCliCredential, ManagedIdentityCredential  # 0.2 s: not at import

    match settings().credential:
        case "managed-identity":
            return ManagedIdentityCredential(client_id=settings().managed_identity_client_id)
        case "azure-cli":
            return AzureCliCredential()
        case "stand-in":
            return StandInCredential()


def scrubbed(text: str) -> str:
    """The text of a service without the key that it was sent: some refusals quote it."""
    key = settings().openai_api_key
    return text.replace(key.get_secret_value(), "[key]") if key and key.get_secret_value() else text
