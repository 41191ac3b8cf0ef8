"""dev.py: reads on old Pythons, finds what is there, and does nothing twice."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dev
from tests.patience import patience
from tests.unit.house.repository import ROOT, imported
from tunedrop_check import VERSION


def a_tool(folder: Path, name: str, answer: str) -> None:
    """An executable on its own in a folder, which prints one answer."""
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
    file.chmod(0o755)


posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in tools are shell scripts")


def test_bootstrap_parses_on_the_oldest_python_that_it_promises() -> None:
    """Nothing in dev.py is newer than the grammar of Python 3.8."""
    source = (ROOT / "dev.py").read_text(encoding="utf-8")
    assert ast.parse(source, feature_version=(3, 8)).body != []


def test_bootstrap_imports_the_standard_library_only() -> None:
    """dev.py runs before anything is installed."""
    tree = ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"))
    assert {name.split(".")[0] for _, name in imported(tree)} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "arguments", [[], ["dmeo"], ["--all"]], ids=["nothing", "misspelt", "an option"]
)
def test_bootstrap_shows_its_commands_when_the_call_is_wrong(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong call ends with 2 and the list of commands, and sets up nothing."""
    assert dev.main(arguments) == 2
    assert "python3 dev.py test [--all]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dmeo", "demo"),
        ("tets", "test"),
        ("report", None),
        ("chekc", "check"),
        ("loca", "local"),
        ("deplyo", "deploy"),
        ("xyz", ""),
    ],
)
def test_bootstrap_names_the_command_that_was_meant(
    typed: str, meant: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the fingers gets a guess, nonsense none, and what is right no complaint."""
    if meant is None:
        assert typed in dev.COMMANDS
        return
    assert dev.main([typed]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert f"There is no command '{typed}'." in told
    assert ("Did you mean" in told, f"`{meant}`?" in told) == (
        (True, True) if meant else (False, False)
    )


def test_bootstrap_tells_its_version_without_setting_up(capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, as the project's file has it."""
    assert dev.main(["--version"]) == 0
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    assert capsys.readouterr().out == f"TuneDrop {version}\n"


def test_bootstrap_knows_every_command_of_the_app() -> None:
    """A new command of `tunedrop` is one of dev.py too."""
    from tunedrop.cli.commands import app

    assert {command.name for command in app.registered_commands} == set(dev.APP_COMMANDS)


def test_bootstrap_keeps_what_python_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a machine that forbids it, as images of containers do; the folders of the sources
    stay clean.
    """
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    environment = dev.environment()
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert Path(environment["PYTHONPYCACHEPREFIX"]).is_relative_to(dev.VENV)


@posix
def test_bootstrap_puts_the_command_into_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs anywhere, under a path with blanks, and beside a folder of its own name."""
    (tmp_path / "a b").mkdir()
    (tmp_path / "tunedrop").mkdir()
    (tmp_path / "tunedrop" / "__init__.py").write_text("raise SystemExit('not ours')")
    a_tool(tmp_path / "a b", "python", "")
    (tmp_path / "a b" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    monkeypatch.setattr(dev, "BIN", tmp_path / "a b")
    monkeypatch.setattr(dev, "PYTHON", tmp_path / "a b" / "python")
    dev.put_command()
    dev.put_command()
    done = subprocess.run(
        [str(tmp_path / "a b" / "tunedrop"), "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=patience(30),
        check=True,
    )
    assert done.stdout == f"tunedrop {VERSION}\n"


@posix
@pytest.mark.parametrize(
    ("asked", "told"),
    [([], "--durations=10"), (["--durations=3"], "--durations=3")],
    ids=["unasked", "asked"],
)
def test_tests_end_with_the_slowest_of_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    asked: list[str],
    told: str,
) -> None:
    """Ten, unless the person wants to see another number."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(dev, "PYTHON", python)
    assert dev.test(asked) == 0
    assert [word for word in capfd.readouterr().out.split() if word.startswith("--durations=")] == [
        told
    ]


@pytest.fixture
def no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose pip and system name none."""
    for name in (
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "PIP_CERT",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(dev, "BUNDLES", ())
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    dev.certificates.cache_clear()


@pytest.mark.usefixtures("no_certificates")
@pytest.mark.parametrize(
    "place",
    [
        "SSL_CERT_FILE",
        "PIP_CERT",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "pip's settings",
        "the system",
    ],
)
def test_bootstrap_passes_the_machines_certificates_on_to_uv_and_npm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Wherever pip or the system has them: neither uv nor npm looks there by itself, and behind a
    company's proxy both would fail.
    """
    bundle = tmp_path / "company.pem"
    bundle.touch()
    if place == "pip's settings":
        (tmp_path / "pip.conf").write_text(f"[global]\ncert = {bundle}\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    elif place == "the system":
        monkeypatch.setattr(dev, "BUNDLES", (str(tmp_path / "absent.pem"), str(bundle)))
    else:
        monkeypatch.setenv(place, str(bundle))
    given = {**os.environ, **dev.certificates()}
    dev.certificates.cache_clear()
    assert (given["SSL_CERT_FILE"], given["NODE_EXTRA_CA_CERTS"]) == (str(bundle), str(bundle))


@pytest.mark.usefixtures("no_certificates")
def test_bootstrap_leaves_what_the_person_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is there already is not replaced; without any file none is set."""
    assert dev.certificates() == {}
    dev.certificates.cache_clear()
    for name in ("one", "two"):
        (tmp_path / name).touch()
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(tmp_path / "one"))
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "two"))
    assert dev.certificates() == {"SSL_CERT_FILE": str(tmp_path / "two")}
    dev.certificates.cache_clear()


