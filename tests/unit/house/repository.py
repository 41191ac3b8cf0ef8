"""The repository as its own tests see it: its files, its modules and what they import."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
APP = ("activities", "orchestrators", "shared", "triggers", "tunedrop_check")
OURS = (*APP, "function_app", "tunedrop", "tests")


@cache
def files() -> tuple[Path, ...]:
    """Every file that git knows or would take; without git, as in a downloaded archive, every file
    outside what dev.py sets up.
    """
    listing = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    try:
        names = subprocess.run(listing, capture_output=True, check=True, text=True).stdout.split(
            "\0"
        )
        found = [ROOT / name for name in names if name]
    except (OSError, subprocess.CalledProcessError):
        found = [
            path
            for path in ROOT.rglob("*")
            if not {".git", ".venv", ".tools", "node_modules"} & set(path.relative_to(ROOT).parts)
        ]
    return tuple(path for path in found if path.is_file())


def modules(*folders: str) -> list[Path]:
    """The Python files of these top-level folders."""
    return sorted(
        path
        for path in files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    )


def name_of(path: Path) -> str:
    """The path as a person would write it, from the root, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, wherever it stands; relative ones keep their leading
    dots.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            joint = "" if source.endswith(".") else "."
            yield from ((node.lineno, f"{source}{joint}{alias.name}") for alias in node.names)
