"""Azure OpenAI's wire for these tests: a transport that answers from a script and keeps what it was
sent.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import openai

from shared.services.azure_openai import AzureOpenAI

SECRET = "a line of the training data"
OLDER = "2024-10-21"

type Answering = Callable[[httpx2.Request], httpx2.Response]


def job_body(**changes: Any) -> dict[str, Any]:
    """A fine-tuning job as the service tells it."""
    told: dict[str, Any] = {
        "id": "ftjob-1",
        "object": "fine_tuning.job",
        "status": "running",
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-1",
        "created_at": 1_700_000_000,
        "finished_at": None,
        "fine_tuned_model": None,
        "trained_tokens": None,
        "result_files": [],
        "error": None,
    }
    return told | changes


def file_body(**changes: Any) -> dict[str, Any]:
    """A file as the service tells it."""
    told: dict[str, Any] = {
        "id": "file-1",
        "object": "file",
        "filename": "travel.jsonl",
        "status": "processed",
        "bytes": 10,
        "purpose": "fine-tune",
        "created_at": 1_700_000_000,
    }
    return told | changes


def refused(status: int, code: str, message: str = "no", **headers: str) -> Answering:
    """A refusal with an error body; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx2.Response(
        status, json={"error": {"code": code, "message": message}}, headers=named
    )


def told(body: Any, status: int = 200) -> Answering:
    """An answer in JSON."""
    return lambda _request: httpx2.Response(status, json=body)


def raw(
    status: int, content: bytes = b"", content_type: str = "application/json", **headers: str
) -> Answering:
    """An answer of just these bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: httpx2.Response(
        status, content=content, headers={"content-type": content_type, **named}
    )


def fails(error: type[httpx2.TransportError]) -> Answering:
    """No answer: the connection ends in this way."""

    def failing(request: httpx2.Request) -> httpx2.Response:
        raise error(SECRET, request=request)

    return failing


class Wire:
    """The service's end: answers in the order of the script, the last one for ever, and remembers
    the requests.
    """

    def __init__(self, *script: Answering) -> None:
        self.requests: list[httpx2.Request] = []
        self._script = list(script)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answers one request."""
        request.read()
        self.requests.append(request)
        answering = self._script[min(len(self.requests), len(self._script)) - 1]
        return answering(request)

    def sent(self, index: int = 0) -> dict[str, Any]:
        """The JSON of a request."""
        return json.loads(self.requests[index].content)

    def service(self, api_version: str | None = None) -> AzureOpenAI:
        """The adapter on this wire, on v1 or on an api-version."""
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        if api_version is None:
            return AzureOpenAI(
                openai.OpenAI(
                    api_key="key",
                    base_url="https://lab.test/openai/v1/",
                    http_client=http,
                    max_retries=0,
                ),
                None,
            )
        client = openai.AzureOpenAI(
            azure_endpoint="https://lab.test",
            api_key="key",
            api_version=api_version,
            http_client=http,
            max_retries=0,
        )
        return AzureOpenAI(client, api_version)
