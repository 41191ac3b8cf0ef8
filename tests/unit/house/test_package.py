"""The package tunedrop: the command line with the app inside it, and nothing beside it."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import dev
from tests import wheels
from tests.patience import patience
from tests.unit.house import repository
from tests.unit.house.repository import ROOT, name_of
from tests.unit.house.test_repository import PUBLISHED, top_level
from tunedrop.local import azurite

GOES_TO_AZURE = top_level() & PUBLISHED - {"requirements.txt"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The two packages as `python3 dev.py wheel` builds them: tunedrop and tunedrop-check."""
    return wheels.built(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def unpacked(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package tunedrop, as it lies in an environment."""
    folder = tmp_path_factory.mktemp("packages")
    with zipfile.ZipFile(built[0]) as wheel:
        wheel.extractall(folder)
    return folder


def metadata(unpacked: Path) -> Message:
    """What the package says of itself."""
    [file] = unpacked.glob("*.dist-info/METADATA")
    return Parser().parsestr(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("number", "package"), [(0, "tunedrop"), (1, "tunedrop_check")])
def test_package_puts_one_folder_beside_those_of_others(
    built: tuple[Path, Path], number: int, package: str
) -> None:
    """No `shared`, `activities` or `tests` that another package could have, too."""
    with zipfile.ZipFile(built[number]) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {package}


def test_app_travels_whole_and_as_it_is(unpacked: Path) -> None:
    """Each file that goes to Azure, byte for byte, and no other."""
    app = unpacked / "tunedrop" / "app"
    ours = {name_of(path): path for path in repository.files()}
    wanted = {name for name in ours if name.split("/")[0] in GOES_TO_AZURE}
    found = {
        path.relative_to(app).as_posix()
        for path in app.rglob("*")
        if path.is_file() and path.relative_to(app).parts[0] in GOES_TO_AZURE
    }
    assert found == wanted
    assert [
        name for name in sorted(wanted) if (app / name).read_bytes() != ours[name].read_bytes()
    ] == []


def test_what_commands_read_travels_along(unpacked: Path) -> None:
    """The demo's sample, the codes that `--explain` knows, and what npm installs Azurite by."""
    app = unpacked / "tunedrop" / "app"
    beside = {path.name for path in app.iterdir()} - GOES_TO_AZURE
    assert beside == {"azurite", "docs", "examples"}
    assert (app / "docs" / "errors.md").read_bytes() == (ROOT / "docs" / "errors.md").read_bytes()
    assert {path.name for path in (app / "examples" / "travel-desk").iterdir()} == {
        path.name for path in (ROOT / "examples" / "travel-desk").iterdir()
    }
    for name in azurite.LOCKED:
        assert (app / "azurite" / name).exists(), name


def test_package_needs_what_app_and_machine_need(unpacked: Path) -> None:
    """The lines of pyproject.toml, the engine's own bounds, and Node as an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    app: list[str] = project["project"]["dependencies"]
    local: list[str] = project["project"]["optional-dependencies"]["local"]
    check = tomllib.loads(
        (ROOT / "tools" / "wheel" / "tunedrop_check" / "pyproject.toml").read_text("utf-8")
    )
    engine: list[str] = check["project"]["dependencies"]
    told = metadata(unpacked)
    needed = {Requirement(line) for line in told.get_all("Requires-Dist", [])}
    node = {
        Requirement(f"{line}; extra == 'node'") for line in project["dependency-groups"]["node"]
    }
    assert needed == {Requirement(line) for line in (*app, *local, *engine)} | node
    assert [str(line) for line in needed if not line.specifier] == []
    assert (told["Name"], told["Version"]) == ("tunedrop", project["project"]["version"])
    assert told["Requires-Python"] == project["project"]["requires-python"]
    assert told["Summary"] == project["project"]["description"]


def test_package_finds_its_own_app_and_the_users_folders(unpacked: Path, tmp_path: Path) -> None:
    """In a folder with a package of the same name, and in an environment that has the engine."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").write_text("raise SystemExit('not ours')")
    asking = (
        "import json, tunedrop, shared.errors, tunedrop_check; from tunedrop import folders; "
        "print(json.dumps([shared.errors.__file__, tunedrop_check.__file__, "
        "*map(str, (folders.APP, folders.data(), folders.cache()))]))"
    )
    left_out = ("XDG_STATE_HOME", "XDG_CACHE_HOME", "PYTHONSAFEPATH")
    given = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        [sys.executable, "-c", asking],
        cwd=tmp_path,
        env={**given, "PYTHONPATH": str(unpacked), "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=patience(30),
        check=True,
    )
    errors, engine, app, data, cache = map(Path, json.loads(done.stdout))
    assert app == unpacked / "tunedrop" / "app"
    assert (errors, engine) == (app / "shared/errors.py", app / "tunedrop_check/__init__.py")
    if sys.platform == "linux":
        home = tmp_path / "home"
        assert (data, cache) == (home / ".local/state/tunedrop", home / ".cache/tunedrop")


def test_certificates_are_looked_for_where_the_bootstrap_looks() -> None:
    """The package passes the same files on to npm."""
    assert azurite.BUNDLES == dev.BUNDLES
    assert dev.NODE_OLDEST == azurite.OLDEST_NODE
