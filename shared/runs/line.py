"""Who is called when room comes free: the one that has waited longest, and who waits for a run.

Nobody asks again and again. A run that ends calls whom its place is for; the sweep does so for all
that wait, where a call was lost or its caller died, and each looks by itself now and then.
"""

import itertools
from dataclasses import dataclass
from datetime import datetime

from shared.errors import RecordUnreadable
from shared.models.pace import Pace
from shared.runs import wallet
from shared.runs.booking import closed
from shared.runs.ledger import Ledger
from shared.runs.wallet import Limits, Waiting, Wallet, counted, joined, without
from shared.settings import Settings

# So many are called at a time, at most: each call is one to the durable engine.
CALLS_MOST = 200


@dataclass(frozen=True)
class Rules:
    """What the wallet holds, and whether a run over the limits of the day is told so at once."""

    limits: Limits
    rejects: bool


def rules(chosen: Settings) -> Rules:
    """The rules by these settings."""
    most = Limits(chosen.jobs_at_a_time, chosen.jobs_a_day, chosen.usd_a_day)
    return Rules(most, rejects=chosen.when_day_is_full == "reject")


def called(before: Wallet, by: Rules, now: datetime) -> tuple[Wallet, list[str]]:
    """Who may book now, or is to be told that it can't, in the order in which they came; and the
    wallet that says that they were called. Pure.

    One that was called and did not come is called once more, but nothing is kept for it.
    """
    count, names, waiting = counted(before, now), list[str](), dict(before.waiting)
    for name, one in before.line():
        if one.behind is not None or len(names) == CALLS_MOST:
            continue
        refused = count.refusal(one.usd, by.limits, trains=one.trains)
        if refused is None and one.counts(now):
            count = count.with_one(one.usd, trains=one.trains)
        told = refused is None or (by.rejects and not refused.today)
        if told and (one.called_at is None or not one.counts(now)):
            names.append(name)
            waiting[name] = one if one.called_at else one.model_copy(update={"called_at": now})
    return Wallet(bookings=before.bookings, waiting=waiting), names


def give_back(ledger: Ledger, run_id: str, by: Rules) -> list[str]:
    """After the end of a run: settles its own booking, and answers who is to be called.

    Where nobody waits nothing is written: whoever needs the place settles it.
    """
    names: list[str] = []

    def giving(before: Wallet, now: datetime) -> Wallet:
        names.clear()
        if not before.waiting:
            return before
        own = wallet.settled(before, lambda name: closed(ledger, name) if name == run_id else None)
        freed = without(own, run_id)
        freed, names[:] = _called_behind(freed, run_id, now)
        after, found = called(freed, by, now)
        names.extend(found)
        return after

    ledger.change_wallet(giving)
    return names


def look_for_all(ledger: Ledger, by: Rules) -> list[str]:
    """The look of all that wait: whose place is free though nobody was called, or nobody came."""
    names: list[str] = []

    def looking(before: Wallet, now: datetime) -> Wallet:
        names.clear()
        if not before.waiting:
            return before
        freed = wallet.settled(before, lambda name: closed(ledger, name))
        for holder in sorted({one.behind for one in freed.waiting.values() if one.behind}):
            if _is_over(ledger, holder):
                for name in _behind(freed, holder):
                    if _is_over(ledger, name):
                        freed = without(freed, name)
                freed, again = _called_behind(freed, holder, now)
                names.extend(again)
        # One that has ended by now waits for nothing, and keeps nothing from the others.
        while True:
            after, found = called(freed, by, now)
            over = [name for name in found if _is_over(ledger, name)]
            if not over:
                names.extend(found)
                return after
            for name in over:
                freed = without(freed, name)

    ledger.change_wallet(looking)
    return names


def enter(ledger: Ledger, run_id: str, since: datetime, holder: str) -> int:
    """Notes that this run waits for the end of another, which calls it then; answers how many do so
    before it.
    """
    before_it: list[str] = []

    def noting(before: Wallet, _now: datetime) -> Wallet:
        after = joined(before, run_id, Waiting(since=since, behind=holder))
        before_it[:] = itertools.takewhile(lambda name: name != run_id, _behind(after, holder))
        return after

    ledger.change_wallet(noting)
    return len(before_it)


def until_the_next_look_s(pace: Pace, left_s: float, before: int) -> float:
    """How long a run that will be called waits before it looks by itself, with `left_s` left until
    its deadline. The more wait before it, the less use is a look: so a long line costs little.
    """
    return min(pace.poll_most_s * (1 + before), max(left_s, pace.poll_first_s))


def _called_behind(before: Wallet, holder: str, now: datetime) -> tuple[Wallet, list[str]]:
    """Who waits for this run, which has ended, and is to be called; and the wallet that says so.
    One that does not come is called again: a call can be lost. Pure.
    """
    waiting, names = dict(before.waiting), list[str]()
    for name in _behind(before, holder):
        one = waiting[name]
        if one.called_at is None or one.is_late(now):
            names.append(name)
            # It notes itself anew where it still waits, and is gone from here when it has booked.
            waiting[name] = one.model_copy(update={"called_at": now})
    return Wallet(bookings=before.bookings, waiting=waiting), names


def _behind(found: Wallet, holder: str) -> list[str]:
    return [name for name, one in found.line() if one.behind == holder]


def _is_over(ledger: Ledger, run_id: str) -> bool:
    """Whether this run has ended, or nobody can tell: such a one waits for a person."""
    try:
        found = ledger.read(run_id)
    except RecordUnreadable:
        return True
    return found is None or found.record.ended_at is not None
