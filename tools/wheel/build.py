"""Builds the packages tunedrop and tunedrop-check as wheels. `python3 dev.py wheel` runs it; the
paths come on standard output.
"""

import contextlib
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from setuptools import build_meta

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# What the embedded host serves, as it goes to Azure.
APP = (
    "function_app.py",
    "host.json",
    "activities",
    "orchestrators",
    "shared",
    "triggers",
    "tunedrop_check",
)
# What `check --explain` and `demo` read.
BESIDE = ("docs/errors.md", "examples/travel-desk")
# Azurite as npm installs it, each package with its hash.
STORAGE = ("package.json", "package-lock.json", "tools/unused")


def build(folder: Path) -> list[Path]:
    """Build both wheels into a folder, and give their paths; setuptools tells what it does on
    stderr.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _built(folder, name, stage)
        for name, stage in (("tunedrop", _tunedrop), ("tunedrop_check", _tunedrop_check))
    ]


def _built(folder: Path, name: str, stage: Callable[[Path], None]) -> Path:
    with tempfile.TemporaryDirectory() as staged:
        _copy(HERE / name, Path(staged))
        _copy(ROOT / "LICENSE", Path(staged) / "LICENSE")
        stage(Path(staged))
        with contextlib.chdir(staged), contextlib.redirect_stdout(sys.stderr):
            return folder / build_meta.build_wheel(str(folder))


def _tunedrop(staged: Path) -> None:
    """The command line, with the app inside it: nothing of the app's lands beside the packages of
    others.
    """
    _copy(ROOT / "tunedrop", staged / "tunedrop")
    _copy(ROOT / "README.md", staged / "README.md")
    for name in (*APP, *BESIDE):
        _copy(ROOT / name, staged / "tunedrop" / "app" / name)
    for name in STORAGE:
        _copy(ROOT / name, staged / "tunedrop" / "app" / "azurite" / name)
    ours = _read(ROOT)
    project = ours["project"]
    app = [*project["dependencies"], *project["optional-dependencies"]["local"]]
    # The engine travels along, and so do its bounds.
    engine = _read(HERE / "tunedrop_check")["project"]["dependencies"]
    _lines(staged / "dependencies.txt", [*app, *(line for line in engine if line not in app)])
    _lines(staged / "node.txt", ours["dependency-groups"]["node"])


def _read(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def _tunedrop_check(staged: Path) -> None:
    """The engine alone, as it is."""
    _copy(ROOT / "tunedrop_check", staged / "tunedrop_check")
    (staged / "tunedrop_check" / "py.typed").touch()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
    else:
        shutil.copyfile(source, target)


def _lines(file: Path, lines: Iterable[str]) -> None:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    print(*build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()), sep="\n")
