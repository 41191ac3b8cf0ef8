"""The package tunedrop-check: tunedrop_check as it is, on every Python that it promises."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests import wheels
from tests.data import a_training_set
from tests.patience import patience
from tests.unit.house import repository
from tests.unit.house.python311 import too_new
from tests.unit.house.repository import ROOT, name_of
from tunedrop_check import VERSION

BROKEN = b'{"messages": [{"role": "user", "content": "no answer"}]}\n'


def load(path: Path) -> dict[str, Any]:
    """A TOML file's project table."""
    return tomllib.loads(path.read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The two packages as `python3 dev.py wheel` builds them: tunedrop and tunedrop-check."""
    return wheels.built(tmp_path_factory.mktemp("dist"))


def installed(wheel: Path, folder: Path, version: str) -> Path:
    """The `bin` of an environment with nothing but this wheel and what it needs, at the locked
    versions where they fit.
    """
    python = wheels.python_of(version)
    if not python:
        pytest.skip(f"this machine has no Python {version}")
    # The locked numpy has no wheel for 3.11, and a notebook's own is older, too.
    left_out = {"numpy"} if version == "3.11" else set[str]()
    locked = wheels.pins_of("requirements.txt")
    pins = [f"{name}=={number}" for name, number in locked.items() if name not in left_out]
    return wheels.installed(wheel, folder, python, pins)


def proven(wheel: Path, folder: Path, version: str) -> None:
    """The wheel's command and library on a good and on a broken file, far from this repository,
    with none of it on the path.
    """
    inside = installed(wheel, folder, version)
    (folder / "good.jsonl").write_bytes(a_training_set("wheels"))
    (folder / "bad.jsonl").write_bytes(a_training_set("wheels") + BROKEN)
    isolated = {"PATH": str(inside), "PYTHONUTF8": "1"}

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(argument) for argument in arguments]
        return subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            cwd=folder,
            env=isolated,
            timeout=patience(60),
            check=False,
        )

    good = run(inside / "tunedrop-check", "good.jsonl", "--json")
    assert (good.returncode, good.stderr) == (0, "")
    [file] = json.loads(good.stdout)["files"]
    assert (file["examples"], file["errors"], file["cost"]["epochs"], file["cost"]["usd"] > 0) == (
        12,
        0,
        8,
        True,
    )
    bad = run(inside / "tunedrop-check", "bad.jsonl")
    assert (bad.returncode, bad.stderr) == (2, "")
    assert "bad.jsonl:13 /messages" in bad.stdout
    module = run(inside / "python", "-m", "tunedrop_check", "--version")
    assert module.stdout == f"tunedrop-check {VERSION}\n"
    library = run(
        inside / "python",
        "-c",
        "import json, tunedrop_check as t; print(json.dumps(t.check('good.jsonl')))",
    )
    assert library.stdout == good.stdout


@pytest.mark.parametrize(
    "version",
    [
        "3.11",
        pytest.param("3.12", marks=pytest.mark.slow),
        "3.13",
        pytest.param("3.14", marks=pytest.mark.slow),
    ],
)
def test_wheel_runs_by_itself_on_each_python(
    built: tuple[Path, Path], tmp_path: Path, version: str
) -> None:
    """In an empty environment: the command, the module and the library, wherever this machine has
    that Python.
    """
    proven(built[1], tmp_path, version)


def test_wheel_needs_what_the_app_has() -> None:
    """Its dependencies are the app's own lines, but for numpy, of which it takes older ones, and
    the counters, which are those compared.
    """
    app, package = (
        load(ROOT / "pyproject.toml"),
        load(ROOT / "tools" / "wheel" / "tunedrop_check" / "pyproject.toml"),
    )
    others = {
        wanted.name: wanted.specifier
        for wanted in map(Requirement, set(package["dependencies"]) - set(app["dependencies"]))
    }
    assert others.keys() == {"numpy", "tiktoken", "toktok-rs"}
    locked = dict(
        re.findall(
            r"^([a-z0-9-]+)==([^\s;\\]+)",
            (ROOT / "requirements.txt").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    assert [name for name, versions in others.items() if locked[name] not in versions] == []
    assert (app["version"], package["requires-python"]) == (VERSION, ">=3.11")


@pytest.mark.parametrize("path", repository.modules("tunedrop_check"), ids=name_of)
def test_engine_is_read_by_python_3_11_in_every_module(path: Path) -> None:
    """Notebooks run on it."""
    assert too_new(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("type Name = str", id="type statement"),
        pytest.param("def first[T](values: list[T]) -> T: ...", id="type parameter of a function"),
        pytest.param("class Box[T]: ...", id="type parameter of a class"),
        pytest.param('f"{names["a"]}"', id="the same quotes"),
        pytest.param("f'{f'{a}'}'", id="the same quotes of an f-string"),
        pytest.param("f'{\"\\n\".join(a)}'", id="backslash"),
        pytest.param("f'{\na}'", id="line end"),
        pytest.param('f"""{a  # why\n}"""', id="comment"),
    ],
)
def test_newer_syntax_is_noticed(source: str) -> None:
    """Each of these is an error in Python 3.11."""
    assert too_new(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "f'{names[\"a\"]}\\n'",
        'f"""{"a"}"""',
        "f'{a!r:>{width}}' 'b' # '",
        "match a:\n    case 1: ...",
    ],
)
def test_older_syntax_is_not(source: str) -> None:
    """Python 3.11 reads these."""
    assert too_new(source) == []
