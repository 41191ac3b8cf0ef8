"""Dropping a connection: the caller gets nothing, as when a network fails after the work was done.

ASGI has no word for it, so this layer finds the transport behind uvicorn's `receive` and aborts it.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class Dropped(Exception):
    """Raised by a handler: this request gets no answer."""


class DropConnections:
    """Turns Dropped into a closed socket; in process, without one, it raises
    ConnectionAbortedError.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            await self._app(scope, receive, send)
        except Dropped:
            transport = getattr(getattr(receive, "__self__", None), "transport", None)
            if not isinstance(transport, asyncio.Transport):
                msg = "The connection was dropped, as a fault says."
                raise ConnectionAbortedError(msg) from None
            transport.abort()
            # uvicorn writes a 500 for an app that returns without an answer, unless it has seen the
            # disconnect.
            while (await receive())["type"] != "http.disconnect":
                pass
