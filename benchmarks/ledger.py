"""What the app costs by the runs that have ended: with none, with 2,000, with 100,000.

    python -m benchmarks.ledger [--runs 0,2000,100000] [--idle 60] [--json]

The embedded host runs as `tunedrop local` runs it, on an Azurite that holds so many old runs
(`benchmarks/old_runs.py` says how they are made). Measured are a list (`GET /api/runs`), the way
from the upload of a drop to its claim, and a time in which nothing happens: calls to storage, by
Azurite's log; the processor time of the host and, apart, that of Azurite; the memory of the host.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2
from azure.storage.blob import BlobServiceClient

from benchmarks import old_runs
from benchmarks.processes import Asked, Process
from shared.runs.ledger import Ledger
from shared.services.storage import Container
from tests.azurite import KEY, connection_string
from tunedrop.local import stack
from tunedrop.local.children import Child
from tunedrop.local.ports import ANY, HOST, chosen
from tunedrop.local.session import addresses_of

LISTS, DROPS = 20, 5
ROOT = Path(__file__).parent.parent
READY_S, SETTLES_S = 300.0, 15.0
DROP = b'{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}\n'


@dataclass(frozen=True)
class Figures:
    """What was measured with so many old runs."""

    old_runs: int
    list_s: float
    """A list, as its caller waits for it."""
    list_host_cpu_s: float
    list_azurite_cpu_s: float
    list_calls: dict[str, float]
    claim_s: float
    """From the end of an upload until the run is known, Azurite's time among it."""
    claim_azurite_cpu_s: float
    idle_host_cpu_percent: float
    idle_azurite_cpu_percent: float
    idle_calls_a_minute: dict[str, float]
    host_mb: float


@dataclass(frozen=True)
class World:
    """A local stack whose parts are looked at one by one."""

    http: httpx2.Client
    training: Container
    azurite: Process
    host: Process
    asked: Asked


