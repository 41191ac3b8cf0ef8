"""The memory of a process and of those that it starts, as Linux tells it; elsewhere there is no
such figure.
"""

import subprocess
import time
from pathlib import Path

LOOKED_EVERY_S = 0.02


def peak_mb(process: subprocess.Popen[bytes]) -> int | None:
    """The most that a process and its descendants hold together until it ends, in MB: what several
    share counts once (PSS).
    """
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_pss_kb, _tree(process.pid))))
        time.sleep(LOOKED_EVERY_S)
    return round(peak / 1024) if peak else None


def _tree(process: int) -> list[int]:
    try:
        children = " ".join(
            found.read_text() for found in Path(f"/proc/{process}/task").glob("*/children")
        ).split()
    except OSError:  # it has ended
        children = []
    return [process, *(one for child in children for one in _tree(int(child)))]


def _pss_kb(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
