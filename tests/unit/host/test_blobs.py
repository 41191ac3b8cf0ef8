"""Blob triggers, with the function as a recorder."""

import asyncio
import logging
from collections import Counter
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobProperties, BlobServiceClient, ContainerClient

from tests.patience import patience
from tests.unit.host.builders import a_blob_function, a_function
from tunedrop.host.blobs import AT_ONCE, BACKOFF_S, BlobPath, BlobTrigger, path_of, pause
from tunedrop.host.errors import FunctionFailed, HostError
from tunedrop.host.functions import Function
from tunedrop.host.messages import Message, TriggerData
from tunedrop.host.receipts import StoredReceipts
from tunedrop.host.watched import BlobEvent, WatchedContainer


class Recorder:
    """A function that notes what fired it, and fails for some names as often as told."""

    def __init__(self, **failures: int) -> None:
        self.fired: Counter[str] = Counter()
        self.metadata: TriggerData = {}
        self.content: Message = Message()
        self.now = self.most = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self._failures = failures

    async def __call__(self, function: Function, metadata: TriggerData, content: Message) -> None:
        name = metadata["BlobTrigger"].string.partition("/")[2]
        self.fired[name] += 1
        self.metadata, self.content = metadata, content
        self.now += 1
        self.most = max(self.most, self.now)
        await self.goes_on.wait()
        self.now -= 1
        if self.fired[name] <= self._failures.get(name, 0):
            raise FunctionFailed(function.name, "RuntimeError", "not now")


class Shelf:
    """A container and its receipts in memory: what stands there is what the trigger was told of
    last, unless it was taken away.
    """

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.receipts: set[tuple[str, str]] = set()
        self.away = False

    def listed(self, prefix: str) -> list[BlobEvent]:
        """What stands there."""
        return [
            BlobEvent(name, etag) for name, etag in self.versions.items() if name.startswith(prefix)
        ]

    def facts(self, name: str) -> BlobProperties | None:
        """What a blob is like."""
        etag = self.versions.get(name)
        return BlobProperties(name=name, ETag=etag) if etag else None

    def uri(self, name: str) -> str:
        """The blob's address."""
        return f"http://storage/training/{name}"

    def known(self, name: str, etag: str) -> bool:
        """Whether there is a receipt."""
        return (name, etag) in self.receipts

    def write(self, name: str, etag: str) -> None:
        """Write a receipt."""
        if self.away:
            raise AzureError("away")
        self.receipts.add((name, etag))


def a_trigger(recorder: Recorder, shelf: Shelf | None = None, **trigger: Any) -> BlobTrigger:
    """A trigger without waits, on a shelf."""
    shelf = shelf or Shelf()
    function = a_blob_function(**trigger)
    return BlobTrigger(function, shelf, shelf, recorder, 0.01, (0, 0, 0, 0))


def a_watching_trigger(recorder: Recorder, container: ContainerClient) -> BlobTrigger:
    """A trigger without waits, on a container that may not be there yet."""
    function = a_blob_function(f"{container.container_name}/{{name}}")
    return BlobTrigger(function, WatchedContainer(container), Shelf(), recorder, 0.01, (0, 0, 0, 0))


def events(shelf: Shelf) -> list[BlobEvent]:
    """What a listing finds."""
    return shelf.listed("")


async def seen(trigger: BlobTrigger, shelf: Shelf, stands: dict[str, str]) -> None:
    """These versions stand there, a look finds them, and what that fires has ended."""
    shelf.versions = stands
    trigger.see(events(shelf))
    await trigger.settled()


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


@pytest.mark.parametrize(
    "path", ["training", "training/", "/{name}", "training/{na me}", "training/{name"]
)
def test_path_is_refused_when_it_is_wrong(path: str) -> None:
    """A path that can't be watched is an error at start."""
    with pytest.raises(HostError, match="can't be read"):
        BlobPath.parse(path)


def test_trigger_is_refused_when_the_function_wants_the_bytes() -> None:
    """A whole blob is never loaded into memory."""
    with pytest.raises(HostError, match="BlobClient"):
        path_of(a_function("blobTrigger", path="training/{name}", connection="DropStorage"))


