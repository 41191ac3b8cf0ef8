"""Whether storage can be reached is answered soon, and after one question."""

import socket
from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient

from shared.errors import ServiceUnavailable
from shared.services.storage import Container

KEY = "c2VjcmV0"


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A service that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as service:
        yield service


def container_at(port: int) -> Container:
    """A container of the storage there."""
    return Container(
        ContainerClient(f"http://127.0.0.1:{port}/account", "tunedrop", credential=KEY)
    )


def test_silent_storage_is_unavailable_after_one_question(silent: socket.socket) -> None:
    """The client's own patience is a minute and more; it isn't asked to have any."""
    with pytest.raises(ServiceUnavailable):
        container_at(silent.getsockname()[1]).reach(within_s=0.2)
    silent.setblocking(False)
    silent.accept()[0].close()
    with pytest.raises(BlockingIOError):
        silent.accept()


def test_storage_that_is_not_there_is_unavailable(silent: socket.socket) -> None:
    """Nothing listens on the port."""
    port = silent.getsockname()[1]
    silent.close()
    with pytest.raises(ServiceUnavailable):
        container_at(port).reach(within_s=5)
