"""Intent, look, act once, record: how an activity makes a thing that costs money.

The intent is written by compare-and-swap into the run's record, so of two executions at the same
moment one acts and the other waits. An execution that died leaves its intent behind: after the time
that a call may take and the time that a listing may lag, the next one looks, and adopts or acts.
How long that is stands in the intent: a second execution at another pace waits as long.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable
from shared.models.answers import Made
from shared.models.messages import CANCELLED, Answer, done, ended, wait
from shared.models.pace import Pace
from shared.models.record import Effect, Outcome, RunRecord, Step
from shared.runs.answering import Deadline
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import Ledger, Read, with_effect
from shared.services.storage import Changed

WITHOUT_A_ROLE = (401, 403)
"""Statuses of a caller whose role is gone, or has not arrived yet: what costs money by the hour is
not left behind for that.
"""


@dataclass(frozen=True)
class Making:
    """How one thing is looked for and made.

    `look` answers the id of the thing if the service has it; `act` makes it, with no retries of its
    own and within the seconds that it is given, and answers its id. Both raise the errors of
    shared.errors.
    """

    effect: str
    look: Callable[[], str | None]
    act: Callable[[float], str]
    takes_s: float
    """The most that the call may take, from the intent to its end."""


def make_once(ledger: Ledger, run_id: str, pace: Pace, making: Making) -> Answer:
    """The thing's id, made or adopted; or why there is none yet, or none at all.

    Answers `done(id=…)`; `wait` where another execution is at it, the outcome is unknown, or the
    service has no room; `ended` where the service refused for good; `cancelled` where the run
    stops.
    """
    me = secrets.token_hex(8)
    before = ledger.known(run_id)
    found = before.record.effects.get(making.effect)
    if found and found.state == "made":
        return done(Made(id=found.id))
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
    intent = _intend(ledger, run_id, pace, making, me, found)
    if intent is None:
        return wait(pace.brief_s)
    checkpoint(f"make {making.effect}: after the intent")
    left_s = making.takes_s - (time.monotonic() - began_s)
    # The execution that wrote an earlier intent may only be held up: the end of the run looks for
    # its thing too.
    return _act(ledger, run_id, pace, making, me, left_s, intent.until if found else None)


def _looked(
    ledger: Ledger, run_id: str, pace: Pace, making: Making, found: Effect | None, now: datetime
) -> Answer | None:
    """What became of an earlier attempt: its answer, a wait, or None where it certainly made
    nothing.
    """
    if found and found.state == "intended" and (now - found.at).total_seconds() < making.takes_s:
        return _patiently(ledger, run_id, pace)
    if made := making.look():
        return _record(
            ledger,
            run_id,
            making,
            made,
            found.holder if found else "adopted",
            found.until if found else None,
        )
    return (
        _patiently(ledger, run_id, pace)
        if found and now < _hidden_until(found, pace, making.takes_s)
        else None
    )


def _patiently(ledger: Ledger, run_id: str, pace: Pace) -> Answer:
    """A wait whose reason is told, and which is not longer for that: nobody is asked."""
    ledger.show_wait(
        run_id,
        (
            "An earlier call of this run may have made it, or still make it; the service doesn't "
            "show it yet."
        ),
    )
    return wait(pace.brief_s)


def _hidden_until(found: Effect, pace: Pace, takes_s: float) -> datetime:
    """Until then an intent or an unknown outcome may have made something that no listing shows: by
    the effect, or by today's pace for one that the first releases wrote.
    """
    if found.until is not None or found.state in {"made", "removed"}:
        return found.until or found.at
    return found.at + timedelta(
        seconds=pace.list_lag_s + (takes_s if found.state == "intended" else 0)
    )


def _intend(
    ledger: Ledger, run_id: str, pace: Pace, making: Making, me: str, instead_of: Effect | None
) -> Effect | None:
    """My intent; None where somebody else was first, or the run stops."""

    def intending(record: RunRecord, now: datetime) -> RunRecord | None:
        if record.stopping or record.effects.get(making.effect) != instead_of:
            return None
        until = now + timedelta(seconds=making.takes_s + pace.list_lag_s)
        return with_effect(
            record, making.effect, Effect(state="intended", holder=me, at=now, until=until)
        )

    written = ledger.change(run_id, intending, anew=True).effects.get(making.effect)
    return written if written is not None and written.holder == me else None


def _act(
    ledger: Ledger,
    run_id: str,
    pace: Pace,
    making: Making,
    me: str,
    left_s: float,
    until: datetime | None,
) -> Answer:
    if (
        left_s < making.takes_s / 2
    ):  # the storage was slow: the next execution would soon take this intent for a dead one's
        _settle(ledger, run_id, making.effect, me, None)
        return wait(pace.brief_s)
    try:
        made = making.act(left_s)
    except OutcomeUnknown as error:
        _settle(ledger, run_id, making.effect, me, pace.list_lag_s)
        return wait(pace.brief_s, error.problem.message)
    except ServiceUnavailable as error:
        _settle(ledger, run_id, making.effect, me, None)
        return wait(max(error.retry_after_s or 0, pace.brief_s), error.problem.message)
    except ServiceRejected as error:
        _settle(ledger, run_id, making.effect, me, None)
        return ended(Outcome.FAILED, error.problem)
    # the file broke off while it was sent: half a body makes no thing, so nothing is to be looked
    # for
    except Changed:
        _settle(ledger, run_id, making.effect, me, None)
        raise
    return _record(ledger, run_id, making, made, me, until)


def _record(
    ledger: Ledger, run_id: str, making: Making, made: str, holder: str, until: datetime | None
) -> Answer:
    """Also for a run that stops meanwhile: its end must know what there is to take back. `until`: a
    second one may appear so long.
    """

    def recording(record: RunRecord, now: datetime) -> RunRecord | None:
        stands = record.effects.get(making.effect)
        if stands and stands.state in {"made", "removed"}:
            return None
        return with_effect(
            record, making.effect, Effect(state="made", holder=holder, at=now, id=made, until=until)
        )

    checkpoint(f"make {making.effect}: after the call")
    recorded = ledger.change(run_id, recording).effects[making.effect]
    checkpoint(f"make {making.effect}: after the record")
    return done(Made(id=recorded.id))


def _settle(ledger: Ledger, run_id: str, effect: str, me: str, unknown_s: float | None) -> None:
    """After a call without a thing: forget my intent, or keep it as unknown for as long as a
    listing may lag.
    """

    def settling(record: RunRecord, now: datetime) -> RunRecord | None:
        mine = record.effects.get(effect)
        if mine is None or mine.holder != me or mine.state != "intended":
            return None
        if unknown_s is not None:
            return with_effect(
                record,
                effect,
                Effect(
                    state="unknown", holder=me, at=now, until=now + timedelta(seconds=unknown_s)
                ),
            )
        return record.model_copy(
            update={"effects": {name: e for name, e in record.effects.items() if name != effect}}
        )

    ledger.change(run_id, settling, anew=unknown_s is not None)


@dataclass(frozen=True)
class Removing:
    """How what one effect made is taken back: `look` finds all of it by the run's mark, also what
    was made twice and what was never recorded; `remove` takes "not there" for success.
    """

    effect: str
    look: Callable[[], list[str]]
    remove: Callable[[str], bool | None]
    """False: what goes by this id is somebody else's by now, and was left alone."""
    takes_s: float
    """The most that the call that made it may have taken."""
    keeps: bool = False
    """Whether what is recorded stays, and only what else bears the run's mark is removed."""


