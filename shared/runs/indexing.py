"""Making the index of a ledger that an older release has written: once, page by page, by as many
hosts at the same time as there are.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.models.base import Frozen, decoded, encoded
from shared.runs.run_index import RunIndex
from shared.runs.run_rows import RUNS, lacks_report, row_of, run_of
from shared.services.storage import BlobFacts, Container

log = logging.getLogger("tunedrop")
NOTE = "index.json"
PAGE = 500  # records between two notes: some seconds of work
WITHIN_S = 10.0  # so long may one sweep be at it
# A second pass is for what a host of the older release has written meanwhile.
PASSES = 2
AGAIN_AFTER = timedelta(days=1)
MARGIN = timedelta(minutes=1)  # a record is noted as changed when it is written, not when listed
# The containers that this process knows to be indexed: they stay so.
_COMPLETE: set[tuple[str, str]] = set()


class Indexed(Frozen):
    """How far the records of older releases have entries."""

    passes: int = 0
    began: datetime | None = None
    """When the pass that is under way began, or the last one did."""
    since: datetime | None = None
    """The pass that is under way looks at records that were written after this."""
    marker: str = ""
    """The page at which the pass that is under way goes on; empty where none is."""


def is_complete(container: Container) -> bool:
    """Whether every run has an entry, so that the index tells them all."""
    key = container.account, container.name
    if key not in _COMPLETE:
        stored = container.read(NOTE)
        noted = decoded(Indexed, stored.content) if stored else None
        if noted and noted.passes:
            _COMPLETE.add(key)
    return key in _COMPLETE


def index_some(
    container: Container,
    index: RunIndex,
    restore: Callable[[str], object],
    within_s: float = WITHIN_S,
) -> None:
    """Goes on with the pass that is due, if one is, for so long."""
    until = time.monotonic() + within_s
    while _one_page(container, index, restore) and time.monotonic() < until:
        pass


# A note tells how far it came. Each page is noted by compare-and-swap, and what a page asks for can
# be done twice; so of two hosts one goes on, and nothing is left out. A day later what has changed
# since is looked through once more: a host of the older release may have been at work meanwhile.
def _one_page(container: Container, index: RunIndex, restore: Callable[[str], object]) -> bool:
    """Indexes a page; whether there is more to do for this host now."""
    # It also tells the time by storage's clock.
    while (stored := container.read(NOTE)) is None:
        container.put_new(NOTE, encoded(Indexed()))
    noted, now = decoded(Indexed, stored.content) or Indexed(), stored.now
    if not noted.marker:
        if noted.passes >= PASSES or (noted.began and now - noted.began < AGAIN_AFTER):
            return False
        since = noted.began - MARGIN if noted.began else None
        noted = noted.model_copy(update={"began": now, "since": since})
    found, following = container.page(RUNS, noted.marker, PAGE)
    for facts in found:
        if noted.since is None or facts.modified >= noted.since:
            _index_one(facts, index, restore)
    passes = noted.passes if following else noted.passes + 1
    done = encoded(noted.model_copy(update={"marker": following or "", "passes": passes}))
    won = container.swap(NOTE, done, stored.etag)
    if won and not following:
        log.info("runs indexed", extra={"passes": passes})
    return won and following is not None


def _index_one(facts: BlobFacts, index: RunIndex, restore: Callable[[str], object]) -> None:
    row = row_of(facts)
    if row and row.outcome is not None and not lacks_report(facts):
        index.add_ended(row, facts.metadata)  # nothing of it changes any more
    else:
        restore(run_of(facts.name))
