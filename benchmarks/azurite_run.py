"""A run of the app whose training file lies in Azurite, up to its scan: for measuring the activity
that reads it.

The app's settings come from the environment: `DropStorage` names the Azurite.
"""

from datetime import UTC, datetime
from pathlib import Path

from activities import scan_range
from shared.models.base import wire
from shared.models.drop import drop_of
from shared.models.messages import ScanSpan
from shared.models.pace import LOCAL
from shared.models.plan import DeploymentPlan, Pin, Plan, SmokeTestPlan, Training
from shared.models.record import RunRecord
from shared.runs.ledger import open_ledger
from shared.services import storage
from tunedrop_check.scan import scanning

BLOB = "benchmark/training_set.jsonl"


class AzuriteRun:
    """A claimed and planned run; its file has been uploaded."""

    def __init__(self, file: Path) -> None:
        self.bytes = file.stat().st_size
        container = storage.training()
        facts = container.facts(BLOB)
        drop = facts and drop_of(container.account, container.name, BLOB, facts.etag)
        if not facts or not drop:
            msg = "the upload is not there"
            raise LookupError(msg)
        plan = Plan(
            training_file=Pin(blob=BLOB, etag=facts.etag, bytes=self.bytes),
            training=Training(model="gpt-4.1-mini-2025-04-14", training_type="GlobalStandard"),
            suffix="benchmark",
            deployment=DeploymentPlan(name="benchmark", sku="GlobalStandard", capacity=1),
            smoke_test=SmokeTestPlan(messages=()),
            budget_usd=0,
        )
        now = datetime.now(UTC)
        self._id = drop.run_id
        open_ledger().claim(
            RunRecord(id=self._id, drop=drop, created_at=now, updated_at=now, plan=plan)
        )
        self._spans: list[int] = []

    def scan(self, span: scanning.Span) -> None:
        """What the engine does for one span: one activity."""
        index = span.start // scanning.BLOCK_BYTES
        request = ScanSpan(
            run_id=self._id,
            pace=LOCAL,
            role="training",
            index=index,
            start=span.start,
            stop=span.stop,
        )
        scan_range.scan_range(wire(request))
        self._spans.append(index)

    def tokens(self) -> int:
        """The tokens that the scans have counted together."""
        blobs = (
            storage.ledger().read(f"scans/{self._id}/training/{index:05}.json")
            for index in self._spans
        )
        return sum(scanning.span_scan_from_json(blob.content).total.sum for blob in blobs if blob)