def test_bootstrap_names_both_variables_where_a_registry_is_not_reached() -> None:
    """Whoever sits behind such a proxy reads what to set, also where a Python could not be
    fetched.
    """
    source = (ROOT / "dev.py").read_text(encoding="utf-8")
    assert {
        name
        for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
        if name in dev.REGISTRY_FIX and name in dev.CERTIFICATES_FIX
    } == {
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
    }
    assert source.count("REGISTRY_FIX") + source.count("CERTIFICATES_FIX") > 6


def test_bootstrap_takes_one_package_with_its_hashes_from_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block of the package is taken whole, and nothing else."""
    lock = tmp_path / "some.lock"
    lock.write_text(
        "aa==1 \\\n    --hash=sha256:1\nuv==2.0 \\\n    --hash=sha256:2 \\\n    "
        "--hash=sha256:3\nzz==3 \\\n    --hash=sha256:4\n"
    )
    monkeypatch.setattr(dev, "LOCK", lock)
    monkeypatch.setattr(dev, "TOOLS", tmp_path / "tools")
    assert (
        dev.pinned("uv").read_text() == "uv==2.0 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    )


def test_bootstrap_names_the_fix_when_the_lock_lacks_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged lock file is an error with a way out."""
    (tmp_path / "some.lock").write_text("aa==1 \\\n    --hash=sha256:1\n")
    monkeypatch.setattr(dev, "LOCK", tmp_path / "some.lock")
    with pytest.raises(dev.Trouble, match=r"some\.lock does not name uv") as raised:
        dev.pinned("uv")
    assert "git checkout" in raised.value.fix


def test_bootstrap_knows_the_python_that_runs_it() -> None:
    """A working Python is told with version and path."""
    assert dev.python_at([sys.executable]) == (sys.version_info[:2], sys.executable)


@posix
@pytest.mark.parametrize(
    ("name", "answer"), [("broken", ""), ("chatty", "hello world, I am no Python"), ("old", "2 7")]
)
def test_bootstrap_passes_over_what_is_no_python(tmp_path: Path, name: str, answer: str) -> None:
    """A command of the right name that answers something else is not taken."""
    a_tool(tmp_path, name, answer)
    assert dev.python_at([str(tmp_path / name)]) is None
    assert dev.python_at([str(tmp_path / "absent")]) is None


