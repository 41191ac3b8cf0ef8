"""The recording of Microsoft's Functions host with this app, beside the repository: its
invocations, as they were sent and answered.
"""

import base64
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest

FILE = Path(__file__).parents[2].parent / "shared" / "real-host" / "trace.jsonl"
ORCHESTRATORS = ("run", "scan", "gate", "train")
HTTP = ("start_run", "list_runs", "cancel_run", "health")
EVENTS = ("on_drop",)
TIMERS = ("sweep",)

type Doc = dict[str, Any]


@dataclass(frozen=True)
class Invocation:
    """One request of a host, with the answer where it is known; both as FunctionRpc's messages in
    JSON.
    """

    number: int
    at: float
    """Seconds since 1970, when the request was sent; `answered` is when its answer came."""
    answered: float
    function: str
    request: Doc
    response: Doc

    @property
    def kind(self) -> str:
        """What fired the function: a turn of an orchestration, an activity, an HTTP request, a
        blob's event or a timer.
        """
        kinds = {"orchestration": ORCHESTRATORS, "http": HTTP, "blob": EVENTS, "timer": TIMERS}
        return next(
            (kind for kind, functions in kinds.items() if self.function in functions), "activity"
        )

    @property
    def turn(self) -> pb.OrchestratorRequest:
        """What an orchestration is given."""
        return pb.OrchestratorRequest.FromString(
            base64.b64decode(self.request["input_data"][0]["data"]["string"])
        )

    def events(self, kind: str) -> list[pb.HistoryEvent]:
        """The events of a kind that an orchestration hears of in this turn."""
        return [event for event in self.turn.newEvents if event.WhichOneof("eventType") == kind]

    @property
    def decision(self) -> pb.OrchestratorResponse:
        """What an orchestration decided."""
        return pb.OrchestratorResponse.FromString(
            base64.b64decode(self.response["return_value"]["string"])
        )


def read(file: Path) -> list[Invocation]:
    """Every invocation of a recording, in the order in which they were sent."""
    names: dict[str, str] = {}
    sent: dict[str, tuple[float, Doc]] = {}
    answers: dict[str, tuple[float, Doc]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        for kind, said in entry["message"].items():
            match kind:
                case "function_load_request":
                    names[said["function_id"]] = said["metadata"]["name"]
                case "invocation_request":
                    sent[said["invocation_id"]] = entry["at"], said
                case "invocation_response":
                    answers[said["invocation_id"]] = entry["at"], said
                case _:
                    pass
    return [
        Invocation(number, at, answered, names[request["function_id"]], request, response)
        for number, (known, (at, request)) in enumerate(sent.items(), 1)
        for answered, response in (answers.get(known, (at, {})),)
    ]


@cache
def _recorded() -> list[Invocation]:
    return read(FILE)


def recorded() -> list[Invocation]:
    """The recording; without it the test is skipped, and says so."""
    if not FILE.exists():
        pytest.skip(f"The recording of Microsoft's host is not there: {FILE} is missing.")
    return _recorded()
