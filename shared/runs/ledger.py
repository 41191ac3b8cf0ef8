"""The ledger: one small JSON blob a run, changed only by compare-and-swap on its ETag.

It outlives the durable history: what a second execution, a second host or a sweep must know to
change nothing stands here. Claims (on content, on a deployment's name) are blobs beside it.
"""

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from shared.errors import ClaimUnreadable, InternalError, RecordUnreadable, ServiceUnavailable
from shared.models.base import decoded, encoded
from shared.models.record import (
    PERCENTAGES,
    Effect,
    Entered,
    Outcome,
    RunRecord,
    RunSummary,
    Step,
    summary_of,
)
from shared.runs.claims import Claim, held, last_first
from shared.runs.rebuilding import CLAIM_REBUILT, WALLET_REBUILT, wallet_of
from shared.runs.wallet import Wallet
from shared.services import storage
from shared.services.storage import BlobFacts, Container
from shared.services.storage_answers import Swapped

log = logging.getLogger("tunedrop")
RUNS, CLAIMS, WALLET = "runs/", "claims/", "wallet.json"
SUMMARY = "summary"  # key of the metadata that holds the row of the run: 8 KB of ASCII at most
REPORT, MISSING = "report", "missing"  # metadata of a run that has ended without one
SWAPS = 50
STEPS = tuple(Step)


@dataclass(frozen=True)
class Read:
    """A record as it stands, and the time by the storage service's clock."""

    record: RunRecord
    etag: str
    now: datetime