async def test_blob_fires_once_for_each_version() -> None:
    """The same listing again fires nothing; a new ETag does, and so does a name that came back."""
    recorder, shelf = Recorder(), Shelf()
    trigger = a_trigger(recorder, shelf)
    for listing in ({"a": "1", "b": "1"}, {"a": "1", "b": "1"}, {"a": "2"}, {"a": "2", "b": "2"}):
        await seen(trigger, shelf, listing)
    assert recorder.fired == {"a": 2, "b": 2}


async def test_function_gets_a_reference_and_never_the_content() -> None:
    """Connection, container and name are handed over, as the Functions host does for a
    BlobClient.
    """
    recorder, shelf = Recorder(), Shelf()
    await seen(a_trigger(recorder, shelf), shelf, {"run/a.jsonl": "0x1"})
    assert (
        recorder.content.content
        == b'{"Connection": "DropStorage", "ContainerName": "training", "BlobName": "run/a.jsonl"}'
    )
    assert (recorder.metadata["name"].string, recorder.metadata["BlobTrigger"].string) == (
        "run/a.jsonl",
        "training/run/a.jsonl",
    )


async def test_handled_version_is_not_heard_again_by_the_next_host() -> None:
    """Its receipt tells, as on Microsoft's host; another version of the blob has none."""
    recorder, shelf = Recorder(), Shelf()
    await seen(a_trigger(recorder, shelf), shelf, {"a": "1", "b": "1"})
    await seen(a_trigger(recorder, shelf), shelf, {"a": "1", "b": "2"})
    assert recorder.fired == {"a": 1, "b": 2}


async def test_version_whose_handling_died_is_heard_again_by_the_next_host() -> None:
    """No receipt is written before the function has ended: at least once, and never none."""
    recorder, shelf = Recorder(), Shelf()
    dying = a_trigger(recorder, shelf)
    shelf.versions = {"a": "1"}
    dying.see(events(shelf))
    assert shelf.receipts == set()
    await seen(a_trigger(recorder, shelf), shelf, {"a": "1"})
    await dying.settled()
    assert (recorder.fired, shelf.receipts) == ({"a": 2}, {("a", "1")})


async def test_version_is_heard_again_when_its_receipt_could_not_be_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The host says so, and goes on."""
    recorder, shelf = Recorder(), Shelf()
    shelf.away = True
    with caplog.at_level(logging.WARNING, "tunedrop.host"):
        await seen(a_trigger(recorder, shelf), shelf, {"a": "1"})
    shelf.away = False
    await seen(a_trigger(recorder, shelf), shelf, {"a": "1"})
    assert (recorder.fired, shelf.receipts) == ({"a": 2}, {("a", "1")})
    assert [record.message for record in caplog.records] == [
        "no receipt: the event comes again with the next host"
    ]


@pytest.mark.parametrize(
    ("stands", "source", "fired"),
    [
        pytest.param({"a": "1"}, "LogsAndContainerScan", 1, id="as it was"),
        pytest.param({"a": "2"}, "LogsAndContainerScan", 0, id="replaced"),
        pytest.param({"a": "2"}, "EventGrid", 1, id="replaced, Event Grid"),
        pytest.param({}, "LogsAndContainerScan", 0, id="gone"),
        pytest.param({}, "EventGrid", 0, id="gone, Event Grid"),
    ],
)
async def test_late_event_does_what_it_does_on_microsofts_host(
    stands: dict[str, str], source: str, fired: int
) -> None:
    """A blob that is gone has nothing to fire; a replaced one has an event of its own, but for
    Event Grid nobody compares versions.
    """
    recorder, shelf = Recorder(), Shelf()
    shelf.versions = stands
    await a_trigger(recorder, shelf, source=source).deliver(BlobEvent("a", "1"))
    assert recorder.fired.total() == fired


async def test_event_that_comes_twice_fires_twice() -> None:
    """Receipts keep the watching from telling a version again; what a queue delivers twice is
    handed over twice, as on Azure.
    """
    recorder, shelf = Recorder(), Shelf()
    trigger = a_trigger(recorder, shelf)
    await seen(trigger, shelf, {"a": "1"})
    await trigger.deliver(BlobEvent("a", "1"))
    assert recorder.fired == {"a": 2}


async def test_event_is_tried_again_when_the_function_fails() -> None:
    """Four failures and a success are five tries."""
    recorder, shelf = Recorder(a=4), Shelf()
    await seen(a_trigger(recorder, shelf), shelf, {"a": "1"})
    assert recorder.fired == {"a": 5}


def test_five_tries_take_forty_seconds() -> None:
    """Seen on Microsoft's host, whose poison queue gets the event then."""
    assert (len(BACKOFF_S) + 1, sum(BACKOFF_S)) == (5, 40)


