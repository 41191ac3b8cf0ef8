"""The HTTP client under openai: answers whole, bounded and in time, from one host only.

Its time-outs are those of a connection, each for one read: a byte every two seconds passes them all. So a deadline for the whole call
stands under them, at every read and write of the socket.
"""

import time
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2
import openai

from shared import bounded
from shared.errors import retry_after_s

RETRIED = frozenset({"GET", "DELETE"})
RETRIES_S = (0.5, 1.0)
"""Waits before the second and the third try. The client's own retries sleep past the end of the call, and for as long as they are told."""
WRITE_BYTES = 64 * 2**10  # a reader that takes its time is noticed between two such pieces


class BoundedClient(openai.DefaultHttpxClient):
    """A client of this one address, `own`; it follows no redirect, because a token must not."""

    def __init__(self, own: str, **options: Any) -> None:
        super().__init__(follow_redirects=False, headers={"accept-encoding": "gzip"}, **options)
        self._own = own

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """The answer, read and unpacked; a read that fails in passing is sent again, as long as the call has time.

        Raises:
            Exceeded: it is larger than it may be, or the address is another host's; nothing was sent then.
            httpx2.TransportError: there is none in time.
        """
        bounded.hold_to_origin(str(request.url), self._own)
        for wait_s in RETRIES_S if request.method in RETRIED else ():
            try:
                answer = self._asked(request, options)
            except httpx2.TransportError:
                if not _is_time_for(wait_s):
                    raise
            else:
                asked_s = retry_after_s(answer.headers.get("retry-after"))
                wait_s = wait_s if asked_s is None else asked_s
                if not _passes(answer.status_code) or wait_s > bounded.RETRY_AFTER_S or not _is_time_for(wait_s):
                    return answer
            time.sleep(wait_s)
        return self._asked(request, options)

    def _asked(self, request: httpx2.Request, options: dict[str, Any]) -> httpx2.Response:
        limits: dict[str, float | None] = request.extensions.get("timeout", {})
        with bounded.within(max((limit for limit in limits.values() if limit is not None), default=bounded.limits().read_s)):
            response = super().send(request, stream=True, **options)
            try:
                most = bounded.limits().content_bytes if request.url.path.endswith("/content") else bounded.limits().answer_bytes
                body = bounded.whole(response.iter_raw(), response.headers.get("content-encoding", ""), most)
            finally:
                response.close()
        return _answer(request, response, body)

    def _init_transport(self, *arguments: Any, **options: Any) -> httpx2.BaseTransport:
        return _timely(super()._init_transport(*arguments, **options))

    def _init_proxy_transport(self, *arguments: Any, **options: Any) -> httpx2.BaseTransport:
        return _timely(super()._init_proxy_transport(*arguments, **options))


def _passes(status: int) -> bool:
    return status in {408, 409, 429} or status >= 500


def _is_time_for(wait_s: float) -> bool:
    deadline = bounded.deadline()
    return deadline is None or deadline.has(wait_s)


def _answer(request: httpx2.Request, response: httpx2.Response, body: bytes) -> httpx2.Response:
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in {"content-encoding", "content-length"}]
    answer = httpx2.Response(response.status_code, headers=headers, content=body, request=request)
    answer.elapsed = response.elapsed
    return answer


def _timely(transport: httpx2.BaseTransport) -> httpx2.BaseTransport:
    """The same transport on sockets that know when the call must be over; one that has no sockets is left as it is."""
    pool: Any = getattr(transport, "_pool", None)
    if pool is not None:
        pool._network_backend = _TimelyBackend(pool._network_backend)
    return transport


class _TimelyBackend(httpcore2.NetworkBackend):
    def __init__(self, inner: httpcore2.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Any = None
    ) -> httpcore2.NetworkStream:
        """A connection to the host; what comes too late is none."""
        connected = _TimelyStream(self._inner.connect_tcp(host, port, _connecting(timeout), local_address, socket_options))
        _connecting(timeout)
        return connected

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> httpcore2.NetworkStream:
        """A connection to a socket of this machine."""
        return _TimelyStream(self._inner.connect_unix_socket(path, _connecting(timeout), socket_options))

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


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

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> httpcore2.NetworkStream:
        """The same connection, encrypted."""
        return _TimelyStream(self._inner.start_tls(ssl_context, server_hostname, _connecting(timeout)))

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
    deadline = bounded.deadline()
    if deadline is None:
        return timeout
    try:
        left = deadline.left_s()
    except TimeoutError as error:
        raise late(str(error)) from None
    return left if timeout is None else min(timeout, left)