def remove_once(ledger: Ledger, run_id: str, pace: Pace, removing: Removing) -> Answer:
    """Takes back what the run made, or may have made. `done(id=…)`: gone, or never there; `wait`:
    not yet, or not known yet; `ended`: the service has refused for as long as the pace allows, the
    thing stays, and the report says so.

    The recorded id alone is not enough: an execution that was held up while another took over may
    have made a second thing.
    """
    read = ledger.get(run_id)
    found = read.record.effects.get(removing.effect)
    if found is None:
        return done()
    if (
        found.state == "removed" and read.record.ended_at
    ):  # what stands under its name by now is another run's
        return done(Made(id=found.id))
    mine = found.id if found.state == "made" and not removing.keeps else None
    try:
        checkpoint(f"remove {removing.effect}: before the call")
        gone = _gone(removing, mine, kept=found.id if removing.keeps else None)
    except (ServiceUnavailable, ServiceRejected) as error:
        if isinstance(error, ServiceRejected) and error.status not in WITHOUT_A_ROLE:
            raise
        return _not_removed(ledger, read, pace, removing.effect, error)
    checkpoint(f"remove {removing.effect}: after the call")
    # What was looked for and found is what was in doubt; beside a thing that is known, another one
    # may still appear.
    over = bool(gone and found.id is None) or read.now >= _hidden_until(
        found, pace, removing.takes_s
    )
    recorded = ledger.change(
        run_id, lambda record, now: _without(record, now, removing, found, gone, over=over)
    ).effects[removing.effect]
    checkpoint(f"remove {removing.effect}: after the record")
    settled = over and (removing.keeps or recorded.state == "removed")
    return done(Made(id=recorded.id)) if settled else wait(pace.brief_s)


def _gone(removing: Removing, mine: str | None, *, kept: str | None) -> dict[str, bool]:
    """What is removed by now, and whether it was this run's. What is known goes first: no listing
    that fails keeps a job running.
    """
    gone = {mine: removing.remove(mine) is not False} if mine else {}
    for one in removing.look():
        if one not in {mine, kept}:
            gone[one] = removing.remove(one) is not False
    return gone


def _not_removed(
    ledger: Ledger, read: Read, pace: Pace, effect: str, error: ServiceUnavailable | ServiceRejected
) -> Answer:
    after_s = error.retry_after_s if isinstance(error, ServiceUnavailable) else None
    waited_s = (read.now - read.record.entered(Step.CLEAN_UP)).total_seconds()
    if Deadline(ledger, read.record.id, f"remove {effect}", waited_s, pace.take_back_s).passes():
        return ended(Outcome.FAILED, error.problem)
    return wait(max(after_s or 0, pace.next_poll_s(waited_s)))


def _without(
    record: RunRecord,
    now: datetime,
    removing: Removing,
    seen: Effect,
    gone: dict[str, bool],
    *,
    over: bool,
) -> RunRecord | None:
    """The record where these are gone; None where the effect is another one by now, which the next
    call looks at.
    """
    found = record.effects[removing.effect]
    if found != seen:
        return None
    known = found.id or next(iter(gone), None)
    others = tuple(dict.fromkeys([*found.others, *(one for one in gone if one != known)]))
    removed = over and not removing.keeps and found.state != "removed"
    changed: dict[str, object] = (
        {"state": "removed", "at": now, "id": known, "until": None} if removed else {}
    )
    lost = found.lost or (known is not None and not gone.get(known, True))
    return with_effect(
        record,
        removing.effect,
        found.model_copy(update={"others": others, "lost": lost, **changed}),
    )
