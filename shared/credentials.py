"""Who calls Azure: one credential a process, because its token cache is the point."""

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.settings import settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

OPENAI_SCOPE = "https://cognitiveservices.azure.com/.default"


class StandInCredential:
    """A token for the stand-in on this machine; Settings refuses it for any other address."""

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        """A token that only the stand-in takes."""
        from azure.core.credentials import AccessToken

        return AccessToken("stand-in", int(time.time()) + 3600)


@cache
def credential() -> "TokenCredential":
    """The credential that the settings name: no guessing through a chain, which could pick another principal."""
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
