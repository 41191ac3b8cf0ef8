"""Reserve a run's place and money among all runs, before anything is bought."""

from datetime import datetime
from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared import spending, wallet
from shared.answering import answered, needed
from shared.checkpoints import checkpoint
from shared.errors import RecordUnreadable, WalletFull
from shared.ledger import Ledger, Read, open_ledger
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended, wait
from shared.models.pace import Pace
from shared.models.record import Outcome, RunRecord, Step
from shared.settings import Settings, settings
from shared.wallet import Closed, Refused, Wallet

bp = df.Blueprint()


@bp.activity_trigger(input_name="request")
def reserve(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Books the run in the wallet; `wait` where there is no room now, rejected where the day is full.

    Second run: a run that is booked is not booked again. Nobody has to give a booking back: one whose
    run has ended is settled, by what the ledger says, when another run needs the room.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _reserve(wanted), wanted.pace)


def _reserve(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    read = ledger.get(wanted.run_id)
    if read.record.stopping:
        return CANCELLED
    waited_s = (read.now - (read.record.turn_at or read.record.entered(Step.GATE))).total_seconds()
    if read.record.effects:  # it has begun to buy, so it passed here before
        return done(waited_s=0)
    refused = book(ledger, wanted.run_id, reservation_usd(read.record, needed(read.record.plan, "plan").budget_usd), limits(settings()))
    if refused is None:
        return done(waited_s=waited_s if read.record.waits_because else 0)
    if not refused.passes or (settings().when_day_is_full == "reject" and not refused.today):
        return ended(Outcome.REJECTED, refused.problem)
    return _wait(ledger, read, refused, waited_s, wanted.pace)


def limits(chosen: Settings) -> wallet.Limits:
    """What the wallet holds by these settings."""
    return wallet.Limits(chosen.jobs_at_a_time, chosen.jobs_a_day, chosen.usd_a_day)


def reservation_usd(record: RunRecord, budget_usd: float) -> float:
    """The estimate; the whole budget of the run where no price is known."""
    return budget_usd if record.estimate_usd is None else record.estimate_usd


def book(ledger: Ledger, run_id: str, usd: float, most: wallet.Limits) -> Refused | None:
    """Books the run, or says why not. Ended runs are looked up only where there is no room else: each costs a read."""
    refusals: list[Refused] = []

    def booking(before: Wallet, now: datetime) -> Wallet:
        refusals.clear()
        answer = wallet.booked(before, run_id, usd, most, now)
        if isinstance(answer, Wallet):
            return answer
        freed = wallet.settled(before, lambda other: closed(ledger, other))
        answer = wallet.booked(freed, run_id, usd, most, now)
        if isinstance(answer, Wallet):
            return answer
        refusals.append(answer)
        return freed

    checkpoint("reserve: before the booking")
    ledger.change_wallet(booking)
    checkpoint("reserve: after the booking")
    return refusals[0] if refusals else None


def closed(ledger: Ledger, run_id: str) -> Closed | None:
    """What the ledger knows of a booked run's spending; None while the run lives, and where its record can't be read."""
    try:
        found = ledger.read(run_id)
    except RecordUnreadable:
        return None
    if found is None:
        return Closed(bought=False)
    record = found.record
    if record.ended_at is None:
        return None
    if record.plan is None or not spending.has_job(record):
        return Closed(bought=False)
    return Closed(bought=True, usd=spending.training_spend(record, record.plan).usd)


def _wait(ledger: Ledger, read: Read, refused: Refused, waited_s: float, pace: Pace) -> Answer:
    if waited_s > pace.gate_deadline_s:
        return ended(Outcome.EXPIRED, WalletFull.of_patience(waited_s).problem)
    ledger.show_wait(read.record.id, refused.problem.message)
    return wait(pace.next_poll_s(waited_s), refused.problem.message)
