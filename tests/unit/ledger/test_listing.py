"""The index of runs: pages, what lives, and what is put right after a death in between."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.models.record import Outcome, RunRecord, Step
from shared.runs import checkpoints, indexing
from shared.runs.ledger import Ledger
from shared.runs.run_index import Cursor
from shared.runs.run_rows import open_blob
from shared.services.storage import BlobFacts, Container
from tests.builders import a_record

BEGAN = datetime(2026, 11, 28, 12, tzinfo=UTC)
ALL_AT_ONCE = 1_000


class Died(BaseException):
    """The process is gone."""


@pytest.fixture
def dies() -> Iterator[Any]:
    """Has the process die at a checkpoint."""

    def at(name: str) -> None:
        def look(met: str) -> None:
            if met == name:
                raise Died

        checkpoints.observe(look)

    yield at
    checkpoints.observe(None)


def a_run(number: int, *, ended: bool = True, minutes: float | None = None) -> RunRecord:
    """A run that began so many minutes before the others; a report has it where it has ended."""
    record = a_record(f"run{number:03}", outcome=Outcome.SUCCEEDED if ended else None)
    began = BEGAN - timedelta(minutes=number if minutes is None else minutes)
    return record.model_copy(update={"created_at": began, "report": "reports/x" if ended else None})


def end(ledger: Ledger, run_id: str) -> RunRecord:
    """Ends a run that lives."""
    ended = a_record("x", outcome=Outcome.SUCCEEDED)
    report = {
        "ending": ended.ending,
        "ended_at": ended.ended_at,
        "step": Step.ENDED,
        "report": "r/x",
    }
    return ledger.change(run_id, lambda record, _now: record.model_copy(update=report))


def names(ledger: Ledger, most: int = ALL_AT_ONCE) -> list[str]:
    """Every run that the pages tell, in their order."""
    found: list[str] = []
    cursor: Cursor | None = Cursor()
    while cursor is not None:
        page = ledger.page(most, cursor)
        assert len(page.rows) <= most
        found += [row.name for row in page.rows]
        cursor = page.following
    return found


def indexed(ledger: Ledger) -> Ledger:
    """The ledger, whose index is complete."""
    ledger.index_older()
    return ledger


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_pages_tell_every_run_once_newest_first_whether_it_lives_or_has_ended(
    ledger: Ledger, most: int
) -> None:
    """However few stand on one: runs that live are between those that have ended."""
    for number in range(9):
        ledger.claim(a_run(number, ended=number % 3 != 0))
    assert names(indexed(ledger), most) == [f"run{number:03}" for number in range(9)]


def test_run_that_ends_between_two_pages_is_told_once(ledger: Ledger) -> None:
    """Its place among all is the same in both listings."""
    runs = [a_run(number, ended=False) for number in range(6)]
    for run in runs:
        ledger.claim(run)
    first = indexed(ledger).page(3)
    for run in runs:
        end(ledger, run.id)
    second = ledger.page(ALL_AT_ONCE, first.following)
    told = [row.name for row in (*first.rows, *second.rows)]
    assert told == [run.drop.name for run in runs]


def from_the_marked(
    container: Container, prefix: str, marker: str, most: int
) -> tuple[list[BlobFacts], str | None]:
    """A page as Azure has it: its marker names the entry that comes next."""
    found = [facts for facts in container.list(prefix) if facts.name >= marker]
    return found[:most], found[most].name if len(found) > most else None


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("page", [Container.page, from_the_marked], ids=["Azurite's", "Azure's"])
def test_run_that_ends_between_two_pages_is_told_whatever_a_marker_names(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, page: Any, most: int
) -> None:
    """It stands in the gap between what a page has told and what its listing has read."""
    for number in range(5):
        ledger.claim(a_run(number, ended=number != 2))
    indexed(ledger)
    monkeypatch.setattr(Container, "page", page)
    told: list[str] = []
    cursor: Cursor | None = Cursor()
    while cursor is not None:
        found = ledger.page(most, cursor)
        told += [row.name for row in found.rows]
        cursor = found.following
        if len(told) <= 2 and ledger.get(a_run(2).id).record.ended_at is None:
            end(ledger, a_run(2).id)
    assert told == [f"run{number:03}" for number in range(5)]


def test_rows_follow_their_records(ledger: Ledger) -> None:
    """Step and outcome are told as they are written."""
    run = a_run(1, ended=False)
    ledger.claim(run)
    indexed(ledger)
    ledger.enter(run.id, Step.TRAIN)
    [row] = ledger.page(9).rows
    assert (row.step, row.outcome) == (Step.TRAIN, None)
    assert [row.step for row in ledger.living()] == [Step.TRAIN]
    end(ledger, run.id)
    [row] = ledger.page(9).rows
    assert (row.step, row.outcome) == (Step.ENDED, Outcome.SUCCEEDED)
    assert list(ledger.living()) == []


def test_living_runs_of_one_name_are_told_by_their_prefix(ledger: Ledger) -> None:
    """Others are not read."""
    for number in range(3):
        ledger.claim(a_run(number, ended=False))
    assert [row.name for row in ledger.living("run001-")] == ["run001"]


def test_run_without_a_report_lives_on_until_it_has_one(ledger: Ledger) -> None:
    """The sweep finds it among what is left to do, and the pages tell it once."""
    run = a_run(1, ended=False)
    ledger.claim(run)
    end_without = {"ended_at": BEGAN, "ending": a_record("x", outcome=Outcome.FAILED).ending}
    ledger.change(run.id, lambda record, _now: record.model_copy(update=end_without))
    assert ledger.unreported(BEGAN - timedelta(days=1)) == [run.id]
    assert names(indexed(ledger)) == ["run001"]
    ledger.change(run.id, lambda record, _now: record.model_copy(update={"report": "reports/x"}))
    assert list(ledger.living()) == []
    assert names(ledger) == ["run001"]


def test_claim_that_died_between_entry_and_record_is_made_good(ledger: Ledger, dies: Any) -> None:
    """What the entry holds becomes the record, once; whoever comes late finds it."""
    run = a_run(1, ended=False)
    dies("start_once: after the entry")
    with pytest.raises(Died):
        ledger.claim(run)
    assert ledger.read(run.id) is None
    assert [row.id for row in ledger.living()] == [run.id]
    dies("nothing")
    assert ledger.claim_announced(run.id)
    assert ledger.get(run.id).record.drop == run.drop
    assert ledger.claim(run) is False


def test_claim_comes_after_one_that_died_between_entry_and_record(
    ledger: Ledger, dies: Any
) -> None:
    """The event comes again, and the run is claimed as if nothing had been."""
    run = a_run(1, ended=False)
    dies("start_once: after the entry")
    with pytest.raises(Died):
        ledger.claim(run)
    dies("nothing")
    assert ledger.claim(run) is True
    assert ledger.claim(run) is False


@pytest.mark.parametrize("at", ["end_run: before the entry", "end_run: after the entry"])
def test_end_that_died_between_its_entries_is_told_once_and_put_right(
    ledger: Ledger, dies: Any, at: str
) -> None:
    """The record says that the run has ended: the sweep's look makes the entries say the same."""
    run = a_run(1, ended=False)
    ledger.claim(run)
    dies(at)
    with pytest.raises(Died):
        end(ledger, run.id)
    dies("nothing")
    assert names(indexed(ledger)) == ["run001"]
    assert [row.id for row in ledger.living()] == [run.id]
    ledger.restore(run.id)
    assert list(ledger.living()) == []
    assert names(ledger) == ["run001"]


