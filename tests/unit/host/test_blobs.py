"""Blob triggers, with the function as a recorder."""

import asyncio
import logging
from collections import Counter
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from tests.azurite import connection_string, free_port
from tests.patience import patience
from tests.unit.host.builders import a_blob_function, a_function
from tunedrop.host.blobs import AT_ONCE, BlobEvent, BlobPath, BlobTrigger, pause
from tunedrop.host.errors import FunctionFailed, HostError
from tunedrop.host.functions import Function
from tunedrop.host.messages import Message

NOWHERE = BlobServiceClient.from_connection_string(connection_string(free_port()), retry_total=0)


class Recorder:
    """A function that notes what fired it, and fails for some names as often as told."""

    def __init__(self, **failures: int) -> None:
        self.fired: Counter[str] = Counter()
        self.metadata: dict[str, str] = {}
        self.content: Message = Message()
        self.now = self.most = 0
        self._failures = failures

    async def __call__(self, function: Function, metadata: dict[str, str], content: Message) -> None:
        name = metadata["BlobTrigger"].partition("/")[2]
        self.fired[name] += 1
        self.metadata, self.content = metadata, content
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if self.fired[name] <= self._failures.get(name, 0):
            raise FunctionFailed(function.name, "RuntimeError", "not now")


def a_trigger(recorder: Recorder, service: BlobServiceClient = NOWHERE, **options: Any) -> BlobTrigger:
    """A trigger without waits."""
    return BlobTrigger(a_blob_function(options.pop("path", "training/{name}")), service, recorder, 0.01, (0, 0, 0, 0))


def events(*pairs: tuple[str, str]) -> list[BlobEvent]:
    """What a listing found."""
    return [BlobEvent(name, etag) for name, etag in pairs]


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("training/{name}", "a/b/c.jsonl", {"name": "a/b/c.jsonl"}),
        ("training/{run}/job.json", "a/job.json", {"run": "a"}),
        ("training/{run}/job.json", "a/xjob.json", None),
        ("training/in/{name}.jsonl", "in/x.jsonl", {"name": "x"}),
        ("training/in/{name}.jsonl", "out/x.jsonl", None),
        ("training/{name}", "new\nline", {"name": "new\nline"}),
        ("training/only.jsonl", "only.jsonl", {}),
    ],
)
def test_path_matches_names(path: str, name: str, expected: dict[str, str] | None) -> None:
    """An expression spans slashes and whatever a name may hold."""
    assert BlobPath.parse(path).match(name) == expected


@pytest.mark.parametrize("path", ["training", "training/", "/{name}", "training/{na me}", "training/{name"])
def test_path_is_refused_when_it_is_wrong(path: str) -> None:
    """A path that can't be watched is an error at start."""
    with pytest.raises(HostError, match="can't be read"):
        BlobPath.parse(path)


def test_trigger_is_refused_when_the_function_wants_the_bytes() -> None:
    """A whole blob is never loaded into memory."""
    with pytest.raises(HostError, match="BlobClient"):
        BlobTrigger(a_function("blobTrigger", path="training/{name}", connection="DropStorage"), NOWHERE, Recorder())


async def test_blob_fires_once_for_each_version() -> None:
    """The same listing again fires nothing; a new ETag does, and so does a name that came back."""
    recorder = Recorder()
    trigger = a_trigger(recorder)
    for listing in (events(("a", "1"), ("b", "1")), events(("a", "1"), ("b", "1")), events(("a", "2")), events(("a", "2"), ("b", "1"))):
        trigger.see(listing)
        await trigger.settled()
    assert recorder.fired == {"a": 2, "b": 2}


async def test_function_gets_a_reference_and_never_the_content() -> None:
    """Connection, container and name are handed over, as the Functions host does for a BlobClient."""
    recorder = Recorder()
    await a_trigger(recorder).deliver(BlobEvent("run/a.jsonl", "0x1"))
    assert recorder.content.content == '{"Connection": "DropStorage", "ContainerName": "training", "BlobName": "run/a.jsonl"}'
    assert (recorder.metadata["name"], recorder.metadata["Properties"]) == ("run/a.jsonl", '{"ETag": "0x1"}')


