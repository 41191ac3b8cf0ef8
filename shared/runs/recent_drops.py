"""The drops of the last days that have no run: what no event has told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.models.base import Frozen, decoded, encoded
from shared.models.drop import Drop, drop_of
from shared.runs.run_rows import record_blob
from shared.services.storage import BlobFacts, Container

NOTE = "drops.json"
MARGIN = timedelta(minutes=1)  # times of storage have whole seconds, and it may have many clocks


class LookedAt(Frozen):
    """How far the container of the drops was looked through."""

    container: str = ""
    """Account and name of the container; empty in notes of the first releases."""
    until: datetime | None = None
    """Every drop until then was looked at; None before the first pass has ended."""
    began: datetime | None = None
    """When the pass that is under way began."""
    marker: str = ""
    """The page at which it goes on."""


@dataclass(frozen=True)
class Wanted:
    """Which drops a look is about: older than their patience, younger than so many days."""

    patience: timedelta
    days: timedelta
    most: int
    """So many blobs are listed."""


# Storage lists by name, not by time, so each look reads one page of the container of the drops and
# notes where the next goes on. Of a page only those are looked up in the ledger that were dropped
# after the last pass through the whole container began: what was older has been seen by it.
class RecentDrops:
    """One look through the container of the drops; `noted` ends it."""

    def __init__(self, training: Container, ledger: Container, wanted: Wanted) -> None:
        self._training = training
        self._ledger = ledger
        self._wanted = wanted
        self._noted, self._now = self._read()
        self._found, self._following = training.page("", self._noted.marker, wanted.most)

    def _read(self) -> tuple[LookedAt, datetime]:
        """The note, and the time by the storage's clock, which is the one that drops have."""
        here = LookedAt(container=f"{self._training.account}/{self._training.name}")
        while (stored := self._ledger.read(NOTE)) is None:
            self._ledger.put_new(NOTE, encoded(here))
        noted = decoded(LookedAt, stored.content) or here
        # Where the app was moved to another container, nothing of it was looked at.
        if noted.container not in {"", here.container}:
            noted = here
        return noted.model_copy(update={"container": here.container}), stored.now

    def unheard(self) -> Iterator[Drop]:
        """The drops of this page that the ledger has no run of."""
        for facts in self._due():
            drop = drop_of(self._training.account, self._training.name, facts.name, facts.etag)
            if drop and self._ledger.facts(record_blob(drop.run_id)) is None:
                yield drop

    def noted(self) -> None:
        """Notes that the page was looked at, once all of its drops have been started."""
        noted = self._noted
        began = (noted.began if noted.marker else None) or self._now
        if self._following:
            noted = noted.model_copy(update={"began": began, "marker": self._following})
        elif noted.marker or any(facts.modified > self._until for facts in self._found):
            noted = LookedAt(
                container=noted.container, until=began - self._wanted.patience - MARGIN
            )
        if noted != self._noted:
            self._ledger.put(NOTE, encoded(noted))

    @property
    def _until(self) -> datetime:
        oldest = self._now - self._wanted.days
        return max(oldest, self._noted.until) if self._noted.until else oldest

    def _due(self) -> list[BlobFacts]:
        newest = self._now - self._wanted.patience
        return [facts for facts in self._found if self._until <= facts.modified <= newest]
