"""Azure Resource Manager's wire for these tests: an adapter under azure-core's own transport, with
a script of answers.
"""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from shared.services.resource_manager import ResourceManager

BASE = "https://arm.test"
ACCOUNT_ID = (
    "/subscriptions/s/resourceGroups/lab/providers/Microsoft.CognitiveServices/accounts/lab"
)

type Answering = Callable[[requests.PreparedRequest], requests.Response]


class Identity:
    """Somebody whom this wire believes."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A token for an hour."""
        return AccessToken("token", int(time.time()) + 3600)


def raw(status: int, content: bytes = b"", **headers: str) -> Answering:
    """An answer of just these bytes; an underscore in a header's name stands for a hyphen."""

    def answering(request: requests.PreparedRequest) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url or ""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response.headers.update({"content-type": "application/json", **named})
        response.raw = HTTPResponse(
            io.BytesIO(content), headers=response.headers, status=status, preload_content=False
        )
        response.reason = "as told"
        return response

    return answering


def told(body: Any, status: int = 200) -> Answering:
    """An answer in JSON."""
    return raw(status, json.dumps(body).encode())


def refused(status: int, code: str, message: str = "no", **headers: str) -> Answering:
    """A refusal with an error body."""
    return raw(
        status, json.dumps({"error": {"code": code, "message": message}}).encode(), **headers
    )


def fails(error: Exception) -> Answering:
    """No answer: the connection ends in this way."""

    def failing(_request: requests.PreparedRequest) -> requests.Response:
        raise error

    return failing


def deployment_body(**changes: Any) -> dict[str, Any]:
    """A deployment as the service tells it."""
    model = {"format": "OpenAI", "name": "ft:travel", "version": "1"}
    properties = {"model": model, "provisioningState": "Succeeded"}
    return {
        "id": f"{ACCOUNT_ID}/deployments/d",
        "name": "d",
        "sku": {"name": "Standard", "capacity": 10},
        "properties": properties,
    } | changes


class Wire(BaseAdapter):
    """The service's end: answers in the order of the script, the last one for ever, and remembers
    the requests.
    """

    def __init__(self, *script: Answering) -> None:
        super().__init__()
        self.requests: list[requests.PreparedRequest] = []
        self._script = script

    def send(
        self, request: requests.PreparedRequest, *_arguments: Any, **_options: Any
    ) -> requests.Response:
        """Answers one request."""
        self.requests.append(request)
        return self._script[min(len(self.requests), len(self._script)) - 1](request)

    def close(self) -> None:
        """Nothing is open."""

    def sent(self, index: int = 0) -> dict[str, Any]:
        """The JSON of a request."""
        body = self.requests[index].body
        assert isinstance(body, str | bytes)
        return json.loads(body)

    def manager(self, api_version: str = "2024-10-01") -> ResourceManager:
        """The adapter on this wire."""
        session = requests.Session()
        session.mount("https://", self)
        transport = RequestsTransport(session=session, session_owner=False)
        client = CognitiveServicesManagementClient(
            Identity(),
            "s",
            base_url=BASE,
            api_version=api_version,
            transport=transport,
            credential_scopes=["scope"],
            retry_backoff_factor=0,
        )
        return ResourceManager(client, ACCOUNT_ID, BASE, api_version)
