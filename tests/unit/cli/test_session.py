"""What the other commands know of the running stack."""

import json
import stat
import sys
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from tunedrop.local.ports import Ports
from tunedrop.local.session import Addresses, DataInUse, addresses_of, held, recall, remembered

HERE = Addresses("http://127.0.0.1:1/api", "a key", "storage", "http://127.0.0.1:2")


def test_addresses_of_ports_are_complete() -> None:
    """The API's base URL includes /api; the connection string names its endpoint."""
    found = addresses_of(Ports(1001, 1002, 1003), "k")
    assert (found.api, found.emulator, found.key) == ("http://127.0.0.1:1001/api", "http://127.0.0.1:1003", "k")
    with BlobServiceClient.from_connection_string(found.storage) as service:
        assert (service.url, service.account_name) == ("http://127.0.0.1:1002/devstoreaccount1/", "devstoreaccount1")


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
    """Other commands find them in the data folder until the stack ends, also where a killed one left its own."""
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
    assert str(refused.value) == f"A TuneDrop runs on {data} already. End it first, or name another folder with --data."
    with held(data):
        assert (data / ".gitignore").read_text() == "*\n"