async def test_event_is_tried_again_when_the_function_fails() -> None:
    """Four failures and a success are five tries."""
    recorder = Recorder(a=4)
    trigger = a_trigger(recorder)
    trigger.see(events(("a", "1")))
    await trigger.settled()
    assert recorder.fired == {"a": 5}


async def test_event_is_poison_when_the_function_failed_five_times(caplog: pytest.LogCaptureFixture) -> None:
    """It is given up with one record that names neither blob nor content."""
    recorder = Recorder(secret=99)
    trigger = a_trigger(recorder)
    with caplog.at_level(logging.ERROR, "tunedrop.host"):
        trigger.see(events(("secret", "0x1")))
        await trigger.settled()
    assert recorder.fired == {"secret": 5}
    assert [record.message for record in caplog.records].count("poison blob event") == 1
    assert not [record for record in caplog.records if "secret" in str(vars(record))]


async def test_events_run_eight_at_once_at_most() -> None:
    """A thousand blobs don't become a thousand invocations at a time."""
    recorder = Recorder()
    trigger = a_trigger(recorder)
    trigger.see(events(*((f"{number}", "1") for number in range(100))))
    await trigger.settled()
    assert (recorder.fired.total(), recorder.most) == (100, AT_ONCE)


async def test_outage_is_logged_once_and_outlived(storage: BlobServiceClient, caplog: pytest.LogCaptureFixture) -> None:
    """A container that is away is one line, however long; what it holds fires once it is back."""
    recorder = Recorder()
    trigger = a_trigger(recorder, storage, path="late-container/{name}")
    container = storage.get_container_client("late-container")
    with caplog.at_level(logging.INFO, "tunedrop.host"):
        watching = asyncio.create_task(trigger.run())
        async with asyncio.timeout(patience(10)):
            while not caplog.records:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(container.create_container)
            await asyncio.to_thread(container.upload_blob, "nested/name.jsonl", b"x")
            while not recorder.fired:
                await asyncio.sleep(0.01)
        watching.cancel()
    assert [record.message for record in caplog.records] == ["storage away", "storage back"]
    assert vars(caplog.records[0])["error"] == "404 ContainerNotFound"
    assert recorder.fired == {"nested/name.jsonl": 1}


async def test_name_that_the_listing_cant_tell_hides_no_other(storage: BlobServiceClient, caplog: pytest.LogCaptureFixture) -> None:
    """Drops before and after it fire, also those that come later; the log tells its cause once, and not the name."""
    recorder = Recorder()
    trigger = a_trigger(recorder, storage, path="odd-names/{name}")
    container = storage.get_container_client("odd-names")
    container.create_container()
    for name in ("a.jsonl", "m\x0b.jsonl", "z/training_set.jsonl"):
        container.upload_blob(name, b"x")
    with caplog.at_level(logging.INFO, "tunedrop.host"):
        watching = asyncio.create_task(trigger.run())
        async with asyncio.timeout(patience(20)):
            while len(recorder.fired) < 2:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(container.upload_blob, "m.jsonl", b"x")
            while len(recorder.fired) < 3:
                await asyncio.sleep(0.01)
        watching.cancel()
    assert recorder.fired == {"a.jsonl": 1, "z/training_set.jsonl": 1, "m.jsonl": 1}
    assert [record.message for record in caplog.records if record.name == "tunedrop.host"] == ["blob with a name that can't be listed"]
    assert "\x0b" not in str([vars(record) for record in caplog.records if record.name == "tunedrop.host"])


@pytest.mark.parametrize(
    ("took", "paused"),
    [pytest.param(0.01, 0.5, id="few blobs"), pytest.param(0.3, 1.2, id="a thousand blobs"), pytest.param(3, 12, id="ten thousand")],
)
def test_look_for_new_blobs_takes_a_fifth_of_the_time_at_most(took: float, paused: float) -> None:
    """A container that fills over the months doesn't keep the host busy with itself."""
    assert pause(0.5, took) == paused
