"""The wallet's decision, by value."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.runs.wallet import Booking, Closed, Limits, Refused, Wallet, booked, settled
from tests.builders import NOW

TOMORROW = NOW + timedelta(days=1)
PLENTY = Limits(jobs_at_a_time=100, jobs_a_day=100, usd_a_day=100)


def a_wallet(*bookings: Booking) -> Wallet:
    """A wallet with these bookings, of the runs 0, 1, 2, …"""
    return Wallet(bookings={str(number): booking for number, booking in enumerate(bookings)})


def refused(wallet: Wallet, limits: Limits, usd: float = 1) -> Refused | None:
    """Why another run can't be booked, or None."""
    answer = booked(wallet, "new", usd, limits, NOW)
    return answer if isinstance(answer, Refused) else None


OPEN, CLOSED = Booking(usd=4, at=NOW), Booking(usd=4, at=NOW, open=False)
YESTERDAY = Booking(usd=4, at=NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("wallet", "limits", "code"),
    [
        pytest.param(a_wallet(), PLENTY, None, id="empty"),
        pytest.param(a_wallet(OPEN, OPEN), Limits(3, 100, 100), None, id="one place left"),
        pytest.param(
            a_wallet(OPEN, OPEN), Limits(2, 100, 100), "TD-BUDGET-002", id="no place left"
        ),
        pytest.param(
            a_wallet(OPEN, YESTERDAY),
            Limits(2, 100, 100),
            "TD-BUDGET-002",
            id="a place held since yesterday",
        ),
        pytest.param(
            a_wallet(OPEN, CLOSED), Limits(2, 100, 100), None, id="a closed booking holds no place"
        ),
        pytest.param(
            a_wallet(OPEN, CLOSED), Limits(100, 2, 100), "TD-BUDGET-003", id="no job left today"
        ),
        pytest.param(
            a_wallet(OPEN, YESTERDAY),
            Limits(100, 2, 100),
            None,
            id="yesterday's job is not today's",
        ),
        pytest.param(a_wallet(OPEN, CLOSED), Limits(100, 100, 9), None, id="money to the cent"),
        pytest.param(
            a_wallet(OPEN, CLOSED), Limits(100, 100, 8.99), "TD-BUDGET-004", id="a cent too little"
        ),
        pytest.param(
            a_wallet(YESTERDAY), Limits(100, 100, 1), None, id="yesterday's money is not today's"
        ),
        pytest.param(a_wallet(), Limits(1, 0, 100), "TD-BUDGET-003", id="no jobs at all"),
        pytest.param(a_wallet(), Limits(1, 1, 0), "TD-BUDGET-004", id="no money at all"),
    ],
)
def test_run_is_booked_exactly_up_to_the_limits(
    wallet: Wallet, limits: Limits, code: str | None
) -> None:
    """Each limit has a code of its own."""
    answer = refused(wallet, limits)
    assert (answer.problem.code if answer else None) == code


@pytest.mark.parametrize(
    ("wallet", "limits", "usd", "passes", "today"),
    [
        pytest.param(a_wallet(OPEN), Limits(1, 9, 99), 1, True, True, id="a place comes free"),
        pytest.param(a_wallet(OPEN), Limits(9, 1, 99), 1, True, False, id="another day has jobs"),
        pytest.param(a_wallet(OPEN), Limits(9, 9, 5), 2, True, False, id="another day has money"),
        pytest.param(a_wallet(), Limits(9, 9, 5), 6, False, False, id="no day has so much"),
        pytest.param(a_wallet(), Limits(9, 0, 5), 1, False, False, id="no day has a job"),
    ],
)
def test_refusal_says_what_waiting_would_help(
    wallet: Wallet, limits: Limits, usd: float, passes: bool, today: bool
) -> None:
    """A run that no day could take is not left waiting."""
    answer = refused(wallet, limits, usd)
    assert answer is not None
    assert (answer.passes, answer.today) == (passes, today)


def test_booking_again_changes_nothing() -> None:
    """Not even where the limits have been lowered or the run has ended since."""
    wallet = a_wallet(OPEN, CLOSED)
    assert booked(wallet, "0", 1e9, Limits(1, 0, 0), NOW) == wallet
    assert booked(wallet, "1", 1e9, Limits(1, 0, 0), NOW) == wallet


def test_ten_dimes_fill_a_dollar() -> None:
    """The sum is not spoiled by binary fractions."""
    wallet, limits = Wallet(), Limits(100, 100, 1)
    for number in range(10):
        answer = booked(wallet, str(number), 0.1, limits, NOW)
        assert isinstance(answer, Wallet)
        wallet = answer
    assert isinstance(booked(wallet, "new", 0.000001, limits, NOW), Refused)


@pytest.mark.parametrize(
    ("ended", "after"),
    [
        pytest.param(None, OPEN, id="a living run keeps it"),
        pytest.param(Closed(bought=False), None, id="nothing bought gives all back"),
        pytest.param(
            Closed(bought=True, usd=1.5), Booking(usd=1.5, at=NOW, open=False), id="spent less"
        ),
        pytest.param(
            Closed(bought=True, usd=9), Booking(usd=9, at=NOW, open=False), id="spent more"
        ),
        pytest.param(Closed(bought=True), CLOSED, id="unknown price keeps what was booked"),
    ],
)
def test_open_booking_is_settled_by_what_became_of_its_run(
    ended: Closed | None, after: Booking | None
) -> None:
    """Place, money and job of the day."""
    assert settled(a_wallet(OPEN), lambda _: ended).bookings == ({"0": after} if after else {})


def test_settling_twice_changes_nothing() -> None:
    """A closed booking is not asked about again."""
    once = settled(a_wallet(OPEN), lambda _: Closed(bought=True, usd=2))
    assert settled(once, lambda _: Closed(bought=False)) == once


def test_closed_bookings_of_other_days_are_forgotten() -> None:
    """The blob doesn't grow with the years."""
    answer = booked(a_wallet(OPEN, CLOSED), "new", 1, PLENTY, TOMORROW)
    assert isinstance(answer, Wallet)
    assert set(answer.bookings) == {"0", "new"}


EVENTS = st.lists(
    st.tuples(st.sampled_from(["book", "end", "die", "day"]), st.integers(0, 12), st.floats(0, 6)),
    max_size=60,
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(EVENTS, st.integers(1, 4), st.integers(0, 6), st.floats(0, 20))
def test_no_order_of_events_passes_a_limit(
    events: list[tuple[str, int, float]], places: int, jobs: int, usd: float
) -> None:
    """Bookings, ends without a purchase, ends with one, and midnights, in any order: reserved and
    spent stay within all three limits.
    """
    wallet, limits, now = Wallet(), Limits(places, jobs, usd), NOW
    gone: dict[str, Closed] = {}
    for what, number, amount in events:
        run_id = str(number)
        match what:
            case "day":
                now += timedelta(days=1)
            case "book" if run_id not in gone:
                wallet = settled(wallet, gone.get)
                answer = booked(wallet, run_id, amount, limits, now)
                wallet = answer if isinstance(answer, Wallet) else wallet
            case "end" if run_id in wallet.bookings:
                gone[run_id] = Closed(bought=True, usd=min(amount, wallet.bookings[run_id].usd))
            case "die" if run_id in wallet.bookings:
                gone[run_id] = Closed(bought=False)
            case _:
                continue
        today = [b for b in wallet.bookings.values() if b.at.date() == now.date()]
        assert sum(b.open for b in wallet.bookings.values()) <= places
        assert len(today) <= jobs
        assert sum(b.usd for b in today) <= usd + 1e-4
