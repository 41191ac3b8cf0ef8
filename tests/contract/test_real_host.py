"""The embedded host does as Microsoft's does: the app gets what that one sent, and what the
embedded one sends has the same fields.

Both are held against a recording that lies beside the repository; without it these tests are
skipped. What differs on purpose stands in named.py.
"""

import base64
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC

import durabletask.internal.orchestrator_service_pb2 as pb
import httpx2
import pytest

from tests.contract import answers, fields, named
from tests.contract.playback import EXAMPLES, ROOT, one_more
from tests.contract.recording import FILE, Doc, Invocation, read, recorded
from tests.patience import patience, until
from tests.runs.stack import Stack, running_stack

# The first test of a kind waits for a whole run of the embedded host, or for the playback.
pytestmark = pytest.mark.timeout(300)
KINDS = {"orchestration": 166, "activity": 90, "http": 11, "blob": 3}
PLAYED_WITHIN_S = 60
HOW = {
    "orchestration": "kinds, order, numbers and names of actions, and the status",
    "activity": "fields, kind and outcome of the answer",
    "http": "status, headers and fields of the answer",
    "blob": "the run that is started: its id, name and version, and the fields of its input",
}


@pytest.fixture(scope="module")
def recording() -> list[Invocation]:
    """What Microsoft's host sent, and what it was answered."""
    return recorded()


@pytest.fixture(scope="module")
def played(recording: list[Invocation], tmp_path_factory: pytest.TempPathFactory) -> list[Doc]:
    """What the app answers to each recorded request today."""
    out = tmp_path_factory.mktemp("playback") / "answers.jsonl"
    command = [sys.executable, "-m", "tests.contract.playback", str(FILE), str(out)]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(PLAYED_WITHIN_S),
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def embedded(
    recording: list[Invocation], tmp_path_factory: pytest.TempPathFactory
) -> list[Invocation]:
    """What the embedded host sends while it is asked for what Microsoft's was asked for in the
    recording.
    """
    assert recording
    file = tmp_path_factory.mktemp("embedded") / "sent.jsonl"
    with running_stack(
        module="tests.contract.embedded",
        EMBEDDED_RECORDING=str(file),
        TUNEDROP_BLOB_SOURCE="EventGrid",
    ) as stack:
        as_recorded(stack)
    return read(file)


def as_recorded(stack: Stack) -> None:
    """A run that succeeds, one that is rejected, one that is cancelled while it trains; a second
    start, and a look at health.
    """
    address = f"http://127.0.0.1:{stack.port}/api"
    desk = [
        (EXAMPLES / "travel-desk" / name).read_bytes()
        for name in ("training_set.jsonl", "validation_set.jsonl", "job.json")
    ]
    with httpx2.Client(
        base_url=address, params={"code": stack.key}, verify=False, timeout=patience(30)
    ) as caller:

        def found(name: str, what: str, *wanted: str) -> str | None:
            rows = caller.get("/runs").json()["runs"]
            return next(
                (row["id"] for row in rows if row["name"] == name and row[what] in wanted), None
            )

        stack.drop("travel-desk", desk[0], desk[1], json.loads(desk[2]))
        until(lambda: found("travel-desk", "outcome", "succeeded"), 90)
        stack.training.upload_blob(
            "broken.jsonl", (EXAMPLES / "broken" / "training_set.jsonl").read_bytes()
        )
        until(lambda: found("broken", "outcome", "rejected"))
        stack.training.upload_blob("cancelled.jsonl", desk[0] + one_more(200))
        run_id = until(lambda: found("cancelled", "step", "train"), 60)
        assert caller.post(f"/runs/{run_id}/cancel").status_code == 202
        until(lambda: found("cancelled", "outcome", "cancelled"), 60)
        assert caller.post("/runs", json={"run": "travel-desk"}).json()["started"] is False
    assert httpx2.get(f"{address}/health", verify=False, timeout=patience(10)).status_code == 200


def test_every_recorded_request_is_compared(
    recording: list[Invocation], played: list[Doc], capsys: pytest.CaptureFixture[str]
) -> None:
    """All 270, each in the way of its kind; the test says how many and how."""
    compared = Counter(
        one.kind
        for one, answer in zip(recording, played, strict=True)
        if one.number == answer["number"]
    )
    with capsys.disabled():
        print(f"\n{compared.total()} recorded requests of Microsoft's host compared:")
        for kind, count in compared.items():
            print(f"  {count:3} {kind}: {HOW[kind]}")
    assert compared == KINDS
    assert compared.total() == 270


