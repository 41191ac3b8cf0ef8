"""`python -m tests.contract.playback RECORDING OUT`: gives every recorded request to the app, in a
process of its own.

The app is indexed and called by Microsoft's own worker runtime, with the bytes that were recorded.
Blobs stand in memory, the service is the stand-in's state machines, and the clock is the
recording's. OUT gets one line for each invocation: its number, the answer, and what the app asked
of the durable engine.

Three things in a request are not as recorded, since they can't be: the function's id is looked up
by its name, the engine's address is that of the engine that hears what the app asks, and the
binding of an orchestration has today's name.
"""

import asyncio
import base64
import hashlib
import importlib
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
from google.protobuf.json_format import MessageToDict

from shared.services.storage import Container
from tests.contract.recording import Doc, Invocation, read
from tests.faults.simulator.app import Words, installed
from tests.faults.simulator.blobs import Account, Blob, MemoryContainer
from tests.faults.simulator.provider import Provider
from tests.faults.simulator.stage import Stage
from tests.faults.simulator.trouble import CALM
from tests.faults.simulator.wire import Wire
from tunedrop.emulator.pace import FAST
from tunedrop.host.engine import Engine
from tunedrop.host.messages import Message, ParameterBinding, TypedData
from tunedrop.host.runtime import Library, Runtime

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
RECORDED_ACCOUNT = "devstoreaccount1"
RECORDED_HUB = "tunedrop"
RECORDED_ENGINE = "http://127.0.0.1:41245"
SEED = 1
ETAGS = {
    "travel-desk/training_set.jsonl": "0x1F16B200A7CE72C7",
    "broken.jsonl": "0x110F65DB26D",
    "cancelled.jsonl": "0x1106EF6D9AF",
}
UNCHANGED = {
    "travel-desk/training_set.jsonl": (
        EXAMPLES / "travel-desk" / "training_set.jsonl"
    ).read_bytes(),
    "broken.jsonl": (EXAMPLES / "broken" / "training_set.jsonl").read_bytes(),
}
COMPANIONS = {
    "travel-desk/training_set.jsonl": {
        f"travel-desk/{name}": (EXAMPLES / "travel-desk" / name).read_bytes()
        for name in ("validation_set.jsonl", "job.json")
    }
}


class Drops(Account):
    """The recorded storage account, with the three drops of the recording.

    The recording holds no ETags (Microsoft's host writes them as empty objects), but ids of runs,
    which are hashes of them. These ETags give the recorded ids.
    """

    def container(self, name: str) -> Container:
        """The app's own adapter on this container."""
        client: Any = MemoryContainer(self, name)
        client.account_name = RECORDED_ACCOUNT
        return Container(client)

    def drop(self, told: Doc) -> None:
        """Puts the drop that an event tells of: of the recorded content or size, as old as
        it was.
        """
        starting, facts = told["name"]["string"], json.loads(told["Properties"]["json"])
        blobs = {starting: b"", **COMPANIONS.get(starting, {})}
        blobs[starting] = content = training_of(starting, facts["ContentLength"])
        hashed = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        assert hashed == facts["ContentHash"] or starting not in UNCHANGED, (
            f"the example {starting} is not what was recorded"
        )
        for name, content in blobs.items():
            self.blobs("training")[name] = Blob(
                content,
                ETAGS.get(name, "0x1FFFFFFFFFF"),
                datetime.fromisoformat(facts["LastModified"]),
            )


def training_of(starting: str, size: int) -> bytes:
    """The training file of a recorded drop."""
    if starting in UNCHANGED:
        return UNCHANGED[starting]
    desk = UNCHANGED["travel-desk/training_set.jsonl"]
    return desk + one_more(size - len(desk))


def one_more(size: int) -> bytes:
    """An example of so many bytes."""
    head = (
        b'{"messages": [{"role": "user", "content": "Another one?"}, {"role": "assistant", '
        b'"content": "'
    )
    return head + b"x" * (size - len(head) - len(b'"}]}\n')) + b'"}]}\n'


