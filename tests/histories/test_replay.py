"""Runs under way survive a change: every history of every release replays on today's
orchestrators.
"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from azure.durable_functions.worker import DurableFunctionsWorker

from orchestrators.names import VERSION, Activity, Orchestrator
from shared.models.record import Outcome
from tests.histories import saved
from tests.histories.paths import PATHS
from tests.histories.record import ROOT, folder, recorded, version
from tests.histories.replay import Diverged, replay
from tests.histories.saved import History

SAVED = {f"{file.parent.name}/{file.stem}": file for file in saved.files()}
LEAST_PATHS = 25
FIRST, FIRST_FILES = "0.1.0", 70
FIRST_SHA256 = "d031eb040ca878f935c8aeed0da20cfb439d2bedf0bbee1c426be4c867b46eaf"


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payloads are typed as strictly as on Azure."""
    monkeypatch.setenv("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")


@pytest.fixture
def worker() -> DurableFunctionsWorker:
    """What executes orchestrators on Azure."""
    return DurableFunctionsWorker()


@pytest.mark.parametrize("file", SAVED.values(), ids=list(SAVED))
def test_saved_history_replays(worker: DurableFunctionsWorker, file: Path) -> None:
    """Each turn asks for what it asked for then. A deliberate break needs a new orchestration
    version: docs/operating.md.
    """
    history = saved.read(file)
    assert (history.version, history.path) == (file.parent.name, file.stem)
    assert replay(history, worker) > 0


@pytest.mark.parametrize("name", PATHS)
def test_path_ends_as_it_is_called_and_replays_when_it_is_recorded_today(
    worker: DurableFunctionsWorker, name: str, tmp_path: Path
) -> None:
    """The recorder tells the truth, and what it writes can be read back."""
    history = recorded(name, PATHS[name])
    assert history.outcome == PATHS[name].outcome
    assert replay(saved.read(saved.write(history, tmp_path)), worker) == sum(
        _begins(event) for event in events_of(history)
    )


def test_same_code_records_the_same_bytes(tmp_path: Path) -> None:
    """Only a change of the orchestrators changes a file."""
    name = "succeeded-after-waiting-for-the-wallet"
    once, again = (
        saved.write(recorded(name, PATHS[name]), tmp_path / folder).read_bytes()
        for folder in ("once", "again")
    )
    assert once == again


def test_every_path_has_a_history_of_this_version() -> None:
    """A new path is recorded: python -m tests.histories.record."""
    assert {file.stem for file in SAVED.values() if file.parent.name == folder()} == set(PATHS)
    assert len(PATHS) >= LEAST_PATHS


def test_every_outcome_activity_and_orchestrator_has_a_history() -> None:
    """Something new needs a path in tests/histories/paths.py."""
    histories = [saved.read(file) for file in SAVED.values() if file.parent.name == folder()]
    assert {
        Outcome(history.outcome) for history in histories if history.outcome in set(Outcome)
    } == set(Outcome)
    assert {event.taskScheduled.name for history in histories for event in events_of(history)} - {
        ""
    } == set(Activity)
    assert {
        generation.orchestrator for history in histories for generation in history.generations
    } == set(Orchestrator)


def test_every_release_has_its_histories() -> None:
    """Runs that a release began can be under way for a month: its histories stay."""
    released = re.findall(
        r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    folders = {file.parent.name for file in SAVED.values()}
    assert set(released) | {version()} == {name.partition("-")[0] for name in folders}
    assert folder() in folders


def test_histories_of_the_first_version_of_the_stories_stay_as_they_are() -> None:
    """Byte for byte: instances that began before retries were the story's own replay as they were
    recorded.
    """
    first = [file for file in SAVED.values() if file.parent.name == FIRST]
    told = hashlib.sha256(
        b"".join(file.name.encode() + file.read_bytes() for file in first)
    ).hexdigest()
    assert (len(first), told) == (FIRST_FILES, FIRST_SHA256)
    assert '"version"' not in "".join(
        str(event)
        for file in first
        for event in events_of(saved.read(file))
        if event.HasField("executionStarted")
    )


def test_host_of_older_code_rejects_what_newer_code_began() -> None:
    """host.json's version is the stories': a host of an earlier one would tell a new run's story
    wrongly.
    """
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["durableTask"]["defaultVersion"] == f"{VERSION}.0"


def test_every_part_of_a_run_is_given_the_version() -> None:
    """A sub-orchestration carries none of its own: it stands in its input."""
    history = recorded("succeeded", PATHS["succeeded"])
    begun = [
        json.loads(e.executionStarted.input.value)
        for e in events_of(history)
        if e.HasField("executionStarted")
    ]
    assert [given.get("version") for given in begun] == [VERSION] * len(begun)
    assert {generation.orchestrator for generation in history.generations} == set(Orchestrator)


def renamed(events: list[pb.HistoryEvent]) -> None:
    """Another activity was called."""
    first(events, "settle_drop").taskScheduled.name = "settle"


def swapped(events: list[pb.HistoryEvent]) -> None:
    """Two activities were called in the other order."""
    one, other = first(events, "settle_drop"), first(events, "make_plan")
    one.taskScheduled.name, other.taskScheduled.name = (
        other.taskScheduled.name,
        one.taskScheduled.name,
    )


def timer_instead(events: list[pb.HistoryEvent]) -> None:
    """A timer stands where an activity was called."""
    event = first(events, "file_status")
    event.timerCreated.fireAt.FromSeconds(1_767_268_800)


@pytest.mark.parametrize("tamper", [renamed, swapped, timer_instead])
def test_history_that_the_orchestrator_did_not_make_is_refused(
    worker: DurableFunctionsWorker, tamper: Callable[[list[pb.HistoryEvent]], None]
) -> None:
    """The engine's own error, and not a run that goes on in another story."""
    history = recorded("succeeded", PATHS["succeeded"])
    tamper(history.generations[0].events)
    with pytest.raises(Diverged, match="NonDeterminismError"):
        replay(history, worker)


def test_history_that_ends_otherwise_is_refused(worker: DurableFunctionsWorker) -> None:
    """The engine can't notice an end that changed: the comparison does."""
    history = recorded("rejected-by-plan", PATHS["rejected-by-plan"])
    last = next(event for event in events_of(history) if event.HasField("executionCompleted"))
    last.executionCompleted.result.value = '{"outcome": "succeeded"}'
    with pytest.raises(Diverged, match="the history holds"):
        replay(history, worker)


def first(events: list[pb.HistoryEvent], activity: str) -> pb.HistoryEvent:
    """The event that scheduled this activity."""
    return next(event for event in events if event.taskScheduled.name == activity)


def events_of(history: History) -> list[pb.HistoryEvent]:
    """All events of all instances."""
    return [event for generation in history.generations for event in generation.events]


def _begins(event: pb.HistoryEvent) -> bool:
    return event.HasField("orchestratorStarted")