async def test_event_is_poison_when_the_function_failed_five_times(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is given up with one record that names neither blob nor content, and is never
    heard again.
    """
    recorder, shelf = Recorder(secret=99), Shelf()
    with caplog.at_level(logging.ERROR, "tunedrop.host"):
        await seen(a_trigger(recorder, shelf), shelf, {"secret": "0x1"})
        await seen(a_trigger(recorder, shelf), shelf, {"secret": "0x1"})
    assert recorder.fired == {"secret": 5}
    assert [record.message for record in caplog.records].count("poison blob event") == 1
    assert not [record for record in caplog.records if "secret" in str(vars(record))]


async def test_events_run_eight_at_once_at_most() -> None:
    """A thousand blobs don't become a thousand invocations at a time."""
    recorder, shelf = Recorder(), Shelf()
    trigger = a_trigger(recorder, shelf)
    recorder.goes_on.clear()
    shelf.versions = {f"{number}": "1" for number in range(100)}
    trigger.see(events(shelf))
    while recorder.now < AT_ONCE:
        await asyncio.sleep(0)
    recorder.goes_on.set()
    await trigger.settled()
    assert (recorder.fired.total(), recorder.most) == (100, AT_ONCE)


def test_receipts_are_kept_in_the_hosts_container(storage: BlobServiceClient) -> None:
    """Of one function and one container, under names that tell nothing of the blobs; who reads them
    later knows them.
    """
    container = storage.get_container_client("receipts-of-a-test")
    container.create_container()
    StoredReceipts(container, "on_drop", "account/training").write("secret/\ud800.jsonl", '"0x1"')
    later = StoredReceipts(container, "on_drop", "account/training")
    later.write("secret/\ud800.jsonl", "0x1")
    assert later.known("secret/\ud800.jsonl", "0x1")
    assert not later.known("secret/\ud800.jsonl", "0x2")
    assert not StoredReceipts(container, "on_drop", "account/other").known(
        "secret/\ud800.jsonl", "0x1"
    )
    [name] = container.list_blob_names()
    assert name.startswith("receipts/on_drop/")
    assert "secret" not in name


async def test_outage_is_logged_once_and_outlived(
    storage: BlobServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A container that is away is one line, however long; what it holds fires once it is back."""
    recorder = Recorder()
    container = storage.get_container_client("late-container")
    trigger = a_watching_trigger(recorder, container)
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


async def test_name_that_the_listing_cant_tell_hides_no_other(
    storage: BlobServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Drops before and after it fire, also those that come later; the log tells its cause once, and
    not the name.
    """
    recorder = Recorder()
    container = storage.get_container_client("odd-names")
    trigger = a_watching_trigger(recorder, container)
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
    assert [record.message for record in caplog.records if record.name == "tunedrop.host"] == [
        "blob with a name that can't be listed"
    ]
    assert "\x0b" not in str(
        [vars(record) for record in caplog.records if record.name == "tunedrop.host"]
    )


@pytest.mark.parametrize(
    ("took", "paused"),
    [
        pytest.param(0.01, 0.5, id="few blobs"),
        pytest.param(0.04, 1.16, id="a thousand blobs"),
        pytest.param(0.4, 11.6, id="ten thousand"),
    ],
)
def test_looks_for_new_blobs_take_a_thirtieth_of_a_core_at_most(took: float, paused: float) -> None:
    """A container that fills over the months doesn't keep the host busy with itself."""
    assert pause(0.5, took) == pytest.approx(paused)
