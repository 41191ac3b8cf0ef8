"""The transport under the HTTP client of openai: httpx2's over httpcore2, on sockets that know when
the call must be over.
"""

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from shared.services import call_limits
from shared.services.addresses import addresses_of

WRITE_BYTES = 64 * 2**10  # a reader that takes its time is noticed between two such pieces
CONNECTIONS = 100
KEPT = 20


class TimelyTransport(httpx2.BaseTransport):
    """Connections to this one address, `own`, through the proxy that the machine names for it."""

    def __init__(self, own: str) -> None:
        chosen: dict[str, Any] = {
            "ssl_context": httpx2.create_ssl_context(),
            "network_backend": _TimelyBackend(httpcore2.SyncBackend()),
            "max_connections": CONNECTIONS,
            "max_keepalive_connections": KEPT,
            "keepalive_expiry": 5.0,  # seconds, as httpx2 has it
        }
        self._pool = _proxied(own, chosen) or httpcore2.ConnectionPool(**chosen)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, whose body comes as it is read.

        Raises:
            httpx2.TransportError: there is none in time.
        """
        url = request.url
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=cast("Iterable[bytes]", request.stream),
            extensions=request.extensions,
        )
        with _as_httpx2():
            answer: Any = self._pool.handle_request(asked)
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=cast("dict[str, Any]", answer.extensions),
        )

    def close(self) -> None:
        """Ends every connection."""
        self._pool.close()


def _proxied(own: str, chosen: dict[str, Any]) -> httpcore2.ConnectionPool | None:
    """The connections through a proxy; None where the machine names none for this address."""
    parts = urlsplit(own)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    named = getproxies()
    address = named.get(parts.scheme) or named.get("all")
    if not address:
        return None
    # As curl takes it: a proxy without a scheme is one of plain HTTP.
    proxy = urlsplit(address if "://" in address else f"http://{address}")
    user = (unquote(proxy.username), unquote(proxy.password or "")) if proxy.username else None
    url = f"{proxy.scheme}://{proxy.netloc.rpartition('@')[2]}"
    return httpcore2.HTTPProxy(url, proxy_auth=user, **chosen)


class _Body(httpx2.SyncByteStream):
    def __init__(self, body: Any) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        """The pieces of the body."""
        with _as_httpx2():
            yield from self._body

    def close(self) -> None:
        """Gives the connection back."""
        self._body.close()


@contextmanager
def _as_httpx2() -> Generator[None]:
    """httpcore2's exceptions as those of the same names that openai waits for."""
    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.ProxyError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx2, type(error).__name__, httpx2.TransportError)(str(error)) from error


class _TimelyBackend(httpcore2.NetworkBackend):
    def __init__(self, inner: httpcore2.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the host; what comes too late is none."""
        missed: httpcore2.ConnectError = httpcore2.ConnectError("the host has no address")
        for address in _addresses(host, _connecting(timeout)):
            try:
                connected = _TimelyStream(
                    self._inner.connect_tcp(
                        address, port, _connecting(timeout), local_address, socket_options
                    )
                )
            except httpcore2.ConnectError as error:
                missed = error
            else:
                _connecting(timeout)
                return connected
        raise missed

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore2.NetworkStream:
        """A connection to a socket of this machine."""
        return _TimelyStream(
            self._inner.connect_unix_socket(path, _connecting(timeout), socket_options)
        )

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


# The client's time-outs are those of a connection, each for one read: a byte every two seconds
# passes them all. So a deadline for the whole call stands under them: at looking up the host, at
# connecting, and at every read and write of the socket.
class _TimelyStream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, in what is left of the call's time."""
        return self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends it, in what is left of the call's time."""
        for piece in _pieces(buffer):
            self._inner.write(piece, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """Ends the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The same connection, encrypted."""
        return _TimelyStream(
            self._inner.start_tls(ssl_context, server_hostname, _connecting(timeout))
        )

    def get_extra_info(self, info: str) -> Any:
        """What is known of the socket."""
        return self._inner.get_extra_info(info)


def _pieces(buffer: bytes) -> Iterable[bytes]:
    view = memoryview(buffer)
    return (bytes(view[start : start + WRITE_BYTES]) for start in range(0, len(view), WRITE_BYTES))


def _connecting(timeout: float | None) -> float | None:
    return _left(timeout, httpcore2.ConnectTimeout)


def _left(timeout: float | None, late: type[httpcore2.TimeoutException]) -> float | None:
    """What a single step may take: its own limit, or what is left of the whole."""
    deadline = call_limits.deadline()
    if deadline is None:
        return timeout
    try:
        left = deadline.left_s()
    except TimeoutError as error:
        raise late(str(error)) from None
    return left if timeout is None else min(timeout, left)


def _addresses(host: str, within_s: float | None) -> list[str]:
    try:
        return addresses_of(host, within_s)
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout(str(error)) from None
    except OSError as error:
        raise httpcore2.ConnectError(str(error)) from None
