"""The wallet on real storage semantics: fifty at once, second executions, and runs that died."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine

from shared.models.record import Effect, Entered, JobProgress, Outcome, RunRecord, Step, WorstCase
from shared.runs.booking import book, closed
from shared.runs.ledger import Ledger
from shared.runs.wallet import Closed, Limits, Wallet
from shared.services.storage import Container
from tests.builders import NOW, a_record

FIFTY = 50
PLENTY = Limits(jobs_at_a_time=100, jobs_a_day=100, usd_a_day=1000)


def the_wallet(container: Container) -> Wallet:
    """What stands in the blob."""
    stored = container.read("wallet.json")
    assert stored is not None
    return Wallet.model_validate_json(stored.content)


def ended(
    ledger: Ledger, run_id: str, outcome: Outcome = Outcome.FAILED, **changes: object
) -> None:
    """Ends a run in the ledger, and tells the wallet nothing."""
    end = a_record(outcome=outcome)

    def ending(record: RunRecord, _now: datetime) -> RunRecord:
        return record.model_copy(update={"ending": end.ending, "ended_at": NOW, **changes})

    ledger.change(run_id, ending)


def claimed(ledger: Ledger, name: str) -> str:
    """The id of a new run."""
    run = a_record(name)
    assert ledger.claim(run)
    return run.id


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        pytest.param(Limits(7, 100, 1000), 7, id="at a time", marks=pytest.mark.slow),
        pytest.param(Limits(100, 9, 1000), 9, id="jobs a day", marks=pytest.mark.slow),
        pytest.param(Limits(100, 100, 11), 11, id="money a day"),
    ],
)
def test_fifty_at_once_never_pass_a_limit(
    ledger: Ledger, container: Container, limits: Limits, most: int
) -> None:
    """Of fifty runs that need a dollar each exactly as many are booked as the limit allows."""
    runs = [claimed(ledger, f"run{number}") for number in range(FIFTY)]
    start = Barrier(FIFTY)

    def one(run_id: str) -> bool:
        start.wait()
        return book(ledger, run_id, 1.0, limits) is None

    with ThreadPoolExecutor(FIFTY) as pool:
        assert sum(pool.map(one, runs)) == most
    assert len(the_wallet(container).bookings) == most


def test_second_execution_books_once(ledger: Ledger, container: Container) -> None:
    """Ten executions of one run's reservation are one booking, and all of them may go on."""
    run_id = claimed(ledger, "travel")
    with ThreadPoolExecutor(10) as pool:
        tries = [pool.submit(book, ledger, run_id, 1.0, Limits(1, 1, 1)) for _ in range(10)]
        answers = [one.result() for one in tries]
    assert answers == [None] * 10
    assert [b.usd for b in the_wallet(container).bookings.values()] == [1.0]


def test_place_of_a_run_that_died_without_buying_is_free(
    ledger: Ledger, container: Container
) -> None:
    """Nobody gave the booking back; the ledger says that the run has ended."""
    dead, alive = claimed(ledger, "dead"), claimed(ledger, "alive")
    limits = Limits(1, 1, 1)
    assert book(ledger, dead, 1.0, limits) is None
    assert book(ledger, alive, 1.0, limits) is not None
    ended(ledger, dead)
    assert book(ledger, alive, 1.0, limits) is None
    assert set(the_wallet(container).bookings) == {alive}


def test_job_of_a_run_that_bought_stays_counted_and_is_settled_to_what_it_cost(
    ledger: Ledger, container: Container
) -> None:
    """The place is free again, the job of the day is not; a failed job cost nothing."""
    first, second = claimed(ledger, "first"), claimed(ledger, "second")
    assert book(ledger, first, 5.0, Limits(1, 100, 1000)) is None
    job = Effect(state="made", holder="h", at=NOW, id="ftjob-1")
    ended(ledger, first, effects={"job": job}, job=JobProgress(status="failed"))
    assert book(ledger, second, 1.0, Limits(1, 100, 1000)) is None
    kept = the_wallet(container).bookings[first]
    assert (kept.open, kept.usd) == (False, 0.0)
    assert book(ledger, claimed(ledger, "third"), 1.0, Limits(100, 2, 1000)) is not None


def test_run_that_lives_keeps_its_booking(ledger: Ledger, container: Container) -> None:
    """Also one whose end is decided but not over: its job may still run."""
    run_id = claimed(ledger, "travel")
    assert book(ledger, run_id, 1.0, PLENTY) is None

    def deciding(record: RunRecord, _now: datetime) -> RunRecord:
        job = Effect(state="made", holder="h", at=NOW, id="ftjob-1")
        return record.model_copy(
            update={"ending": a_record(outcome=Outcome.FAILED).ending, "effects": {"job": job}}
        )

    ledger.change(run_id, deciding)
    assert book(ledger, claimed(ledger, "other"), 1.0, Limits(1, 1, 1)) is not None
    assert set(the_wallet(container).bookings) == {run_id}


