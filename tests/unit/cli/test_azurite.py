"""Azurite: found in a checkout, fetched once by the package, and never half."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tunedrop import folders
from tunedrop.local import azurite
from tunedrop.local.azurite import NotInstalled, program

posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in tools are shell scripts")


def a_tool(folder: Path, name: str, script: str) -> None:
    """An executable of its own in a folder."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package on a machine whose npm makes what it is asked for, and notes each call."""
    lock = tmp_path / "lock"
    (lock / "tools" / "unused").mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "tools/unused/index.js"):
        (lock / name).write_text("{}")
    tools = tmp_path / "tools"
    tools.mkdir()
    a_tool(tools, "node", "echo v22.1.0")
    a_tool(
        tools,
        "npm",
        f'echo "$@" >> {tmp_path}/calls; test -f tools/unused/index.js || exit 1; '
        "mkdir -p node_modules/.bin; echo > node_modules/.bin/azurite-blob; "
        "chmod +x node_modules/.bin/azurite-blob",
    )
    monkeypatch.setattr(folders, "INSTALLED", True)
    monkeypatch.setattr(folders, "NODE_PACKAGES", lock)
    monkeypatch.setattr(folders, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr("sysconfig.get_path", {"scripts": str(tools)}.__getitem__)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tools), "/usr/bin", "/bin")))
    return tmp_path


def calls(package: Path) -> list[str]:
    """The arguments of each call of npm."""
    file = package / "calls"
    return file.read_text().splitlines() if file.exists() else []


@posix
def test_package_fetches_azurite_once_by_its_lock(package: Path) -> None:
    """No package runs a script of its own, and the second start asks nobody."""
    said: list[str] = []
    found = [Path(program(None, said.append)) for _ in range(3)]
    assert len(set(found)) == 1
    assert found[0].is_relative_to(package / "cache")
    [call] = calls(package)
    assert call.startswith("ci --omit=dev --ignore-scripts ")
    assert len(said) == 1


@posix
def test_package_fetches_anew_when_its_lock_has_changed(package: Path) -> None:
    """What an earlier release fetched is not taken for it."""
    first = program(None, print)
    (package / "lock" / "package-lock.json").write_text('{"other": 1}')
    assert program(None, print) != first
    assert len(calls(package)) == 2


@posix
def test_two_commands_that_fetch_at_once_find_the_same(package: Path) -> None:
    """Whichever is faster, what is there is whole, and no draft stays."""
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(program, [None] * 4, [print] * 4))
    assert len(found) == 1
    assert [path.name for path in (package / "cache").iterdir()] == [Path(*found).parts[-4]]


@posix
def test_failed_fetch_leaves_nothing_and_tells_what_npm_says(package: Path) -> None:
    """The last lines of it, and what to do; the next start tries again."""
    a_tool(package / "tools", "npm", "mkdir node_modules; echo 'error ECONNREFUSED' >&2; exit 1")
    with pytest.raises(NotInstalled, match=r"(?s)NODE_EXTRA_CA_CERTS.*error ECONNREFUSED"):
        program(None, print)
    assert list((package / "cache").iterdir()) == []


@posix
@pytest.mark.parametrize("told", ["v18.20.0", "strange", ""])
def test_old_node_is_refused_with_the_extra_that_brings_one(package: Path, told: str) -> None:
    """Before anything is fetched."""
    a_tool(package / "tools", "node", f"echo '{told}'")
    with pytest.raises(NotInstalled, match=r"Node 20 or newer.*tunedrop\[node\]"):
        program(None, print)
    assert calls(package) == []


@posix
def test_cache_that_can_not_be_written_is_named(package: Path) -> None:
    """With the way out."""
    (package / "cache").write_text("a file")
    with pytest.raises(NotInstalled, match=r"cache/azurite-.* can't be written: .*--azurite"):
        program(None, print)


def test_checkout_without_azurite_names_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fetches nothing by itself."""
    monkeypatch.setattr(folders, "NODE_PACKAGES", tmp_path)
    with pytest.raises(NotInstalled, match=r"`python3 dev\.py setup` installs it"):
        program(None, print)


def test_named_program_is_taken_and_a_wrong_one_refused(tmp_path: Path) -> None:
    """Whatever is in node_modules."""
    assert program(Path(sys.executable), print) == str(Path(sys.executable).absolute())
    with pytest.raises(NotInstalled, match="names no program"):
        program(tmp_path / "nothing", print)


def test_node_of_this_python_comes_before_that_of_the_path() -> None:
    """The extra `node` brings the version that was tried."""
    scripts = azurite.environment({"PATH": "/other"})["PATH"].split(os.pathsep)
    assert scripts[-1] == "/other"
    assert Path(sys.executable).parent == Path(scripts[0])
