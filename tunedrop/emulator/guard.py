"""Who may talk to the stand-in: callers that mean this machine and this port, on every route."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OWN_SITE = frozenset({"same-origin", "none"})
_HTTP_PORT = 80


# A browser on this machine can be led here by any page: by a name that its owner points to
# 127.0.0.1, or by a form that is sent from elsewhere. Such requests carry a foreign Host, a foreign
# Origin, or say that they come from another site.
class OwnCallersOnly:
    """Refuses other hosts, ports and sites: 403, before anything is read or done."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "http" and (
            why := foreign(Headers(scope=scope), (scope.get("server") or ("", None))[1])
        ):
            await JSONResponse({"error": why}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def foreign(headers: Headers, own_port: int | None) -> str | None:
    """Why a request is not for this stand-in, or not from this machine's own pages; None where
    nothing says so. `own_port` None: the app is called in process, where there is no port.
    """
    if not _is_own(f"http://{headers.get('host', '')}", own_port):
        return "The stand-in answers to a loopback Host with its own port only."
    if "origin" in headers and not _is_own(headers["origin"], own_port):
        return "The stand-in takes nothing that a page of another origin sends."
    if headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        return "The stand-in takes nothing that another site sends."
    return None


def _is_own(address: str, own_port: int | None) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    right_port = own_port is None or (port or _HTTP_PORT) == own_port
    return (
        parts.scheme == "http"
        and parts.hostname in LOOPBACK
        and parts.username is None
        and right_port
    )