class Asked(Engine):
    """An engine that keeps what the app asks of it; it runs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = RECORDED_HUB
        self.asked: list[Doc] = []

    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: Any
    ) -> pb.CreateInstanceResponse:
        """Starts nothing, and says that it did."""
        self.asked.append({"start": MessageToDict(request)})
        return super().StartInstance(request, context)

    def RaiseEvent(self, request: pb.RaiseEventRequest, context: Any) -> pb.RaiseEventResponse:
        """Wakes nobody."""
        self.asked.append({"raise": MessageToDict(request)})
        return super().RaiseEvent(request, context)


def message_of(request: Doc, function_id: str, parameters: dict[str, str], engine: str) -> Message:
    """A recorded request as the worker runtime takes it."""
    inputs = [
        ParameterBinding(
            name=parameters.get(given["name"], given["name"]),
            data=typed_data(given["data"], engine),
        )
        for given in request["input_data"]
    ]
    metadata = {
        name: typed_data(value, engine)
        for name, value in request.get("trigger_metadata", {}).items()
    }
    return Message(
        invocation_id=request["invocation_id"],
        function_id=function_id,
        input_data=inputs,
        trigger_metadata=metadata,
        trace_context=Message(
            trace_parent="", trace_state="", attributes={}, **request["trace_context"]
        ),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
    )


def typed_data(value: Doc, engine: str) -> TypedData:
    """A recorded value."""
    [(kind, inner)] = value.items()
    if kind == "string":
        inner = inner.replace(RECORDED_ENGINE, engine)
    elif kind == "http":
        body = {"bytes": base64.b64decode(inner["body"]["bytes"])} if "body" in inner else {}
        inner = Message(
            **{"headers": {}, "params": {}, "query": {}, **inner, "body": TypedData(**body)}
        )
    elif kind == "model_binding_data":
        inner = Message(**{**inner, "content": base64.b64decode(inner["content"])})
    return TypedData(**{kind: inner})


def answer_of(response: Message) -> Doc:
    """The worker's answer in the recording's form."""
    told: Doc = {"status": response.result.status}
    if told["status"] != 1:
        told["error"] = str(response.result.exception.message)[:2000]
    value: dict[str, Any] = getattr(getattr(response, "return_value", None), "__dict__", {})
    if "http" in value:
        http: Any = value["http"]
        body = base64.b64encode(bytes(http.body.bytes)).decode()
        value = {
            "http": {
                "headers": dict(http.headers),
                "body": {"bytes": body},
                "status_code": http.status_code,
            }
        }
    return {**told, "return_value": value} if value else told


@contextmanager
def recorded_world(began: float, pace: Doc) -> Generator[tuple[Stage, Drops]]:
    """The clock, the storage and the service, at the beginning of the recording."""
    stage = Stage(SEED)
    account = Drops(stage, 0)
    with stage.opened():
        go_to(stage, began)
        provider = Provider(stage, SEED, FAST)
        settings = {"TUNEDROP_PACE": json.dumps(pace), "DropStorage": CONNECTION}
        with installed(account, Wire(stage, provider, CALM), Words(), settings):
            yield stage, account
        provider.close()


def go_to(stage: Stage, at: float) -> None:
    """The clock of all is the recording's."""
    stage.now = datetime.fromtimestamp(at, UTC)
    stage.show(stage.now)


CONNECTION = (
    f"DefaultEndpointsProtocol=http;AccountName={RECORDED_ACCOUNT};AccountKey=bm9uZQ==;"
    f"BlobEndpoint=http://127.0.0.1:10000/{RECORDED_ACCOUNT};QueueEndpoint=http://127.0.0.1:10001/{RECORDED_ACCOUNT};"
)


def asked_at(one: Invocation) -> float:
    """When an activity asked the service or the storage: shortly before it answered; but a
    deployment is asked for at once.
    """
    return one.answered if one.kind == "activity" and one.function != "deploy" else one.at


async def play(
    invocations: list[Invocation], stage: Stage, account: Drops, engine: Asked
) -> list[Doc]:
    """Gives every request to the app, in their order, each at its time."""
    address = engine.start()
    runtime = await Runtime.start(ROOT, address, engine.hub, "http://127.0.0.1:7071")
    library: Library = importlib.import_module("azure_functions_runtime")  # pyright: ignore[reportAssignmentType]
    functions = {function.name: function for function in runtime.functions}
    lines: list[Doc] = []
    for one in invocations:
        function = functions[one.function]
        go_to(stage, asked_at(one))
        if one.kind == "blob":
            account.drop(one.request["trigger_metadata"])
        parameters = {one.request["input_data"][0]["name"]: function.parameter}
        asked = len(engine.asked)
        request = message_of(one.request, function.id, parameters, f"http://{address}")
        answer = await library.invocation_request(
            Message(request=Message(invocation_request=request))
        )
        lines.append(
            {
                "number": one.number,
                "id": function.id,
                **answer_of(answer),
                "asked": engine.asked[asked:],
            }
        )
    return lines


def main() -> None:
    """The whole recording."""
    invocations = read(Path(sys.argv[1]))
    pace = next(
        json.loads(one.request["input_data"][0]["data"]["string"])["pace"]
        for one in invocations
        if one.kind == "activity"
    )
    engine = Asked()
    with recorded_world(invocations[0].at, pace) as (stage, account):
        lines = asyncio.run(play(invocations, stage, account, engine))
        engine.stop(0)
    Path(sys.argv[2]).write_text(
        "\n".join(json.dumps(line) for line in lines) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
