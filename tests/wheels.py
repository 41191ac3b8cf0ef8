"""The two packages as `python3 dev.py wheel` builds them, and environments with nothing else."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.patience import patience

ROOT = Path(__file__).parents[1]


def built(folder: Path) -> tuple[Path, Path]:
    """The wheels of tunedrop and of tunedrop-check, built into this folder."""
    builder = [sys.executable, str(ROOT / "tools" / "wheel" / "build.py"), str(folder)]
    done = subprocess.run(builder, capture_output=True, text=True, timeout=patience(60), check=True)
    tunedrop, check = done.stdout.splitlines()
    return Path(tunedrop), Path(check)


def uv(*arguments: object) -> None:
    """Call uv, which fetches no Python of its own."""
    command = [sys.executable, "-m", "uv", *map(str, arguments), "--no-python-downloads", "--quiet"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=patience(120), check=False
    )
    assert done.returncode == 0, done.stderr


def python_of(version: str) -> str:
    """The first Python of this version on PATH or in pyenv that works; nothing where this machine
    has none.
    """
    homes = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [
        sys.executable,
        shutil.which(f"python{version}"),
        *homes.glob(f"{version}*/bin/python"),
    ]
    for candidate in filter(None, candidates):
        probe = [str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        told = subprocess.run(
            probe, capture_output=True, text=True, timeout=patience(30), check=False
        )
        if told.stdout.strip() == version:
            return str(candidate)
    return ""


def installed(wheel: Path, folder: Path, python: str, pins: list[str]) -> Path:
    """The folder of programs of an environment with nothing but this wheel and what it needs, at
    these versions.
    """
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins))
    uv("venv", "--python", python, folder / "venv")
    inside = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    only_wheels = ("--only-binary", ":all:", "--constraints", constraints)
    uv("pip", "install", *only_wheels, "--python", inside / "python", wheel)
    return inside


def pins_of(lock: str) -> dict[str, str]:
    """Package and version of every line of a lock file of the repository."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))