def test_booking_of_a_run_that_the_ledger_does_not_know_is_free(
    ledger: Ledger, container: Container
) -> None:
    """A booking can't outlive its run's record."""
    assert book(ledger, "nobody", 1.0, Limits(1, 1, 1)) is None
    assert book(ledger, claimed(ledger, "travel"), 1.0, Limits(1, 1, 1)) is None
    assert "nobody" not in the_wallet(container).bookings


@pytest.mark.parametrize(
    ("effect", "free"),
    [(None, True), ("file:training", True), ("job", False), ("deployment", False)],
)
def test_place_of_a_run_that_stops_before_it_trains_is_free(
    ledger: Ledger, effect: str | None, free: bool
) -> None:
    """Its drop vanished, or somebody cancelled it: nothing is bought for it any more, so nobody
    waits for its end.
    """
    one, other = claimed(ledger, "one"), claimed(ledger, "other")
    only = Limits(jobs_at_a_time=1, jobs_a_day=10, usd_a_day=10)
    assert book(ledger, one, 1.0, only) is None
    effects = {effect: Effect(state="intended", holder="h", at=NOW)} if effect else {}
    ending = a_record(outcome=Outcome.SUPERSEDED).ending
    ledger.change(
        one, lambda record, _now: record.model_copy(update={"ending": ending, "effects": effects})
    )
    assert (book(ledger, other, 1.0, only) is None) == free


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"bookings": 7}', None], ids=["empty", "cut off", "nonsense", "gone"]
)
def test_wallet_that_is_damaged_is_told_anew_from_the_records(
    ledger: Ledger, container: Container, damage: bytes | None
) -> None:
    """By the worst case of each run that lives or began today; who only waits in the gate is not in
    it.
    """
    day = NOW.replace(year=2099)
    worst = WorstCase(usd=7.5, training_usd=7.5, hosting_usd=0.0, tokens=1, epochs=1)

    def known(name: str, *steps: Step, at: datetime = day, **more: object) -> str:
        run = a_record(
            name, timeline=tuple(Entered(step=step, at=at) for step in steps), worst_case=worst
        )
        assert ledger.claim(run.model_copy(update=more))
        return run.id

    lives = known("lives", Step.GATE, Step.UPLOAD)
    long_ago = known("long", Step.GATE, Step.UPLOAD, at=NOW)
    known("waits", Step.GATE)
    known(
        "old",
        Step.GATE,
        Step.UPLOAD,
        at=NOW,
        ended_at=NOW,
        ending=a_record(outcome=Outcome.FAILED).ending,
    )
    if damage is not None:
        container.put("wallet.json", damage)
    ledger.change_wallet(lambda wallet, _now: wallet)
    assert {name: booking.usd for name, booking in the_wallet(container).bookings.items()} == {
        lives: 7.5,
        long_ago: 7.5,
    }
    newcomer = claimed(ledger, "newcomer")
    refused = book(ledger, newcomer, 1.0, Limits(jobs_at_a_time=2, jobs_a_day=100, usd_a_day=1000))
    assert refused
    assert refused.problem.code == "TD-BUDGET-002"


def test_wallet_that_is_gone_is_told_anew_whatever_this_machine_takes_for_today(
    ledger: Ledger, container: Container
) -> None:
    """What ended today counts, where a clock that is ahead has passed midnight."""
    run_id = claimed(ledger, "run")
    now = container.read("runs/" + run_id + ".json")
    assert now is not None
    ended(ledger, run_id, booked_at=now.now, estimate_usd=5.0)
    container.delete("wallet.json")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=23, minutes=59)):
        ledger.change_wallet(lambda wallet, _now: wallet)
    assert list(the_wallet(container).bookings) == [run_id]


def test_wallet_that_is_lost_knows_a_run_that_has_booked_and_not_yet_uploaded(
    ledger: Ledger, container: Container
) -> None:
    """Between its booking and its first upload nothing else tells that it is through the gate."""
    booked = a_record("booked", timeline=(Entered(step=Step.GATE, at=NOW),), booked_at=NOW)
    assert ledger.claim(booked)
    ledger.change_wallet(lambda wallet, _now: wallet)
    assert set(the_wallet(container).bookings) == {booked.id}


def test_second_jobs_are_spent_in_full(ledger: Ledger) -> None:
    """What a second job had done before its cancel is billed, and nobody is told how much: the
    wallet counts the most.
    """
    worst = WorstCase(usd=7.0, training_usd=5.0, hosting_usd=2.0, tokens=1, epochs=1)
    job = Effect(state="removed", holder="h", at=NOW, id="ftjob-1", others=("ftjob-2", "ftjob-3"))
    run = a_record(
        outcome=Outcome.FAILED,
        effects={"job": job},
        job=JobProgress(status="failed"),
        worst_case=worst,
    )
    assert ledger.claim(run)
    assert closed(ledger, run.id) == Closed(bought=True, usd=10.0)
