"""The real app: its functions by name, and its adapters on the simulated storage and wire."""

import json
import logging
import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import Any, cast

import httpx2
import msgspec
import openai
import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.durable_functions.worker import DurableFunctionsWorker
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from shared.models.pace import Pace
from shared.models.plan import Pinned
from shared.models.record import RunRecord, RunSummary
from shared.runs import checkpoints, indexing, pinning, planning, scans
from shared.services import azure_openai, resource_manager, storage
from shared.services.azure_openai import AzureOpenAI
from shared.services.credentials import StandInCredential
from shared.services.resource_manager import ResourceManager
from shared.settings import Settings, settings
from tests.faults.simulator.blobs import Account
from tests.faults.simulator.provider import BASE
from tests.faults.simulator.wire import ArmAdapter, OpenAITransport, Wire
from tests.registered import registered_functions
from triggers import starting
from tunedrop.emulator.arm.routes import ACCOUNT_ID
from tunedrop_check.reading import file_spans
from tunedrop_check.scan import scanning

PLENTY = {"files": 10_000, "jobs": 10_000, "fine_tuned_deployments": 1000, "deployments": 1000}
# Azure's, with fewer polls.
PACE = {"poll_first_s": 60, "poll_most_s": 1800, "poll_growth": 1, "brief_s": 60}
# A call may take so long that, at any other pace, its intent is taken for a dead one's.
LEISURELY = PACE | {"call_s": 300, "deployment_deadline_s": 7200}
# The shortest times that are still longer than anything takes here.
HASTY = PACE | {"poll_first_s": 45, "call_s": 20, "upload_s": 120, "list_lag_s": 147}
SETTINGS = {
    "TUNEDROP_PACE": json.dumps(PACE),
    "TUNEDROP_OPENAI_ENDPOINT": BASE,
    "TUNEDROP_ARM_ENDPOINT": BASE,
    "TUNEDROP_CREDENTIAL": "stand-in",
    "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
    "TUNEDROP_ACCOUNT": ACCOUNT_ID,
    "TUNEDROP_LIMITS": json.dumps(PLENTY),
    "SIMULATED_SPAN_BYTES": "100000",
}
SPAN_BYTES = "SIMULATED_SPAN_BYTES"
BLOCK_BYTES = 100
OPTIONS = scans.options
CONTAINERS = ("training", "reports", "ledger")
# The engine copies this size where it is imported, which must not happen first in a simulation.
ITS_BLOCK_BYTES = scanning.BLOCK_BYTES


class Words(logging.Handler):
    """Keeps every line that the app logs."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the line and its fields."""
        self.lines.append(f"{record.getMessage()} {record.__dict__.get('run', '')}")


# The pace of the app whose code acts; None: that of the environment.
own_pace: ContextVar[Pace | None] = ContextVar("own_pace", default=None)


def settings_here() -> Settings:
    """The settings of the app whose code acts: a run keeps the pace of whoever starts it."""
    pace = own_pace.get()
    return settings() if pace is None else settings().model_copy(update={"pace": pace})


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """Every function of the app by name: the code that the decorators were put on."""
    return {
        str(f.get_function_name()): _written(f.get_user_function()) for f in registered_functions()
    }


def _written(function: Any) -> Callable[..., Any]:
    return getattr(function, "orchestrator_function", None) or getattr(
        function, "__wrapped__", function
    )


@cache
def worker() -> DurableFunctionsWorker:
    """What executes orchestrators on Azure."""
    return DurableFunctionsWorker()


@contextmanager
def installed(account: Account, wire: Wire, words: Words, more: dict[str, str]) -> Generator[None]:
    """For this long the app's adapters stand on this storage and this wire, and its settings are
    the simulation's.
    """
    OpenAITransport.wire = ArmAdapter.wire = wire
    arm_on_the_wire.cache_clear()
    with ExitStack() as stack:
        stack.enter_context(_environment(SETTINGS | more))
        for name in CONTAINERS:
            stack.enter_context(
                swapped(
                    storage,
                    name,
                    lambda name=name: account.container(getattr(settings(), f"{name}_container")),
                )
            )
        stack.enter_context(swapped(storage, "named", account.container))
        # What one process knows of its containers would reach from one simulation into the next.
        stack.enter_context(swapped(indexing, "_COMPLETE", set[tuple[str, str]]()))
        stack.enter_context(swapped(planning, "pins", _pins))
        stack.enter_context(swapped(file_spans, "BLOCK_BYTES", BLOCK_BYTES))
        stack.enter_context(swapped(scans, "options", _options))
        # A thread of its own would take no part in the order of things.
        stack.enter_context(swapped(scans, "_ahead", iter))
        stack.enter_context(swapped(scans, "IN_FLIGHT", nullcontext()))  # it would hold the stage
        stack.enter_context(swapped(azure_openai, "connect", openai_on_the_wire))
        stack.enter_context(swapped(resource_manager, "connect", arm_on_the_wire))
        stack.enter_context(swapped(starting, "settings", settings_here))
        stack.enter_context(_heard(words))
        for model in (RunRecord, RunSummary):
            stack.enter_context(_remembered(model))
        checkpoints.observe(account.stage.checkpoint)
        stack.callback(checkpoints.observe, None)
        yield