@pytest.mark.parametrize("kind", KINDS)
def test_app_answers_as_it_answered_microsofts_host(
    recording: list[Invocation], played: list[Doc], kind: str
) -> None:
    """Requests byte for byte as recorded; what differs is named, and what is named differs."""
    found = {
        fault
        for one, answer in zip(recording, played, strict=True)
        if one.kind == kind
        for fault in answers.differences(one, answer)
    }
    assert found == {
        fault
        for fault in named.ANSWERS
        if fault[0] in {one.function for one in recording if one.kind == kind}
    }


def test_functions_have_the_ids_that_they_had(
    recording: list[Invocation], played: list[Doc]
) -> None:
    """An id hangs on the name alone, so that a host that is replaced finds its functions again."""
    assert [one.request["function_id"] for one in recording] == [answer["id"] for answer in played]


def test_event_of_a_blob_starts_the_recorded_run(
    recording: list[Invocation], played: list[Doc]
) -> None:
    """The same id from the same blob and ETag, the same orchestrator, and a start that says no
    less.
    """
    events = [
        answer["asked"] for one, answer in zip(recording, played, strict=True) if one.kind == "blob"
    ]
    starts = [
        event.executionStarted
        for one in recording
        if one.function == "run"
        for event in one.events("executionStarted")
    ]
    assert [len(asked) for asked in events] == [1, 1, 1]
    for [asked], then in zip(events, starts, strict=True):
        today = asked["start"]
        assert (today["instanceId"], today["name"]) == (
            then.orchestrationInstance.instanceId,
            then.name,
        )
        assert answers.fields(json.loads(today["input"])) - answers.fields(
            json.loads(then.input.value)
        ) == {".version"}
        assert answers.fields(json.loads(then.input.value)) <= answers.fields(
            json.loads(today["input"])
        )


def test_cancel_wakes_the_run_and_its_parts(recording: list[Invocation], played: list[Doc]) -> None:
    """As recorded: the run's own instance hears of it, and the engine knows the others or
    says so.
    """
    [(one, answer)] = [
        (one, answer)
        for one, answer in zip(recording, played, strict=True)
        if one.function == "cancel_run"
    ]
    woken = [asked["raise"]["instanceId"] for asked in answer["asked"]]
    run_id = one.request["input_data"][0]["data"]["http"]["params"]["id"]
    heard = {
        turn.turn.instanceId
        for turn in recording
        if turn.kind == "orchestration" and turn.events("eventRaised")
    }
    assert {run_id, f"{run_id}-train"} == heard <= set(woken)


def test_what_the_embedded_host_sends_has_the_fields_of_microsofts(
    recording: list[Invocation], embedded: list[Invocation]
) -> None:
    """Each part of each request: durable client, a blob's reference and data, HTTP with its
    identities, activities, turns, their events.
    """
    found = set(fields.differences(fields.parts(recording), fields.parts(embedded)))
    assert found == set(named.SENT)


def test_every_field_that_is_taken_out_is_named(
    recording: list[Invocation], embedded: list[Invocation]
) -> None:
    """Whichever field of whichever part: the comparison tells part and field."""
    then, now = fields.parts(recording), fields.parts(embedded)
    taken = 0
    for kind in then:
        for field in fields.always(then[kind]):
            [part, *others] = now[kind]
            lesser = {**now, kind: [frozenset(other for other in part if other != field), *others]}
            assert (kind, field, "is missing") in set(
                fields.differences({kind: then[kind]}, {kind: lesser[kind]})
            )
            taken += 1
    assert taken > 300


def without_identities(request: Doc) -> None:
    """Nobody calls."""
    del request["input_data"][0]["data"]["http"]["identities"]


def without_the_engines_address(request: Doc) -> None:
    """A durable client that can't call."""
    client = json.loads(request["input_data"][1]["data"]["string"])
    del client["rpcBaseUrl"]
    request["input_data"][1]["data"]["string"] = json.dumps(client)


def without_the_container(request: Doc) -> None:
    """A blob in no container."""
    data = request["input_data"][0]["data"]["model_binding_data"]
    reference = json.loads(base64.b64decode(data["content"]))
    del reference["ContainerName"]
    data["content"] = base64.b64encode(json.dumps(reference).encode()).decode()


def without_the_blobs_size(request: Doc) -> None:
    """A blob of unknown size."""
    data = request["trigger_metadata"]["Properties"]
    data["json"] = json.dumps(
        {name: value for name, value in json.loads(data["json"]).items() if name != "ContentLength"}
    )


def without_its_instance(request: Doc) -> None:
    """An activity of nobody."""
    del request["trigger_metadata"]["instanceId"]


