"""`tunedrop local` as a person at home has it: one command starts everything, and whatever ends it
leaves nothing running.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

from tests.azurite import connection_string
from tests.data import a_training_set
from tests.patience import patience, until
from tests.runs.stack import ROOT

pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(sys.platform == "win32", reason="signals and ps are those of POSIX"),
]
PARTS = ("azurite", "tunedrop.emulator", "tunedrop.host")


@dataclass
class Local:
    """A `tunedrop local --json` that is ready."""

    process: "subprocess.Popen[str]"
    data: Path
    line: dict[str, str]

    def children(self, part: str = "") -> dict[int, str]:
        """The command lines, by process id, of what runs for it: each names its data folder or its
        port.
        """
        table = subprocess.run(
            ["/bin/ps", "-wwA", "-o", "pid=,args="], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        rows = [row.strip().partition(" ") for row in table]
        mine = (str(self.data), f"--port {urlsplit(self.line['api']).port} ")
        found = {
            int(pid): args
            for pid, _, args in rows
            if part in args and any(mark in args for mark in mine)
        }
        return {pid: args for pid, args in found.items() if pid != self.process.pid}

    def log(self) -> str:
        """What it said on stderr."""
        return (self.data / "stderr").read_text(encoding="utf-8")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """Started on free ports, with data of its own, in a process group of its own as in a
    terminal.
    """
    key = secrets.token_urlsafe(12)
    ports = [
        part for option in ("--port", "--storage-port", "--emulator-port") for part in (option, "0")
    ]
    command = [
        sys.executable,
        "-m",
        "tunedrop",
        "local",
        "--json",
        "--pace",
        "fast",
        f"--key=k{key}",
        *ports,
        "--data",
        str(tmp_path),
    ]
    with (tmp_path / "stderr").open("w") as said:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (
            f"it ended with code {process.wait(patience(20))}: {(tmp_path / 'stderr').read_text()}"
        )
        yield Local(process, tmp_path, json.loads(line))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=patience(30))


def test_local_takes_a_drop_from_outside_and_ends_everything_when_interrupted(local: Local) -> None:
    """One line tells all; an official client's upload is a run within 10 s; Ctrl-C leaves no
    process and no other output.
    """
    assert set(local.line) == {"api", "key", "storage", "emulator"}
    assert all(local.children(part) for part in PARTS), local.children()
    service = BlobServiceClient.from_connection_string(local.line["storage"])
    service.get_blob_client("training", "from-outside.jsonl").upload_blob(
        a_training_set("from-outside")
    )
    with httpx2.Client(headers={"x-functions-key": local.line["key"]}) as client:

        def begun() -> bool:
            return any(
                row["name"] == "from-outside"
                for row in client.get(f"{local.line['api']}/runs").raise_for_status().json()["runs"]
            )

        until(begun, 10, "a run of the drop")
    os.killpg(local.process.pid, signal.SIGINT)
    rest, _ = local.process.communicate(timeout=patience(20))
    assert (rest, local.process.returncode, local.children()) == ("", 0, {}), local.log()


def test_local_keeps_its_doors_shut(local: Local) -> None:
    """The published key opens nothing, a page elsewhere is refused, no key stands in a command
    line, and files are this user's alone.
    """
    published = connection_string(urlsplit(local.line["emulator"]).port or 0)
    endpoint = re.sub(
        "BlobEndpoint=[^;]+",
        f"BlobEndpoint={local.line['storage'].partition('BlobEndpoint=')[2].rstrip(';')}",
        published,
    )
    with pytest.raises(HttpResponseError, match="AuthorizationFailure"):
        list(BlobServiceClient.from_connection_string(endpoint, retry_total=0).list_containers())
    key = local.line["key"]
    page = {"x-functions-key": key, "origin": "https://evil.example"}
    assert httpx2.get(f"{local.line['api']}/runs", headers=page).status_code == 403
    storage_key = local.line["storage"].partition("AccountKey=")[2].partition(";")[0]
    assert [args for args in local.children().values() if key in args or storage_key in args] == []
    files = [path for path in local.data.rglob("*") if path.name != "stderr"]
    assert {path.name for path in files} >= {"local.json", "stand-in.sqlite", "host.log", "azurite"}
    assert [str(path) for path in files if path.stat().st_mode & 0o077] == []


def test_no_process_outlives_a_killed_stack(local: Local) -> None:
    """SIGKILL gives the stack no chance to clean up: its parts end by themselves within seconds."""
    local.process.kill()
    local.process.wait(patience(10))
    until(lambda: not local.children(), 15, f"the end of {local.children()}")


@pytest.mark.parametrize("part", PARTS)
def test_stack_ends_and_names_the_part_whose_process_was_killed(local: Local, part: str) -> None:
    """A part that ends by itself ends the stack with exit code 3; stderr names the part and its
    log.
    """
    os.kill(max(local.children(part)), signal.SIGKILL)  # the part itself: its keeper is older
    local.process.communicate(timeout=patience(30))
    assert (local.process.returncode, local.children()) == (3, {})
    name = {"azurite": "Azurite", "tunedrop.emulator": "stand-in", "tunedrop.host": "host"}[part]
    assert f"{name} ended with code" in local.log()
    assert f"{name.replace(' ', '-')}.log" in local.log()
