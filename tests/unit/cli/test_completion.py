"""`tunedrop completion`: the scripts of the shells, and what they complete."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import patience
from tunedrop.cli.commands import app

ROOT = Path(__file__).parents[3]
SHELLS = ("bash", "zsh", "fish", "powershell")
posix = pytest.mark.skipif(os.name == "nt", reason="the command on the path is a shell script")


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """The variables of a shell that finds `tunedrop` on its path."""
    command = tmp_path / "tunedrop"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tunedrop "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join((str(tmp_path), os.environ.get("PATH", os.defpath)))
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def ran(command: list[str], given: dict[str, str]) -> str:
    """What a program prints; it has to end well, and to complain of nothing."""
    done = subprocess.run(
        command, env=given, capture_output=True, text=True, timeout=patience(60), check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def completed(given: dict[str, str], *words: str) -> list[str]:
    """What bash offers for the last of these words behind `tunedrop`, by the sourced script."""
    line = " ".join(f"'{word}'" for word in ("tunedrop", *words))
    program = (
        f"source <(tunedrop completion bash); COMP_WORDS=({line}); COMP_CWORD={len(words)}; "
        '_tunedrop_completion tunedrop; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return ran(["bash", "--norc", "-c", program], given).split()


@posix
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param(["dr"], ["drop"], id="a command"),
        pytest.param(["drop", "--fo"], ["--follow"], id="an option"),
        pytest.param(["local", "--ports", ""], ["default", "free"], id="a value"),
        pytest.param(["local", "--pace", "d"], ["demo"], id="a pace"),
        pytest.param(["demo", "--region", "n"], ["northcentralus"], id="a region"),
        pytest.param(["drop", "exam"], [], id="a file, which bash completes itself"),
        pytest.param(["check", "--f"], ["--format", "--fix", "--force"], id="an option of check"),
        pytest.param(["check", "--format", "s"], ["sarif"], id="a value of check"),
        pytest.param(["check", "my"], [], id="a file to check"),
        pytest.param(["completion", ""], list(SHELLS), id="a shell"),
    ],
)
def test_bash_completes(given: dict[str, str], words: list[str], offered: list[str]) -> None:
    """Commands, options and values; where nothing is offered, bash takes the files."""
    assert completed(given, *words) == offered


@posix
def test_every_command_is_offered(given: dict[str, str]) -> None:
    """In the order of the help."""
    assert completed(given, "") == [command.name for command in app.registered_commands]


@posix
@pytest.mark.parametrize("shell", SHELLS)
def test_script_of_each_shell_is_read_by_it(
    given: dict[str, str], tmp_path: Path, shell: str
) -> None:
    """It asks the command; where the shell is on this machine, it parses the script."""
    script = tmp_path / "script"
    script.write_text(ran(["tunedrop", "completion", shell], given))
    assert re.search(rf'_TUNEDROP_COMPLETE(=| = ")complete_{shell}\b', script.read_text())
    parse = f"[scriptblock]::Create((Get-Content -Raw {script}))"
    parsers = {
        "bash": ["bash", "-n", str(script)],
        "zsh": ["zsh", "-n", str(script)],
        "fish": ["fish", "--no-execute", str(script)],
        "powershell": ["pwsh", "-NoProfile", "-Command", parse],
    }
    if shutil.which(parsers[shell][0]):
        ran(parsers[shell], given)
