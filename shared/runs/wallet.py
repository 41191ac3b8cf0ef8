"""The wallet: what all runs together may buy, at a time and in a day, and who waits for it. Pure.
Days are UTC, and times the storage service's.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

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


# So long a place is kept for a run that was called: one that lives takes up a wake-up in less.
COMES_WITHIN_S = 60.0


class Waiting(Frozen):
    """A run that waits in the gate, and what it will book."""

    since: datetime
    """When it came to the gate: its place in the line, wherever it looks again."""
    usd: float = 0
    trains: bool = True
    for_account: bool = False
    """Whether it waits for room on its account: then it holds up nobody who needs none."""
    behind: str | None = None
    """The run whose end it waits for, which has the same content; then it wants no place yet."""
    called_at: datetime | None = None
    """When it was last told to look, since it may book now."""

    def counts(self, now: datetime) -> bool:
        """Whether a place is kept for it before those that came later."""
        return self.behind is None and not self.for_account and not self.is_late(now)

    def is_late(self, now: datetime) -> bool:
        """Whether it was called and has not come."""
        return self.called_at is not None and now - self.called_at > timedelta(
            seconds=COMES_WITHIN_S
        )


# A run books its place and its money in one blob before it buys anything. What a booking came to is
# not reported by the run, which may be dead: it is read from the ledger when somebody else needs
# the room. Places are given in the order in which the runs came: who comes later books only what is
# left when all that wait before it have theirs. A run that is called and does not come holds up
# nobody for long.
class Wallet(Frozen):
    """The bookings of all open runs, and of all runs of this day, by run id; and who waits."""

    bookings: dict[str, Booking] = {}
    waiting: dict[str, Waiting] = {}

    def line(self) -> list[tuple[str, Waiting]]:
        """Who waits, in the order in which they came."""
        return sorted(self.waiting.items(), key=lambda one: (one[1].since, one[0]))


@dataclass(frozen=True)
class Limits:
    """What the wallet holds."""

    jobs_at_a_time: int
    jobs_a_day: int
    usd_a_day: float


@dataclass(frozen=True)
class Order:
    """What a run books besides its money, and since when it has been at the gate, where not now."""

    trains: bool = True
    slot: Slot | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Refused:
    """Why a run can't be booked now, and whether waiting could fix it: today, later, or never."""

    problem: Problem
    passes: bool
    today: bool = False
    for_account: bool = False
    """Whether it is the account that has no room."""
    ahead: int = 0
    """How many wait before this run."""


@dataclass(frozen=True)
class Counted:
    """What is booked: places, and jobs and money of the day."""

    places: int
    jobs: int
    usd: float

    def with_one(self, usd: float, *, trains: bool) -> "Counted":
        """The same and one run more."""
        return Counted(self.places + 1, self.jobs + trains, round(self.usd + usd, 6))

    def refusal(self, usd: float, limits: Limits, *, trains: bool) -> Refused | None:
        """Why one run more can't be booked, or None."""
        if trains and self.jobs >= limits.jobs_a_day:
            full = WalletFull.of_jobs(limits.jobs_a_day)
            return Refused(full.problem, passes=limits.jobs_a_day > 0)
        if round(self.usd + usd, 6) > limits.usd_a_day:
            full = WalletFull.of_money(usd, self.usd, limits.usd_a_day)
            return Refused(full.problem, passes=usd <= limits.usd_a_day)
        if self.places >= limits.jobs_at_a_time:
            full = WalletFull.of_places(limits.jobs_at_a_time)
            return Refused(full.problem, passes=True, today=True)
        return None


def counted(wallet: Wallet, now: datetime) -> Counted:
    """What the bookings of this wallet come to."""
    today = [booking for booking in wallet.bookings.values() if booking.at.date() == now.date()]
    return Counted(
        places=sum(booking.open for booking in wallet.bookings.values()),
        jobs=sum(booking.trains for booking in today),
        usd=round(math.fsum(booking.usd for booking in today), 6),
    )


def ahead(wallet: Wallet, run_id: str, since: datetime, now: datetime) -> Iterator[Waiting]:
    """Those for whom a place is kept before this run."""
    for name, one in wallet.line():
        if (one.since, name) >= (since, run_id):
            return
        if one.counts(now):
            yield one


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
    count = counted(wallet, now)
    if refused := count.refusal(usd, limits, trains=order.trains):
        return refused
    for one in ahead(wallet, run_id, since_of(wallet, run_id, order, now), now):
        if count.refusal(one.usd, limits, trains=one.trains) is None:
            count = count.with_one(one.usd, trains=one.trains)
    if count.refusal(usd, limits, trains=order.trains):
        full = WalletFull.of_places(limits.jobs_at_a_time)
        return Refused(full.problem, passes=True, today=True)
    kept = {
        name: booking
        for name, booking in wallet.bookings.items()
        if booking.open or booking.at.date() >= now.date()
    }
    mine = Booking(usd=usd, at=now, trains=order.trains, slot=order.slot)
    return without(Wallet(bookings={**kept, run_id: mine}, waiting=wallet.waiting), run_id)


def since_of(wallet: Wallet, run_id: str, order: Order, now: datetime) -> datetime:
    """Since when this run has been at the gate."""
    known = wallet.waiting.get(run_id)
    return order.since or (known.since if known else now)


def joined(wallet: Wallet, run_id: str, one: Waiting) -> Wallet:
    """The wallet with this run among those that wait."""
    return Wallet(bookings=wallet.bookings, waiting={**wallet.waiting, run_id: one})


def without(wallet: Wallet, run_id: str) -> Wallet:
    """The wallet in which this run does not wait."""
    if run_id not in wallet.waiting:
        return wallet
    waiting = {name: one for name, one in wallet.waiting.items() if name != run_id}
    return Wallet(bookings=wallet.bookings, waiting=waiting)


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
    return Wallet(bookings=bookings, waiting=wallet.waiting)
