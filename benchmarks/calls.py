"""The app's own calls to storage: what a sweep asks for, and what a whole run does.

    python -m benchmarks.calls [--idle 60] [--json]

Counted are the lines of Azurite's log while the embedded host runs at the pace `local`, without
the listings of its blob trigger and its lease: on Azure there are neither. What the Functions host
and its Durable extension ask for is not among them.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.ledger import SETTLES_S, World, world

EXAMPLE = Path(__file__).parent.parent / "examples" / "travel-desk"
OF_THE_HOST = ("LIST training/", "PUT tunedrop/host.lock", "PUT tunedrop/receipts")
LISTED = ("open", "ended")  # by which the benchmark looks for the run's end
SWEEP = "GET tunedrop/orchestrations.json"
KINDS = {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete", "LIST": "list"}


def main() -> int:
    """Counts, and tells."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description=__doc__)
    parser.add_argument("--idle", type=float, default=60, help="seconds in which sweeps are seen")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as seen:
        found = {"a sweep": _sweeps(seen, asked.idle), "a run": _run(seen)}
    if asked.json:
        print(json.dumps(found, indent=1))
        return 0
    for what, calls in found.items():
        kinds: dict[str, float] = {}
        for call, number in calls.items():
            kind = KINDS[call.partition(" ")[0]]
            kinds[kind] = kinds.get(kind, 0) + number
        print(f"{what}: {kinds}")
        for call, number in sorted(calls.items()):
            print(f"  {number:6.1f}  {call}")
    return 0


def _own(calls: Counter[str]) -> Counter[str]:
    return Counter({c: n for c, n in calls.items() if not c.startswith(OF_THE_HOST)})


def _sweeps(seen: World, idle_s: float) -> dict[str, float]:
    time.sleep(SETTLES_S)
    seen.asked.since()
    time.sleep(idle_s)
    calls = _own(seen.asked.since())
    # The page of drops that a sweep lists can't be told from the listings of the blob trigger.
    return {call: n / calls[SWEEP] for call, n in calls.items()} | {"LIST training": 1.0}


def _run(seen: World) -> dict[str, float]:
    """The calls of one run from its drop to its end, without those of the sweeps meanwhile."""
    sweep = _sweeps(seen, 30)
    seen.asked.since()
    for file in sorted(EXAMPLE.iterdir()):
        if file.suffix in {".json", ".jsonl"}:
            seen.training.put(f"counted/{file.name}", file.read_bytes())
    row: dict[str, object] = {}
    looks = 0
    while not row.get("outcome"):
        time.sleep(5)
        rows = seen.http.get("/runs", params={"limit": "1"}).json()["runs"]
        row, looks = rows[0] if rows else row, looks + 1
    calls = _own(seen.asked.since()) - Counter({f"LIST tunedrop/{w}": looks for w in LISTED})
    sweeps = calls[SWEEP]
    run = {call: n - round(sweep.get(call, 0) * sweeps) for call, n in calls.items()}
    uploads = ("PUT training/",)
    return {call: float(n) for call, n in run.items() if n > 0 and not call.startswith(uploads)}


if __name__ == "__main__":
    sys.exit(main())
