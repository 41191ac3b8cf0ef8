"""The whole of TuneDrop on this machine for the tests: Azurite, the stand-in and the embedded host,
as processes.

The host can be killed and started again on the same storage, as in real life.
"""

import gzip
import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ResourceTypes,
    generate_account_sas,
)
from durabletask.client import TaskHubGrpcClient

from shared.models.pace import LOCAL, Pace
from tests.azurite import ACCOUNT as ACCOUNT_NAME
from tests.azurite import KEY, free_port, running_azurite
from tests.patience import NOW_AND_THEN_S, patience, slowness, until, while_it_lives
from tunedrop.emulator import regions
from tunedrop.host.engine import HUB

ROOT = Path(__file__).parent.parent.parent
ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"
    "/providers/Microsoft.CognitiveServices/accounts/standin"
)
SERVICE_PLENTY = {
    **{
        "files_max": 1000,
        "jobs_max": 1000,
        "fine_tuned_deployments_max": 1000,
        "deployments_max": 1000,
    },
    **{"quota_units": 100_000, "fine_tuned_quota_units": 100_000},
}
PLENTY = {"files": 1000, "jobs": 1000, "fine_tuned_deployments": 1000, "deployments": 1000}
WALLET = {
    "TUNEDROP_JOBS_AT_A_TIME": "1000",
    "TUNEDROP_JOBS_A_DAY": "10000",
    "TUNEDROP_USD_A_DAY": "10000",
}
# Reading certificates, which plain HTTP doesn't need, would take longer than the calls: so every
# client here has verify=False.
PACE = LOCAL.model_copy(update={"smoke_deadline_s": 8.0})
WORDS = 4_000  # characters of a host's log that a failure shows
SLOWEST = 4
"""Deadlines that end a run grow by this at most: there are tests that see them end one."""


def unhurried(pace: Pace, *nets: str) -> Pace:
    """The pace with these of its times scaled to the machine: deadlines that end a run, where a run
    is slow because all is.
    """
    slower = min(slowness(), SLOWEST)
    return pace.model_copy(update={net: getattr(pace, net) * slower for net in nets})


@dataclass(frozen=True)
class Keys:
    """The keys of a stack, where a test wants its own."""

    storage: str = KEY
    service: str | None = None
    """Unset, as in Azure: the identity is used, which has the roles of docs/security.md and no
    more.
    """
    functions: str = field(default_factory=lambda: secrets.token_hex(8))
    by_sas: bool = False
    """Whether the host reaches the storage by a shared access signature instead of the account's
    key.
    """


class HostEnded(Exception):
    """The host of a stack is gone; its last words."""


