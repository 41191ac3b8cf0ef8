"""What the start of each command costs: processor time, as multiples of `python -c pass`.

    python -m benchmarks.start [--rounds 15] [--json]

Each round starts every command once, so that all see the same machine; the figure is the median.
It exits with 1 where a command needs more than it may: 14 times for help, 33 times for a check of
a file of 10 kB, which are 0.25 s and 0.6 s where an empty Python takes 0.018 s.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SIZE = 10_000
NOTHING = "python -c pass"
MAY = {"tunedrop --help": 14, "tunedrop --version": 14, "tunedrop check my.jsonl": 33}
COMMANDS = {
    NOTHING: ["-c", "pass"],
    "tunedrop --help": ["-m", "tunedrop", "--help"],
    "tunedrop --version": ["-m", "tunedrop", "--version"],
    "tunedrop runs --help": ["-m", "tunedrop", "runs", "--help"],
    "tunedrop check --help": ["-m", "tunedrop", "check", "--help"],
    "tunedrop check my.jsonl": ["-m", "tunedrop", "check", "my.jsonl"],
    "tunedrop check drop/": ["-m", "tunedrop", "check", "drop"],
    "tunedrop-check my.jsonl": ["-m", "tunedrop_check", "my.jsonl"],
}


def lay(folder: Path) -> None:
    """A file of 10 kB, and the folder of a drop with the same file and a job.json."""
    sample = ROOT / "examples" / "travel-desk"
    lines = (sample / "training_set.jsonl").read_bytes()[:SIZE].rpartition(b"\n")[0] + b"\n"
    (folder / "my.jsonl").write_bytes(lines)
    (folder / "drop").mkdir()
    (folder / "drop" / "training_set.jsonl").write_bytes(lines)
    (folder / "drop" / "job.json").write_bytes((sample / "job.json").read_bytes())


def processor_time_s(command: list[str], folder: Path) -> float:
    """The processor time of one start, in seconds, with that of the system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(rounds: int) -> dict[str, float]:
    """The median of each command, in seconds; a round before the first fills the caches."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        lay(Path(folder))
        for number in range(rounds + 1):
            for name, command in COMMANDS.items():
                took = processor_time_s(command, Path(folder))
                if number:
                    times[name].append(took)
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.parse_args()
    medians = measured(given.rounds)
    multiples = {name: took / medians[NOTHING] for name, took in medians.items()}
    if given.json:
        print(json.dumps({"seconds": medians, "multiples": multiples, "may": MAY}))
    else:
        for name, took in medians.items():
            may = f", may be {MAY[name]}" if name in MAY else ""
            print(f"{name:26} {took:6.3f} s  {multiples[name]:5.1f} times{may}")
    return 1 if any(multiples[name] > may for name, may in MAY.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
