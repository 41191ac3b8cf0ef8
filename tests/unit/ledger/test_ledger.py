"""The ledger: claims and changes, however many come at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.claim_content import keeps
from shared.errors import InternalError
from shared.models.record import Outcome, RunRecord, Step
from shared.runs.ledger import Ledger
from shared.services.storage import Container, Stored
from tests.builders import a_record


def test_claim_is_won_once_when_twenty_claim_at_the_same_moment(ledger: Ledger) -> None:
    """Of twenty claims on one run exactly one is won."""
    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(ledger.claim, [a_record()] * 20)) == 1


def test_claim_is_lost_when_the_run_has_ended(ledger: Ledger) -> None:
    """A late event finds the ended run and does nothing."""
    ledger.claim(a_record(outcome=Outcome.SUCCEEDED))
    assert ledger.claim(a_record()) is False


def test_change_loses_none_when_many_change_at_the_same_moment(ledger: Ledger) -> None:
    """Eight concurrent increments add up to eight."""
    run = a_record()
    ledger.claim(run)

    with ThreadPoolExecutor(8) as pool:
        for started in [pool.submit(ledger.change, run.id, counting) for _ in range(8)]:
            started.result()
    assert ledger.get(run.id).record.smoke_attempts == 8


def test_change_of_an_unknown_run_is_an_internal_error(ledger: Ledger) -> None:
    """A run that nobody claimed can't be changed."""
    with pytest.raises(InternalError):
        ledger.change("nobody", lambda record, _: record)


def test_summaries_tell_every_run_from_the_listing(ledger: Ledger) -> None:
    """One row a run, with name, step and outcome."""
    ledger.claim(a_record("one"))
    ledger.claim(a_record("two", outcome=Outcome.FAILED))
    rows = {row.name: row for row in ledger.summaries()}
    assert (rows["one"].outcome, rows["two"].outcome) == (None, Outcome.FAILED)


def test_enter_keeps_the_time_of_the_first_entry(ledger: Ledger) -> None:
    """Entering a step again, as after a resume, begins no deadline anew."""
    run = a_record()
    ledger.claim(run)
    first = ledger.enter(run.id, Step.TRAIN).record.entered(Step.TRAIN)
    ledger.enter(run.id, Step.DEPLOY)
    assert ledger.enter(run.id, Step.TRAIN).record.entered(Step.TRAIN) == first


def test_step_stays_the_furthest_when_an_earlier_one_is_entered_again(ledger: Ledger) -> None:
    """A resume, or a late second execution, does not take a training run back to its first step."""
    run = a_record()
    ledger.claim(run)
    ledger.enter(run.id, Step.TRAIN)
    assert ledger.enter(run.id, Step.SETTLE).record.step is Step.TRAIN


@pytest.mark.parametrize(
    ("outcome", "held"),
    [
        pytest.param(None, True, id="by a living run"),
        pytest.param(Outcome.SUCCEEDED, True, id="by a successful run"),
        pytest.param(Outcome.FAILED, False, id="not by a failed run"),
        pytest.param(Outcome.CANCELLED, False, id="not by a cancelled run"),
    ],
)
def test_content_claim_is_held(ledger: Ledger, outcome: Outcome | None, held: bool) -> None:
    """A claim belongs to a living or successful run and to no other."""
    first = a_record("first", outcome=outcome)
    ledger.claim(first)
    ledger.hold("content/k", first.id, keeps)
    assert ledger.hold("content/k", "second", keeps) == (first.id if held else None)


def test_content_claim_is_held_once_when_ten_take_it_at_the_same_moment(ledger: Ledger) -> None:
    """Of ten runs with the same content one holds the claim, and the other nine name it."""
    runs = [a_record(f"run{n}") for n in range(10)]
    for run in runs:
        ledger.claim(run)
    with ThreadPoolExecutor(10) as pool:
        tries = [pool.submit(ledger.hold, "content/k", run.id, keeps) for run in runs]
        holders = [one.result() for one in tries]
    winner = [run.id for run, holder in zip(runs, holders, strict=True) if holder is None]
    assert len(winner) == 1
    assert set(holders) == {None, winner[0]}


def test_content_claim_is_taken_by_force_when_a_retrain_is_asked_for(ledger: Ledger) -> None:
    """`retrain` takes the claim of a successful run over."""
    first = a_record("first", outcome=Outcome.SUCCEEDED)
    ledger.claim(first)
    ledger.hold("content/k", first.id, keeps)
    assert ledger.hold("content/k", "second", keeps, by_force=True) is None


