"""The world of the ledger's tests: a container of its own on Azurite, and runs in it."""

import secrets

import pytest
from azure.storage.blob import BlobServiceClient

from shared.runs.ledger import Ledger
from shared.services.storage import Container
from tests.azurite import azurite

__all__ = ["azurite"]


@pytest.fixture
def container(azurite: str) -> Container:
    """An empty container."""
    made = Container(
        BlobServiceClient.from_connection_string(azurite).get_container_client(
            f"t{secrets.token_hex(6)}"
        )
    )
    made.create()
    return made


@pytest.fixture
def ledger(container: Container) -> Ledger:
    """An empty ledger."""
    return Ledger(container)