@posix
def test_bootstrap_prefers_the_python_of_azure_when_a_newer_one_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3.13 is taken though 3.14 is found before it; 3.14 is taken where there is no 3.13; 3.12
    never.
    """
    for name, answer in {"a": "3 12 /a", "b": "3 14 /b", "c": "3 13 /c"}.items():
        a_tool(tmp_path, name, answer)
    for names, wanted in {"abc": "/c", "ab": "/b", "a": None}.items():
        monkeypatch.setattr(
            dev,
            "python_candidates",
            lambda names=names: iter([[str(tmp_path / name)] for name in names]),
        )
        assert dev.find_python() == wanted


@posix
def test_bootstrap_looks_into_pyenv_when_its_shims_are_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that pyenv has, but that is not the chosen one, is still a candidate."""
    (tmp_path / "versions" / "3.13.9").mkdir(parents=True)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert [str(tmp_path / "versions" / "3.13.9" / "bin/python3")] in list(dev.python_candidates())


@posix
@pytest.mark.parametrize(
    ("tools", "version"),
    [
        ({"node": "v22.1.0", "npm": "10"}, 22),
        ({"node": "v22.1.0"}, 0),
        ({"node": "strange", "npm": "10"}, 0),
        ({}, 0),
    ],
    ids=["both", "no npm", "no version", "nothing"],
)
def test_bootstrap_reads_the_version_of_node_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tools: dict[str, str], version: int
) -> None:
    """Node counts when its npm is beside it."""
    for name, answer in tools.items():
        a_tool(tmp_path, name, answer)
    monkeypatch.setattr(dev, "BIN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dev.node_version() == version


def a_machine(monkeypatch: pytest.MonkeyPatch, root: Path) -> list[str]:
    """dev.py on a folder of its own; gives the list that its two steps write their names to."""
    done: list[str] = []
    for name in ("requirements-dev.lock", "requirements-node.lock", "package-lock.json"):
        (root / name).write_text("1")
    (root / ".venv").mkdir()
    places = {
        "ROOT": root,
        "STAMP": root / ".venv" / "stamp.json",
        "LOCK": root / "requirements-dev.lock",
        "PYTHON": root / ".venv" / "python",
    }
    for name, value in {**places, "NODE_LOCK": root / "requirements-node.lock"}.items():
        monkeypatch.setattr(dev, name, value)

    def python() -> None:
        done.append("python")
        (root / ".venv" / "python").touch()

    def node() -> None:
        done.append("node")
        (root / "node_modules").mkdir(exist_ok=True)
        (root / "node_modules" / ".package-lock.json").touch()

    monkeypatch.setattr(dev, "set_up_python", python)
    monkeypatch.setattr(dev, "set_up_node", node)
    return done


def test_set_up_does_nothing_when_all_is_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step runs once, however often a command is called."""
    done = a_machine(monkeypatch, tmp_path)
    for _ in range(3):
        dev.set_up(with_node=True)
    assert done == ["python", "node"]


def test_set_up_leaves_node_alone_when_the_command_does_not_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that needs no storage emulator doesn't wait for one, and the next that does gets
    it.
    """
    done = a_machine(monkeypatch, tmp_path)
    dev.set_up(with_node=False)
    assert done == ["python"]
    dev.set_up(with_node=True)
    assert done == ["python", "node"]


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("requirements-dev.lock", ["python", "node"]),
        ("package-lock.json", ["node"]),
        ("requirements-node.lock", ["node"]),
    ],
)
def test_set_up_runs_a_step_again_when_its_lock_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, again: list[str]
) -> None:
    """After a pull, only what the change touches is installed anew."""
    done = a_machine(monkeypatch, tmp_path)
    dev.set_up(with_node=True)
    done.clear()
    (tmp_path / changed).write_text("2")
    dev.set_up(with_node=True)
    assert done == again


def test_set_up_runs_a_step_again_when_it_was_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that failed leaves no stamp, so the next call does it."""
    done = a_machine(monkeypatch, tmp_path)

    def cut_short() -> None:
        raise dev.Trouble("no network", "look at the cable")

    with monkeypatch.context() as patched:
        patched.setattr(dev, "set_up_python", cut_short)
        with pytest.raises(dev.Trouble):
            dev.set_up(with_node=True)
    dev.set_up(with_node=True)
    assert done == ["python", "node"]
