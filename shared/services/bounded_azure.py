"""The transport under azure-core: answers whole, bounded and in time, from one host only."""

import http.client
import io
import socket
import time
from typing import Any, cast

import requests
from azure.core.pipeline.policies import RetryPolicy
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util.connection import create_connection

from shared.services import call_limits
from shared.services.addresses import addresses_of

CONNECT_S = 20.0
READ_S = 60.0
# More than there are threads that call: one that isn't kept is opened anew for each call.
CONNECTIONS_KEPT = 32
# What is streamed. A refusal to a download is read whole: the client would unpack it without a
# limit, to look for its code.
CONTENT = frozenset({200, 206})
_PIECE_BYTES = 64 * 2**10


def transport(own: str | None = None) -> RequestsTransport:
    """A transport to this one address; without one, to any that the client asks."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _BoundedAdapter(own))
    return _Transport(
        session=session, session_owner=False, connection_timeout=CONNECT_S, read_timeout=READ_S
    )


class _Transport(RequestsTransport):
    def sleep(self, duration: float) -> None:
        """Waits before a retry, where the call has that much time.

        Raises:
            TimeoutError: it hasn't.
        """
        call_limits.hold_to_time(duration)
        time.sleep(duration)


class BriefRetries(RetryPolicy[Any, Any]):
    """azure-core's retries, without the long waits: the run waits better."""

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        """Whether this answer is asked for again at once."""
        # azure-core would sleep for as long as a `Retry-After` says.
        wait_s = self.get_retry_after(response)
        return super().is_retry(settings, response) and not (
            wait_s and wait_s > call_limits.RETRY_AFTER_S
        )


class _BoundedAdapter(HTTPAdapter):
    """requests' own adapter, on connections that know when the call must be over."""

    def __init__(self, own: str | None) -> None:
        super().__init__(max_retries=0, pool_maxsize=CONNECTIONS_KEPT)
        self._own = own

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """The pool of connections that go straight to the host."""
        super().init_poolmanager(*arguments, **options)
        _make_timely(self.poolmanager)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """The pool of connections that go through a proxy."""
        manager = super().proxy_manager_for(*arguments, **options)
        _make_timely(manager)
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        *arguments: Any,
        **options: Any,
    ) -> Any:
        """The answer; where it isn't the content of a blob that is streamed, read and unpacked.

        Raises:
            Exceeded: it is larger than it may be, or the address is another host's; nothing was
                sent then.
        """
        if self._own is not None:
            call_limits.hold_to_origin(request.url or "", self._own)
        connect_s, read_s = timeout
        # A read of azure-core's transport begins its time-out anew with each byte.
        with call_limits.within(read_s) as deadline:
            limits = (min(connect_s, deadline.left_s()), min(read_s, deadline.left_s()))
            response = super().send(request, True, limits, *arguments, **options)
            # The pieces of a blob keep the deadline and the limit of their call until the last
            # byte.
            return response if stream and response.status_code in CONTENT else _whole(response)


def _whole(response: requests.Response) -> requests.Response:
    """The same answer with its body read and unpacked."""
    raw = cast("HTTPResponse", response.raw)
    encoding = (
        "" if response.request.method == "HEAD" else response.headers.get("content-encoding", "")
    )
    try:
        pieces = raw.stream(_PIECE_BYTES, decode_content=False)
        body = call_limits.whole(pieces, encoding, call_limits.limits().answer_bytes)
    except ReadTimeoutError as error:
        raise requests.ReadTimeout(error, request=response.request) from None
    except HTTPError as error:
        raise requests.ConnectionError(error, request=response.request) from None
    finally:
        raw.close()
        raw.release_conn()
    # An answer to HEAD has no body: what its headers tell is the blob's.
    if (
        response.request.method != "HEAD"
        and response.headers.pop("content-encoding", None) is not None
    ):
        response.headers["content-length"] = str(len(body))
    response.raw = HTTPResponse(
        io.BytesIO(body),
        headers=response.headers,
        status=response.status_code,
        preload_content=False,
        request_method=response.request.method,  # a HEAD tells the length of what it doesn't send
    )
    return response


class _Timely(io.RawIOBase):
    """What comes from a socket, as long as the call has time, and up to its limit of bytes."""

    def __init__(self, raw: io.RawIOBase, connected: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._socket = connected
        self._deadline = call_limits.deadline()
        # Headers and a body of either kind.
        self._left_bytes = call_limits.limits().content_bytes + call_limits.limits().answer_bytes

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Reads what has come.

        Raises:
            TimeoutError: the whole time of the call is over.
            Exceeded: more came than may be.
        """
        if self._deadline is not None:
            self._socket.settimeout(self._deadline.left_s())
        count = self._raw.readinto(buffer)
        self._left_bytes -= count or 0
        if self._left_bytes < 0:
            raise call_limits.Exceeded("it has more bytes than it may")
        return count

    def close(self) -> None:
        """Ends this reading; the connection is its pool's."""
        self._raw.close()
        super().close()


class _TimelyResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_Timely(self.fp.detach(), sock))


class _TimelySending:
    """A connection that sends in what is left of the call's time."""

    sock: socket.socket | None

    def _new_conn(self) -> socket.socket:
        """A socket to the first of the host's addresses that takes one; looking them up is bounded,
        too.
        """
        connection: Any = self
        try:
            return _connected(connection)
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, str(error)) from None
        except OSError as error:
            raise NewConnectionError(connection, str(error)) from None

    def send(self, data: Any) -> None:
        """Sends this piece of a request."""
        deadline = call_limits.deadline()
        if self.sock is not None and deadline is not None:
            # A connection that is used again has the time-out of the call before.
            self.sock.settimeout(deadline.left_s())
        sending: Any = super()
        sending.send(data)


def _connected(connection: Any) -> socket.socket:
    until = call_limits.Deadline(time.monotonic() + (connection.timeout or CONNECT_S))
    missed = OSError("the host has no address")
    for address in addresses_of(connection.host.strip("[]"), until.left_s()):
        try:
            return create_connection(
                (address, connection.port),
                until.left_s(),
                source_address=connection.source_address,
                socket_options=connection.socket_options,
            )
        except TimeoutError:
            raise
        except OSError as error:
            missed = error
    raise missed


class _TimelyConnection(_TimelySending, HTTPConnection):
    response_class = _TimelyResponse


class _TimelyTlsConnection(_TimelySending, HTTPSConnection):
    response_class = _TimelyResponse


class _TimelyPool(HTTPConnectionPool):
    ConnectionCls: Any = _TimelyConnection


class _TimelyTlsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _TimelyTlsConnection


def _make_timely(manager: Any) -> None:
    manager.pool_classes_by_scheme = {"http": _TimelyPool, "https": _TimelyTlsPool}
