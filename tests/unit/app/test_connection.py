"""A storage connection that host or worker would not take is refused before the first drop, with
what to set instead.
"""

import os
import subprocess
import sys

import pytest

from shared.errors import PlanRejected
from shared.settings import StorageConnection, _read  # pyright: ignore[reportPrivateUsage]  # the cached front reads once only
from tests.unit.house.repository import ROOT

BLOB, QUEUE, ACCOUNT = (
    "DropStorage__blobServiceUri",
    "DropStorage__queueServiceUri",
    "DropStorage__accountName",
)
BLOBS, QUEUES = "https://data.blob.core.windows.net", "https://data.queue.core.windows.net"


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> StorageConnection:
    """The connection that these variables describe."""
    for name in ("DropStorage", BLOB, QUEUE, ACCOUNT):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return _read(StorageConnection)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({ACCOUNT: "data"}, "set __blobServiceUri and __queueServiceUri instead"),
        ({ACCOUNT: "data", BLOB: BLOBS, QUEUE: QUEUES}, "DropStorage__accountName"),
        ({BLOB: BLOBS}, "DropStorage__queueServiceUri is missing"),
        ({BLOB: "http://data.example", QUEUE: QUEUES}, "must begin with https://"),
        ({BLOB: BLOBS, QUEUE: "http://data.example"}, "must begin with https://"),
    ],
    ids=[
        "account name",
        "account name too",
        "no queue",
        "blobs in the clear",
        "queue in the clear",
    ],
)
def test_connection_that_somebody_would_not_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str
) -> None:
    """The reason and the variable are named; no value is."""
    with pytest.raises(PlanRejected) as refused:
        read(monkeypatch, **variables)
    message = refused.value.problem.message
    assert (refused.value.problem.code, told in message) == ("TD-SETTING-001", True)
    assert [
        value for value in variables.values() if value in message.replace("DropStorage", "")
    ] == []


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, None),
        ({BLOB: BLOBS, QUEUE: QUEUES}, BLOBS),
        ({BLOB: "http://127.0.0.1:1/a", QUEUE: "http://127.0.0.1:2/a"}, "http://127.0.0.1:1/a"),
        ({"DropStorage": "UseDevelopmentStorage=true", ACCOUNT: "data"}, None),
    ],
    ids=["none", "by identity", "this machine", "a connection string wins"],
)
def test_connection_that_all_take_is_taken(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str | None
) -> None:
    """An app without a connection can be indexed; only its use says that there is none."""
    assert read(monkeypatch, **variables).address == address


def test_app_with_a_wrong_connection_does_not_start() -> None:
    """Its import fails with the sentence, which every host shows."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DropStorage")
    } | {ACCOUNT: "data"}
    done = subprocess.run(
        [sys.executable, "-c", "import function_app"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "set __blobServiceUri and __queueServiceUri instead" in done.stderr.splitlines()[-1]