@dataclass
class Stack:
    """A running TuneDrop, and what a test asks of it."""

    storage: str
    emulator: str
    port: int
    key: str
    directory: Path
    settings: dict[str, str] = field(default_factory=dict[str, str])
    app: Path = ROOT
    engine: str = ""
    """The address of the running host's durable engine."""
    hub_name: str = ""
    """What that engine wants to be called by."""
    options: tuple[str, ...] = ()
    module: str = "tunedrop.host"
    """The program that is the host."""
    host: "subprocess.Popen[bytes] | None" = None

    @property
    def api(self) -> httpx2.Client:
        """The HTTP API, with the function key."""
        address = f"http://127.0.0.1:{self.port}/api"
        return httpx2.Client(
            base_url=address,
            headers={"x-functions-key": self.key},
            timeout=patience(30),
            verify=False,
        )

    @property
    def training(self) -> ContainerClient:
        """The container for drops."""
        return BlobServiceClient.from_connection_string(self.storage).get_container_client(
            "training"
        )

    def environment(self) -> dict[str, str]:
        """The app settings of the host."""
        return os.environ | {
            "PYTHONFAULTHANDLER": "1",
            "DropStorage": self.storage,
            "TUNEDROP_BLOB_SOURCE": "LogsAndContainerScan",
            "TUNEDROP_OPENAI_ENDPOINT": self.emulator,
            "TUNEDROP_ARM_ENDPOINT": self.emulator,
            "TUNEDROP_ACCOUNT": ACCOUNT,
            "TUNEDROP_CREDENTIAL": "stand-in",
            "TUNEDROP_PACE": unhurried(
                PACE, "call_s", "upload_s", "smoke_deadline_s"
            ).model_dump_json(),
            "TUNEDROP_CLAIM_PATIENCE_S": "0",
            "TUNEDROP_DROP_PATIENCE_S": "0",
            "TUNEDROP_SWEEP_SCHEDULE": "*/10 * * * * *",
            "TUNEDROP_LIMITS": json.dumps(PLENTY),
            **WALLET,
            **self.settings,
        }

    def start_host(self) -> None:
        """Starts the embedded host and waits until it answers."""
        ready = self.directory / f"ready-{secrets.token_hex(4)}.json"
        self.host = self.run_host(self.port, "--wait-for-lease", "--ready-file", str(ready))
        told = until(
            lambda: json.loads(ready.read_text()) if ready.exists() else None, 90, "the host"
        )
        self.engine, self.hub_name = told["engine"], told["hub"]

    def hub(self, logger: logging.Logger | None = None) -> TaskHubGrpcClient:
        """A client of the running host's durable engine."""
        return TaskHubGrpcClient(
            host_address=self.engine, metadata=[(HUB, self.hub_name)], logger=logger
        )

    def run_host(self, port: int, *options: str) -> "subprocess.Popen[bytes]":
        """The process of an embedded host, which says in host.log what it does."""
        command = [
            sys.executable,
            "-m",
            self.module,
            "--app",
            str(self.app),
            "--port",
            str(port),
            "--key",
            self.key,
        ]
        told = ["--create-containers", "--sweep-at-start", *self.options, *options]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*command, *told], cwd=ROOT, env=self.environment(), stdout=log, stderr=log
            )

    @property
    def log(self) -> Path:
        """What all hosts of this stack have said."""
        return self.directory / "host.log"

    def last_words(self) -> str:
        """Whether the host lives, and what it said last: for whoever reads of a test that
        failed.
        """
        code = self.host.poll() if self.host else None
        said = self.log.read_text(errors="replace")[-WORDS:] if self.log.exists() else ""
        return f"the host {'runs' if code is None else f'ended with {code}'}; its log:\n{said}"

    def check(self) -> None:
        """Raises HostEnded where the host has ended though no test has ended it."""
        if self.host is not None and self.host.poll() is not None:
            raise HostEnded(self.last_words())

    def kill_host(self) -> None:
        """SIGKILL: nothing of the host gets to clean up."""
        assert self.host is not None
        ended, self.host = self.host, None
        ended.kill()
        ended.wait(patience(10))

    def break_lease(self) -> None:
        """Stands in for the minute after which a killed host's lease runs out."""
        from azure.storage.blob import BlobLeaseClient

        lock = BlobServiceClient.from_connection_string(self.storage).get_blob_client(
            "tunedrop", "host.lock"
        )
        BlobLeaseClient(lock).break_lease(0)

    def drop(
        self,
        name: str,
        training: bytes,
        validation: bytes | None = None,
        job: dict[str, Any] | None = None,
        *,
        packed: bool = False,
    ) -> None:
        """Drops a folder, with its data files as archives or as they are: the training file last,
        as it starts the run.
        """
        ending, content = (".gz", gzip.compress) if packed else ("", bytes)
        if validation is not None:
            self.training.upload_blob(
                f"{name}/validation_set.jsonl{ending}", content(validation), overwrite=True
            )
        if job is not None:
            self.training.upload_blob(f"{name}/job.json", json.dumps(job).encode(), overwrite=True)
        self.training.upload_blob(
            f"{name}/training_set.jsonl{ending}", content(training), overwrite=True
        )

    def runs(self, name: str | None = None) -> list[dict[str, Any]]:
        """The rows of all pages of GET /api/runs, of one name where given."""
        rows: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = self.api.get("/runs", params=after).raise_for_status().json()
            rows += page["runs"]
            if page["cursor"] is None:
                return [row for row in rows if name in {None, row["name"]}]
            after = {"cursor": page["cursor"]}

    def run(self, run_id: str) -> dict[str, Any]:
        """GET /api/runs/{id}."""
        answer: dict[str, Any] = self.api.get(f"/runs/{run_id}").raise_for_status().json()
        return answer

    def ended(self, name: str, seconds: float = 60) -> dict[str, Any]:
        """The only run of this name, once it has ended."""
        row = until(
            lambda: next((r for r in self.runs(name) if r["outcome"]), None),
            seconds,
            f"the end of {name}",
            NOW_AND_THEN_S,
        )
        return self.run(row["id"])

    def at_step(self, name: str, *steps: str, seconds: float = 40) -> str:
        """The id of the run of this name, once it is at one of these steps."""
        row = until(
            lambda: next((r for r in self.runs(name) if r["step"] in steps), None),
            seconds,
            f"{name} at {steps}",
        )
        return str(row["id"])

    def report(self, run: dict[str, Any]) -> dict[str, Any]:
        """The report.json of an ended run."""
        container, _, path = str(run["report"]).partition("/")
        service = BlobServiceClient.from_connection_string(self.storage)
        content = (
            service.get_blob_client(container, path.replace("report.html", "report.json"))
            .download_blob()
            .readall()
        )
        decoded: dict[str, Any] = json.loads(content)
        return decoded

    def asked(self, operation: str, *, committed: bool = True) -> list[dict[str, Any]]:
        """The stand-in's own record of one operation: the oracle."""
        return [
            e
            for e in self.record()
            if e["operation"] == operation and (e.get("committed") or not committed)
        ]

    def record(self) -> list[dict[str, Any]]:
        """All that the stand-in was asked, and what it cost, oldest first."""
        entries: list[dict[str, Any]] = self.control("GET", "ledger")["entries"]
        return entries

    def written(self) -> int:
        """How many requests the stand-in carried out that changed something."""
        return sum(bool(entry.get("committed")) for entry in self.record())

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The stand-in's control surface."""
        return (
            httpx2.request(method, f"{self.emulator}/_tunedrop/{path}", json=body, verify=False)
            .raise_for_status()
            .json()
        )

    def deliver(self, blob: str, times: int) -> None:
        """Delivers the event of one blob so many times at once."""
        etag = self.training.get_blob_client(blob).get_blob_properties().etag
        answer = httpx2.post(
            f"http://127.0.0.1:{self.port}/admin/events",
            json={"name": blob, "etag": etag, "times": times},
            headers={"x-functions-key": self.key},
            timeout=patience(60),
        )
        answer.raise_for_status()


