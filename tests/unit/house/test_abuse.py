"""How many hostile inputs the tests hold, each under its own name and with its diagnosis."""

import re
import subprocess
import sys

from tests.unit.house.repository import ROOT

FEWEST = 150
TABLES = {"tests/unit/app", "tests/unit/check", "tests/unit/report", "tests/runs"}
COLLECTED = re.compile(r"^(?P<file>tests/\S+/test_abuse\w*\.py)::\w+\[(?P<id>.+)\]$", re.MULTILINE)


def test_abuse_catalogue_holds_at_least_so_many_inputs() -> None:
    """Counted by file and id, so that an input that is used twice counts once; every catalogue
    takes part.
    """
    files = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("test_abuse*.py"))
        if path.parent.name != "house"
    ]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        *files,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    inputs = {(found["file"], found["id"]) for found in COLLECTED.finditer(done.stdout)}
    assert {file.rpartition("/")[0] for file, _ in inputs} == TABLES
    assert len(inputs) >= FEWEST, len(inputs)
