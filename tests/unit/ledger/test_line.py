"""The line of those that wait: first come, first served, and nobody is lost or held up in it."""

from datetime import datetime, timedelta

import pytest

from orchestrators.names import Orchestrator, instance_of
from shared.models.pace import AZURE, LOCAL
from shared.models.record import Outcome, RunRecord
from shared.runs.booking import book
from shared.runs.calling import GATE
from shared.runs.ledger import Ledger
from shared.runs.line import (
    Rules,
    called,
    enter,
    give_back,
    look_for_all,
    until_the_next_look_s,
)
from shared.runs.wallet import (
    COMES_WITHIN_S,
    Booking,
    Limits,
    Refused,
    Waiting,
    Wallet,
    booked,
    joined,
)
from tests.builders import NOW, a_record
from tests.unit.ledger.test_wallet import claimed, ended, the_wallet

__all__ = ["the_wallet"]

ONE_PLACE = Limits(jobs_at_a_time=1, jobs_a_day=100, usd_a_day=1000)
BY = Rules(ONE_PLACE, rejects=True)
SOON = timedelta(seconds=1)
OPEN = Booking(usd=1, at=NOW)


def since(number: int) -> datetime:
    """When the number-th run came to the gate."""
    return NOW + timedelta(seconds=number)


def a_line(*waiting: Waiting, places: int = 0) -> Wallet:
    """A wallet with so many open bookings, and these in its line: the runs a, b, c, …"""
    bookings = {f"open{number}": OPEN for number in range(places)}
    return Wallet(bookings=bookings, waiting=dict(zip("abcdefgh", waiting, strict=False)))


def taken_by(wallet: Wallet, run_id: str, limits: Limits = ONE_PLACE) -> bool:
    """Whether this run may take a place now."""
    return not isinstance(booked(wallet, run_id, 1, limits, since(9)), Refused)


def test_place_goes_to_the_run_that_came_first_whoever_looks_first() -> None:
    """Neither one that came later, nor one that comes now, takes it."""
    line = a_line(Waiting(since=since(2), usd=1), Waiting(since=since(1), usd=1))
    assert [taken_by(line, run) for run in ("b", "a", "new")] == [True, False, False]
    assert called(line, BY, since(9))[1] == ["b"]


def test_as_many_are_called_as_there_are_places() -> None:
    """In the order in which they came, and each may come in any order."""
    line = a_line(*(Waiting(since=since(number), usd=1) for number in range(5)), places=1)
    three = Limits(3, 100, 1000)
    after, names = called(line, Rules(three, rejects=True), since(9))
    assert names == ["a", "b"]
    assert [taken_by(after, run, three) for run in "abc"] == [True, True, False]


def test_run_that_was_called_and_does_not_come_holds_up_nobody_for_long() -> None:
    """Its host may have died: after a minute the next one is called, and may come first."""
    line = a_line(Waiting(since=since(1), usd=1), Waiting(since=since(2), usd=1))
    after, names = called(line, BY, NOW)
    assert names == ["a"]
    assert called(after, BY, NOW + SOON)[1] == []
    late = NOW + timedelta(seconds=COMES_WITHIN_S) + SOON
    assert called(after, BY, late)[1] == ["a", "b"]
    assert not isinstance(booked(after, "b", 1, ONE_PLACE, late), Refused)
    assert not isinstance(booked(after, "a", 1, ONE_PLACE, late), Refused)


def test_run_that_waits_for_its_account_or_another_day_holds_up_nobody() -> None:
    """What it waits for is not what the next one needs."""
    for one in (
        Waiting(since=since(1), usd=1, for_account=True),
        Waiting(since=since(1), usd=2000),
        Waiting(since=since(1), behind="other"),
    ):
        assert taken_by(a_line(one), "new")


def test_all_that_wait_are_told_when_the_day_is_full_where_it_rejects() -> None:
    """Else they would wait for a look of their own to hear it."""
    line = a_line(*(Waiting(since=since(number), usd=1) for number in range(3)), places=1)
    full = Limits(1, 1, 1000)
    assert called(line, Rules(full, rejects=True), since(9))[1] == ["a", "b", "c"]
    assert called(line, Rules(full, rejects=False), since(9))[1] == []


def waiting_run(ledger: Ledger, name: str, number: int = 1) -> str:
    """The id of a run that has found no place."""
    run_id = claimed(ledger, name)
    assert book(ledger, run_id, 1.0, ONE_PLACE, since=since(number)) is not None
    return run_id


def test_end_of_a_run_calls_the_one_that_has_waited_longest(ledger: Ledger) -> None:
    """Its place is given back, whoever looks next; a second execution calls nobody else."""
    first = claimed(ledger, "first")
    assert book(ledger, first, 1.0, ONE_PLACE) is None
    second, third = waiting_run(ledger, "second", 2), waiting_run(ledger, "third", 3)
    ended(ledger, first)
    assert give_back(ledger, first, BY) == [second]
    assert give_back(ledger, first, BY) == []
    assert book(ledger, third, 1.0, ONE_PLACE) is not None
    assert book(ledger, second, 1.0, ONE_PLACE) is None


def test_nothing_is_written_where_nobody_waits(ledger: Ledger) -> None:
    """Whoever needs the place next settles it."""
    run_id = claimed(ledger, "alone")
    assert book(ledger, run_id, 1.0, ONE_PLACE) is None
    ended(ledger, run_id)
    seen = list[Wallet]()
    ledger.change_wallet(lambda wallet, _now: (seen.append(wallet), wallet)[1])
    assert give_back(ledger, run_id, BY) == []
    ledger.change_wallet(lambda wallet, _now: (seen.append(wallet), wallet)[1])
    assert seen[0] == seen[1]