@pytest.mark.parametrize(
    "before", [None, Outcome.SUCCEEDED], ids=["of a living run", "of a successful run"]
)
def test_content_claim_falls_back_when_the_run_that_took_it_by_force_fails(
    ledger: Ledger, before: Outcome | None
) -> None:
    """A failed retrain doesn't make the same content trainable again for everybody."""
    first, retrain = a_record("first", outcome=before), a_record("second", outcome=Outcome.FAILED)
    for run in (first, retrain):
        ledger.claim(run)
    ledger.hold("content/k", first.id, keeps)
    ledger.hold("content/k", retrain.id, keeps, by_force=True)
    assert ledger.hold("content/k", "third", keeps) == first.id
    assert ledger.hold("content/k", first.id, keeps) is None


def test_row_holds_a_blob_of_any_name(ledger: Ledger) -> None:
    """The row stands in a header, which takes ASCII alone: other letters are escaped there, and
    read back.
    """
    run = a_record()
    named = run.model_copy(
        update={"drop": run.drop.model_copy(update={"blob": "Ünïcode 日本 😀.jsonl"})}
    )
    assert ledger.claim(named)
    assert [row.blob for row in ledger.summaries()] == ["Ünïcode 日本 😀.jsonl"]


def counting(record: RunRecord, _now: datetime) -> RunRecord:
    """One attempt more."""
    return record.model_copy(update={"smoke_attempts": record.smoke_attempts + 1})


def test_execution_reads_a_record_once_and_writes_it_as_often_as_it_must(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own write tells what stands there since: three changes and a look cost one read."""
    run, mine, reads = a_record(), Ledger(container), list[str]()
    mine.claim(run)
    read = Container.read

    def noted(self: Container, blob: str, *more: Any) -> Stored | None:
        reads.append(blob)
        return read(self, blob, *more)

    monkeypatch.setattr(Container, "read", noted)
    mine.enter(run.id, Step.TRAIN)
    mine.change(run.id, counting)
    assert mine.change(run.id, counting).smoke_attempts == 2
    assert mine.known(run.id).record.step is Step.TRAIN
    assert len(reads) == 1


def test_change_by_what_is_known_loses_nothing_that_another_wrote_meanwhile(
    container: Container,
) -> None:
    """Who knows an older record meets the newer one, whoever wrote it."""
    run, mine, other = a_record(), Ledger(container), Ledger(container)
    mine.claim(run)
    mine.change(run.id, counting)
    other.change(run.id, counting)
    assert mine.change(run.id, counting).smoke_attempts == 3


def test_that_nothing_is_to_write_is_said_by_the_record_as_it_is(container: Container) -> None:
    """A change that finds its work done in what is known looks whether that still stands."""
    run, mine, other = a_record(), Ledger(container), Ledger(container)
    mine.claim(run)

    def to_one(record: RunRecord, _now: datetime) -> RunRecord:
        return record.model_copy(update={"smoke_attempts": 1})

    def to_none(record: RunRecord, _now: datetime) -> RunRecord:
        return record.model_copy(update={"smoke_attempts": 0})

    mine.change(run.id, to_one)
    other.change(run.id, to_none)
    assert mine.change(run.id, to_one).smoke_attempts == 1
    assert other.get(run.id).record.smoke_attempts == 1


def test_change_anew_has_the_time_of_storage_though_this_machine_has_slept(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds for a while is stamped by a look of now: this machine may have slept meanwhile."""
    run, mine = a_record(), Ledger(container)
    mine.claim(run)
    read = Container.read
    hours = iter(range(10))

    def hours_later(self: Container, blob: str, *more: Any) -> Stored | None:
        stored = read(self, blob, *more)
        return stored and replace(stored, now=stored.now + timedelta(hours=next(hours)))

    monkeypatch.setattr(Container, "read", hours_later)
    first = mine.known(run.id).now
    seen = list[datetime]()

    def stamped(record: RunRecord, now: datetime) -> RunRecord:
        seen.append(now)
        return counting(record, now)

    mine.change(run.id, stamped)
    mine.change(run.id, stamped, anew=True)
    assert seen[0] - first < timedelta(minutes=30)
    assert seen[1] - first > timedelta(minutes=30)
