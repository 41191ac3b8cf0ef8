"""Scans of a run's files: the check engine reading pinned blobs, its results kept beside the
ledger.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from shared.errors import InternalError, PlanRejected
from shared.models.messages import ScanSpan
from shared.models.plan import Pin, Plan, Role
from shared.models.record import FileSummary
from shared.runs.pinning import pinned
from shared.services import storage
from shared.services.storage import Container

if TYPE_CHECKING:
    from tunedrop_check.scan.scanning import FileScan, ScanOptions, SpanScan


def container_of(pin: Pin) -> Container:
    """Where a pinned blob stands."""
    return storage.named(pin.container) if pin.container else storage.training()


AT_ONCE = 2
"""Scans in flight in one process: each holds the blocks that it counts, and the memory that
numpy and the counter need for them. More would not be quicker on two cores, and would need more
memory than an instance of 512 MB has."""
IN_FLIGHT = BoundedSemaphore(AT_ONCE)


class PinnedSource:
    """A pinned blob as the check engine reads it."""

    def __init__(self, pin: Pin) -> None:
        self.size = pin.bytes
        self._pin = pin

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop), in pieces.

        Raises:
            Changed: the blob isn't the pinned one any more.
        """
        return _ahead(container_of(self._pin).chunks(self._pin.blob, self._pin.etag, start, stop))


def _ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, each of which is on its way while the one before it is worked on."""
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        coming = reader.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = reader.submit(next, pieces, None)
            yield piece


def scan_span(plan: Plan, wanted: ScanSpan) -> None:
    """Scans one span and keeps its result."""
    from tunedrop_check.scan import scanning  # numpy and tiktoken, 0.2 s: not at import

    span = scanning.Span(wanted.start, wanted.stop)
    with IN_FLIGHT:
        source = PinnedSource(_pin(plan, wanted.role))
        result = scanning.scan_span(source, span, options(plan, wanted.role))
    storage.ledger().put(
        _span_blob(wanted.run_id, wanted.role, wanted.index), scanning.to_json(result)
    )


def merged(plan: Plan, run_id: str) -> dict[Role, FileSummary]:
    """Joins the spans of each file, compares the two, keeps the whole results, and answers their
    summaries.
    """
    from tunedrop_check.scan import scanning

    try:
        wholes: dict[Role, FileScan] = {
            role: scanning.merge(
                _parts(plan, run_id, role), options(plan, role), _pin(plan, role).bytes
            )
            for role in plan.roles
        }
    except scanning.SpansDontFit as error:
        raise InternalError(f"the spans of the scan don't fit: {error}") from None
    if "validation" in wholes:
        wholes["validation"] = scanning.compared(
            wholes["validation"], wholes["training"], options(plan, "validation")
        )
    for role, whole in wholes.items():
        storage.ledger().put(_file_blob(run_id, role), scanning.to_json(whole))
    return {role: _summary(whole) for role, whole in wholes.items()}


def _parts(plan: Plan, run_id: str, role: Role) -> "Iterator[SpanScan]":
    """The scan of each span that the plan pins."""
    # One that is missing, or was counted by another release, is made again.
    from tunedrop_check.scan import scanning

    for index, span in enumerate(scanning.spans(_pin(plan, role).bytes, pinned(plan).span_bytes)):
        stored = storage.ledger().read(_span_blob(run_id, role, index), storage.SCAN_BYTES)
        found = scanning.span_scan_from_json(stored.content) if stored else None
        if found is None or (found.start, found.counting_version) != (
            span.start,
            scanning.COUNTING_VERSION,
        ):
            with IN_FLIGHT:
                source = PinnedSource(_pin(plan, role))
                found = scanning.scan_span(source, span, options(plan, role))
        yield found


def _summary(whole: "FileScan") -> FileSummary:
    total = whole.total.distribution()
    return FileSummary(
        examples=whole.examples,
        errors=whole.errors,
        warnings=whole.warnings,
        total_tokens=int(total.sum) if total else 0,
        content_hash=whole.content_hash,
        at_most_tokens=whole.at_most_tokens,
    )


def file_scan(run_id: str, role: Role) -> "FileScan | None":
    """The whole scan of a file; None where the run never came so far."""
    from tunedrop_check.scan import scanning

    stored = storage.ledger().read(_file_blob(run_id, role), storage.SCAN_BYTES)
    return scanning.file_scan_from_json(stored.content) if stored else None


def options(plan: Plan, role: Role) -> "ScanOptions":
    """What the check engine must know of the run.

    Raises:
        PlanRejected: the model isn't known, so its encoding and limit aren't.
    """
    from tunedrop_check.models import base_models
    from tunedrop_check.scan import scanning

    try:
        model = base_models.base_model(plan.training.model)
        return scanning.ScanOptions(
            model=model, role=role, method=plan.training.method, secrets=pinned(plan).data_secrets
        )
    except base_models.UnknownModel as unknown:
        raise PlanRejected(
            "TD-PLAN-005",
            str(unknown),
            "Correct `model` in job.json; docs/data-formats.md lists the models.",
        ) from None


def _pin(plan: Plan, role: Role) -> Pin:
    pin = plan.file(role)
    if pin is None:
        msg = f"the drop has no {role} file"
        raise LookupError(msg)
    return pin


def _span_blob(run_id: str, role: Role, index: int) -> str:
    return f"scans/{run_id}/{role}/{index:05}.json"


def _file_blob(run_id: str, role: Role) -> str:
    return f"scans/{run_id}/{role}.json"
