"""A proxy before the storage that misbehaves as it is told: Azurite itself can't."""

import http.client
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

from tests.faults.blob_roles import REFUSAL, REFUSED, Roles, allowed
from tests.patience import patience

type Then = Literal["drop_before", "drop_after"] | int


@dataclass
class Trouble:
    """What befalls requests of one method whose path holds a text: an error status, or a cut before
    or after the work.
    """

    method: str
    path: str
    then: Then
    times: int = 1


@dataclass
class Proxy:
    """A running proxy."""

    port: int
    troubles: list[Trouble] = field(default_factory=list[Trouble])
    met: int = 0
    """How many requests met one."""
    roles: Roles | None = None
    """What the caller may do, by container; None: everything."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, method: str, path: str, then: Then, times: int = 1) -> None:
        """Trouble for so many requests; `*` is any method."""
        self.troubles.append(Trouble(method, path, then, times))

    def end(self) -> None:
        """No more trouble."""
        self.troubles.clear()

    def take(self, method: str, path: str) -> Then | None:
        """The trouble of this request, counted."""
        with self._lock:
            for trouble in self.troubles:
                if trouble.method in {"*", method} and trouble.path in path and trouble.times > 0:
                    trouble.times -= 1
                    self.met += 1
                    return trouble.then
        return None


@contextmanager
def before(connection: str) -> Generator[tuple[str, Proxy]]:
    """A proxy before the storage of this connection string, and the connection string
    through it.
    """
    fields = dict(part.split("=", 1) for part in connection.strip(";").split(";"))
    behind = urlsplit(fields["BlobEndpoint"])
    proxy = Proxy(0)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), _handler(proxy, behind.hostname or "", behind.port or 0)
    )
    server.daemon_threads = True
    proxy.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield connection.replace(f":{behind.port}/", f":{proxy.port}/"), proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(proxy: Proxy, host: str, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            """Serves one request: as the storage does, or not."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if proxy.roles is not None and not allowed(proxy.roles, self.command, self.path):
                self._answer(
                    403,
                    [("x-ms-error-code", REFUSED), ("Content-Type", "application/xml")],
                    REFUSAL,
                )
                return
            then = proxy.take(self.command, self.path)
            if then == "drop_before":
                self.close_connection = True
                return
            if isinstance(then, int):
                self._answer(then, [("x-ms-error-code", "ToldByTheTest")], b"")
                return
            connection = http.client.HTTPConnection(host, port, timeout=patience(30))
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            response = connection.getresponse()
            content = response.read()
            connection.close()
            if then == "drop_after":
                self.close_connection = True
                return
            self._answer(response.status, response.getheaders(), content)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = pass_on

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if (
                    name.lower()
                    not in {"content-length", "transfer-encoding", "connection", "keep-alive"}
                    or self.command == "HEAD"
                ):
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content if self.command != "HEAD" else b"")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is written about requests."""

    return Handler
