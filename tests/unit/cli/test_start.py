"""The start of each command: it loads what it needs and no more (benchmarks/start.py measures)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data import a_training_set
from tests.patience import patience

ROOT = Path(__file__).parents[3]
SERVICES = {"azure", "httpx2", "openai", "pydantic_settings", "starlette", "uvicorn"}
ENGINE = {"msgspec", "numpy", "re2", "tiktoken", "toktok"}


def loaded(folder: Path, *arguments: str, program: str = "tunedrop.cli.app") -> set[str]:
    """The packages that a call of the command has loaded, in a folder with nothing in it."""
    asking = (
        "import atexit, importlib, json, sys; atexit.register(lambda: print(json.dumps("
        "sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)); "
        f"sys.exit(importlib.import_module({program!r}).main({list(arguments)!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asking],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
        | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=patience(30),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_no_service_and_no_engine(tmp_path: Path, argument: str) -> None:
    """Whoever looks up an option doesn't wait for the clients of Azure."""
    assert loaded(tmp_path, argument) & (SERVICES | ENGINE | {"pydantic"}) == set()


@pytest.mark.parametrize("program", ["tunedrop.cli.app", "tunedrop_check.command.entry"])
@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_of_check_loads_its_parser_alone(tmp_path: Path, argument: str, program: str) -> None:
    """Under both names."""
    given = ("check", argument) if program == "tunedrop.cli.app" else (argument,)
    assert loaded(tmp_path, *given, program=program) & (SERVICES | ENGINE | {"typer", "rich"}) == (
        set()
    )


def test_check_loads_no_service_and_no_command_line(tmp_path: Path) -> None:
    """Neither Typer, which has no part in it, nor rich, which only a terminal needs."""
    (tmp_path / "my.jsonl").write_bytes(a_training_set("starts", 12))
    found = loaded(tmp_path, "check", "my.jsonl")
    assert found & (SERVICES | {"pydantic", "rich", "toktok", "typer"}) == set()
