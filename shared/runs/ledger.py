"""The ledger: one small JSON blob a run, changed only by compare-and-swap on its ETag.

It outlives the durable history: what a second execution, a second host or a sweep must know to
change nothing stands here. Claims (on content, on a deployment's name) are blobs beside it.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from shared.errors import ClaimUnreadable, RecordUnreadable, ServiceUnavailable
from shared.models.base import decoded, encoded
from shared.models.record import Effect, Entered, Outcome, RunRecord, RunSummary, Step
from shared.runs.claims import Claim, held, last_first
from shared.runs.indexing import index_some, is_complete
from shared.runs.rebuilding import CLAIM_REBUILT, WALLET_REBUILT, wallet_of
from shared.runs.records import SWAPS, Read, Records
from shared.runs.run_index import Cursor, Page, page_of
from shared.runs.run_rows import OPEN, RUNS, lacks_report, row_of, run_of
from shared.runs.wallet import Wallet
from shared.services import storage

__all__ = ["CLAIMS", "RUNS", "WALLET", "Ledger", "Read", "open_ledger", "with_effect"]
log = logging.getLogger("tunedrop")
CLAIMS, WALLET = "claims/", "wallet.json"
STEPS = tuple(Step)


class Ledger(Records):
    """The ledger in one container, as one execution sees it."""

    def enter(self, run_id: str, step: Step) -> Read:
        """Notes that the run is at this step, and answers the record."""

        def entering(record: RunRecord, now: datetime) -> RunRecord | None:
            # A run that is ending is left where it is.
            if record.ended_at or (record.stopping and step not in {Step.CLEAN_UP, Step.REPORT}):
                return None
            known = any(entry.step == step for entry in record.timeline)
            # A resume and a late second execution enter steps that lie behind: the run shows the
            # furthest one.
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
        """A row for every run whose id begins so, from the records: a look at all that ever was."""
        for facts in self._container.list(RUNS + prefix):
            # A damaged row is one that has failed, so that it hides no other.
            yield row_of(facts) or self.lost_row(run_of(facts.name), facts.modified)

    def page(self, most: int, cursor: Cursor | None = None) -> Page:
        """At most so many runs after the cursor, the newest first."""
        cursor = cursor or Cursor()
        if is_complete(self._container):
            return self.index.page(most, cursor)
        # The runs of an older release have no entries yet: by a look at all of them.
        return page_of(self.summaries(), most, cursor.after)

    def living(self, prefix: str = "") -> Iterator[RunSummary]:
        """A row for every run whose id begins so and that lives, or has something left to do."""
        for facts in self.index.open(prefix):
            yield row_of(facts) or self.lost_row(facts.name.removeprefix(OPEN), facts.modified)

    def index_older(self) -> None:
        """Makes entries for the runs of older releases."""
        # It goes on where the call before stopped.
        index_some(self._container, self.index, self.restore)

    def trained_models(self, name: str) -> Iterator[str]:
        """The fine-tuned models that runs of this name have trained."""
        for facts in self._container.list(f"{RUNS}{name}-"):
            try:
                found = self.read(run_of(facts.name))
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
            facts.name.removeprefix(OPEN)
            for facts in self.index.open()
            if lacks_report(facts) and facts.modified >= since
        ]

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
            # One that is gone holds nothing.
            others = [record for record in known if record.id != run_id]
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
        """Applies a change to the wallet, again and again until nobody was in between."""
        for _ in range(SWAPS):
            stored = self._container.read(WALLET)
            if stored is None:
                # By this machine's clock, which may be ahead: what is of the day before counts for
                # nothing, and is no reason to forget what is of today.
                day_before = datetime.now(UTC) - timedelta(days=1)
                self._container.put_new(WALLET, encoded(wallet_of(self._records(), day_before)))
                continue
            before = decoded(Wallet, stored.content)
            if before is None:
                log.error("wallet rebuilt", extra={"code": WALLET_REBUILT})
            # A wallet that is damaged or gone is rebuilt from the records of all runs.
            wallet = before or wallet_of(self._records(), stored.now)
            changed = change(wallet, stored.now)
            # The same wallet writes nothing.
            if changed == before or self._container.swap(WALLET, encoded(changed), stored.etag):
                return
        raise ServiceUnavailable(
            "The ledger", f"{SWAPS} writes of the wallet in a row met another writer"
        )

    def _rebuilt(self, claim: str, about: Callable[[RunRecord], bool] | None) -> list[RunRecord]:
        if about is None:
            raise ClaimUnreadable(claim)
        log.error("claim rebuilt", extra={"claim": claim, "code": CLAIM_REBUILT})
        return last_first(record for record in self._records() if about(record))

    def _records(self) -> Iterator[RunRecord]:
        """Every record that can be read."""
        # A look at all that ever was, for what happens once in a lifetime.
        for facts in self._container.list(RUNS):
            try:
                found = self.read(run_of(facts.name))
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


def open_ledger() -> Ledger:
    """The ledger of this app."""
    return Ledger(storage.ledger())
