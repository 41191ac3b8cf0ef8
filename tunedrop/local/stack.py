"""The local stack: Azurite and the stand-in, then the embedded host; ready when the app's health
route answers.
"""

import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tunedrop.emulator import regions
from tunedrop.folders import APP
from tunedrop.host import KEY
from tunedrop.local import azurite
from tunedrop.local.azurite import NotInstalled
from tunedrop.local.children import Child
from tunedrop.local.ports import DEFAULTS, HOST, Ports, chosen
from tunedrop.local.session import (
    LOCK,
    STORAGE_ACCOUNT,
    Addresses,
    addresses_of,
    held,
    new_storage_key,
    private_files,
)

if TYPE_CHECKING:
    import httpx2

STARTS_WITHIN_S = 90  # a host that was killed keeps its lease for 60 s: the next one waits for it
SLOW_AFTER_S = 10
HELD_UP = (
    "host; one that was killed keeps its lease for up to 60 s, and this one may have to wait for it"
)
ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local"
    "/providers/Microsoft.CognitiveServices/accounts/standin"
)
# On one's own machine the published limits of a resource would only be in the way of the hundredth
# try.
ROOM = {"files": 10_000, "jobs": 10_000, "fine_tuned_deployments": 10_000, "deployments": 10_000}
STAND_IN_ROOM = {f"{name}_max": count for name, count in ROOM.items()} | {
    "quota_units": 10_000_000,
    "fine_tuned_quota_units": 10_000_000,
}


class NotReady(Exception):
    """A part of the stack runs but does not answer."""

    def __init__(self, child: Child) -> None:
        super().__init__(
            f"{child.name} does not answer after {STARTS_WITHIN_S} s; see {child.log}."
        )


class Interrupted(Exception):
    """Ctrl-C, or SIGTERM."""


@dataclass(frozen=True)
class Wanted:
    """How the stack is started: ports of 0 are any free ones, no key is a new one."""

    data: Path
    ports: Ports = DEFAULTS
    key: str | None = None
    pace: str = "demo"
    region: str = regions.DEFAULT
    """Where the stand-in stands: one of `tunedrop.emulator.regions.REGIONS`."""
    faults: Path | None = None
    azurite: Path | None = None
    """The program azurite-blob, where it isn't the one in node_modules."""


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    addresses: Addresses
    data: Path
    stop: threading.Event
    """Set where it shall end."""
    children: list[Child] = field(default_factory=list[Child])

    def check(self) -> None:
        """Raises ChildEnded where a part has ended, Interrupted where all shall end."""
        if self.stop.is_set():
            raise Interrupted
        for child in self.children:
            child.check()


@contextmanager
def running(wanted: Wanted, stop: threading.Event, say: Callable[[str], None]) -> Generator[Stack]:
    """Starts all parts, telling each, and ends them on leaving, however that comes.

    Raises:
        PortUnusable, NotInstalled, DataInUse, DataUnusable: before anything was started.
        ChildEnded, NotReady: a part did not start.
        Interrupted: `stop` was set.
    """
    if (wanted.data / LOCK).exists():
        with held(wanted.data):  # whoever runs on it has the usual ports, too, but is the reason
            pass
    ports, storage = chosen(wanted.ports), _azurite(wanted, stop, say)
    storage_key = new_storage_key()
    addresses = addresses_of(ports, wanted.key or secrets.token_urlsafe(24), storage_key)
    # In the reverse order: the host first, as it needs the others.
    with private_files(), held(wanted.data), ExitStack() as ending:
        stack = Stack(addresses, wanted.data, stop)

        def start(name: str, command: list[str], env: Mapping[str, str]) -> Child:
            say(name)
            child = ending.enter_context(
                Child(
                    name, command, wanted.data / "logs" / f"{name.replace(' ', '-')}.log", env, APP
                )
            )
            stack.children.append(child)
            return child

        # A company's proxy doesn't lead to this machine.
        inherited = azurite.environment(os.environ) | {"NO_PROXY": HOST, "no_proxy": HOST}
        accounts = {"AZURITE_ACCOUNTS": f"{STORAGE_ACCOUNT}:{storage_key}"}
        blobs = start("Azurite", storage_command(storage, wanted.data, ports), inherited | accounts)
        stand_in = start("stand-in", emulator_command(wanted, ports), inherited)
        _wait(
            stack,
            blobs,
            f"http://{HOST}:{ports.storage}/{STORAGE_ACCOUNT}",
            lambda status: status < 500,
        )
        _wait(stack, stand_in, f"{addresses.emulator}/_tunedrop/ledger")
        host = start("host", host_command(ports), inherited | host_environment(addresses))
        _wait(stack, host, f"{addresses.api}/health", slow=lambda: say(HELD_UP))
        yield stack