def main() -> int:
    """Measures, and tells."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--runs", default="0,2000,100000", help="old runs, with commas between")
    parser.add_argument("--idle", type=float, default=60, help="seconds in which nothing happens")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    found: list[Figures] = []
    for count in (int(one) for one in asked.runs.split(",")):
        print(f"{count} old runs …", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            found.append(measured(count, Path(folder), asked.idle))
        if not asked.json:
            print(told(found[-1]), flush=True)
    if asked.json:
        print(json.dumps([asdict(one) for one in found], indent=1))
    return 0


def told(found: Figures) -> str:
    """The figures in words."""
    lists, idle = (
        f"{sum(calls.values()):.1f} calls ({', '.join(f'{n:.1f} {w}' for w, n in calls.items())})"
        for calls in (found.list_calls, found.idle_calls_a_minute)
    )
    return "\n".join(
        (
            f"{found.old_runs} old runs",
            f"  a list          {found.list_s * 1000:.0f} ms, processor time of the host "
            f"{found.list_host_cpu_s * 1000:.0f} ms, of Azurite "
            f"{found.list_azurite_cpu_s * 1000:.0f} ms; {lists}",
            f"  drop to claim   {found.claim_s:.2f} s, processor time of Azurite in it "
            f"{found.claim_azurite_cpu_s:.2f} s",
            f"  idle            {found.idle_host_cpu_percent:.1f} % of a core, Azurite "
            f"{found.idle_azurite_cpu_percent:.1f} %; a minute: {idle}",
            f"  memory          {found.host_mb:.0f} MB",
        )
    )


def measured(count: int, folder: Path, idle_s: float) -> Figures:
    """All figures with so many old runs, in a folder of their own."""
    with azurite(folder) as (address, _):
        with BlobServiceClient.from_connection_string(address) as service:
            Container(service.get_container_client("training")).create()
            ledger = Ledger(Container(service.get_container_client("tunedrop")))
            first = old_runs.one(ledger, "training", "devstoreaccount1")
        time.sleep(6)  # Azurite writes its database down every five seconds
    old_runs.multiply(folder / "azurite", first, count)
    with world(folder) as seen:
        time.sleep(SETTLES_S)
        lists = _lists(seen)
        idle = _idle(seen, idle_s)
        claims = [_claim(seen, number) for number in range(DROPS)]
    return Figures(
        old_runs=count,
        list_s=lists[0],
        list_host_cpu_s=lists[1],
        list_azurite_cpu_s=lists[2],
        list_calls=lists[3],
        claim_s=statistics.median(claim[0] for claim in claims),
        claim_azurite_cpu_s=statistics.median(claim[1] for claim in claims),
        idle_host_cpu_percent=idle[0],
        idle_azurite_cpu_percent=idle[1],
        idle_calls_a_minute=idle[2],
        host_mb=idle[3],
    )


def _lists(seen: World) -> tuple[float, float, float, dict[str, float]]:
    took: list[float] = []
    seen.asked.since()
    host_s, azurite_s = seen.host.cpu_s(), seen.azurite.cpu_s()
    for _ in range(LISTS):
        began = time.monotonic()
        seen.http.get("/runs").raise_for_status()
        took.append(time.monotonic() - began)
    host_s, azurite_s = seen.host.cpu_s() - host_s, seen.azurite.cpu_s() - azurite_s
    calls = seen.asked.since()
    of_lists = {what: n / LISTS for what, n in calls.items() if n >= LISTS}
    return statistics.median(took), host_s / LISTS, azurite_s / LISTS, of_lists


def _idle(seen: World, idle_s: float) -> tuple[float, float, dict[str, float], float]:
    seen.asked.since()
    host_s, azurite_s, began = seen.host.cpu_s(), seen.azurite.cpu_s(), time.monotonic()
    time.sleep(idle_s)
    took = time.monotonic() - began
    host, azure = seen.host.cpu_s() - host_s, seen.azurite.cpu_s() - azurite_s
    calls: Counter[str] = seen.asked.since()
    a_minute = {what: number * 60 / took for what, number in sorted(calls.items())}
    return 100 * host / took, 100 * azure / took, a_minute, seen.host.mb()


def _claim(seen: World, number: int) -> tuple[float, float]:
    """How long a drop waits for its claim, and how long Azurite works in that time."""
    seen.training.put(f"new{number}.jsonl", DROP)
    began, azurite_s = time.monotonic(), seen.azurite.cpu_s()
    while not any(row["name"] == f"new{number}" for row in _newest(seen)):
        time.sleep(0.02)
    took = time.monotonic() - began, seen.azurite.cpu_s() - azurite_s
    time.sleep(2)
    return took


def _newest(seen: World) -> list[dict[str, object]]:
    answer = seen.http.get("/runs", params={"limit": "10"})
    return answer.json()["runs"]


@contextmanager
def azurite(folder: Path) -> Generator[tuple[str, Child]]:
    """An Azurite whose data lies in the folder and whose log tells each request."""
    ports = chosen(ANY)
    program = str(ROOT / "node_modules" / ".bin" / "azurite-blob")
    command = [one for one in stack.storage_command(program, folder, ports) if one != "--silent"]
    accounts = {"AZURITE_ACCOUNTS": f"devstoreaccount1:{KEY}"}
    log = folder / "azurite.log"
    with Child("Azurite", command, log, os.environ | accounts, folder) as child:
        _wait(child, f"http://{HOST}:{ports.storage}/devstoreaccount1")
        yield connection_string(ports.storage), child


@contextmanager
def world(folder: Path) -> Generator[World]:
    """Azurite, stand-in and host, as `tunedrop local` starts them."""
    with ExitStack() as ending:
        storage, child = ending.enter_context(azurite(folder))
        ports = chosen(ANY)
        addresses = addresses_of(ports, "key", KEY)
        wanted = stack.Wanted(folder, ports)
        start: dict[str, tuple[list[str], dict[str, str]]] = {
            "stand-in": (stack.emulator_command(wanted, ports), {}),
            "host": (
                stack.host_command(ports),
                stack.host_environment(addresses)
                | {"DropStorage": storage, "AzureWebJobsStorage": storage},
            ),
        }
        parts = {
            name: ending.enter_context(
                Child(name, command, folder / f"{name}.log", os.environ | more, ROOT)
            )
            for name, (command, more) in start.items()
        }
        _wait(parts["host"], f"{addresses.api}/health")
        service = ending.enter_context(BlobServiceClient.from_connection_string(storage))
        http = httpx2.Client(
            base_url=addresses.api,
            headers={"x-functions-key": "key"},
            timeout=120,
            trust_env=False,
        )
        yield World(
            ending.enter_context(http),
            Container(service.get_container_client("training")),
            Process(child.pid),
            Process(parts["host"].pid),
            Asked(folder / "azurite.log"),
        )


def _wait(child: Child, url: str) -> None:
    until = time.monotonic() + READY_S
    with httpx2.Client(trust_env=False, timeout=30) as client:
        while time.monotonic() < until:
            child.check()
            try:
                if client.get(url).status_code < 500:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.1)
    msg = f"{child.name} does not answer"
    raise TimeoutError(msg)


if __name__ == "__main__":
    sys.exit(main())
