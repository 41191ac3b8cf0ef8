"""What the other commands know of the running stack."""

import base64
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from tests.azurite import KEY as PUBLISHED
from tunedrop.local.ports import Ports
from tunedrop.local.session import (
    Addresses,
    DataInUse,
    DataUnusable,
    addresses_of,
    held,
    made,
    new_storage_key,
    private_files,
    recall,
    remembered,
)

ROOT = Path(__file__).parents[3]
HERE = Addresses("http://127.0.0.1:1/api", "a key", "storage", "http://127.0.0.1:2")


def test_addresses_of_ports_are_complete() -> None:
    """The API's base URL includes /api; the connection string names its endpoint."""
    storage_key = new_storage_key()
    found = addresses_of(Ports(1001, 1002, 1003), "k", storage_key)
    assert (found.api, found.emulator, found.key) == (
        "http://127.0.0.1:1001/api",
        "http://127.0.0.1:1003",
        "k",
    )
    with BlobServiceClient.from_connection_string(found.storage) as service:
        assert (service.url, service.account_name) == (
            "http://127.0.0.1:1002/devstoreaccount1/",
            "devstoreaccount1",
        )
        assert service.credential.account_key == storage_key


def test_storage_key_is_a_new_one_each_time_and_never_the_published_one() -> None:
    """Any page on the web knows Azurite's published key: by DNS rebinding it could read and write
    every drop.
    """
    keys = {new_storage_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(base64.b64decode(key)) for key in keys} == {64}
    assert PUBLISHED not in keys


def test_json_line_has_the_four_names_that_scripts_read() -> None:
    """One line, four names."""
    assert json.loads(HERE.to_json()) == {
        "api": "http://127.0.0.1:1/api",
        "key": "a key",
        "storage": "storage",
        "emulator": "http://127.0.0.1:2",
    }
    assert "\n" not in HERE.to_json()


def test_addresses_are_remembered_while_the_stack_runs_and_no_longer(tmp_path: Path) -> None:
    """Other commands find them in the data folder until the stack ends, also where a killed one
    left its own.
    """
    (tmp_path / "local.json").write_text("left by a killed stack")
    with remembered(tmp_path, HERE):
        assert recall(tmp_path) == HERE
    assert (recall(tmp_path), (tmp_path / "local.json").exists()) == (None, False)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_file_with_the_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Mode 600, whatever mode a file of that name had before."""
    (tmp_path / "local.json").touch(0o644)
    with remembered(tmp_path, HERE):
        assert stat.S_IMODE((tmp_path / "local.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="an array"),
        pytest.param('{"api": "x"}', id="half of it"),
        pytest.param("null", id="null"),
    ],
)
def test_unreadable_file_is_no_stack(tmp_path: Path, content: str) -> None:
    """What can't be read is as if nothing ran."""
    (tmp_path / "local.json").write_text(content)
    assert recall(tmp_path) is None


def test_second_stack_on_the_same_data_is_refused(tmp_path: Path) -> None:
    """Two Azurites must not write into one folder; once the first has gone, the folder is free."""
    data = tmp_path / "data"
    with held(data), pytest.raises(DataInUse) as refused, held(data):
        pass
    told = "Use it, end it (Ctrl-C in its terminal), or name another folder with --data."
    assert str(refused.value) == f"A TuneDrop is already running on {data}. {told}"
    with held(data):
        assert (data / ".gitignore").read_text() == "*\n"


def test_second_stack_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    """Its addresses, and no key."""
    first = addresses_of(Ports(1001, 1002, 1003), "function-key", "c3RvcmFnZS1rZXk=")
    with (
        held(tmp_path),
        remembered(tmp_path, first),
        pytest.raises(DataInUse) as refused,
        held(tmp_path),
    ):
        pass
    told = str(refused.value)
    where = (
        "http://127.0.0.1:1001/api, storage http://127.0.0.1:1002/devstoreaccount1, stand-in "
        "http://127.0.0.1:1003."
    )
    assert where in told
    assert [secret for secret in ("function-key", "c3RvcmFnZS1rZXk=") if secret in told] == []


def mode(path: Path) -> int:
    """The mode of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_data_is_its_users_alone(tmp_path: Path) -> None:
    """The folder, what the stack writes there, and what its children write; before, other users
    could read drops and reports.
    """
    data = tmp_path / "new" / "data"
    with private_files(), held(data):
        subprocess.run([sys.executable, "-c", "open('child', 'w')"], cwd=data, check=True)
        (data / "logs").mkdir()
    assert (mode(data), mode(data.parent)) == (0o700, 0o700)
    assert {path.name: mode(path) for path in data.iterdir()} == {
        "in-use.sqlite": 0o600,
        ".gitignore": 0o600,
        "child": 0o600,
        "logs": 0o700,
    }


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_folder_of_the_demos_is_its_users_alone_too(tmp_path: Path) -> None:
    """It is made before any stack is: itself, the data folder above it, and what lies in it."""
    made(tmp_path / "data" / "demo")
    assert [mode(path) for path in (tmp_path / "data", tmp_path / "data" / "demo")] == [
        0o700,
        0o700,
    ]
    assert mode(tmp_path / "data" / "demo" / ".gitignore") == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_folder_of_an_older_stack_is_closed_and_a_foreign_one_is_not(tmp_path: Path) -> None:
    """A folder that was there before may be /tmp."""
    older, foreign = tmp_path / "older", tmp_path / "foreign"
    for folder in (older, foreign):
        folder.mkdir(mode=0o755)
    (older / "in-use.sqlite").touch()
    made(older)
    made(foreign)
    assert (mode(older), mode(foreign)) == (0o700, 0o755)


def test_files_of_the_program_itself_have_their_usual_modes_again(tmp_path: Path) -> None:
    """What is private ends with the stack."""
    before = os.umask(0o022)
    try:
        with private_files():
            pass
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_folder_that_cant_be_made_is_named(tmp_path: Path) -> None:
    """One sentence, with the option."""
    (tmp_path / "file").touch()
    with pytest.raises(DataUnusable, match="--data"):
        made(tmp_path / "file" / "data")


def test_data_belongs_to_the_project_whatever_the_current_folder(tmp_path: Path) -> None:
    """A command in another terminal, in another folder, finds the stack."""
    program = "from tunedrop.cli.options import DATA; print(DATA)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == ROOT / ".tunedrop"
