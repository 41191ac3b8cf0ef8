"""Checking and counting a file, beside the lab's script and the bare tokenizers, on the same file
in one go.

    python -m benchmarks.scan [--size 64MB] [--rounds 5] [--json]

Peers: the lab's script (one thread, as it is); bare tiktoken over the same strings on all cores, by
its own batch call and, harder, in processes; and the bare fast counter over the same strings on all
cores, which is the limit. Ours: from disk with all rules and figures, from disk with all findings
on top, and as activities that read through Azurite.

Each part runs in a process of its own; the parts take turns for some rounds, and the median of each
counts. Memory is that of ours with all findings, helping processes included. Ratios are speeds,
ours over theirs, but for azurite_to_disk: one activity through Azurite over one thread from disk,
both with all findings.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient

from benchmarks import corpus, memory
from benchmarks.azurite_run import BLOB
from tests.azurite import running_azurite

ALONE = (
    "lab_script",
    "tiktoken",
    "tiktoken_processes",
    "fast_counter",
    "rules",
    "findings",
    "disk",
)
THROUGH_AZURITE = ("activity", "fan_out")
UNITS = {"KB": 2**10, "MB": 2**20, "GB": 2**30}


def size_of(text: str) -> int:
    """A size such as 64MB, in bytes."""
    number, unit = text[:-2], text[-2:].upper()
    if unit not in UNITS or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is no size such as 64MB")
    return int(number) * UNITS[unit]


def begun(part: str, file: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A process that runs one part."""
    command = [sys.executable, "-m", "benchmarks.scan_parts", part, str(file)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent
    )


def measured(part: str, file: Path, environment: dict[str, str]) -> dict[str, Any]:
    """One run of one part."""
    with begun(part, file, environment) as process:
        printed, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"The part {part} failed.")
    result: dict[str, Any] = json.loads(printed)
    return result


def peaks(file: Path) -> dict[str, int | None]:
    """The most memory of ours from disk and as an activity, each in a run of its own: looking costs
    time.
    """
    found: dict[str, int | None] = {}
    with azurite_with(file) as app:
        for name, part in (("disk", "findings"), ("activity", "activity")):
            print(f"memory: {part} …", file=sys.stderr, flush=True)
            with begun(part, file, app) as process:
                found[name] = memory.peak_mb(process)
    return found


@contextmanager
def azurite_with(file: Path) -> Generator[dict[str, str]]:
    """The environment of an app whose Azurite holds the file."""
    with running_azurite() as storage:
        with BlobServiceClient.from_connection_string(storage) as service:
            for container in ("training", "tunedrop", "reports"):
                service.get_container_client(container).create_container()
            with file.open("rb") as content:
                service.get_blob_client("training", BLOB).upload_blob(content, overwrite=True)
        yield os.environ | {"DropStorage": storage}


def run(file: Path, rounds: int) -> dict[str, dict[str, Any]]:
    """The median of each part."""
    results: dict[str, list[dict[str, Any]]] = {part: [] for part in (*ALONE, *THROUGH_AZURITE)}
    for number in range(rounds):
        with azurite_with(file) as app:
            for part in results:
                print(f"round {number + 1} of {rounds}: {part} …", file=sys.stderr, flush=True)
                results[part].append(measured(part, file, app))
    counts: set[int] = {
        one["tokens"] for found in results.values() for one in found if one["tokens"] is not None
    }
    if len(counts) != 1:
        raise SystemExit(f"The parts counted different numbers of tokens: {counts}")
    (tokens,) = counts
    return {
        part: {
            "mb_per_s": found[0]["megabytes"]
            / (seconds := statistics.median(one["seconds"] for one in found)),
            "tokens_per_s": tokens / seconds,
            "seconds": seconds,
        }
        for part, found in results.items()
    }


def ratios(speeds: dict[str, float]) -> dict[str, Any]:
    """What the parts' speeds mean."""

    def over(ours: str, *peers: str) -> dict[str, float]:
        return {peer: round(speeds[ours] / speeds[peer], 2) for peer in peers}

    peers = ("lab_script", "tiktoken", "tiktoken_processes", "fast_counter")
    return {
        "ratios": over("rules", *peers) | {"azurite_to_disk": over("activity", "disk")["disk"]},
        "ratios_with_findings": over("findings", *peers),
        "fan_out_to_one_activity": over("fan_out", "activity")["activity"],
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--size",
        type=size_of,
        default=size_of("64MB"),
        help="of the file that is made, such as 512MB",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "training_set.jsonl"
        corpus.write(file, wanted.size, wanted.seed)
        parts = run(file, wanted.rounds)
        memory_mb = peaks(file)
    found = ratios({part: figures["mb_per_s"] for part, figures in parts.items()})
    for part, figures in parts.items():
        speed = f"{figures['mb_per_s']:8.1f} MB/s {figures['tokens_per_s'] / 1e6:8.2f} M tokens/s"
        print(f"{part:20}{speed}")
    for name, figures in found.items():
        print(f"{name}: {figures}")
    print(f"peak_memory_mb: {memory_mb}")
    if wanted.json:
        print(json.dumps({**found, "peak_memory_mb": memory_mb, "parts": parts}))


if __name__ == "__main__":
    main()
