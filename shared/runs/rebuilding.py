"""The wallet and the claims, told anew from the records of all runs where their blobs are damaged
or gone. Pure.
"""

from collections.abc import Iterable
from datetime import datetime

from shared.models.record import RunRecord, Step
from shared.runs.wallet import Booking, Waiting, Wallet

# The codes under which the log tells so: docs/errors.md.
WALLET_REBUILT, CLAIM_REBUILT = "TD-LEDGER-002", "TD-LEDGER-003"


def wallet_of(records: Iterable[RunRecord], now: datetime) -> Wallet:
    """The bookings of all that live, and of all that began on this day, by their worst case; and
    the line of those that wait for a place.

    Those that have ended stand as open: whoever needs the room next settles them by what the ledger
    says that they cost. Who waits for another run's end gets into line with its next look.
    """
    bookings, waiting = dict[str, Booking](), dict[str, Waiting]()
    for record in records:
        usd, trains, at = _usd(record), record.reuse_of is None, _booked_at(record)
        if at and (record.ended_at is None or at.date() >= now.date()):
            bookings[record.id] = Booking(usd=usd, at=at, trains=trains, slot=record.slot)
        elif not at and record.turn_at and record.waits_because and not record.stopping:
            waiting[record.id] = Waiting(since=record.turn_at, usd=usd, trains=trains)
    return Wallet(bookings=bookings, waiting=waiting)


def _booked_at(record: RunRecord) -> datetime | None:
    """When the run booked; None where it has not, or stands in the middle of it."""
    # What stands in the middle of it will ask again.
    return record.booked_at or next(
        (entry.at for entry in record.timeline if entry.step in {Step.UPLOAD, Step.DEPLOY}), None
    )


def _usd(record: RunRecord) -> float:
    if record.worst_case:
        return record.worst_case.usd
    budget = record.plan.budget_usd if record.plan else 0.0  # records of the first releases
    return budget if record.estimate_usd is None else record.estimate_usd
