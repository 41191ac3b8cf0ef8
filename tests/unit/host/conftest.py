"""The fixture app in a real host process, against Azurite."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from azure.storage.blob import BlobServiceClient

from tests.azurite import azurite
from tests.patience import patience, until

__all__ = ["azurite"]

APP = Path(__file__).parent / "app"
ROOT = Path(__file__).parents[3]
NEVER = "0 0 0 1 1 *"


@dataclass(frozen=True)
class Served:
    """A running host: how to call it and what its app noted."""

    process: "subprocess.Popen[str]"
    http: httpx2.Client
    url: str
    key: str
    notes_file: Path
    engine: str = ""
    hub: str = ""

    def notes(self, **like: Any) -> list[dict[str, Any]]:
        """The app's notes with these fields."""
        lines = self.notes_file.read_text("utf-8").splitlines() if self.notes_file.exists() else []
        notes = [cast("dict[str, Any]", json.loads(line)) for line in lines]
        return [note for note in notes if like.items() <= note.items()]

    def run(self, **body: Any) -> dict[str, Any]:
        """Start a run and wait for its end."""
        run_id = self.http.post("/api/runs", json=body).json()["id"]
        return self.http.get(f"/api/runs/{run_id}", params={"wait": "1"}).json()


def command(*arguments: str, app: Path = APP) -> list[str]:
    """The host's command line on free ports."""
    return [sys.executable, "-m", "tunedrop.host", "--app", str(app), "--port", "0", *arguments]


def settings(storage: str, notes: Path, **more: str) -> dict[str, str]:
    """The environment of a host."""
    return {
        **os.environ,
        "DropStorage": storage,
        "HOST_TEST_NOTES": str(notes),
        "SWEEP_SCHEDULE": NEVER,
        **more,
    }


@contextmanager
def serving(storage: str, folder: Path, *arguments: str) -> Generator[Served]:
    """A host that answers, in a lease container of its own; killed on leaving."""
    ready, notes = folder / "ready.json", folder / "notes.jsonl"
    lease = (
        ()
        if "--lease-container" in arguments
        else ("--lease-container", f"lock-{uuid.uuid4().hex[:8]}")
    )
    process = subprocess.Popen(
        command("--ready-file", str(ready), "--poll-every", "0.05", *lease, *arguments),
        env=settings(storage, notes),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: ready.exists() or process.poll() is not None)
        assert ready.exists(), process.communicate()[1]
        told = json.loads(ready.read_text("utf-8"))
        with httpx2.Client(
            base_url=told["url"], headers={"x-functions-key": told["key"]}, timeout=patience(30)
        ) as client:
            yield Served(
                process, client, told["url"], told["key"], notes, told["engine"], told["hub"]
            )
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="package")
def served(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One host for all tests that leave it as it was."""
    with serving(
        azurite, tmp_path_factory.mktemp("host"), "--create-containers", "--sweep-at-start"
    ) as host:
        yield host


@pytest.fixture(scope="session")
def storage(azurite: str) -> Iterator[BlobServiceClient]:
    """A client of the session's Azurite."""
    with BlobServiceClient.from_connection_string(azurite, retry_total=0) as service:
        yield service
