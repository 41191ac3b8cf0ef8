"""What is wrong in a setting is told without its value."""

import os
import subprocess
import sys
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from shared.errors import PlanRejected
from shared.settings import Settings, StorageConnection, _read  # pyright: ignore[reportPrivateUsage]  # the cached front reads once only
from tests.patience import patience

ROOT = Path(__file__).parents[3]
CANARY = "Canary5e3f"
TEXTS: tuple[Any, ...] = (str, str | None, SecretStr | None)
ANY_TEXT = {name for name, field in Settings.model_fields.items() if field.annotation in TEXTS}
CONNECTIONS = {
    "half a connection string": f"DefaultEndpointsProtocol=https;AccountKey={CANARY}",
    "no connection string": CANARY,
    "key that is not Base64": f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey={CANARY}!;BlobEndpoint=http://127.0.0.1:9/a;",
    "signature on a closed port": f"BlobEndpoint=http://127.0.0.1:9/a;SharedAccessSignature=sv=2024-01-01&sig={CANARY}",
}
APP = ["-c", "from shared.runs.ledger import open_ledger; open_ledger().read('x')"]
HOST = ["-m", "tunedrop.host", "--app", ".", "--port", "0"]


@pytest.mark.parametrize("name", ["openai_endpoint", "arm_endpoint"])
def test_endpoint_without_tls_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A token is sent there; only this machine may be reached in the clear."""
    monkeypatch.setenv(f"TUNEDROP_{name.upper()}", "http://contoso.openai.azure.com")
    with pytest.raises(PlanRejected, match="https"):
        _read(Settings)


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - ANY_TEXT))
@pytest.mark.parametrize(
    "value",
    [CANARY, f'{{"{CANARY}": 1}}', f'{{"a": "{CANARY}'],
    ids=["text", "object", "broken JSON"],
)
def test_wrong_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Neither in the message nor in the chain of exceptions that a log would print."""
    monkeypatch.setenv(f"TUNEDROP_{name.upper()}", value)
    with pytest.raises(PlanRejected) as refused:
        _read(Settings)
    assert name in refused.value.problem.message.lower()
    assert CANARY not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("kind", [Settings, StorageConnection])
def test_settings_are_shown_without_their_secrets(
    monkeypatch: pytest.MonkeyPatch, kind: type[BaseSettings]
) -> None:
    """As text, as a dump, and as JSON."""
    monkeypatch.setenv("TUNEDROP_OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("DropStorage", CANARY)
    chosen = kind()
    assert CANARY not in f"{chosen!r} {chosen} {chosen.model_dump()} {chosen.model_dump_json()}"


@pytest.mark.parametrize(
    ("command", "connection"),
    [
        *(
            pytest.param(HOST, connection, id=f"{name}, by the host")
            for name, connection in CONNECTIONS.items()
        ),
        # The app's client is patient with a closed port, so that one is left to the host.
        *(
            pytest.param(APP, connection, id=f"{name}, by the app")
            for name, connection in CONNECTIONS.items()
            if "closed" not in name
        ),
    ],
)
def test_unusable_storage_connection_is_not_quoted(command: list[str], connection: str) -> None:
    """All that a process says before it gives up."""
    environment = {**os.environ, "DropStorage": connection}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=patience(100),
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr
    assert CANARY.encode() not in done.stdout + done.stderr


# Variables of other programs.
LEFT = (
    "OPENAI_API_KEY",
    "OPENAI_ADMIN_KEY",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_CLIENT_SECRET",
)


class Listener(BaseHTTPRequestHandler):
    """A service that notes the headers which it is sent, and has no files."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answers an empty list."""
        self.seen.append(str(self.headers))
        body = b'{"object": "list", "data": [], "has_more": false}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.mark.parametrize("surface", ["v1", "api-version"])
@pytest.mark.parametrize(
    ("key", "sent"), [("mine", "mine"), (None, "Bearer stand-in")], ids=["by key", "by identity"]
)
def test_keys_left_in_the_environment_are_not_used(
    surface: str, key: str | None, sent: str
) -> None:
    """Only the key or the identity of the settings goes to the service, on both surfaces."""
    Listener.seen.clear()
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        left = dict.fromkeys(
            (
                "OPENAI_API_KEY",
                "OPENAI_ADMIN_KEY",
                "AZURE_OPENAI_API_KEY",
                "AZURE_OPENAI_AD_TOKEN",
                "AZURE_CLIENT_SECRET",
            ),
            CANARY,
        )
        address = f"http://127.0.0.1:{server.server_port}"
        chosen = {
            "OPENAI_ENDPOINT": address,
            "ARM_ENDPOINT": address,
            "CREDENTIAL": "stand-in",
            "OPENAI_SURFACE": surface,
        }
        given = {
            f"TUNEDROP_{name}": value
            for name, value in {**chosen, **({"OPENAI_API_KEY": key} if key else {})}.items()
        }
        asking = (
            "from tests.builders import a_plan; from shared.runs.clients import for_training; "
            "print(for_training(a_plan()).count_files())"
        )
        done = subprocess.run(
            [sys.executable, "-c", asking],
            cwd=ROOT,
            env={**os.environ, **left, **given},
            capture_output=True,
            check=False,
        )
        server.shutdown()
    assert (done.returncode, done.stdout.strip()) == (0, b"0"), done.stderr
    assert len(Listener.seen) == 1
    assert f"{sent}\n" in Listener.seen[0]
    assert CANARY not in Listener.seen[0]
    assert CANARY not in "".join(Listener.seen)
