"""The memory of the host while a large file is dropped and its run goes all its way.

    python -m benchmarks.large_drop [--size 512MB] [--json]

The embedded host, Azurite and the stand-in run as `tunedrop local` runs them.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import corpus
from benchmarks.ledger import World, world
from benchmarks.scan import size_of
from shared.services.container import CHUNK_BYTES

LOOK_EVERY_S = 0.2
TOO_LONG_S = 1200.0


def main() -> int:
    """Measures, and tells."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_drop", description=__doc__)
    parser.add_argument("--size", type=size_of, default=size_of("512MB"), help="such as 64MB")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.jsonl"
        corpus.write(file, asked.size - 2**20)
        with world(Path(folder)) as seen:
            found = _followed(seen, file)
    print(json.dumps(found) if asked.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    return 0


def _followed(seen: World, file: Path) -> dict[str, object]:
    idle_mb = seen.host.mb()
    with file.open("rb") as content:
        seen.training.put_stream("large.jsonl", iter(lambda: content.read(CHUNK_BYTES), b""))
    began, peak, row = time.monotonic(), 0.0, dict[str, object]()
    while not row.get("outcome") and time.monotonic() - began < TOO_LONG_S:
        peak = max(peak, seen.host.mb())
        rows = seen.http.get("/runs").json()["runs"]
        row = rows[0] if rows else row
        time.sleep(LOOK_EVERY_S)
    return {
        "megabytes": file.stat().st_size >> 20,
        "outcome": row.get("outcome"),
        "code": row.get("code"),
        "seconds": round(time.monotonic() - began, 1),
        "host_idle_mb": round(idle_mb),
        "host_peak_mb": round(peak),
    }


if __name__ == "__main__":
    sys.exit(main())
