"""A running stand-in and the official clients on it; its clock stands still until a test
moves it.
"""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx2
import uvicorn
from azure.core.credentials import AccessToken
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.cognitiveservices.models import Deployment
from openai import AzureOpenAI, OpenAI
from openai.types import FileObject
from openai.types.fine_tuning import FineTuningJob

from tests.azurite import free_port
from tests.contract.descriptions import Judge
from tests.patience import patience
from tunedrop.emulator.app import create_app
from tunedrop.emulator.pace import REAL
from tunedrop.emulator.world import ACCOUNT, API_KEY, RESOURCE_GROUP, SUBSCRIPTION, Config

BASE_MODEL = "gpt-4.1-mini-2025-04-14"
START = 1_800_000_000.0
# Where the lab's model is, and where jobs that name no training type, which are Standard, are
# taken.
EVERYTHING = "northcentralus"
HOURS = 3600.0


class Token:
    """A credential that any service would have to look up; the stand-in takes any bearer token."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A token for an hour."""
        return AccessToken("token", int(time.time()) + 3600)


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.listening.set()


class StandIn:
    """A stand-in on a free port, with everything that a test asks of it."""

    def __init__(self, judge: Judge, config: Config) -> None:
        # Plain HTTP needs no certificates, and reading them takes longer than most tests.
        self._judged = httpx2.Client(event_hooks={"response": [judge.hook]}, verify=False)
        self.plain = httpx2.Client(verify=False)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._server = _Server(
            uvicorn.Config(
                create_app(config), host="127.0.0.1", port=self.port, log_level="warning"
            )
        )
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._server.listening.wait(patience(20))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(patience(20))

    def v1(self, key: str = API_KEY) -> OpenAI:
        """OpenAI's client on the v1 surface, without retries."""
        return OpenAI(
            base_url=f"{self.base}/openai/v1/",
            api_key=key,
            default_headers={"api-key": key},
            max_retries=0,
            http_client=self._judged,
        )

    def azure(self, version: str = "2024-10-21", **options: Any) -> AzureOpenAI:
        """OpenAI's Azure client on the api-version surface, without retries."""
        auth = options or {"api_key": API_KEY}
        return AzureOpenAI(
            azure_endpoint=self.base,
            api_version=version,
            max_retries=0,
            http_client=self._judged,
            **auth,
        )

    def arm(self, version: str = "2024-10-01") -> CognitiveServicesManagementClient:
        """Microsoft's management client, without retries; calls need `enforce_https=False`."""
        return CognitiveServicesManagementClient(
            Token(), SUBSCRIPTION, base_url=self.base, api_version=version, retry_total=0
        )

    def control(self, method: str, path: str, body: object = None) -> Any:
        """A call of the control surface; an error fails the test."""
        answer = self.plain.request(method, f"{self.base}/_tunedrop/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, seconds: float = 24 * HOURS) -> None:
        """Let time pass; a day ends everything that is under way."""
        self.control("POST", "clock", {"advance_s": seconds})

    def fault(self, on: str, then: object, when: str = "before", times: int | None = 1) -> None:
        """Plan a fault."""
        self.control("POST", "faults", {"on": on, "when": when, "then": then, "times": times})

    def entries(self, operation: str) -> list[dict[str, Any]]:
        """What the ledger holds of an operation, oldest first."""
        return [
            entry
            for entry in self.control("GET", "ledger")["entries"]
            if entry["operation"] == operation
        ]


@contextmanager
def running(judge: Judge, **config: Any) -> Generator[StandIn]:
    """A stand-in with a clock of its own and a real service's pace, unless told otherwise."""
    defaults: dict[str, Any] = {
        "pace": REAL,
        "seed": 7,
        "time_source": lambda: START,
        "region": EVERYTHING,
    }
    with StandIn(judge, Config(**(defaults | config))) as stand_in:
        yield stand_in


def lines(count: int = 12, subject: str = "city") -> bytes:
    """A training file of so many chat examples, each question with its own answer."""
    examples = [
        {
            "messages": [
                {"role": "system", "content": "You know the ledger of cities."},
                {
                    "role": "user",
                    "content": f"What is written about {subject} {_WORDS[number % 26]}{number}?",
                },
                {
                    "role": "assistant",
                    "content": (
                        f"{subject.title()} {_WORDS[number % 26]}{number} has {3 * number + 7} "
                        "bridges."
                    ),
                },
            ]
        }
        for number in range(count)
    ]
    return "\n".join(json.dumps(example) for example in examples).encode()


_WORDS = [
    "amber",
    "birch",
    "coral",
    "dune",
    "elm",
    "fjord",
    "grove",
    "heath",
    "iris",
    "jade",
    "kelp",
    "lime",
    "moss",
    "nettle",
    "opal",
    "pine",
    "quartz",
    "reed",
    "sage",
    "thyme",
    "umber",
    "vale",
    "willow",
    "xenia",
    "yew",
    "zinc",
]


def upload(
    client: OpenAI, data: bytes | None = None, name: str = "training_set.jsonl"
) -> FileObject:
    """A file of the resource."""
    return client.files.create(
        file=(name, data or lines(), "application/jsonl"), purpose="fine-tune"
    )


def processed(stand_in: StandIn, client: OpenAI, data: bytes | None = None) -> str:
    """The id of a file that is ready for training."""
    file = upload(client, data)
    stand_in.advance(100)
    return file.id


def job(
    stand_in: StandIn, client: OpenAI, data: bytes | None = None, **options: Any
) -> FineTuningJob:
    """A job that was just created."""
    asked: dict[str, Any] = {
        "model": BASE_MODEL,
        "training_file": processed(stand_in, client, data),
    }
    return client.fine_tuning.jobs.create(**(asked | options))


def tuned_model(stand_in: StandIn, client: OpenAI, **options: Any) -> str:
    """The name of a model that a job made."""
    made = job(stand_in, client, **options)
    stand_in.advance()
    name = client.fine_tuning.jobs.retrieve(made.id).fine_tuned_model
    assert name
    return name


def body(
    model: str, sku: str = "Standard", capacity: int = 1, version: str = "1", **more: Any
) -> Any:
    """The body of a deployment's PUT."""
    return {
        "sku": {"name": sku, "capacity": capacity},
        "properties": {"model": {"format": "OpenAI", "name": model, "version": version}},
        **more,
    }


def put(stand_in: StandIn, name: str, asked: Any, version: str = "2024-10-01") -> Deployment:
    """PUT a deployment; what the first answer says."""
    deployments = stand_in.arm(version).deployments
    return deployments.begin_create_or_update(
        RESOURCE_GROUP, ACCOUNT, name, asked, polling=False, enforce_https=False
    ).result()


def state_of(stand_in: StandIn, name: str) -> str:
    """The provisioning state of a deployment."""
    found = stand_in.arm().deployments.get(RESOURCE_GROUP, ACCOUNT, name, enforce_https=False)
    assert found.properties
    return str(found.properties.provisioning_state)


def deployed(stand_in: StandIn, client: OpenAI, name: str = "ours") -> str:
    """A deployment of a tuned model that answers; the model's name."""
    model = tuned_model(stand_in, client)
    put(stand_in, name, body(model))
    stand_in.advance()
    return model


def delete(stand_in: StandIn, name: str) -> None:
    """DELETE a deployment."""
    stand_in.arm().deployments.begin_delete(
        RESOURCE_GROUP, ACCOUNT, name, polling=False, enforce_https=False
    ).result()
