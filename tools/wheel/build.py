"""Builds the package tunedrop-check into dist/: the folder tunedrop_check as it is. `python3 dev.py
wheel` runs it.
"""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

from setuptools import build_meta

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = "tunedrop_check"


def build(folder: Path) -> Path:
    """Build the wheel into a folder, and give its path; setuptools tells what it does on stderr."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as staged:
        _stage(Path(staged))
        with contextlib.chdir(staged), contextlib.redirect_stdout(sys.stderr):
            return folder / build_meta.build_wheel(str(folder))


def _stage(folder: Path) -> None:
    """What the wheel is made of, laid out as setuptools wants it."""
    shutil.copytree(ROOT / PACKAGE, folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / PACKAGE / "py.typed").touch()
    for file in (HERE / "pyproject.toml", HERE / "README.md", ROOT / "LICENSE"):
        shutil.copy(file, folder)


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()))
