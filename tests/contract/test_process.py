"""The stand-in as a process of its own: ports, signals, and a state that outlives a kill."""

import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from openai import OpenAI

from tests.contract.standin import lines
from tests.patience import patience
from tunedrop.emulator.world import API_KEY

ROOT = Path(__file__).parents[2]


@contextmanager
def process(*options: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A stand-in that listens, and its address; killed on leaving."""
    command = [sys.executable, "-m", "tunedrop.emulator", *options]
    started = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert started.stdout
        yield started, started.stdout.readline().rpartition(" ")[2].strip()
    finally:
        started.kill()
        started.communicate()


def client_of(base: str) -> OpenAI:
    """OpenAI's client on the v1 surface."""
    return OpenAI(
        base_url=f"{base}/openai/v1/",
        api_key="token",
        default_headers={"api-key": API_KEY},
        max_retries=0,
    )


def test_killed_process_comes_back_with_all_it_had(tmp_path: Path) -> None:
    """After SIGKILL files, jobs, ledger, faults and clock are there, and the job has gone on
    meanwhile.
    """
    options = (
        "--port",
        "0",
        "--state",
        str(tmp_path / "state.sqlite"),
        "--pace",
        "real",
        "--limit",
        "jobs_max=7",
        "--region",
        "Sweden Central",
    )
    with process(*options) as (_, base):
        client = client_of(base)
        file = client.files.create(
            file=("a.jsonl", lines(), "application/jsonl"), purpose="fine-tune"
        )
        httpx2.post(f"{base}/_tunedrop/clock", json={"advance_s": 100})
        made = client.fine_tuning.jobs.create(model="gpt-4.1", training_file=file.id)
        httpx2.post(f"{base}/_tunedrop/clock", json={"advance_s": 2000})
        assert client.fine_tuning.jobs.retrieve(made.id).status == "running"
        httpx2.post(f"{base}/_tunedrop/faults", json={"on": "files.list", "then": {"status": 500}})
        ledger = httpx2.get(f"{base}/_tunedrop/ledger").json()
    with process(
        "--port", "0", "--state", str(tmp_path / "state.sqlite"), "--region", "swedencentral"
    ) as (_, base):
        client = client_of(base)
        assert (
            httpx2.get(f"{base}/_tunedrop/ledger").json()["entries"][: len(ledger["entries"])]
            == ledger["entries"]
        )
        assert httpx2.get(f"{base}/_tunedrop/limits").json()["jobs_max"] == 7
        assert len(httpx2.get(f"{base}/_tunedrop/faults").json()["faults"]) == 1
        assert client.fine_tuning.jobs.retrieve(made.id).status == "running"
        httpx2.post(f"{base}/_tunedrop/clock", json={"advance_s": 2500})
        assert client.fine_tuning.jobs.retrieve(made.id).status == "succeeded"
        assert client.files.content(file.id).read() == lines()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to wait for")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_ends_cleanly_when_it_is_told_to(number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with code 0 and no word on stderr."""
    with process("--port", "0") as (started, _):
        started.send_signal(number)
        _, complaint = started.communicate(timeout=patience(10))
        assert (started.returncode, complaint) == (0, "")


def test_process_says_so_in_one_line_when_the_port_is_taken() -> None:
    """A taken port is one line that names it, and exit code 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "tunedrop.emulator", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert port in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--pace", "warp"],
        ["--limit", "tea=1"],
        ["--switch", "role_reader=king"],
        ["--region", "atlantis"],
        ["--faults", "missing.json"],
    ],
    ids=str,
)
def test_process_says_so_when_an_option_is_wrong(options: list[str]) -> None:
    """A wrong option is one line and exit code 2."""
    done = subprocess.run(
        [sys.executable, "-m", "tunedrop.emulator", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_state_in_use_or_unreadable_is_refused(tmp_path: Path) -> None:
    """A second process on one state, or a state that is none, is one line and exit code 2."""
    (tmp_path / "no.sqlite").write_bytes(b"no database" * 100)
    with process("--port", "0", "--state", str(tmp_path / "state.sqlite")):
        for name in ("state.sqlite", "no.sqlite"):
            command = [
                sys.executable,
                "-m",
                "tunedrop.emulator",
                "--port",
                "0",
                "--state",
                str(tmp_path / name),
            ]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr.count("\n")) == (2, 1)
            assert name in done.stderr


def test_dropped_connection_is_closed_without_a_byte(tmp_path: Path) -> None:
    """On a plain socket the answer to a dropped request is nothing at all; the next connection is
    served.
    """
    plan = tmp_path / "plan.json"
    plan.write_text('[{"on": "files.list", "then": "drop_connection"}]', encoding="utf-8")
    with process("--port", "0", "--faults", str(plan)) as (_, base):
        address = ("127.0.0.1", int(base.rpartition(":")[2]))
        request = (
            f"GET /openai/v1/files HTTP/1.1\r\nhost: localhost:{address[1]}\r\napi-key: "
            f"{API_KEY}\r\nconnection: close\r\n\r\n"
        ).encode()
        assert asked(address, request) == b""
        assert asked(address, request).startswith(b"HTTP/1.1 200 OK")


def asked(address: tuple[str, int], request: bytes) -> bytes:
    """Everything that a plain socket receives until it is closed."""
    with socket.create_connection(address, timeout=patience(10)) as connection:
        connection.sendall(request)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            return received
        return received


def test_stand_in_listens_on_loopback_only() -> None:
    """No other address of the machine is served."""
    with process("--port", "0") as (_, base):
        assert base.startswith("http://127.0.0.1:")
        with socket.socket() as other:
            other.settimeout(patience(2))
            assert other.connect_ex(("127.0.0.2", int(base.rpartition(":")[2]))) != 0
