"""Intent, look, act once, record: how an activity makes a thing that costs money, and how the end
of a run takes it back.

The intent is written by compare-and-swap into the run's record, so of two executions at the same
moment one acts and the other waits. An execution that died leaves its intent behind: after the time
that a call may take and the time that a listing may lag, the next one looks, and adopts or acts.
How long that is stands in the intent: a second execution at another pace waits as long.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable
from shared.models.answers import Made
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended, wait
from shared.models.record import Effect, Outcome, RunRecord, Step
from shared.runs.answering import Deadline
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import Ledger, Read, with_effect
from shared.services.storage import Changed

# Statuses of a caller whose role is gone, or has not arrived yet: what costs money by the hour is
# not left behind for that.
WITHOUT_A_ROLE = (401, 403)


@dataclass(frozen=True)
class OfOneEffect:
    """What is known of one effect of the run that `asked` names."""

    ledger: Ledger
    asked: RunStep
    effect: str

    def hidden_until(self, found: Effect, takes_s: float) -> datetime:
        """Until then an intent or an unknown outcome may have made something that no listing shows.
        `takes_s` is the most that the call may take.
        """
        if found.until is not None or found.state in {"made", "removed"}:
            return found.until or found.at
        # The first releases wrote no such time: by today's pace.
        lag_s = self.asked.pace.list_lag_s + (takes_s if found.state == "intended" else 0)
        return found.at + timedelta(seconds=lag_s)


@dataclass(frozen=True)
class Making(OfOneEffect):
    """How one thing is looked for and made.

    `look` answers the id of the thing if the service has it; `act` makes it, with no retries of its
    own and within the seconds that it is given, and answers its id. Both raise the errors of
    shared.errors.
    """

    look: Callable[[], str | None]
    act: Callable[[float], str]
    takes_s: float
    """The most that the call may take, from the intent to its end."""
    me: str = field(default_factory=lambda: secrets.token_hex(8), init=False)
    """This execution, as the intent names it: another one has an object of its own."""

    def once(self) -> Answer:
        """The thing's id, made or adopted; or why there is none yet, or none at all.

        Answers `done(id=…)`; `wait` where another execution is at it, the outcome is unknown, or
        the service has no room; `ended` where the service refused for good; `cancelled` where the
        run stops.
        """
        before = self.ledger.known(self.asked.run_id)
        found = before.record.effects.get(self.effect)
        if found and found.state == "made":
            return done(Made(id=found.id))
        if before.record.stopping:
            return CANCELLED
        try:
            answer = self._looked(found, before.now)
        except ServiceUnavailable as error:
            return self._wait(error.problem.message, error.retry_after_s)
        if answer:
            return answer
        checkpoint(f"make {self.effect}: before the intent")
        # Before the intent, so never later than the ledger says.
        began_s = time.monotonic()
        intent = self._intend(found)
        if intent is None:
            return self._wait()
        checkpoint(f"make {self.effect}: after the intent")
        left_s = self.takes_s - (time.monotonic() - began_s)
        # The execution that wrote an earlier intent may only be held up: the end of the run looks
        # for its thing too.
        return self._act(left_s, intent.until if found else None)

    def _wait(self, because: str | None = None, after_s: float | None = None) -> Answer:
        return wait(max(after_s or 0, self.asked.pace.brief_s), because)

    def _looked(self, found: Effect | None, now: datetime) -> Answer | None:
        """What became of an earlier attempt: its answer, a wait, or None where it made nothing."""
        if found and found.state == "intended" and (now - found.at).total_seconds() < self.takes_s:
            return self._patiently()
        if made := self.look():
            return self._record(
                made, found.holder if found else "adopted", found.until if found else None
            )
        return self._patiently() if found and now < self.hidden_until(found, self.takes_s) else None

    def _patiently(self) -> Answer:
        """A wait whose reason is told."""
        self.ledger.show_wait(
            self.asked.run_id,
            (
                "An earlier call of this run may have created it, or may still create it; the "
                "service doesn't show it yet."
            ),
        )
        # It is not longer for that reason: nobody is asked.
        return self._wait()

    def _intend(self, instead_of: Effect | None) -> Effect | None:
        """My intent; None where somebody else was first, or the run stops."""

        def intending(record: RunRecord, now: datetime) -> RunRecord | None:
            if record.stopping or record.effects.get(self.effect) != instead_of:
                return None
            until = now + timedelta(seconds=self.takes_s + self.asked.pace.list_lag_s)
            intent = Effect(state="intended", holder=self.me, at=now, until=until)
            return with_effect(record, self.effect, intent)

        record = self.ledger.change(self.asked.run_id, intending, anew=True)
        written = record.effects.get(self.effect)
        return written if written is not None and written.holder == self.me else None

    def _act(self, left_s: float, until: datetime | None) -> Answer:
        # The storage was slow: the next execution would soon take this intent for a dead one's.
        if left_s < self.takes_s / 2:
            self._settle(None)
            return self._wait()
        try:
            made = self.act(left_s)
        except OutcomeUnknown as error:
            self._settle(self.asked.pace.list_lag_s)
            return self._wait(error.problem.message)
        except ServiceUnavailable as error:
            self._settle(None)
            return self._wait(error.problem.message, error.retry_after_s)
        except ServiceRejected as error:
            self._settle(None)
            return ended(Outcome.FAILED, error.problem)
        except Changed:  # the file broke off while it was sent: half a body makes no thing
            self._settle(None)
            raise
        return self._record(made, self.me, until)

    def _record(self, made: str, holder: str, until: datetime | None) -> Answer:
        """Notes what was made; `until`: a second one may appear so long."""

        def recording(record: RunRecord, now: datetime) -> RunRecord | None:
            # Also for a run that stops meanwhile: its end must know what there is to take back.
            stands = record.effects.get(self.effect)
            if stands and stands.state in {"made", "removed"}:
                return None
            effect = Effect(state="made", holder=holder, at=now, id=made, until=until)
            return with_effect(record, self.effect, effect)

        checkpoint(f"make {self.effect}: after the call")
        recorded = self.ledger.change(self.asked.run_id, recording).effects[self.effect]
        checkpoint(f"make {self.effect}: after the record")
        return done(Made(id=recorded.id))

    def _settle(self, unknown_s: float | None) -> None:
        """After a call without a thing: forget my intent, or keep it as unknown."""

        def settling(record: RunRecord, now: datetime) -> RunRecord | None:
            mine = record.effects.get(self.effect)
            if mine is None or mine.holder != self.me or mine.state != "intended":
                return None
            if unknown_s is not None:
                # For as long as a listing may lag.
                until = now + timedelta(seconds=unknown_s)
                unknown = Effect(state="unknown", holder=self.me, at=now, until=until)
                return with_effect(record, self.effect, unknown)
            others = {name: e for name, e in record.effects.items() if name != self.effect}
            return record.model_copy(update={"effects": others})

        self.ledger.change(self.asked.run_id, settling, anew=unknown_s is not None)


@dataclass(frozen=True)
class Removing(OfOneEffect):
    """How what one effect made is taken back.

    `look` finds all of it by the run's mark, also what was made twice and what was never recorded;
    `remove` takes "not there" for success.
    """

    look: Callable[[], list[str]]
    remove: Callable[[str], bool | None]
    """False: what goes by this id is now belongs to somebody else, and was left alone."""
    takes_s: float
    """The most that the call that made it may have taken."""
    keeps: bool = False
    """Whether what is recorded stays, and only what else bears the run's mark is removed."""

    def once(self) -> Answer:
        """Takes back what the run made, or may have made.

        Answers `done(id=…)`: gone, or never there; `wait`: not yet, or not known yet; `ended`: the
        service has refused for as long as the pace allows, the thing stays, and the report says so.
        """
        read = self.ledger.get(self.asked.run_id)
        found = read.record.effects.get(self.effect)
        if found is None:
            return done()
        # What stands under its name by now is another run's.
        if found.state == "removed" and read.record.ended_at:
            return done(Made(id=found.id))
        try:
            checkpoint(f"remove {self.effect}: before the call")
            # The recorded id alone is not enough: an execution that was held up while another took
            # over may have made a second thing.
            gone = self.gone(found)
        except (ServiceUnavailable, ServiceRejected) as error:
            if isinstance(error, ServiceRejected) and error.status not in WITHOUT_A_ROLE:
                raise
            return self._not_removed(read, error)
        checkpoint(f"remove {self.effect}: after the call")
        # What was looked for and found is what was in doubt; beside a thing that is known, another
        # one may still appear.
        over = bool(gone and found.id is None) or read.now >= self.hidden_until(found, self.takes_s)
        recorded = self.ledger.change(
            self.asked.run_id,
            lambda record, now: self._without(record, now, found, gone, over=over),
        ).effects[self.effect]
        checkpoint(f"remove {self.effect}: after the record")
        settled = over and (self.keeps or recorded.state == "removed")
        return done(Made(id=recorded.id)) if settled else wait(self.asked.pace.brief_s)

    def gone(self, found: Effect) -> dict[str, bool]:
        """Removes it, and answers what is gone by now, and whether it was this run's."""
        mine = found.id if found.state == "made" and not self.keeps else None
        # What is known goes first: no listing that fails keeps a job running.
        gone = {mine: self.remove(mine) is not False} if mine else {}
        for one in self.look():
            if one not in {mine, found.id if self.keeps else None}:
                gone[one] = self.remove(one) is not False
        return gone

    def _not_removed(self, read: Read, error: ServiceUnavailable | ServiceRejected) -> Answer:
        pace = self.asked.pace
        after_s = error.retry_after_s if isinstance(error, ServiceUnavailable) else None
        waited_s = (read.now - read.record.entered(Step.CLEAN_UP)).total_seconds()
        what = f"remove {self.effect}"
        if Deadline(self.ledger, read.record.id, what, waited_s, pace.take_back_s).passes():
            return ended(Outcome.FAILED, error.problem)
        return wait(max(after_s or 0, pace.next_poll_s(waited_s)))

    def _without(
        self, record: RunRecord, now: datetime, seen: Effect, gone: dict[str, bool], *, over: bool
    ) -> RunRecord | None:
        """The record where these are gone; None where the effect is another one by now."""
        found = record.effects[self.effect]
        if found != seen:
            # The next call looks at that one.
            return None
        known = found.id or next(iter(gone), None)
        others = tuple(dict.fromkeys([*found.others, *(one for one in gone if one != known)]))
        removed = over and not self.keeps and found.state != "removed"
        changed: dict[str, object] = (
            {"state": "removed", "at": now, "id": known, "until": None} if removed else {}
        )
        lost = found.lost or (known is not None and not gone.get(known, True))
        update = {"others": others, "lost": lost, **changed}
        return with_effect(record, self.effect, found.model_copy(update=update))
