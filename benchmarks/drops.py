"""Many drops at once through the whole of TuneDrop on this machine: wall time, and what the host's
processor spends on each run.

    python -m benchmarks.drops                                 100 drops with room for all
    python -m benchmarks.drops --drops 10 --places 10          the ten that work, alone
    python -m benchmarks.drops --drops 1000 --places 10 --for 300   1,000 that wait for ten places

The stand-in lets one deployment be written at a time, each for 0.6 s at `fast`: 100 take a minute
there, whatever TuneDrop does.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient

from tests.data import a_training_set
from tests.runs.stack import Stack, running_stack

PLENTY = 100_000
ROOM = {"files": PLENTY, "jobs": PLENTY, "fine_tuned_deployments": PLENTY, "deployments": PLENTY}
STAND_IN_ROOM = {f"{name}_max": count for name, count in ROOM.items()} | {
    "quota_units": 10 * PLENTY,
    "fine_tuned_quota_units": 10 * PLENTY,
    "jobs_running_max": PLENTY,
    "jobs_queued_max": PLENTY,
}
LOOKS_EVERY_S = 5.0


def main() -> int:
    """Measures once, and prints a line of JSON."""
    asked = _parser().parse_args()
    with running_stack(
        "fast",
        TUNEDROP_JOBS_AT_A_TIME=str(asked.places),
        TUNEDROP_JOBS_A_DAY=str(PLENTY),
        TUNEDROP_USD_A_DAY=str(PLENTY * 10),
        TUNEDROP_LIMITS=json.dumps(ROOM),
        TUNEDROP_PACE="local",
        TUNEDROP_SWEEP_SCHEDULE=asked.sweep,
    ) as stack:
        stack.control("PUT", "limits", STAND_IN_ROOM)
        stack.drop("warm", a_training_set("warm"))
        stack.ended("warm")
        print(json.dumps(measured(stack, asked.drops, asked.seconds)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drops")
    parser.add_argument("--drops", type=int, default=100)
    parser.add_argument("--places", type=int, default=200, help="runs between gate and end")
    parser.add_argument("--for", dest="seconds", type=float, default=900, help="the most seconds")
    parser.add_argument("--sweep", default="0 */5 * * * *", help="when the sweep looks (NCRONTAB)")
    return parser


def measured(stack: Stack, drops: int, seconds: float) -> dict[str, Any]:
    """What so many drops at once take until all have ended, or until the time is over."""
    pid = stack.host.pid if stack.host else 0
    before, began = processor_s(pid), time.monotonic()

    def drop(number: int) -> None:
        stack.drop(f"many-{number}", a_training_set(f"subject {number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(drop, range(drops)))
    ended = 0
    while ended < drops and time.monotonic() - began < seconds:
        time.sleep(LOOKS_EVERY_S)
        ended = _ended(stack)
    spent, took = processor_s(pid) - before, time.monotonic() - began
    return {
        "drops": drops,
        "ended": ended,
        "wall_s": round(took, 1),
        "host_cpu_s": round(spent, 1),
        "host_cpu_a_run_s": round(spent / max(ended, 1), 3),
        "host_cores": round(spent / took, 3),
    }


def _ended(stack: Stack) -> int:
    """How many have their report: asked of the storage, so that it costs the host nothing."""
    reports = BlobServiceClient.from_connection_string(stack.storage).get_container_client(
        "reports"
    )
    return sum(name.endswith("/report.json") for name in reports.list_blob_names()) - 1


def processor_s(pid: int) -> float:
    """The processor time of a process, in seconds, as Linux tells it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    raise SystemExit(main())
