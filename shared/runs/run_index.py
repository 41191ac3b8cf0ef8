"""The index of runs: an entry under `open/` for each that lives, one under `ended/` for each that
has ended, so that a look at what lives costs by what lives. An entry is a blob with the row of its
run in its metadata; the record under `runs/` is the truth.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.models.base import decoded
from shared.models.record import RunRecord, RunSummary, summary_of
from shared.runs.checkpoints import checkpoint
from shared.runs.run_rows import (
    ENDED,
    OPEN,
    UNREADABLE,
    ended_blob,
    key_of,
    metadata_of,
    open_blob,
    row_metadata,
    row_of,
    run_of_entry,
    unreadable_row,
)
from shared.services.storage import BlobFacts, Container


@dataclass(frozen=True)
class Cursor:
    """Where a page of runs begins: after the run with this key, on this page of the ended ones."""

    after: str = ""
    marker: str = ""


@dataclass(frozen=True)
class Page:
    """Some runs, the newest first, and where the next page begins; None where this is the last."""

    rows: list[RunSummary]
    following: Cursor | None = None


# Entries can be made anew from the records at any time. None is lost on its way: the entry of a run
# is there before its record, and that of its end before the open one goes. A death in between
# leaves an open entry too many, and the sweep, which looks at each, puts it right
# (`Ledger.restore`).
class RunIndex:
    """The index in one container."""

    def __init__(self, container: Container, lost: Callable[[str, datetime], RunSummary]) -> None:
        self._container = container
        self._lost = lost
        """Tells a row anew that an entry, written at this time, has lost."""

    def announce(self, record: RunRecord) -> bool:
        """Makes the open entry of a run before its record is written; False where there is one."""
        # It holds the record that is to come, so that a death in between loses no claim.
        content = record.model_dump_json(exclude_none=True).encode()
        return self._container.put_new(open_blob(record.id), content, metadata_of(record))

    def announced(self, run_id: str) -> RunRecord | None:
        """The record that was to come when the open entry of this run was made."""
        stored = self._container.read(open_blob(run_id))
        return decoded(RunRecord, stored.content) if stored else None

    def show(self, record: RunRecord, before: RunRecord | None = None) -> bool:
        """Tells a run as it is now; False where it lives and has no entry. Nothing is written where
        `before`, which was told already, had the same row but for the time.
        """
        if before is not None and _told(before) == _told(record):
            return True
        if record.ended_at is not None:
            self._close(record)
            return True
        # An entry that is gone is not made here: the run may have ended meanwhile.
        return self._container.replace(open_blob(record.id), b"", metadata_of(record))

    def open_again(self, record: RunRecord) -> None:
        """Makes the open entry of a run that lives."""
        self._container.put(open_blob(record.id), b"", metadata=metadata_of(record))

    def tell_unreadable(self, run_id: str) -> None:
        """Tells a run whose record can't be read as one that has failed."""
        facts = self._container.facts(open_blob(run_id))
        row = row_of(facts) if facts else None
        if row is None or row.code != UNREADABLE:
            failed = unreadable_row(run_id, row.created_at if row else datetime.now(UTC))
            # Its entry stays open, since a person may restore the record.
            self._container.put(open_blob(run_id), b"", metadata=row_metadata(failed))

    def forget(self, run_id: str) -> None:
        """Deletes an open entry that nothing is to be done about any more."""
        self._container.delete(open_blob(run_id))

    def _close(self, record: RunRecord) -> None:
        checkpoint("end_run: before the entry")
        self.add_ended(summary_of(record), metadata_of(record))
        checkpoint("end_run: after the entry")
        if record.report is None:  # it stays open until the sweep has had one written
            self.open_again(record)
        else:
            self.forget(record.id)

    def add_ended(self, row: RunSummary, metadata: dict[str, str]) -> None:
        """Makes the entry of a run that has ended."""
        self._container.put(ended_blob(row), b"", metadata=metadata)

    def open(self, prefix: str = "") -> Iterator[BlobFacts]:
        """The open entries of runs whose id begins so."""
        return self._container.list(OPEN + prefix)

    def page(self, most: int, cursor: Cursor) -> Page:
        """At most so many runs after the cursor: as a rule by two listings, of what is open and
        ended; after the first page by three.
        """
        # What is open is read first: a run that ends in between is met in the other listing.
        living = [row for row in map(self._open_row, self.open()) if row]
        marker = cursor.marker
        while True:
            facts, following = self._container.page(ENDED, marker, most)
            rows = [
                row_of(one) or self._lost(run_of_entry(one.name), one.modified) for one in facts
            ]
            ended = [row for row in rows if key_of(row) > cursor.after]
            if ended or not following:
                break
            marker = following
        # What lives and is older comes with the pages to come.
        if following:
            living = [row for row in living if key_of(row) <= key_of(ended[-1])]
        page = page_of([*living, *ended], most, cursor.after)
        if page.following:
            return Page(page.rows, Cursor(page.following.after, marker))
        # The next page begins where this one did: a run that ends meanwhile may stand before the
        # marker that follows, which on Azure names the next entry and on Azurite the last one told.
        return Page(page.rows, Cursor(key_of(page.rows[-1]), marker) if following else None)

    def _open_row(self, facts: BlobFacts) -> RunSummary | None:
        """The row of an open entry, unless its run stands among the ended ones already."""
        row = row_of(facts) or self._lost(facts.name.removeprefix(OPEN), facts.modified)
        return row if row.outcome is None or row.code == UNREADABLE else None


def page_of(rows: Iterable[RunSummary], most: int, after: str) -> Page:
    """The first of these rows behind a key, one for each run: the last that is given counts."""
    by_key = sorted({row.id: (key_of(row), row) for row in rows}.values(), key=lambda one: one[0])
    behind = [(key, row) for key, row in by_key if key > after]
    shown = [row for _, row in behind[:most]]
    return Page(shown, Cursor(behind[most - 1][0]) if len(behind) > most else None)


def _told(record: RunRecord) -> tuple[RunSummary, bool]:
    """What the index tells of a run, but for when that was written last."""
    row = summary_of(record).model_copy(update={"updated_at": record.created_at})
    return row, record.ended_at is not None and record.report is None
