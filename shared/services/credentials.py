"""Who calls Azure: one credential a process, because its token cache is the point."""

import time
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.errors import ServiceRejected, ServiceUnavailable, TuneDropError
from shared.services import call_limits, service_text
from shared.settings import is_loopback, settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

OPENAI_SCOPE = "https://cognitiveservices.azure.com/.default"


_MANAGED = (
    "The run tries again by itself. If the problem stays, check that the app has its identity, "
    "and that TUNEDROP_MANAGED_IDENTITY_CLIENT_ID names it."
)
_CLI = "Sign in with `az login`; the run tries again."
WHY_CHARS = 300
TOKEN_CHARS = 32_768


class NoToken(ServiceUnavailable):
    """The identity gives no token; nothing was sent to the service."""

    def __init__(self, why: str, fix: str) -> None:
        TuneDropError.__init__(
            self, "TD-IDENTITY-001", f"The app gets no token for its identity: {why}", fix
        )
        self.retry_after_s = None


class Named:
    """A credential whose faults have a name."""

    def __init__(self, inner: "TokenCredential", fix: str) -> None:
        self._inner = inner
        self._fix = fix

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token.

        Raises:
            NoToken: there is none now.
        """
        # The clients that are given the token would each tell a fault otherwise, or not at all.
        try:
            with call_limits.within(call_limits.limits().read_s):
                given = self._inner.get_token(*scopes, **options)
        except Exception as error:
            # The identity's own client lets out whatever a strange answer brings about.
            why = service_text.told(str(error), WHY_CHARS)
            raise NoToken(f"{type(error).__name__}: {why}", self._fix) from None
        # The identity's client looks at no type, and a token goes into a header.
        told: Any = getattr(given, "token", given)
        if not (
            isinstance(told, str)
            and told.isascii()
            and told.isprintable()
            and len(told) <= TOKEN_CHARS
        ):
            raise NoToken("what its endpoint gives is no token", self._fix)
        return given


class StandInCredential:
    """A token for the stand-in on this machine; Settings refuses it for any other address."""

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        """A token that only the stand-in takes."""
        from azure.core.credentials import AccessToken

        return AccessToken("stand-in", int(time.time()) + 3600)


def credential_for(endpoint: str) -> "TokenCredential":
    """The credential that the settings name, for calls to this address.

    Raises:
        ServiceRejected: the stand-in's token goes to no address but this machine's.
    """
    if settings().credential == "stand-in" and not is_loopback(endpoint):
        raise ServiceRejected(
            "The stand-in's credential",
            None,
            "credential",
            "its token goes only to loopback addresses",
        )
    # One and no chain: a chain guesses, and could pick another principal.
    return credential()


def managed_identity() -> Named:
    """The app's identity in Azure."""
    from azure.identity import ManagedIdentityCredential  # 0.2 s: not at import

    from shared.services.bounded_azure import transport

    # With our transport: what the identity's endpoint answers comes in bounded time and size.
    return Named(
        ManagedIdentityCredential(
            client_id=settings().managed_identity_client_id, transport=transport()
        ),
        _MANAGED,
    )


@cache
def credential() -> "TokenCredential":
    """The credential of this process."""
    from azure.identity import AzureCliCredential  # 0.2 s: not at import

    match settings().credential:
        case "managed-identity":
            return managed_identity()
        case "azure-cli":
            return Named(AzureCliCredential(), _CLI)
        case "stand-in":
            return StandInCredential()