def test_place_is_found_by_the_look_for_all_where_its_giver_died(ledger: Ledger) -> None:
    """Between its end and the call."""
    first = claimed(ledger, "first")
    assert book(ledger, first, 1.0, ONE_PLACE) is None
    second = waiting_run(ledger, "second")
    assert look_for_all(ledger, BY) == []
    ended(ledger, first)
    assert look_for_all(ledger, BY) == [second]


@pytest.mark.parametrize("gone", ["ended", "cancelled while it waited"])
def test_run_that_is_over_waits_for_nothing(ledger: Ledger, gone: str) -> None:
    """The one behind it is called."""
    first = claimed(ledger, "first")
    assert book(ledger, first, 1.0, ONE_PLACE) is None
    second, third = waiting_run(ledger, "second", 2), waiting_run(ledger, "third", 3)
    ended(ledger, second, Outcome.CANCELLED)
    if gone == "cancelled while it waited":
        assert give_back(ledger, second, BY) == []
    ended(ledger, first)
    assert look_for_all(ledger, BY) == [third]


def test_place_that_came_free_while_a_run_got_into_line_is_its_own(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose end nobody heard, as nobody waited yet: the run looks once more."""
    first, second = claimed(ledger, "first"), claimed(ledger, "second")
    assert book(ledger, first, 1.0, ONE_PLACE) is None
    change = Ledger.change_wallet
    tries: list[int] = []

    def ending_after_the_first(self: Ledger, by: object) -> None:
        change(self, by)  # type: ignore[arg-type]
        if not tries:
            ended(Ledger(self._container), first)  # pyright: ignore[reportPrivateUsage]
        tries.append(1)

    monkeypatch.setattr(Ledger, "change_wallet", ending_after_the_first)
    assert book(ledger, second, 1.0, ONE_PLACE) is None


def test_end_of_a_run_calls_those_that_have_the_same_content(ledger: Ledger) -> None:
    """All of them: one of them trains, or all end as duplicates."""
    holder = claimed(ledger, "holder")
    waiting = [claimed(ledger, name) for name in ("one", "two")]
    assert [enter(ledger, run, since(n), holder) for n, run in enumerate(waiting)] == [0, 1]
    assert look_for_all(ledger, BY) == []
    ended(ledger, holder)
    assert give_back(ledger, holder, BY) == waiting


def test_those_behind_a_holder_whose_end_called_nobody_are_found(ledger: Ledger) -> None:
    """Its host died after the end."""
    holder, run = claimed(ledger, "holder"), claimed(ledger, "one")
    enter(ledger, run, NOW, holder)
    ended(ledger, holder)
    assert look_for_all(ledger, BY) == [run]
    assert look_for_all(ledger, BY) == []


def test_those_behind_a_holder_whose_call_was_lost_are_called_again_until_they_come(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the holder died between its note and its calls, or the answer to the note was
    lost.
    """
    holder, run, done = (claimed(ledger, name) for name in ("holder", "one", "two"))
    for waits in (run, done):
        enter(ledger, waits, NOW, holder)
    ended(ledger, holder)
    assert give_back(ledger, holder, BY) == sorted([run, done])
    assert give_back(ledger, holder, BY) == []
    ended(ledger, done)
    monkeypatch.setattr("shared.runs.wallet.COMES_WITHIN_S", -60)
    assert [look_for_all(ledger, BY) for _ in range(2)] == [[run], [run]]
    assert book(ledger, run, 1.0, ONE_PLACE) is None
    assert look_for_all(ledger, BY) == []


def test_line_is_told_anew_with_the_wallet(ledger: Ledger) -> None:
    """From the records, in the same order."""
    ledger.claim(a_record("first"))
    seen = list[Wallet]()
    for number, name in ((2, "two"), (1, "one")):
        run_id = claimed(ledger, name)

        def waits(record: RunRecord, _now: datetime, number: int = number) -> RunRecord:
            return record.model_copy(update={"turn_at": since(number), "waits_because": "Full."})

        ledger.change(run_id, waits)
    ledger.change_wallet(lambda wallet, _now: (seen.append(wallet), wallet)[1])
    assert [name.partition("-")[0] for name, _ in seen[0].line()] == ["one", "two"]


def test_looks_are_the_rarer_the_more_wait_before_and_never_later_than_the_deadline() -> None:
    """Every few minutes at the pace of Azure; a thousand that wait look less than three times a
    second together, at the pace of this machine.
    """
    assert until_the_next_look_s(AZURE, 10**6, 0) == 300
    assert until_the_next_look_s(AZURE, 100, 5) == 100
    assert until_the_next_look_s(AZURE, -5, 5) == AZURE.poll_first_s
    looks = sum(1 / until_the_next_look_s(LOCAL, 10**6, before) for before in range(1000))
    assert looks < 3


def test_who_is_called_stands_in_the_gate() -> None:
    """By the name that the orchestrators give it."""
    assert instance_of("travel-0c41aa97", Orchestrator.GATE) == "travel-0c41aa97" + GATE


def test_joining_again_keeps_the_place_in_the_line() -> None:
    """By the time at which the run came, whenever it looks."""
    line = a_line(Waiting(since=since(1), usd=1), Waiting(since=since(2), usd=1))
    again = joined(line, "a", Waiting(since=since(1), usd=1))
    assert [name for name, _ in again.line()] == ["a", "b"]