def turned(change: Callable[[pb.OrchestratorRequest], object]) -> Callable[[Doc], None]:
    """A change of what an orchestrator is given."""

    def changed(request: Doc) -> None:
        turn = pb.OrchestratorRequest.FromString(
            base64.b64decode(request["input_data"][0]["data"]["string"])
        )
        change(turn)
        request["input_data"][0]["data"]["string"] = base64.b64encode(
            turn.SerializeToString()
        ).decode()

    return changed


def start_of(turn: pb.OrchestratorRequest) -> pb.ExecutionStartedEvent:
    """How the instance began."""
    return next(
        event.executionStarted
        for event in [*turn.pastEvents, *turn.newEvents]
        if event.HasField("executionStarted")
    )


TAKEN: dict[str, tuple[str, Callable[[Doc], None], tuple[str, str, str]]] = {
    "who calls": (
        "cancel_run",
        without_identities,
        ("request of cancel_run", "input_data.req.http.identities", "is missing"),
    ),
    "the engine's address": (
        "cancel_run",
        without_the_engines_address,
        ("durable client", "rpcBaseUrl", "is missing"),
    ),
    "the blob's container": (
        "on_drop",
        without_the_container,
        ("reference to a blob", "ContainerName", "is missing"),
    ),
    "the blob's size": (
        "on_drop",
        without_the_blobs_size,
        ("request of a blob event", "trigger_metadata.Properties.ContentLength", "is missing"),
    ),
    "the activity's instance": (
        "open_run",
        without_its_instance,
        ("request of open_run", "trigger_metadata.instanceId", "is missing"),
    ),
    "the host's version": (
        "run",
        turned(lambda turn: turn.properties.pop("defaultVersion")),
        ("turn", "properties.defaultVersion", "is missing"),
    ),
    "the execution": (
        "train",
        turned(lambda turn: start_of(turn).orchestrationInstance.ClearField("executionId")),
        (
            "event executionStarted of a part",
            "executionStarted.orchestrationInstance.executionId",
            "is missing",
        ),
    ),
    "the run's version": (
        "run",
        turned(lambda turn: start_of(turn).ClearField("version")),
        ("event executionStarted", "executionStarted.version", "is missing"),
    ),
    "no version of a part": (
        "gate",
        turned(lambda turn: setattr(start_of(turn).version, "value", "2.0")),
        ("event executionStarted of a part", "executionStarted.version", "is one more"),
    ),
}


@pytest.mark.parametrize("what", TAKEN)
def test_request_without_a_field_is_noticed(
    recording: list[Invocation], embedded: list[Invocation], what: str
) -> None:
    """One request of the embedded host, as it was sent but for one thing: the comparison fails, and
    names that.
    """
    function, change, told = TAKEN[what]
    place = next(place for place, one in enumerate(embedded) if one.function == function)
    lesser = replace(embedded[place], request=deepcopy(embedded[place].request))
    change(lesser.request)
    found = set(
        fields.differences(
            fields.parts(recording),
            fields.parts([*embedded[:place], lesser, *embedded[place + 1 :]]),
        )
    )
    assert told in found - set(named.SENT)


def test_another_decision_is_noticed(recording: list[Invocation], played: list[Doc]) -> None:
    """An action more, less, renamed or out of place is a fault, and so is an answer that lost a
    field.
    """
    [scan] = [
        one for one in recording if one.kind == "orchestration" and len(one.decision.actions) == 2
    ]
    [sibling] = [answer for answer in played if answer["number"] == scan.number]
    decided = pb.OrchestratorResponse.FromString(
        base64.b64decode(sibling["return_value"]["string"])
    )
    decided.actions.reverse()
    swapped = {
        **sibling,
        "return_value": {"string": base64.b64encode(decided.SerializeToString()).decode()},
    }
    assert [place for _, place, _ in answers.differences(scan, swapped)] == ["actions"]
    one = next(one for one in recording if one.function == "make_plan")
    answer = json.loads(played[one.number - 1]["return_value"]["json"])
    del answer["value"]["span_bytes"]
    lesser = {**played[one.number - 1], "return_value": {"json": json.dumps(answer)}}
    assert ("make_plan", ".value.span_bytes", "is missing") in set(
        answers.differences(one, lesser)
    ) - named.ANSWERS.keys()


def test_timer_of_microsofts_host_fires_up_to_a_second_early(recording: list[Invocation]) -> None:
    """Its queues hide a message for whole seconds: the stories must bear it, and decided as
    recorded after it.
    """
    early = [
        event.timerFired.fireAt.ToDatetime(tzinfo=UTC).timestamp() - one.at
        for one in recording
        if one.kind == "orchestration"
        for event in one.events("timerFired")
    ]
    assert len(early) == 36
    assert 0 < max(early) <= 1
    assert "a timer that is not early" in named.NO_FIELD_SHOWS
