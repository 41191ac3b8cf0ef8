"""The scan of a run on real storage: the spans that its plan pins, whatever the settings say by
now.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest

from shared import settings
from shared.errors import InternalError
from shared.models.messages import ScanSpan
from shared.models.plan import Pin, Plan
from shared.runs import scans
from shared.runs.pinning import pins
from shared.services import storage
from tests.builders import a_plan
from tunedrop_check.scan import scanning

SPAN = 8 * 2**20
EXAMPLES, CHARACTERS = 1_200, 16_000


@pytest.fixture
def app(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The app's storage on Azurite."""
    monkeypatch.setenv("DropStorage", azurite)
    forget()
    for container in (storage.training(), storage.ledger()):
        container.create()
    yield monkeypatch
    monkeypatch.undo()
    forget()


def forget() -> None:
    """Settings and clients are read anew."""
    for cached in (settings.settings, settings.storage_connection, vars(storage)["_service"]):
        cached.cache_clear()


def dropped() -> Plan:
    """The plan of a file of three spans."""
    text = "word " * (CHARACTERS // 5)
    lines = (
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"{number}?"},
                    {"role": "assistant", "content": f"{number} {text}"},
                ]
            }
        )
        for number in range(EXAMPLES)
    )
    storage.training().put("file_spans.jsonl", "\n".join(lines).encode())
    facts = storage.training().facts("file_spans.jsonl")
    assert facts is not None
    plan = a_plan(
        training_file=Pin(blob=facts.name, etag=facts.etag, bytes=facts.bytes, container="training")
    )
    pinned = pins(settings.settings(), plan.api_versions, plan.training, plan.deployment)
    return plan.model_copy(update={"pinned": pinned.model_copy(update={"span_bytes": SPAN})})


def scan_all(plan: Plan, run_id: str) -> None:
    """One activity a span."""
    for index, span in enumerate(scanning.spans(plan.training_file.bytes, SPAN)):
        scans.scan_span(
            plan,
            ScanSpan(run_id=run_id, role="training", index=index, start=span.start, stop=span.stop),
        )


@pytest.mark.parametrize("span_mb", ["8", "16", "64"])
def test_merge_joins_the_spans_of_the_plan_and_not_of_todays_setting(
    app: pytest.MonkeyPatch, span_mb: str
) -> None:
    """Once 1,112 of 1,200 examples were trained on, silently, or the run failed inside."""
    plan = dropped()
    scan_all(plan, "spans-00000001")
    app.setenv("TUNEDROP_SPAN_MB", span_mb)
    settings.settings.cache_clear()
    summary = scans.merged(plan, "spans-00000001")["training"]
    assert (summary.examples, summary.errors) == (EXAMPLES, 0)
    assert summary.at_most_tokens == summary.total_tokens


def test_span_that_is_missing_or_counted_by_another_release_is_scanned_again(
    app: pytest.MonkeyPatch,
) -> None:
    """Two releases at once never give a mixed count."""
    plan = dropped()
    scan_all(plan, "spans-00000002")
    whole = scans.merged(plan, "spans-00000002")
    first, second = (f"scans/spans-00000002/training/0000{index}.json" for index in (0, 1))
    stored = storage.ledger().read(first, storage.SCAN_BYTES)
    assert stored is not None
    older = json.loads(stored.content) | {"counting_version": 0, "examples": 1}
    storage.ledger().put(first, json.dumps(older).encode())
    storage.ledger().put(second, json.dumps(older).encode())
    assert scans.merged(plan, "spans-00000002") == whole


def test_scan_that_does_not_cover_the_pinned_bytes_is_refused(app: pytest.MonkeyPatch) -> None:
    """A span that stops early is no result."""
    plan = dropped()
    scan_all(plan, "spans-00000003")
    blob = "scans/spans-00000003/training/00001.json"
    stored = storage.ledger().read(blob, storage.SCAN_BYTES)
    assert stored is not None
    storage.ledger().put(
        blob, json.dumps(json.loads(stored.content) | {"stop": SPAN + 10}).encode()
    )
    with pytest.raises(InternalError, match="don't fit"):
        scans.merged(plan, "spans-00000003")


def test_no_more_spans_are_scanned_at_once_than_memory_allows(app: pytest.MonkeyPatch) -> None:
    """However many activities the host starts: the others wait for their turn, and each gets it."""
    counted, lock, most = [0], Lock(), [0]

    class Counted(scans.PinnedSource):
        """A source that knows how many are read at once."""

        def read(self, start: int, stop: int) -> Iterator[bytes]:
            """The bytes, counted while they are read."""
            with lock:
                counted[0] += 1
                most[0] = max(most[0], counted[0])
            try:
                yield from super().read(start, stop)
            finally:
                with lock:
                    counted[0] -= 1

    plan = dropped()
    app.setattr(scans, "PinnedSource", Counted)
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(scan_all, plan, f"atonce-0000000{run}") for run in range(6)]:
            done.result()
    assert (most[0], counted[0]) == (scans.AT_ONCE, 0)
