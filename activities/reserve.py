"""Reserve a run's place and money among all runs, before anything is bought."""

from datetime import datetime

import azure.durable_functions as df

from shared.errors import WalletFull
from shared.models.answers import Booked
from shared.models.messages import Answer, RunStep, done, ended, wait
from shared.models.pace import Pace
from shared.models.plan import Plan
from shared.models.record import Outcome, RunRecord, Slot, Step
from shared.runs import clients
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, tried
from shared.runs.booking import AccountRoom, Room, book
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import Ledger, Read
from shared.runs.line import rules, until_the_next_look_s
from shared.runs.pinning import pinned
from shared.runs.reuse import reuses
from shared.runs.wallet import Refused
from shared.runs.worst_case import of_record
from shared.settings import settings

bp = df.Blueprint()


@activity_of_living_run(bp, RunStep)
def reserve(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Books the run in the wallet; `wait` where there is no room now, rejected where the day is
    full. A run that waits is called when it can go on, and looks by itself only seldom.

    Second run: a run that is booked is not booked again. No booking is lost with its run: one whose
    run has ended is settled, by what the ledger says, when another run needs the room.
    """
    waited_s = (read.now - (read.record.turn_at or read.record.entered(Step.GATE))).total_seconds()
    # It has begun to buy, so it passed here before.
    if read.record.effects:
        return done(Booked(reuse=reuses(read.record)))
    deadline = Deadline(ledger, wanted.run_id, "reserve", waited_s, wanted.pace.gate_deadline_s)
    late = WalletFull.of_patience(waited_s)
    return tried(lambda: _booked(ledger, read, waited_s, wanted.pace), wanted.pace, deadline, late)


def _booked(ledger: Ledger, read: Read, waited_s: float, pace: Pace) -> Answer:
    record, plan = read.record, needed(read.record.plan, "plan")
    worst = record.worst_case or of_record(record, plan, pace)
    room = room_of(plan, record.slot) if record.slot else None
    checkpoint("reserve: before the booking")
    since, trains = record.turn_at or record.entered(Step.GATE), record.reuse_of is None
    by = rules(settings())
    refused = book(ledger, record.id, worst.usd, by.limits, room, trains=trains, since=since)
    if refused is None:
        _note_booking(ledger, record.id)
    checkpoint("reserve: after the booking")
    if refused is None:
        return done(Booked(waited_s=waited_s if record.waits_because else 0, reuse=reuses(record)))
    if not refused.passes or (by.rejects and not refused.today):
        return ended(Outcome.REJECTED, refused.problem)
    return _wait(refused, waited_s, pace)


def _note_booking(ledger: Ledger, run_id: str) -> None:
    """Notes in the record that the run has booked."""

    def noting(current: RunRecord, now: datetime) -> RunRecord | None:
        return None if current.booked_at else current.model_copy(update={"booked_at": now})

    # Before the run goes on: a wallet that is lost from here on knows it again.
    checkpoint("reserve: before the record")
    ledger.change(run_id, noting)
    checkpoint("reserve: after the record")


def room_of(plan: Plan, slot: Slot) -> Room:
    """How the account is asked for a place for this run's deployment."""

    def ask() -> AccountRoom:
        account = clients.for_account(plan)
        return AccountRoom(
            account.deployments(), account.quotas(account.location()) if slot.quota else None
        )

    return Room(plan, slot, pinned(plan).limits, ask)


def _wait(refused: Refused, waited_s: float, pace: Pace) -> Answer:
    if waited_s > pace.gate_deadline_s:
        return ended(Outcome.EXPIRED, WalletFull.of_patience(waited_s).problem)
    left_s = pace.gate_deadline_s - waited_s
    return wait(until_the_next_look_s(pace, left_s, refused.ahead), refused.problem.message)
