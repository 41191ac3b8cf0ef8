"""Booking a run in the wallet: its money, its place among all runs, and what its deployment takes
of the account.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.errors import RecordUnreadable, WalletFull
from shared.models.effect_kinds import kind_of
from shared.models.plan import Plan
from shared.models.record import Slot
from shared.models.service_limits import ServiceLimits
from shared.runs import gate, spending, wallet
from shared.runs.ledger import Ledger
from shared.runs.wallet import Closed, Order, Refused, Wallet
from shared.services.resource_manager import DeploymentFacts, Quota


@dataclass(frozen=True)
class AccountRoom:
    """What stands on the account, and what its quotas hold, at one moment; None: not told."""

    deployments: list[DeploymentFacts]
    quotas: dict[str, Quota] | None


@dataclass(frozen=True)
class Room:
    """What a run's deployment needs, and how to ask the account for it."""

    plan: Plan
    slot: Slot
    limits: ServiceLimits
    ask: Callable[[], AccountRoom]


# The account is asked after the wallet is read and before it is written, so a deployment either
# stands in the answer or its booking is still open: of many runs that want the last place one gets
# it, and nobody pays for a model that can't be deployed.
def book(
    ledger: Ledger,
    run_id: str,
    usd: float,
    most: wallet.Limits,
    room: Room | None = None,
    *,
    trains: bool = True,
) -> Refused | None:
    """Books the run, or says why not."""
    refusals: list[Refused] = []
    order = Order(trains, room.slot if room else None)

    def booking(before: Wallet, now: datetime) -> Wallet:
        refusals.clear()
        answer = _tried(before, run_id, usd, most, now, order, room)
        if isinstance(answer, Wallet):
            return answer
        # Ended runs are looked up only where there is no room else: each costs a read.
        freed = wallet.settled(before, lambda other: closed(ledger, other))
        answer = _tried(freed, run_id, usd, most, now, order, room)
        if isinstance(answer, Wallet):
            return answer
        refusals.append(answer)
        return freed

    ledger.change_wallet(booking)
    return refusals[0] if refusals else None


def _tried(
    before: Wallet,
    run_id: str,
    usd: float,
    most: wallet.Limits,
    now: datetime,
    order: Order,
    room: Room | None,
) -> Wallet | Refused:
    answer = wallet.booked(before, run_id, usd, most, now, order)
    if room is None or isinstance(answer, Refused) or run_id in before.bookings:
        return answer
    return no_room(before, run_id, room, room.ask()) or answer


def no_room(before: Wallet, run_id: str, room: Room, found: AccountRoom) -> Refused | None:
    """Why the deployment would not fit once all that is booked stands, or None."""
    standing = frozenset(deployment.name.lower() for deployment in found.deployments)
    coming = wallet.coming(before, run_id, room.slot, standing)
    fine_tuned = gate.fine_tuned_among(found.deployments)
    most = min(
        room.limits.fine_tuned_deployments - fine_tuned,
        room.limits.deployments - len(found.deployments),
    )
    if most < 1:
        return Refused(gate.no_place(fine_tuned, room.limits).problem, passes=False)
    # Only bookings are in the way: the run waits.
    if len(coming) >= most:
        return Refused(WalletFull.of_deployments(len(coming)).problem, passes=True, today=True)
    quota = (found.quotas or {}).get(room.slot.quota or "")
    if quota is None:
        return None
    free = quota.limit - quota.used
    if room.slot.capacity > free:
        return Refused(gate.no_quota(room.plan, room.slot.quota or "", quota).problem, passes=False)
    booked = sum(other.capacity for other in coming if other.quota == room.slot.quota)
    if room.slot.capacity + booked > free:
        return Refused(WalletFull.of_quota(room.slot.quota or "").problem, passes=True, today=True)
    return None


def closed(ledger: Ledger, run_id: str) -> Closed | None:
    """What the ledger knows of a booked run's spending; None while it lives, or can't be read."""
    try:
        found = ledger.read(run_id)
    except RecordUnreadable:
        return None
    if found is None:
        return Closed(bought=False)
    record = found.record
    if record.ended_at is None and not (
        record.stopping and not any(kind_of(name).costs for name in record.effects)
    ):
        # It lives; one that stops before it has begun to train or to deploy never will.
        return None
    if record.plan is None or not spending.has_bought(record):
        return Closed(bought=False)
    return Closed(bought=True, usd=spending.spent_at_most(record, record.plan))
