"""Booking a run in the wallet: its money, its place among all runs, and what its deployment takes
of the account.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import RecordUnreadable, WalletFull
from shared.models.effect_kinds import kind_of
from shared.models.plan import Plan
from shared.models.record import Slot
from shared.models.service_limits import ServiceLimits
from shared.runs import gate, spending, wallet
from shared.runs.ledger import Ledger
from shared.runs.wallet import Closed, Order, Refused, Waiting, Wallet
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
    since: datetime | None = None,
) -> Refused | None:
    """Books the run, or says why not; then it stands in the line of those that wait, by the time
    `since` which it has been at the gate.

    Ended runs are looked up only where there is no room else, and by the first of the line: each
    costs a read.
    """
    order = Order(trains, room.slot if room else None, since)
    trying = _Trying(ledger, run_id, usd, most, order, room)
    ledger.change_wallet(trying.once)
    if trying.refused and trying.is_new and not trying.refused.ahead:
        ledger.change_wallet(trying.once)  # a place that came free meanwhile had nobody to call
    return trying.refused


@dataclass
class _Trying:
    """The tries to book one run, in one wallet after the other."""

    ledger: Ledger
    run_id: str
    usd: float
    most: wallet.Limits
    order: Order
    room: Room | None
    refused: Refused | None = None
    is_new: bool = False
    """Whether it stands in the line only since this try."""
    _asked: tuple[frozenset[str], AccountRoom] | None = None
    """Which bookings were open when the account was asked, and what it said."""

    def once(self, before: Wallet, now: datetime) -> Wallet:
        """The wallet after a try, with the run booked or in the line."""
        self.refused = None
        since = wallet.since_of(before, self.run_id, self.order, now)
        first, answer = before, self._tried(before, now)
        before_it = sum(1 for _ in wallet.ahead(before, self.run_id, since, now))
        if isinstance(answer, Refused) and not before_it:
            first = wallet.settled(before, lambda other: closed(self.ledger, other))
            answer = self._tried(first, now)
        if isinstance(answer, Wallet):
            return answer
        self.refused = replace(answer, ahead=before_it)
        self.is_new = self.run_id not in before.waiting
        if not answer.passes:
            return wallet.without(first, self.run_id)
        one = Waiting(
            since=since, usd=self.usd, trains=self.order.trains, for_account=answer.for_account
        )
        return wallet.joined(first, self.run_id, one)

    def _tried(self, before: Wallet, now: datetime) -> Wallet | Refused:
        answer = wallet.booked(before, self.run_id, self.usd, self.most, now, self.order)
        if self.room is None or isinstance(answer, Refused) or self.run_id in before.bookings:
            return answer
        return no_room(before, self.run_id, self.room, self._account(self.room, before)) or answer

    def _account(self, room: Room, before: Wallet) -> AccountRoom:
        """What the account says, asked again only where a booking that was open is so no more: what
        was booked since the answer counts as coming, so that it still holds.
        """
        still_open = frozenset(name for name, one in before.bookings.items() if one.open)
        if self._asked is None or not self._asked[0] <= still_open:
            self._asked = still_open, room.ask()
        return self._asked[1]


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
        full = WalletFull.of_deployments(len(coming))
        return Refused(full.problem, passes=True, today=True, for_account=True)
    quota = (found.quotas or {}).get(room.slot.quota or "")
    if quota is None:
        return None
    free = quota.limit - quota.used
    if room.slot.capacity > free:
        return Refused(gate.no_quota(room.plan, room.slot.quota or "", quota).problem, passes=False)
    booked = sum(other.capacity for other in coming if other.quota == room.slot.quota)
    if room.slot.capacity + booked > free:
        full = WalletFull.of_quota(room.slot.quota or "")
        return Refused(full.problem, passes=True, today=True, for_account=True)
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
