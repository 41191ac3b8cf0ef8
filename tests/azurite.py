"""Azurite for the tests: Microsoft's blob storage stand-in, in memory, on a free port, one per test
session.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient

from tests.patience import until
from tunedrop.local.children import Child

# Azurite's published account and key: https://github.com/Azure/Azurite#default-storage-account
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
STARTS_WITHIN_S = 30


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connection_string(port: int, key: str = KEY) -> str:
    """The connection string of an Azurite on this port."""
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};"
        f"BlobEndpoint={endpoint};"
    )


def _binary() -> str:
    installed = Path(__file__).parent.parent / "node_modules" / ".bin" / "azurite-blob"
    found = os.environ.get("AZURITE") or (
        str(installed) if installed.exists() else shutil.which("azurite-blob")
    )
    if not found:
        pytest.fail(
            "Azurite is not installed: `python3 dev.py test` installs it, or name it in AZURITE."
        )
    return found


@contextmanager
def running_azurite(port: int | None = None, key: str = KEY) -> Generator[str]:
    """An Azurite that answers, as a connection string; ended on leaving. With a key of its own the
    account is still the published one.
    """
    port = port or free_port()
    command = [
        _binary(),
        "--skipApiVersionCheck",
        "--inMemoryPersistence",
        "--silent",
        "--disableTelemetry",
        "--blobPort",
        str(port),
    ]
    accounts = {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
    with (
        tempfile.TemporaryDirectory() as folder,
        # No grace: asked politely, it first waits for idle connections; its data is in memory
        # anyway.
        Child(
            "Azurite",
            command,
            Path(folder) / "azurite.log",
            os.environ | accounts,
            Path(folder),
            grace_s=0,
        ) as child,
    ):
        _wait_until_it_answers(child, connection_string(port, key))
        yield connection_string(port, key)


def _wait_until_it_answers(child: Child, connection: str) -> None:
    with BlobServiceClient.from_connection_string(connection, retry_total=0) as service:

        def answers() -> bool:
            child.check()
            try:
                service.get_account_information()
            except AzureError:
                return False
            return True

        until(answers, STARTS_WITHIN_S, "Azurite")


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """The connection string of this session's Azurite."""
    with running_azurite() as connection:
        yield connection
