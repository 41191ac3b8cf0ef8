"""The running stack as the other commands find it: its addresses and key, in a file of the data folder."""

import json
import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunedrop.local.ports import HOST, Ports

DATA = Path(".tunedrop")
STORAGE_ACCOUNT = "devstoreaccount1"
STORAGE_KEY = (  # Azurite's published key, in its documentation; it opens nothing else
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


class DataInUse(Exception):
    """Another stack runs on this data folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"A TuneDrop runs on {data} already. End it first, or name another folder with --data.")


class DataUnusable(Exception):
    """The data folder can't be made or written to."""

    def __init__(self, data: Path, why: str | None) -> None:
        super().__init__(f"The data folder {data} can't be used: {why}. Name another with --data.")


@dataclass(frozen=True)
class Addresses:
    """Where the running stack is reached, and with which key. The base URL of the HTTP API includes /api."""

    api: str
    key: str
    storage: str
    emulator: str

    def to_json(self) -> str:
        """One line, for scripts."""
        return json.dumps(asdict(self))


def addresses_of(ports: Ports, key: str) -> Addresses:
    """The addresses on these ports; storage as a connection string that names its endpoint, as every official client takes it."""
    endpoint = f"http://{HOST}:{ports.storage}/{STORAGE_ACCOUNT}"
    storage = f"DefaultEndpointsProtocol=http;AccountName={STORAGE_ACCOUNT};AccountKey={STORAGE_KEY};BlobEndpoint={endpoint};"
    return Addresses(f"http://{HOST}:{ports.api}/api", key, storage, f"http://{HOST}:{ports.emulator}")


def made(data: Path) -> None:
    """Makes a data folder where it isn't there.

    Raises:
        DataUnusable: it can't be.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        (data / ".gitignore").write_text("*\n", encoding="utf-8")  # a key and training data lie here: not for a repository
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
    # SQLite's lock is the one in the standard library that works everywhere and goes with its process.
    with closing(sqlite3.connect(data / "in-use.sqlite", timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise DataInUse(data) from None
        yield


@contextmanager
def remembered(data: Path, addresses: Addresses) -> Generator[None]:
    """Keeps the addresses and the key for the other commands, readable by this user alone, until the stack ends."""
    path = data / "local.json"
    path.unlink(missing_ok=True)  # a mode is given to a new file only
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(addresses.to_json())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def recall(data: Path) -> Addresses | None:
    """The addresses of the stack that runs on this data folder, or ran there when it was killed; None where none does."""
    try:
        told: Any = json.loads((data / "local.json").read_text(encoding="utf-8"))
        return Addresses(*(str(told[name]) for name in ("api", "key", "storage", "emulator")))
    except (OSError, ValueError, LookupError, TypeError):
        return None