class Ledger:
    """The ledger in one container, as one execution sees it."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._last: tuple[Read, float] | None = None

    def claim(self, record: RunRecord) -> bool:
        """Writes the record of a new run; False where the run is known already.

        Of any number of callers, at any time, exactly one gets True.
        """
        mine = record.model_copy(update={"written_by": secrets.token_hex(8)})
        if self._container.put_new(_blob(record.id), _encoded(mine), _metadata(mine)):
            return True
        try:
            found = self.read(
                record.id
            )  # a retry inside the client may have met its own first attempt
        except RecordUnreadable:
            return False
        return found is not None and found.record.written_by == mine.written_by

    def read(self, run_id: str) -> Read | None:
        """The record of a run; None where the run isn't known.

        Raises:
            RecordUnreadable: it is known, and so never started anew, but its record can't be read.
        """
        stored = self._container.read(_blob(run_id))
        if stored is None:
            return None
        try:
            record = RunRecord.model_validate_json(stored.content)
        except ValidationError:
            raise RecordUnreadable(run_id) from None
        return self._remembered(Read(record, stored.etag, stored.now))

    def known(self, run_id: str) -> Read:
        """The record as this execution has read or written it last, with the time of now.

        Nobody may act by it alone: what follows from it is written by compare-and-swap.
        """
        return self._recalled(run_id) or self.get(run_id)

    def _remembered(self, read: Read) -> Read:
        self._last = read, time.monotonic()
        return read

    def _recalled(self, run_id: str) -> Read | None:
        if self._last is None or self._last[0].record.id != run_id:
            return None
        read, at_s = self._last
        now = read.now + timedelta(seconds=time.monotonic() - at_s)
        return Read(read.record, read.etag, now.replace(microsecond=0))  # as storage tells it

    def get(self, run_id: str) -> Read:
        """The record of a run that must be there."""
        found = self.read(run_id)
        if found is None:
            raise InternalError(f"the ledger knows no run {run_id}")
        return found

    def change(
        self,
        run_id: str,
        change: Callable[[RunRecord, datetime], RunRecord | None],
        *,
        anew: bool = False,
    ) -> RunRecord:
        """Applies a pure change to the record, again and again until nobody was in between.

        `change` gets the record and the service's time; None or the same record means: nothing to
        write. It begins with what this execution knows, since a swap of an older record fails; with
        `anew` the record is read first, for a change that says how long it holds: this machine may
        have slept since the last look.
        """
        recalled = None if anew else self._recalled(run_id)
        for _ in range(SWAPS):
            read = recalled or self.get(run_id)
            changed = change(read.record, read.now)
            if changed is None or changed == read.record:
                if not recalled:
                    return read.record
            elif written := self._swapped(read, changed):
                return written
            recalled = None
        raise ServiceUnavailable("The ledger", f"{SWAPS} writes in a row met another writer")

    def _swapped(self, read: Read, changed: RunRecord) -> RunRecord | None:
        """The record as it was written in place of this one; None where somebody was in between."""
        mine = changed.model_copy(
            update={"updated_at": read.now, "written_by": secrets.token_hex(8)}
        )
        blob, told = _blob(mine.id), list[Swapped]()
        self._last = None
        if self._container.swap(blob, _encoded(mine), read.etag, _metadata(mine), told.append):
            if told and (etag := told[0].etag) and (now := told[0].now):
                self._remembered(Read(mine, etag, now))
            return mine
        # A retry inside the client may have met its own first attempt.
        return mine if self.get(mine.id).record.written_by == mine.written_by else None

    def enter(self, run_id: str, step: Step) -> Read:
        """Notes that the run is at this step, and answers the record. A run that is ending is left
        where it is.

        A resume and a late second execution enter steps that lie behind: the run shows the furthest
        one.
        """

        def entering(record: RunRecord, now: datetime) -> RunRecord | None:
            if record.ended_at or (record.stopping and step not in {Step.CLEAN_UP, Step.REPORT}):
                return None
            known = any(entry.step == step for entry in record.timeline)
            if known:
                return record.model_copy(update={"step": max(record.step, step, key=STEPS.index)})
            timeline = (*record.timeline, Entered(step=step, at=now))
            return record.model_copy(
                update={
                    "step": max(record.step, step, key=STEPS.index),
                    "timeline": timeline,
                    "waits_because": None,
                }
            )

        self.change(run_id, entering)
        return self.known(run_id)

    def look_late(self, run_id: str, what: str) -> int:
        """Counts a look for something past its deadline, and answers how many that makes."""

        def counting(record: RunRecord, _now: datetime) -> RunRecord:
            return record.model_copy(
                update={
                    "late_looks": {**record.late_looks, what: record.late_looks.get(what, 0) + 1}
                }
            )

        return self.change(run_id, counting).late_looks[what]

    def show_wait(self, run_id: str, because: str) -> None:
        """Notes why the run waits, for whoever looks at it."""

        def noting(record: RunRecord, _now: datetime) -> RunRecord:
            return record.model_copy(update={"waits_because": because})

        self.change(run_id, noting)

    def summaries(self, prefix: str = "") -> Iterator[RunSummary]:
        """A row for every run whose id begins so, from one listing; a damaged row is one that has
        failed, so that it hides no other.
        """
        for facts in self._container.list(RUNS + prefix):
            try:
                yield RunSummary.model_validate_json(facts.metadata.get(SUMMARY, ""))
            except ValidationError:
                yield self._row_without_summary(facts)

    def trained_models(self, name: str) -> Iterator[str]:
        """The fine-tuned models that runs of this name have trained."""
        for facts in self._container.list(f"{RUNS}{name}-"):
            try:
                found = self.read(facts.name.removeprefix(RUNS).removesuffix(".json"))
            except RecordUnreadable:
                continue
            if (
                found
                and found.record.drop.name == name
                and found.record.job
                and found.record.job.fine_tuned_model
            ):
                yield found.record.job.fine_tuned_model

    def unreported(self, since: datetime) -> list[str]:
        """The runs that have ended since then and have no report: it could not be written."""
        return [
            facts.name.removeprefix(RUNS).removesuffix(".json")
            for facts in self._container.list(RUNS)
            if facts.metadata.get(REPORT) == MISSING and facts.modified >= since
        ]

    def _row_without_summary(self, facts: BlobFacts) -> RunSummary:
        run_id = facts.name.removeprefix(RUNS).removesuffix(".json")
        try:
            return summary_of(self.get(run_id).record)
        except RecordUnreadable as unreadable:
            log.error("record of the ledger unreadable", extra={"run": run_id})
            return RunSummary(
                id=run_id,
                name=run_id.rpartition("-")[0],
                step=Step.ENDED,
                percentage=PERCENTAGES[Step.ENDED],
                outcome=Outcome.FAILED,
                created_at=facts.modified,
                updated_at=facts.modified,
                code=unreadable.problem.code,
            )

    def hold(
        self,
        claim: str,
        run_id: str,
        holds: Callable[[RunRecord], bool],
        *,
        by_force: bool = False,
        about: Callable[[RunRecord], bool] | None = None,
    ) -> str | None:
        """Takes a claim for this run; answers the id of the run that holds it already, or None.

        `holds` tells from a run's record whether it keeps the claims that it took. The claim of a
        run that doesn't is taken over, so nobody has to let go of one; of many takers one wins.
        `about` tells from a run's record whether it had this claim: by it a damaged one is told
        anew.

        Raises:
            ClaimUnreadable: it is damaged, and nobody can tell who had it.
        """
        blob, mine = _claim_blob(claim), Claim(run_id=run_id)
        for _ in range(SWAPS):
            if self._container.put_new(blob, encoded(mine)):
                return None
            stored = self._container.read(blob)
            if stored is None:
                continue
            found = decoded(Claim, stored.content)
            if found and found.run_id == run_id:
                return None
            known = self._holders(found) if found else self._rebuilt(claim, about)
            others = [
                record for record in known if record.id != run_id
            ]  # one that is gone holds nothing
            holders = [record.id for record in others if holds(record)]
            if holders and not by_force:
                if found or self._container.swap(blob, encoded(held(holders, others)), stored.etag):
                    return holders[0]
                continue
            mine = held([run_id, *holders], others)
            if self._container.swap(blob, encoded(mine), stored.etag):
                return None
        raise ServiceUnavailable("The ledger", "a claim is fought over")

    def trainers(self, claim: str, about: Callable[[RunRecord], bool] | None = None) -> list[str]:
        """The runs that this claim remembers, those first whose models are known to be good;
        `about` as for `hold`.

        Raises:
            ClaimUnreadable: it is damaged, and nobody can tell who had it.
        """
        stored = self._container.read(_claim_blob(claim))
        if stored is None:
            return []
        found = decoded(Claim, stored.content)
        if found is None:
            had = self._rebuilt(claim, about)
            return [
                record.id
                for record in sorted(
                    had, key=lambda record: record.outcome is not Outcome.SUCCEEDED
                )
            ]
        known = [found.succeeded, found.run_id, *found.before, found.trained]
        return list(dict.fromkeys(run_id for run_id in known if run_id))

    def change_wallet(self, change: Callable[[Wallet, datetime], Wallet]) -> None:
        """Applies a change to the wallet, again and again until nobody was in between; the same
        wallet writes nothing.

        A wallet that is damaged or gone is told anew from the records of all runs.
        """
        for _ in range(SWAPS):
            stored = self._container.read(WALLET)
            if stored is None:
                self._container.put_new(
                    WALLET, encoded(wallet_of(self._records(), datetime.now(UTC)))
                )
                continue
            before = decoded(Wallet, stored.content)
            if before is None:
                log.error("wallet told anew", extra={"code": WALLET_REBUILT})
            wallet = before or wallet_of(self._records(), stored.now)
            changed = change(wallet, stored.now)
            if changed == before or self._container.swap(WALLET, encoded(changed), stored.etag):
                return
        raise ServiceUnavailable(
            "The ledger", f"{SWAPS} writes of the wallet in a row met another writer"
        )

    def _rebuilt(self, claim: str, about: Callable[[RunRecord], bool] | None) -> list[RunRecord]:
        if about is None:
            raise ClaimUnreadable(claim)
        log.error("claim told anew", extra={"claim": claim, "code": CLAIM_REBUILT})
        return last_first(record for record in self._records() if about(record))

    def _records(self) -> Iterator[RunRecord]:
        """Every record that can be read: a look at all that ever was, for what happens once in a
        lifetime.
        """
        for facts in self._container.list(RUNS):
            try:
                found = self.read(facts.name.removeprefix(RUNS).removesuffix(".json"))
            except RecordUnreadable:
                continue
            if found:
                yield found.record

    def _holders(self, claim: Claim) -> list[RunRecord]:
        """The records of all that the claim remembers, the latest first."""
        known = dict.fromkeys(
            name for name in (claim.run_id, *claim.before, claim.succeeded, claim.trained) if name
        )
        return [found.record for run_id in known if (found := self.read(run_id))]


def with_effect(record: RunRecord, name: str, effect: Effect) -> RunRecord:
    """The record with this effect set."""
    return record.model_copy(update={"effects": {**record.effects, name: effect}})


def _claim_blob(claim: str) -> str:
    return f"{CLAIMS}{claim}.json"


def _blob(run_id: str) -> str:
    return f"{RUNS}{run_id}.json"


def _encoded(record: RunRecord) -> bytes:
    return record.model_dump_json(exclude_none=True).encode()


def _metadata(record: RunRecord) -> dict[str, str]:
    # ASCII by construction: a header takes no other character, and a blob's name may have any.
    row = {SUMMARY: json.dumps(summary_of(record).model_dump(mode="json", exclude_none=True))}
    return row | ({REPORT: MISSING} if record.ended_at and record.report is None else {})


def open_ledger() -> Ledger:
    """The ledger of this app."""
    return Ledger(storage.ledger())