def _pins(wanted: Settings, versions: Any, training: Any, deployment: Any) -> Pinned:
    """What a plan pins, with spans as small as the files here."""
    return pinning.pins(wanted, versions, training, deployment).model_copy(
        update={"span_bytes": span_bytes()}
    )


def _options(plan: Any, role: Any) -> Any:
    return msgspec.structs.replace(OPTIONS(plan, role), block_bytes=BLOCK_BYTES)


def span_bytes() -> int:
    """How large a span is by the settings of now."""
    return int(os.environ[SPAN_BYTES])


@contextmanager
def swapped(owner: Any, name: str, other: Any) -> Generator[None]:
    """For this long `owner.name`, or `owner[name]` of a dictionary, is another."""
    table = cast("dict[str, Any]", owner) if isinstance(owner, dict) else None
    former = table[name] if table else vars(cast("object", owner))[name]

    def put(value: Any) -> None:
        table.__setitem__(name, value) if table else setattr(cast("object", owner), name, value)

    put(other)
    try:
        yield
    finally:
        put(former)


@contextmanager
def _remembered(model: Any) -> Generator[None]:
    """For this long the same JSON gives the same frozen record, without being read again: an eighth
    of a simulation's time.
    """
    read, known = model.model_validate_json, dict[bytes | str, Any]()

    def remembering(content: bytes | str) -> Any:
        if content not in known:
            known[content] = read(content)
        return known[content]

    model.model_validate_json = staticmethod(remembering)
    try:
        yield
    finally:
        del model.model_validate_json


@contextmanager
def _environment(wanted: dict[str, str]) -> Generator[None]:
    former = dict(os.environ)
    os.environ.update(wanted)
    settings.cache_clear()
    try:
        yield
    finally:
        for name in [name for name in os.environ if name not in former]:
            del os.environ[name]
        os.environ.update(former)
        settings.cache_clear()


@contextmanager
def _heard(words: Words) -> Generator[None]:
    root = logging.getLogger()
    former, level = root.handlers[:], root.level
    quiet = {
        name: logging.getLogger(name).level
        for name in ("azure", "durabletask", "openai", "httpx", "httpx2")
    }
    root.handlers, root.level = [words], logging.INFO
    for name in quiet:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        root.handlers, root.level = former, level
        for name, before in quiet.items():
            logging.getLogger(name).setLevel(before)


def http_on_the_wire() -> httpx2.Client:
    """A client over the wire of whichever simulation runs."""
    return httpx2.Client(transport=OpenAITransport(), follow_redirects=False)


@cache
def openai_on_the_wire(endpoint: str, api_version: str | None = None) -> AzureOpenAI:
    """The adapter as `connect` makes it, but for the transport."""
    assert endpoint == BASE
    http = http_on_the_wire()
    limit = azure_openai.READ_TIMEOUT_S
    if api_version is None:
        return AzureOpenAI(
            openai.OpenAI(
                api_key="stand-in", base_url=f"{BASE}/openai/v1/", timeout=limit, http_client=http
            ),
            None,
        )
    client = openai.AzureOpenAI(
        azure_endpoint=BASE,
        api_key="stand-in",
        api_version=api_version,
        timeout=limit,
        http_client=http,
    )
    return AzureOpenAI(client, api_version)


@cache
def arm_on_the_wire(endpoint: str, account: str, version: str) -> ResourceManager:
    """The adapter as `connect` makes it, but for the transport; of one simulation, as it remembers
    what the account told.
    """
    assert (endpoint, account) == (BASE, ACCOUNT_ID)
    return ResourceManager(_arm_client(version), ACCOUNT_ID, BASE, version)


@cache
def _arm_client(version: str) -> CognitiveServicesManagementClient:
    session = requests.Session()
    session.mount("http://", ArmAdapter())
    transport = RequestsTransport(session=session, session_owner=False)
    parts = ACCOUNT_ID.strip("/").split("/")
    return CognitiveServicesManagementClient(
        StandInCredential(),
        parts[1],
        base_url=BASE,
        api_version=version,
        transport=transport,
        credential_scopes=["scope"],
    )
