"""The wallet: what all runs together may buy, at a time and in a day. Pure. Days are UTC, and times
the storage service's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.errors import Problem, WalletFull
from shared.models.base import Frozen
from shared.models.record import Slot


class Booking(Frozen):
    """What one run may spend, or has spent once it is no longer open. It counts on the day on which
    it was made.
    """

    usd: float
    at: datetime
    open: bool = True
    trains: bool = True
    """Whether it counts among the jobs of its day: a run that deploys a trained model begins no
    job.
    """
    slot: Slot | None = None
    """What its deployment takes of the account; while the booking is open it may not stand yet."""


# A run books its place and its money in one blob before it buys anything. What a booking came to is
# not reported by the run, which may be dead: it is read from the ledger when somebody else needs
# the room.
class Wallet(Frozen):
    """The bookings of all open runs, and of all runs of this day, by run id."""

    bookings: dict[str, Booking] = {}


@dataclass(frozen=True)
class Limits:
    """What the wallet holds."""

    jobs_at_a_time: int
    jobs_a_day: int
    usd_a_day: float


@dataclass(frozen=True)
class Order:
    """What a run books besides its money."""

    trains: bool = True
    slot: Slot | None = None


@dataclass(frozen=True)
class Refused:
    """Why a run can't be booked now, and whether waiting could fix it: today, later, or never."""

    problem: Problem
    passes: bool
    today: bool = False


def booked(
    wallet: Wallet,
    run_id: str,
    usd: float,
    limits: Limits,
    now: datetime,
    order: Order | None = None,
) -> Wallet | Refused:
    """The wallet with this run in it."""
    order = order or Order()
    if run_id in wallet.bookings:
        # It changes nothing, whatever became of the run.
        return wallet
    today = [booking for booking in wallet.bookings.values() if booking.at.date() == now.date()]
    spent = round(math.fsum(booking.usd for booking in today), 6)
    if order.trains and sum(booking.trains for booking in today) >= limits.jobs_a_day:
        return Refused(WalletFull.of_jobs(limits.jobs_a_day).problem, passes=limits.jobs_a_day > 0)
    if round(spent + usd, 6) > limits.usd_a_day:
        return Refused(
            WalletFull.of_money(usd, spent, limits.usd_a_day).problem,
            passes=usd <= limits.usd_a_day,
        )
    if sum(booking.open for booking in wallet.bookings.values()) >= limits.jobs_at_a_time:
        return Refused(WalletFull.of_places(limits.jobs_at_a_time).problem, passes=True, today=True)
    kept = {
        name: booking
        for name, booking in wallet.bookings.items()
        if booking.open or booking.at.date() >= now.date()
    }
    return Wallet(
        bookings={**kept, run_id: Booking(usd=usd, at=now, trains=order.trains, slot=order.slot)}
    )


def coming(wallet: Wallet, run_id: str, slot: Slot, standing: frozenset[str]) -> list[Slot]:
    """The slots of other open bookings on the same account whose deployments don't stand yet."""
    others = [
        booking.slot
        for name, booking in wallet.bookings.items()
        if name != run_id and booking.open and booking.slot
    ]
    # Room that only seems to be free.
    return [
        other
        for other in others
        if other.account == slot.account and other.deployment not in standing
    ]


@dataclass(frozen=True)
class Closed:
    """What became of an open booking: nothing bought, or so much spent; None: no price is known."""

    bought: bool
    usd: float | None = None


def settled(wallet: Wallet, ask: Callable[[str], Closed | None]) -> Wallet:
    """The wallet with every booking closed whose run has ended; `ask`: None for one that lives."""
    bookings: dict[str, Booking] = {}
    for run_id, booking in wallet.bookings.items():
        closed = ask(run_id) if booking.open else None
        if closed is None:
            bookings[run_id] = booking
        elif closed.bought:
            # A run that bought nothing gives back its place, its money and its job of the day.
            spent = booking.usd if closed.usd is None else closed.usd
            bookings[run_id] = booking.model_copy(update={"open": False, "usd": spent})
    return Wallet(bookings=bookings)
