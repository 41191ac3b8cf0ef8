"""Intent, look, act once, record: how an activity makes a thing that costs money.

The intent is written by compare-and-swap into the run's record, so of two executions at the same
moment one acts and the other waits. An execution that died leaves its intent behind: after the
time that a call may take and the time that a listing may lag, the next one looks, and adopts or acts.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.checkpoints import checkpoint
from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable
from shared.ledger import Ledger, with_effect
from shared.models.messages import CANCELLED, Answer, done, ended, wait
from shared.models.pace import Pace
from shared.models.record import Effect, Outcome, RunRecord, Step


@dataclass(frozen=True)
class Making:
    """How one thing is looked for and made.

    `look` answers the id of the thing if the service has it; `act` makes it, with no retries of its
    own and within the seconds that it is given, and answers its id. Both raise the errors of shared.errors.
    """

    effect: str
    look: Callable[[], str | None]
    act: Callable[[float], str]
    takes_s: float
    """The most that the call may take, from the intent to its end."""


def make_once(ledger: Ledger, run_id: str, pace: Pace, making: Making) -> Answer:
    """The thing's id, made or adopted; or why there is none yet, or none at all.

    Answers `done(id=…)`; `wait` where another execution is at it, the outcome is unknown, or the
    service has no room; `ended` where the service refused for good; `cancelled` where the run stops.
    """
    me = secrets.token_hex(8)
    before = ledger.get(run_id)
    found = before.record.effects.get(making.effect)
    if found and found.state == "made":
        return done(id=found.id)
    if before.record.stopping:
        return CANCELLED
    try:
        answer = _looked(ledger, run_id, pace, making, found, before.now)
    except ServiceUnavailable as error:
        return wait(max(error.retry_after_s or 0, pace.brief_s), error.problem.message)
    if answer:
        return answer
    checkpoint(f"make {making.effect}: before the intent")
    began_s = time.monotonic()  # before the intent is written, so never later than the ledger says
    if not _intend(ledger, run_id, making.effect, me, found):
        return wait(pace.brief_s)
    checkpoint(f"make {making.effect}: after the intent")
    return _act(ledger, run_id, pace, making, me, making.takes_s - (time.monotonic() - began_s))


def _looked(ledger: Ledger, run_id: str, pace: Pace, making: Making, found: Effect | None, now: datetime) -> Answer | None:
    """What became of an earlier attempt: its answer, a wait, or None where it certainly made nothing."""
    age_s = (now - found.at).total_seconds() if found else 0
    if found and found.state == "intended" and age_s < making.takes_s:
        return wait(pace.brief_s)
    if made := making.look():
        return _record(ledger, run_id, making, made, found.holder if found else "adopted")
    return wait(pace.brief_s) if found and age_s < _hidden_until_s(found, pace, making.takes_s) else None


def _hidden_until_s(found: Effect, pace: Pace, takes_s: float) -> float:
    """So long after it was written, an intent or an unknown outcome may have made something that no listing shows."""
    return pace.list_lag_s + (takes_s if found.state == "intended" else 0)


def _intend(ledger: Ledger, run_id: str, effect: str, me: str, instead_of: Effect | None) -> bool:
    def intending(record: RunRecord, now: datetime) -> RunRecord | None:
        if record.stopping or record.effects.get(effect) != instead_of:
            return None
        return with_effect(record, effect, Effect(state="intended", holder=me, at=now))

    written = ledger.change(run_id, intending).effects.get(effect)
    return written is not None and written.holder == me


def _act(ledger: Ledger, run_id: str, pace: Pace, making: Making, me: str, left_s: float) -> Answer:
    if left_s < making.takes_s / 2:  # the storage was slow: the next execution would soon take this intent for a dead one's
        _settle(ledger, run_id, making.effect, me, None)
        return wait(pace.brief_s)
    try:
        made = making.act(left_s)
    except OutcomeUnknown:
        _settle(ledger, run_id, making.effect, me, "unknown")
        return wait(pace.brief_s)
    except ServiceUnavailable as error:
        _settle(ledger, run_id, making.effect, me, None)
        return wait(max(error.retry_after_s or 0, pace.brief_s), error.problem.message)
    except ServiceRejected as error:
        _settle(ledger, run_id, making.effect, me, None)
        return ended(Outcome.FAILED, error.problem)
    return _record(ledger, run_id, making, made, me)


def _record(ledger: Ledger, run_id: str, making: Making, made: str, holder: str) -> Answer:
    """Also for a run that stops meanwhile: its end must know what there is to take back."""

    def recording(record: RunRecord, now: datetime) -> RunRecord | None:
        stands = record.effects.get(making.effect)
        if stands and stands.state in {"made", "removed"}:
            return None
        return with_effect(record, making.effect, Effect(state="made", holder=holder, at=now, id=made))

    checkpoint(f"make {making.effect}: after the call")
    recorded = ledger.change(run_id, recording).effects[making.effect]
    checkpoint(f"make {making.effect}: after the record")
    return done(id=recorded.id)


def _settle(ledger: Ledger, run_id: str, effect: str, me: str, state: str | None) -> None:
    """After a call without a thing: forget my intent, or keep it as unknown."""

    def settling(record: RunRecord, now: datetime) -> RunRecord | None:
        mine = record.effects.get(effect)
        if mine is None or mine.holder != me or mine.state != "intended":
            return None
        if state == "unknown":
            return with_effect(record, effect, Effect(state="unknown", holder=me, at=now))
        return record.model_copy(update={"effects": {name: e for name, e in record.effects.items() if name != effect}})

    ledger.change(run_id, settling)


@dataclass(frozen=True)
class Removing:
    """How one thing is taken back: `look` finds it where its id was never recorded; `remove` takes "not there" for success."""

    effect: str
    look: Callable[[], str | None]
    remove: Callable[[str], None]
    takes_s: float
    """The most that the call that made it may have taken."""


def remove_once(ledger: Ledger, run_id: str, pace: Pace, removing: Removing) -> Answer:
    """Takes back what the run made, or may have made. `done(id=…)`: gone, or never there; `wait`: not yet, or not known yet; `ended`:
    the service has refused for as long as the pace allows, the thing stays, and the report says so.
    """
    read = ledger.get(run_id)
    found = read.record.effects.get(removing.effect)
    if found is None:
        return done()
    if found.state == "removed":
        return done(id=found.id)
    try:
        there = found.id if found.state == "made" else removing.look()
        if there is None and (read.now - found.at).total_seconds() < _hidden_until_s(found, pace, removing.takes_s):
            return wait(pace.brief_s)
        checkpoint(f"remove {removing.effect}: before the call")
        if there is not None:
            removing.remove(there)
    except ServiceUnavailable as error:
        waited_s = (read.now - read.record.entered(Step.CLEAN_UP)).total_seconds()
        if waited_s > pace.take_back_s:
            return ended(Outcome.FAILED, error.problem)
        return wait(max(error.retry_after_s or 0, pace.next_poll_s(waited_s)))
    checkpoint(f"remove {removing.effect}: after the call")

    def recording(record: RunRecord, now: datetime) -> RunRecord:
        return with_effect(record, removing.effect, Effect(state="removed", holder=found.holder, at=now, id=there))

    ledger.change(run_id, recording)
    checkpoint(f"remove {removing.effect}: after the record")
    return done(id=there)
