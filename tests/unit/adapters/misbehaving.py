"""Services that misbehave on a real socket: bodies without end, a byte now and then, pages for
ever, other people's addresses.
"""

import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from shared.services import azure_openai, credentials, resource_manager, storage
from shared.services.azure_openai import AzureOpenAI
from shared.services.resource_manager import ResourceManager
from shared.services.storage import Container
from shared.settings import settings, storage_connection

ACCOUNT_ID = (
    "/subscriptions/s/resourceGroups/lab/providers/Microsoft.CognitiveServices/accounts/lab"
)
MEGABYTE = b" " * 2**20
CACHES = (
    settings,
    storage_connection,
    azure_openai.connect,
    resource_manager.connect,
    credentials.credential,
    vars(storage)["_service"],
)

type Answering = Callable[["Asked"], None]


class Asked:
    """One request, and the socket that its answer goes to."""

    def __init__(
        self, service: "Service", connection: socket.socket, line: str, head: dict[str, str]
    ) -> None:
        self.service = service
        self.method, self.target, _ = line.split(" ", 2)
        self.head = head
        self._connection = connection

    def send(self, content: bytes) -> None:
        """Sends bytes as they are, and counts them."""
        self._connection.sendall(content)
        self.service.sent_bytes += len(content)

    def close(self) -> None:
        """Ends the connection after what was sent."""
        self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Tears the connection: what was sent may not arrive."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionAbortedError


class Service:
    """A service on a port of this machine that answers by a script, the last answer for ever."""

    def __init__(self, *script: Answering) -> None:
        self.asked: list[Asked] = []
        self.sent_bytes = 0
        self.over = threading.Event()
        self._script = script
        self._connections: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            try:
                while line := reader.readline().decode().strip():
                    head = dict(_headers(reader))
                    reader.read(int(head.get("content-length", 0)))
                    self.asked.append(Asked(self, connection, line, head))
                    self._script[min(len(self.asked), len(self._script)) - 1](self.asked[-1])
            except OSError:
                return

    def end(self) -> None:
        """Lets go of the port and of every connection, so that no thread waits on one."""
        self.over.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # closing alone wakes no thread that accepts
        self._server.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _headers(reader: Any) -> Iterator[tuple[str, str]]:
    while line := reader.readline().decode().strip():
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()


def whole(content: bytes, status: int = 200, **headers: str) -> Answering:
    """An answer of these bytes."""

    def answering(asked: Asked) -> None:
        asked.send(_head(status, {"Content-Length": str(len(content))} | headers) + content)

    return answering


def told(body: Any, status: int = 200, **headers: str) -> Answering:
    """An answer in JSON."""
    return whole(json.dumps(body).encode(), status, **headers)


# The beginning of an object that is a file, a job, a deployment and an empty page.
ANYTHING = (
    b'{"id": "x", "name": "d", "status": "processed", "filename": "f", "training_file": "f", '
    b'"value": [], "data": [], "padding": "'
)


def bomb(megabytes: int) -> Answering:
    """A small body that unpacks to so much; a sound answer, but for its size."""
    packing = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    packed = [
        packing.compress(ANYTHING),
        *(packing.compress(MEGABYTE) for _ in range(megabytes)),
        packing.compress(b'"}'),
        packing.flush(),
    ]
    return whole(b"".join(packed), Content_Encoding="gzip")


def endless(asked: Asked) -> None:
    """A body that goes on until the caller has had enough."""
    asked.send(_head(200, {"Transfer-Encoding": "chunked"}))
    while not asked.service.over.is_set():
        asked.send(b"100000\r\n" + MEGABYTE + b"\r\n")


def drips(before: bytes) -> Answering:
    """So much at once, then a space every tenth of a second, for ever."""

    def answering(asked: Asked) -> None:
        asked.send(before)
        while not asked.service.over.wait(0.1):
            asked.send(b" ")

    return answering


def _head(status: int, headers: dict[str, str]) -> bytes:
    named = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return b"".join(
        [
            f"HTTP/1.1 {status} As told\r\n".encode(),
            *(f"{n}: {v}\r\n".encode() for n, v in named.items()),
            b"\r\n",
        ]
    )


DRIPPING = {
    "status-line": drips(b"HTTP/1.1 200"),
    "headers": drips(b"HTTP/1.1 200 OK\r\nX-Slow:"),
    "body": drips(_head(200, {"Content-Length": "100000"}) + b'{"id": "x",'),
}


@contextmanager
def serving(*script: Answering) -> Generator[Service]:
    """A service for a while."""
    service = Service(*script)
    try:
        yield service
    finally:
        service.end()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Service], None]]:
    """Points the app's settings to a service, as if it were all of Azure."""

    def point(service: Service) -> None:
        key = "c2VjcmV0"
        monkeypatch.setenv("TUNEDROP_OPENAI_ENDPOINT", service.base)
        monkeypatch.setenv("TUNEDROP_ARM_ENDPOINT", service.base)
        monkeypatch.setenv("TUNEDROP_ACCOUNT", ACCOUNT_ID)
        monkeypatch.setenv("TUNEDROP_CREDENTIAL", "stand-in")
        monkeypatch.setenv(
            "DropStorage", f"AccountName=a;AccountKey={key};BlobEndpoint={service.base}/a;"
        )
        forget()

    yield point
    forget()


def forget() -> None:
    """Nothing that was read from settings is kept."""
    for cached in CACHES:
        cached.cache_clear()


def openai_of(service: Service, api_version: str | None = None) -> AzureOpenAI:
    """The adapter as the app makes it."""
    return azure_openai.connect(service.base, api_version)


def arm_of(service: Service) -> ResourceManager:
    """The adapter as the app makes it."""
    return resource_manager.connect(service.base, ACCOUNT_ID, "2024-10-01")


def container() -> Container:
    """The container of drops as the app makes it."""
    return storage.training()