@contextmanager
def running_stack(
    pace: str = "fast",
    app: Path = ROOT,
    options: tuple[str, ...] = (),
    keys: Keys | None = None,
    region: str = regions.DEFAULT,
    module: str = "tunedrop.host",
    **settings: str,
) -> Generator[Stack]:
    """A TuneDrop that answers, ended on leaving.

    `region` is the stand-in's, `module` the program that is the host; `settings` are app settings
    of the host, `app` the folder of function_app.py, `options` of the host's command line.
    """
    keys = keys or Keys()
    with (
        running_azurite(key=keys.storage) as storage,
        tempfile.TemporaryDirectory() as folder,
        running_emulator(Path(folder), pace, keys.service, region) as emulator,
    ):
        if keys.service:
            settings = {"TUNEDROP_OPENAI_API_KEY": keys.service, **settings}
        if keys.by_sas:
            settings["DropStorage"] = sas_connection(storage, keys.storage)
        stack = Stack(
            storage,
            emulator,
            free_port(),
            keys.functions,
            Path(folder),
            settings,
            app,
            options=options,
            module=module,
        )
        try:
            with while_it_lives(stack.check):
                stack.start_host()
                yield stack
        except BaseException:
            print(stack.last_words())
            raise
        finally:
            if stack.host is not None:
                stack.host.terminate()
                stack.host.wait(patience(15))


def sas_connection(storage: str, key: str) -> str:
    """The connection string of the same account by a signature that may do all for an hour."""
    allowed = AccountSasPermissions(
        read=True, write=True, delete=True, list=True, add=True, create=True, update=True
    )
    types = ResourceTypes(service=True, container=True, object=True)
    signature = generate_account_sas(
        ACCOUNT_NAME, key, types, allowed, datetime.now(UTC) + timedelta(hours=1)
    )
    endpoint = next(part for part in storage.split(";") if part.startswith("BlobEndpoint="))
    return f"{endpoint};SharedAccessSignature={signature}"


@contextmanager
def running_emulator(
    folder: Path, pace: str, key: str | None = None, region: str = regions.DEFAULT
) -> Generator[str]:
    """The address of a stand-in that answers, ended on leaving; its state and log lie in the
    folder.
    """
    port = free_port()
    limits = [
        option
        for name, value in SERVICE_PLENTY.items()
        for option in ("--limit", f"{name}={value}")
    ]
    limits += ["--switch", "client_retries=refused"]
    command = [
        sys.executable,
        "-m",
        "tunedrop.emulator",
        "--port",
        str(port),
        "--pace",
        pace,
        "--state",
        str(folder / "state.sqlite"),
    ]
    command += ["--region", region, *(["--api-key", key] if key else [])]
    log = (folder / "emulator.log").open("ab")
    process = subprocess.Popen([*command, *limits], cwd=ROOT, stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, (folder / "emulator.log").read_text()
        try:
            return httpx2.get(f"{base}/_tunedrop/ledger", verify=False).is_success
        except httpx2.TransportError:
            return False

    try:
        until(answers, 30, "the stand-in")
        yield base
    finally:
        process.terminate()
        process.wait(patience(10))