def _wait(
    stack: Stack,
    child: Child,
    url: str,
    fine: Callable[[int], bool] = lambda status: status == 200,
    slow: Callable[[], None] = lambda: None,
) -> None:
    import httpx2  # 0.05 s: only where a stack is started

    began = time.monotonic()
    told = False
    with httpx2.Client(trust_env=False, timeout=5) as client:
        while not _answers(client, url, fine):
            stack.check()
            waited = time.monotonic() - began
            if waited > STARTS_WITHIN_S:
                raise NotReady(child)
            if waited > SLOW_AFTER_S and not told:
                told = True
                slow()
            stack.stop.wait(0.05)


def _answers(client: "httpx2.Client", url: str, fine: Callable[[int], bool]) -> bool:
    import httpx2  # as above

    try:
        return fine(client.get(url).status_code)
    except httpx2.TransportError:
        return False


def _azurite(wanted: Wanted, stop: threading.Event, say: Callable[[str], None]) -> str:
    try:
        return azurite.program(wanted.azurite, say)
    except NotInstalled:
        if stop.is_set():  # Ctrl-C ends npm, too
            raise Interrupted from None
        raise


def storage_command(azurite: str, data: Path, ports: Ports) -> list[str]:
    """How Azurite is started."""
    # Today's azure-storage-blob speaks a newer version of the protocol than Azurite knows.
    options = [
        "--skipApiVersionCheck",
        "--silent",
        "--disableTelemetry",
        "--location",
        str(data / "azurite"),
    ]
    return [azurite, *options, "--blobHost", HOST, "--blobPort", str(ports.storage)]


def emulator_command(wanted: Wanted, ports: Ports) -> list[str]:
    """How the stand-in is started."""
    room = [
        part for name, value in STAND_IN_ROOM.items() for part in ("--limit", f"{name}={value}")
    ]
    faults = ["--faults", str(wanted.faults)] if wanted.faults else []
    state = ["--state", str(wanted.data / "stand-in.sqlite"), "--switch", "client_retries=refused"]
    place = ["--port", str(ports.emulator), "--region", wanted.region]
    return [
        sys.executable,
        "-m",
        "tunedrop.emulator",
        *place,
        "--pace",
        wanted.pace,
        *state,
        *room,
        *faults,
    ]


def host_command(ports: Ports) -> list[str]:
    """How the embedded host is started."""
    # Its key is in its environment, where no other user of this machine reads it.
    listen = ["--port", str(ports.api), "--engine-port", str(ports.engine)]
    start = ["--create-containers", "--sweep-at-start", "--wait-for-lease"]
    return [sys.executable, "-m", "tunedrop.host", "--app", str(APP), *listen, *start]


def host_environment(addresses: Addresses) -> dict[str, str]:
    """The app settings of the embedded host, and its key."""
    return {
        KEY: addresses.key,
        "DropStorage": addresses.storage,
        "AzureWebJobsStorage": addresses.storage,
        "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
        # glibc otherwise keeps for each thread what scans have freed: 656 MB instead of 341.
        "MALLOC_ARENA_MAX": "1",
        "TUNEDROP_BLOB_SOURCE": "LogsAndContainerScan",
        "TUNEDROP_OPENAI_ENDPOINT": addresses.emulator,
        "TUNEDROP_ARM_ENDPOINT": addresses.emulator,
        "TUNEDROP_ACCOUNT": ACCOUNT,
        "TUNEDROP_CREDENTIAL": "stand-in",
        "TUNEDROP_PACE": "local",
        "TUNEDROP_CLAIM_PATIENCE_S": "0",
        "TUNEDROP_DROP_PATIENCE_S": "0",
        "TUNEDROP_SWEEP_SCHEDULE": "*/10 * * * * *",
        "TUNEDROP_SWEEP_BLOBS": "500",
        "TUNEDROP_LIMITS": json.dumps(ROOM),
    }
