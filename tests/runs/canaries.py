"""Canaries: words that stand in one place only, and the search for them in all that a TuneDrop says
and keeps.
"""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from azure.storage.blob import BlobServiceClient

from tests.runs.stack import ROOT, Stack

PARTS = ("", "-scan", "-gate", "-train")


def encodings(word: str) -> set[bytes]:
    """The word as it is, backwards, and what every Base64 around it would hold."""
    raw = word.encode()
    shifted = (
        base64.b64encode(b"\0" * shift + raw)[(shift * 8 + 5) // 6 : -4] for shift in range(3)
    )
    return {raw, raw[::-1], raw.hex().encode(), *shifted}


@dataclass(frozen=True)
class Said:
    """Something that TuneDrop said or kept, and where."""

    where: str
    content: bytes


def found(words: dict[str, str], said: list[Said]) -> set[tuple[str, str]]:
    """Which canary was found where."""
    needles = {
        name: re.compile(b"|".join(re.escape(form) for form in encodings(word)))
        for name, word in words.items()
    }
    return {
        (name, one.where)
        for one in said
        for name, needle in needles.items()
        if needle.search(one.content)
    }


def everything(stack: Stack) -> list[Said]:
    """All outputs but the drop itself: logs, blobs with their metadata, HTTP answers, the command
    line, and the engine's histories.
    """
    return [
        *_logs(stack),
        *_blobs(stack),
        *_answers(stack),
        *_command_line(stack),
        *_histories(stack),
    ]


def _logs(stack: Stack) -> Iterator[Said]:
    yield Said("host.log", stack.log.read_bytes())


def _blobs(stack: Stack) -> Iterator[Said]:
    service = BlobServiceClient.from_connection_string(stack.storage)
    for container in ("tunedrop", "reports"):
        client = service.get_container_client(container)
        for blob in client.list_blobs(include=["metadata"]):
            content = client.download_blob(blob.name).readall()
            yield Said(
                f"{container}/{_kind(blob.name)}",
                content + json.dumps(blob.metadata or {}).encode() + blob.name.encode(),
            )


def _kind(blob: str) -> str:
    """What the blob is, without the run's own name."""
    first, _, rest = blob.partition("/")
    return first if first in {"runs", "scans", "claims", "wallet.json"} else rest.rpartition("/")[2]


def _answers(stack: Stack) -> Iterator[Said]:
    for path in (
        "/runs",
        "/health",
        "/openapi.json",
        "/runs/nobody",
        *(f"/runs/{row['id']}" for row in stack.runs()),
    ):
        answer = stack.api.get(path)
        yield Said(
            "GET /runs/{id}" if path.count("/") == 2 else f"GET {path}",
            answer.content + str(dict(answer.headers)).encode(),
        )
    for body in (b'{"run": "nobody"}', b"{", b'{"rum": 1}'):
        yield Said(
            "POST /runs",
            stack.api.post(
                "/runs", content=body, headers={"Content-Type": "application/json"}
            ).content,
        )


def _command_line(stack: Stack) -> Iterator[Said]:
    at = ["--api", f"http://127.0.0.1:{stack.port}/api", "--key", stack.key]
    ids = [row["id"] for row in stack.runs()]
    for arguments in (
        ["runs"],
        ["runs", "--json"],
        *(["runs", run_id] for run_id in ids),
        ["runs", "nobody"],
        ["cancel", ids[0]],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tunedrop", *arguments, *at],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        yield Said(f"tunedrop {arguments[0]}", done.stdout + done.stderr)


def _histories(stack: Stack) -> Iterator[Said]:
    hub = stack.hub()
    try:
        for run_id in (row["id"] for row in stack.runs()):
            for part in PARTS:
                state = hub.get_orchestration_state(run_id + part)
                if state is not None:
                    history: list[Any] = hub.get_orchestration_history(run_id + part)
                    yield Said(f"state{part}", repr(vars(state)).encode())
                    yield Said(f"history{part}", repr(history).encode())
    finally:
        hub.close()
