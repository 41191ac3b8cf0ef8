"""The running stack as the other commands find it: its addresses and key, in a file of the data
folder.
"""

import base64
import json
import os
import secrets
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunedrop.local.ports import HOST, Ports

STORAGE_ACCOUNT = "devstoreaccount1"
LOCK = "in-use.sqlite"


class DataInUse(Exception):
    """Another stack runs on this data folder."""

    def __init__(self, data: Path) -> None:
        running = recall(data)
        where = (
            f": {running.api}, storage {_endpoint(running.storage)}, stand-in {running.emulator}"
            if running
            else ""
        )
        super().__init__(
            f"A TuneDrop is already running on {data}{where}. Use it, end it (Ctrl-C in its "
            "terminal), or name another folder with --data."
        )


class DataUnusable(Exception):
    """The data folder can't be made or written to."""

    def __init__(self, data: Path, why: str | None) -> None:
        super().__init__(f"The data folder {data} can't be used: {why}. Name another with --data.")


@dataclass(frozen=True)
class Addresses:
    """Where the running stack is reached, and with which key. The API's base URL includes /api."""

    api: str
    key: str
    storage: str
    emulator: str

    def to_json(self) -> str:
        """One line, for scripts."""
        return json.dumps(asdict(self))


def new_storage_key() -> str:
    """A key for the storage account, in the form of Azure's."""
    # The published one of Azurite is known to every page on the web.
    return base64.b64encode(secrets.token_bytes(64)).decode()


def addresses_of(ports: Ports, key: str, storage_key: str) -> Addresses:
    """The addresses on these ports."""
    endpoint = f"http://{HOST}:{ports.storage}/{STORAGE_ACCOUNT}"
    # A connection string that names its endpoint, as every official client takes it.
    storage = (
        f"DefaultEndpointsProtocol=http;AccountName={STORAGE_ACCOUNT};"
        f"AccountKey={storage_key};BlobEndpoint={endpoint};"
    )
    return Addresses(
        f"http://{HOST}:{ports.api}/api", key, storage, f"http://{HOST}:{ports.emulator}"
    )


def _endpoint(storage: str) -> str:
    return next(
        (
            part.removeprefix("BlobEndpoint=")
            for part in storage.split(";")
            if part.startswith("BlobEndpoint=")
        ),
        "",
    )


@contextmanager
def private_files() -> Generator[None]:
    """Whatever this process and its children make meanwhile is their user's alone, where the system
    knows modes of files.
    """
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def made(data: Path) -> None:
    """Makes a data folder where it isn't there, for this user alone.

    Raises:
        DataUnusable: it can't be.
    """
    try:
        ours = not data.exists() or (data / LOCK).exists()
        with private_files():
            data.mkdir(parents=True, exist_ok=True)
            # What was there before, /tmp say, is not ours to close.
            if ours:
                data.chmod(0o700)
            # A key and training data lie here: not for a repository.
            (data / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise DataUnusable(data, error.strerror) from None


@contextmanager
def held(data: Path) -> Generator[None]:
    """Makes the data folder and keeps it for one stack.

    Raises:
        DataInUse: another has it.
        DataUnusable: it can't be made.
    """
    made(data)
    # SQLite's lock is the one in the standard library that works everywhere and goes with its
    # process.
    with closing(sqlite3.connect(data / LOCK, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise DataInUse(data) from None
        yield


@contextmanager
def remembered(data: Path, addresses: Addresses) -> Generator[None]:
    """Keeps the addresses and the key for the other commands, readable by this user alone, until
    the stack ends.
    """
    path = data / "local.json"
    path.unlink(missing_ok=True)  # a mode is given to a new file only
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(addresses.to_json())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def recall(data: Path) -> Addresses | None:
    """The addresses of the stack that runs on this data folder, or ran there when it was killed;
    None where none does.
    """
    try:
        told: Any = json.loads((data / "local.json").read_text(encoding="utf-8"))
        return Addresses(*(str(told[name]) for name in ("api", "key", "storage", "emulator")))
    except (OSError, ValueError, LookupError, TypeError):
        return None
