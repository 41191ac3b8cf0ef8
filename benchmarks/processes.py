"""What processes use, as Linux tells it, and what Azurite was asked, as its log tells it."""

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

TICKS = os.sysconf("SC_CLK_TCK")
ASKED = re.compile(r'"(?P<method>[A-Z]+) /[^/ ]+/?(?P<path>[^ ?"]*)\??(?P<query>[^ "]*) HTTP')


@dataclass(frozen=True)
class Process:
    """A process and all that it has started."""

    pid: int

    def cpu_s(self) -> float:
        """The processor time that it has used so far."""
        return sum(_cpu_s(pid) for pid in self._tree(self.pid))

    def mb(self) -> float:
        """The memory that it holds, in MB."""
        return sum(_rss_kb(pid) for pid in self._tree(self.pid)) / 1024

    def _tree(self, pid: int) -> list[int]:
        try:
            found = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:  # it has ended
            found = []
        children = [int(child) for child in " ".join(found).split()]
        return [pid, *(one for child in children for one in self._tree(child))]


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _rss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


class Asked:
    """What Azurite has been asked since the last look: its log has a line for each request."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._at = log.stat().st_size

    def since(self) -> Counter[str]:
        """How often each kind of request came: `PUT tunedrop/runs`, `LIST tunedrop/open`."""
        with self._log.open("rb") as log:
            log.seek(self._at)
            lines = log.read()
        self._at += len(lines)
        found = (ASKED.search(line) for line in lines.decode("utf-8", "replace").splitlines())
        return Counter(_kind(one) for one in found if one)


def _kind(asked: re.Match[str]) -> str:
    container, _, blob = str(asked["path"]).partition("/")
    query = {name: values[0] for name, values in parse_qs(str(asked["query"])).items()}
    if query.get("comp") == "list":
        return f"LIST {container}/{query.get('prefix', '').partition('/')[0]}"
    if not blob:
        return f"{asked['method']} {container}"
    what = f" {query['comp']}" if "comp" in query else ""
    folder = blob.partition("/")[0]
    return f"{asked['method']} {container}/{folder}{what}"
