"""The records of runs: one small JSON blob each, changed only by compare-and-swap on its ETag, and
told to the index at each change.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from shared.errors import InternalError, RecordUnreadable, ServiceUnavailable
from shared.models.record import RunRecord, RunSummary, summary_of
from shared.runs.checkpoints import checkpoint
from shared.runs.run_index import RunIndex
from shared.runs.run_rows import metadata_of, record_blob, unreadable_row
from shared.services.storage import Container
from shared.services.storage_answers import Swapped

log = logging.getLogger("tunedrop")
SWAPS = 50


@dataclass(frozen=True)
class Read:
    """A record as it stands, and the time by the storage service's clock."""

    record: RunRecord
    etag: str
    now: datetime


class Records:
    """The records in one container."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._last: tuple[Read, float] | None = None
        self.index = RunIndex(container, self.lost_row)

    def claim(self, record: RunRecord) -> bool:
        """Writes the record of a new run; False where the run is known already.

        Of any number of callers, at any time, exactly one gets True.
        """
        if self._container.facts(record_blob(record.id)) is not None:
            return False
        mine = record.model_copy(update={"written_by": secrets.token_hex(8)})
        entered = self.index.announce(mine)
        checkpoint("start_once: after the entry")
        if not self._put_new(mine):
            return self._is_mine(mine, entered=entered)
        if mine.ended_at is not None:
            self.index.show(mine)
        return True

    def _put_new(self, record: RunRecord) -> bool:
        return self._container.put_new(
            record_blob(record.id), _encoded(record), metadata_of(record)
        )

    def _is_mine(self, mine: RunRecord, *, entered: bool) -> bool:
        """Whether the record that is there already is the one of this claim."""
        try:
            found = self.read(mine.id)
        except RecordUnreadable:
            return False
        # A retry inside the client may have met its own first attempt.
        if found is not None and found.record.written_by == mine.written_by:
            return True
        # Our entry may be of a run that has ended meanwhile.
        if entered:
            self.restore(mine.id)
        return False

    def claim_announced(self, run_id: str) -> bool:
        """Writes the record of a run whose claim died before it; False where nothing of it is
        there.
        """
        announced = self.index.announced(run_id)
        if announced and self._put_new(announced):
            return True
        return self.restore(run_id) is not None

    def restore(self, run_id: str) -> RunRecord | None:
        """Has the index tell a run as its record stands, whatever befalls it at the same moment,
        and answers the record; None where there is none that can be read.
        """
        told = ""
        for _ in range(SWAPS):
            try:
                found = self.read(run_id)
            except RecordUnreadable:
                log.error("record of the ledger unreadable", extra={"run": run_id})
                self.index.tell_unreadable(run_id)
                return None
            if found is None:
                self.index.forget(run_id)
                return None
            if found.etag == told:
                return found.record
            if found.record.ended_at is not None:
                self.index.show(found.record)
                return found.record
            self.index.open_again(found.record)
            # Looked at once more: it may have ended before its entry was made.
            told = found.etag
        raise ServiceUnavailable("The ledger", f"{SWAPS} looks in a row met another writer")

    def read(self, run_id: str) -> Read | None:
        """The record of a run; None where the run isn't known.

        Raises:
            RecordUnreadable: it is known, and so never started anew, but its record can't be read.
        """
        stored = self._container.read(record_blob(run_id))
        if stored is None:
            return None
        try:
            record = RunRecord.model_validate_json(stored.content)
        except ValidationError:
            raise RecordUnreadable(run_id) from None
        return self._remembered(Read(record, stored.etag, stored.now))

    def known(self, run_id: str) -> Read:
        """The record as this execution has read or written it last, with the time of now."""
        # Nobody may act by it alone: what follows from it is written by compare-and-swap.
        return self._recalled(run_id) or self.get(run_id)

    def _remembered(self, read: Read) -> Read:
        self._last = read, time.monotonic()
        return read

    def _recalled(self, run_id: str) -> Read | None:
        last = self._last  # once: where threads share a ledger, the next look may see another run
        if last is None or last[0].record.id != run_id:
            return None
        read, at_s = last
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
        write. With `anew` the record is read first, for a change that says how long it holds.
        """
        # What this execution knows is enough, since a swap of an older record fails; but this
        # machine may have slept since, so its time may be an old one.
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
        blob, told = record_blob(mine.id), list[Swapped]()
        self._last = None
        if self._container.swap(blob, _encoded(mine), read.etag, metadata_of(mine), told.append):
            if told and (etag := told[0].etag) and (now := told[0].now):
                self._remembered(Read(mine, etag, now))
        elif self.get(mine.id).record.written_by != mine.written_by:
            # A retry inside the client may have met its own first attempt.
            return None
        if not self.index.show(mine, read.record):
            self.restore(mine.id)
        return mine

    def lost_row(self, run_id: str, at: datetime) -> RunSummary:
        """The row of a run whose own was damaged, or found no room where it was written."""
        try:
            found = self.read(run_id)
        except RecordUnreadable:
            log.error("record of the ledger unreadable", extra={"run": run_id})
            return unreadable_row(run_id, at)
        record = found.record if found else self.index.announced(run_id)
        return summary_of(record) if record else unreadable_row(run_id, at)


def _encoded(record: RunRecord) -> bytes:
    return record.model_dump_json(exclude_none=True).encode()
