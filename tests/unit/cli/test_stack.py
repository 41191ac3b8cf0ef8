"""How the parts of the local stack are started: by value, and refused before anything runs."""

import itertools
import json
import os
import socket
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from shared.settings import Settings
from tunedrop.cli.app import main
from tunedrop.host import KEY
from tunedrop.host.__main__ import arguments
from tunedrop.local.azurite import NotInstalled
from tunedrop.local.ports import ANY, Ports, PortUnusable, chosen
from tunedrop.local.session import DataInUse, addresses_of, held
from tunedrop.local.stack import (
    Interrupted,
    Wanted,
    emulator_command,
    host_command,
    host_environment,
    running,
    storage_command,
)

PORTS = Ports(1001, 1002, 1003, 1004)
HERE = addresses_of(PORTS, "k", "c3RvcmFnZQ==")


def test_host_gets_the_addresses_of_the_stack_and_no_others() -> None:
    """Storage is Azurite, and both services are the stand-in, on their ports."""
    given = host_environment(HERE)
    assert given["DropStorage"] == given["AzureWebJobsStorage"] == HERE.storage
    assert (
        given["TUNEDROP_OPENAI_ENDPOINT"]
        == given["TUNEDROP_ARM_ENDPOINT"]
        == "http://127.0.0.1:1003"
    )
    assert (given["TUNEDROP_BLOB_SOURCE"], given["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"]) == (
        "LogsAndContainerScan",
        "1",
    )


def test_every_variable_of_the_host_is_a_setting_of_the_app(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No name is misspelt: each is a field of Settings, and its value is accepted."""
    given = host_environment(HERE)
    names = {
        name.removeprefix("TUNEDROP_").lower() for name in given if name.startswith("TUNEDROP_")
    }
    assert names <= set(Settings.model_fields)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.credential, settings.claim_patience_s, settings.drop_patience_s) == (
        "stand-in",
        0,
        0,
    )


def test_app_and_stand_in_have_the_same_room() -> None:
    """What the gate lets pass, the stand-in takes: their limits are equal."""
    app = json.loads(host_environment(HERE)["TUNEDROP_LIMITS"])
    command = emulator_command(Wanted(Path("/data")), PORTS)
    given = dict(
        pair.split("=") for before, pair in itertools.pairwise(command) if before == "--limit"
    )
    assert {f"{name}_max": str(count) for name, count in app.items()}.items() <= given.items()


def test_stand_in_stands_in_the_region_that_was_asked_for() -> None:
    """East US 2 unless told otherwise."""
    commands = [
        emulator_command(wanted, PORTS)
        for wanted in (Wanted(Path("/data")), Wanted(Path("/data"), region="swedencentral"))
    ]
    assert [command[command.index("--region") + 1] for command in commands] == [
        "eastus2",
        "swedencentral",
    ]


@pytest.mark.parametrize("command", ["local", "demo"])
def test_region_that_is_none_is_told_before_anything_starts(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With those that there are, and exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--region", "atlantis", "--data", str(tmp_path / "data")])
    assert ended.value.code == 2
    assert "eastus2, northcentralus, swedencentral" in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "data").exists()


def test_storage_listens_on_loopback_and_keeps_its_data() -> None:
    """Azurite takes today's clients, says nothing to anybody, and writes below the data folder."""
    command = storage_command("azurite-blob", Path("/data"), PORTS)
    assert command[0] == "azurite-blob"
    assert {"--skipApiVersionCheck", "--disableTelemetry", "--silent"} < set(command)
    options = dict(itertools.pairwise(command))
    assert (options["--blobHost"], options["--blobPort"], options["--location"]) == (
        "127.0.0.1",
        "1002",
        str(Path("/data/azurite")),
    )


def test_stand_in_gets_pace_state_and_faults() -> None:
    """Its state outlives a restart; faults are given only where wanted."""
    command = emulator_command(
        Wanted(Path("/data"), pace="fast", faults=Path("/faults.json")), PORTS
    )
    options = dict(itertools.pairwise(command))
    assert (options["--port"], options["--pace"], options["--faults"]) == (
        "1003",
        "fast",
        str(Path("/faults.json")),
    )
    assert options["--state"] == str(Path("/data/stand-in.sqlite"))
    assert options["--switch"] == "client_retries=refused"
    assert "--faults" not in emulator_command(Wanted(Path("/data")), PORTS)


def test_host_understands_its_command_line() -> None:
    """Ports arrive as they were given; no key stands there, where other users of the machine could
    read it.
    """
    given = arguments().parse_args(host_command(PORTS)[3:])
    assert (given.port, given.engine_port, given.key) == (1001, 1004, None)
    assert host_environment(HERE)[KEY] == "k"
    assert (given.create_containers, given.sweep_at_start, given.wait_for_lease) == (
        True,
        True,
        True,
    )


def refused(wanted: Wanted, kind: type[Exception]) -> list[str]:
    """What was started before the stack was refused for this reason."""
    started: list[str] = []
    with pytest.raises(kind), running(wanted, threading.Event(), started.append):
        pass
    return started


def test_nothing_is_started_where_a_port_is_wanted_twice(tmp_path: Path) -> None:
    """The refusal comes first, and leaves no folder behind."""
    ports = replace(ANY, api=5001, storage=5001)
    assert (
        refused(Wanted(tmp_path / "data", ports, azurite=Path(sys.executable)), PortUnusable) == []
    )
    assert not (tmp_path / "data").exists()


def test_second_stack_on_a_folder_says_where_the_first_is(tmp_path: Path) -> None:
    """Also where it wants the same ports, which the first one holds."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken, held(tmp_path):
        ports = replace(ANY, api=taken.getsockname()[1])
        wanted = Wanted(tmp_path, ports, azurite=Path(sys.executable))
        assert refused(wanted, DataInUse) == []


def test_nothing_is_started_where_azurite_is_missing(tmp_path: Path) -> None:
    """The refusal comes first, and leaves no folder behind."""
    assert refused(Wanted(tmp_path / "data", ANY, azurite=tmp_path / "nothing"), NotInstalled) == []
    assert not (tmp_path / "data").exists()


def test_interrupt_while_the_stack_starts_ends_what_has_started(tmp_path: Path) -> None:
    """A part that never answers does not keep Ctrl-C waiting."""
    silent = tmp_path / "silent"
    silent.write_text(f"#!{sys.executable}\nimport threading; threading.Event().wait()\n")
    silent.chmod(0o700)
    stop = threading.Event()
    started: list[str] = []

    def say(part: str) -> None:
        started.append(part)
        if part == "stand-in":
            stop.set()

    with (
        pytest.raises(Interrupted),
        running(Wanted(tmp_path / "data", chosen(ANY), azurite=silent), stop, say),
    ):
        pass
    assert started == ["Azurite", "stand-in"]
    assert os.listdir(tmp_path / "data" / "logs") != []