def test_late_writer_brings_no_ended_run_back_to_life(ledger: Ledger, container: Container) -> None:
    """An entry that is gone is not written over."""
    run = a_run(1, ended=False)
    ledger.claim(run)
    living = ledger.get(run.id).record
    end(ledger, run.id)
    assert ledger.index.show(living) is False
    assert container.facts(open_blob(run.id)) is None


def older(ledger: Ledger, container: Container, numbers: range) -> list[RunRecord]:
    """Runs of a release that kept no index; every third lives."""
    runs = [a_run(number, ended=number % 3 != 0) for number in numbers]
    for run in runs:
        ledger.claim(run)
    for facts in [*container.list("open/"), *container.list("ended/")]:
        container.delete(facts.name)
    return runs


@pytest.mark.parametrize("most", [2, ALL_AT_ONCE])
def test_ledger_of_an_older_release_is_told_before_and_after_it_is_indexed(
    ledger: Ledger, container: Container, most: int
) -> None:
    """Page by page the same, and what lives is found."""
    runs = older(ledger, container, range(7))
    before = names(ledger, most)
    indexed(ledger)
    assert before == names(ledger, most) == [run.drop.name for run in runs]
    assert {row.name for row in ledger.living()} == {"run000", "run003", "run006"}


def test_older_ledger_is_indexed_by_two_hosts_at_once_and_in_parts(
    ledger: Ledger, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each goes on where either has stopped; what is asked for twice changes nothing."""
    monkeypatch.setattr(indexing, "PAGE", 2)
    runs = older(ledger, container, range(9))
    other = Ledger(container)
    for _ in range(9):
        for one in (ledger, other):
            indexing.index_some(container, one.index, one.restore, within_s=0)
    assert indexing.is_complete(container)
    assert names(ledger) == [run.drop.name for run in runs]


def test_run_of_an_older_host_that_worked_on_meanwhile_is_indexed_a_day_later(
    ledger: Ledger, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its records have no entries: the second pass finds them."""
    indexed(ledger)
    older(ledger, container, range(3))
    indexed(ledger)
    assert names(ledger) == []
    monkeypatch.setattr(indexing, "AGAIN_AFTER", timedelta(0))
    assert names(indexed(ledger)) == ["run000", "run001", "run002"]


def test_run_of_an_older_host_is_indexed_when_it_is_written_to(
    ledger: Ledger, container: Container
) -> None:
    """Its next step makes its entry."""
    [run] = older(ledger, container, range(1))
    indexed(ledger)
    container.delete(open_blob(run.id))
    ledger.enter(run.id, Step.SCAN)
    assert [row.step for row in ledger.living()] == [Step.SCAN]


def test_unreadable_record_is_told_as_failed_until_it_is_restored(
    ledger: Ledger, container: Container
) -> None:
    """It keeps its place in the list, and is left to do something about."""
    run = a_run(1, ended=False)
    ledger.claim(run)
    whole = container.read(f"runs/{run.id}.json")
    assert whole
    container.put(f"runs/{run.id}.json", b"{")
    assert ledger.restore(run.id) is None
    [row] = indexed(ledger).page(9).rows
    assert (row.outcome, row.code, row.created_at) == ("failed", "TD-LEDGER-001", run.created_at)
    container.put(f"runs/{run.id}.json", whole.content)
    ledger.restore(run.id)
    [row] = ledger.page(9).rows
    assert (row.outcome, row.code) == (None, None)


def test_entry_without_its_row_is_told_from_the_record(
    ledger: Ledger, container: Container
) -> None:
    """Only the copy in the metadata was lost, of a run that lives and of one that has ended."""
    for number, ended in enumerate((False, True)):
        ledger.claim(a_run(number, ended=ended))
    for facts in [*container.list("open/"), *container.list("ended/")]:
        container.put(facts.name, b"")
    assert names(indexed(ledger)) == ["run000", "run001"]
