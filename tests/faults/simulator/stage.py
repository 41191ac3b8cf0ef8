"""Virtual time and real interleaving: code runs in greenlets of one thread, which go on in a seeded
order.

Nothing sleeps. Code under test pauses where it waits for a network or a timer; which of the paused
goes on next, and what the clock then says, is decided here. The same seed gives the same order, and
so the same trace.
"""

import hashlib
import heapq
import itertools
import math
import random
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import time_machine
from greenlet import getcurrent, greenlet

START = datetime(2026, 1, 1, tzinfo=UTC)
CHECKPOINT_S = 0.001
LAST_KEPT = 10_000


@dataclass(frozen=True)
class Strike:
    """What befalls an actor at its `at`-th pause, or at its `at`-th checkpoint: it stands still for
    so long, or ends.
    """

    at: int
    frozen_s: float | None = None
    at_checkpoint: bool = False
    in_call: Callable[[], None] | None = None
    """Whether it halts in the middle of its `at`-th call, and who is told so: the call is heard
    when it goes on.
    """


class Killed(BaseException):
    """Ends an actor where it pauses, as SIGKILL would: no `except Exception` of the app sees it."""


class Stage:
    """The clock, what is due, and who acts now."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  a reproducible order, not a secret
        self.now = START
        self.living: set[Actor] = set()
        self.numbers = itertools.count()
        self.last: deque[str] = deque(maxlen=LAST_KEPT)
        self._acting: Actor | None = None
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._trace = hashlib.sha256()
        self._clock: time_machine.Traveller | None = None
        self._shown = START

    @contextmanager
    def opened(self) -> Generator[None]:
        """For this long the process's clocks are the stage's, and `time.sleep` is a pause."""
        really = time.sleep, time.monotonic
        with time_machine.travel(START.timestamp(), tick=False) as clock:
            self._clock, time.sleep, time.monotonic = (
                clock,
                self._sleep,
                lambda: (self.now - START).total_seconds(),
            )
            try:
                yield
            finally:
                for actor in sorted(self.living, key=lambda actor: actor.number):
                    actor.kill()
                self._clock, (time.sleep, time.monotonic) = None, really

    @property
    def trace(self) -> str:
        """The hash of everything that was noted."""
        return self._trace.hexdigest()[:16]

    def note(self, *what: object) -> None:
        """Adds to the trace."""
        line = " ".join([self.now.isoformat(timespec="milliseconds")[5:23], *map(str, what)])
        self.last.append(line)
        self._trace.update(line.encode())

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        """Has `act` called at a time; what is due at once goes in the order of asking."""
        heapq.heappush(self._due, (when, next(self._order), act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Has `act` called so many virtual seconds from now."""
        self.at(self.now + timedelta(seconds=seconds), act)

    def step(self) -> bool:
        """Lets the next thing happen; False where nothing is due."""
        if not self._due:
            return False
        when, _, act = heapq.heappop(self._due)
        self.now = max(when, self.now)
        self.show(self.now)
        act()
        return True

    def show(self, moment: datetime) -> None:
        """Sets the process's clock."""
        if self._clock and moment != self._shown:
            # A third of what `move_to` costs.
            self._clock.shift((moment - self._shown).total_seconds())
            self._shown = moment

    def pause(self, seconds: float, *, freezes: bool = True) -> None:
        """On an actor: lets so much virtual time and everybody else's work go by. Elsewhere nothing
        waits.

        An actor whose fate it is to freeze does so here, unless what it waits for is on its way
        already.
        """
        if (actor := self._acting) is not None:
            actor.pause(seconds, freezes=freezes)

    def _sleep(self, seconds: float) -> None:
        """Without the jitter of the openai client, up to a quarter of half a second, one or two: it
        hangs on what ran before.
        """
        self.pause(math.ceil(seconds * 2) / 2)

    def checkpoint(self, _name: str) -> None:
        """A named point of the app (shared/runs/checkpoints.py): a moment at which much can
        happen.
        """
        if (actor := self._acting) is not None:
            actor.pause(CHECKPOINT_S, freezes=True, checkpoint=True)

    def play(self, actor: "Actor") -> None:
        """Hands the baton to an actor until it pauses or ends."""
        self._acting = actor
        self.show(self.now + actor.skew)
        actor.go_on()
        self._acting = None
        self.show(self.now)


class Actor:
    """One piece of the app's code at work, on an instance whose clock is off by `skew`.

    `ended` is called on the stage, with the result, or the exception, or Killed.
    """

    def __init__(
        self,
        stage: Stage,
        work: Callable[[], object],
        ended: Callable[[object], None],
        *,
        skew: timedelta,
        strike: Strike | None = None,
    ) -> None:
        self.skew = skew
        self.number = next(stage.numbers)
        self.killed = False
        self._stage = stage
        self._work = work
        self._ended = ended
        self._strike = strike
        self._pauses = 0
        self._result: object = Killed()
        self._over = False
        self._others = getcurrent()
        self._own = greenlet(self._live, self._others)

    def begin(self) -> None:
        """Starts to act, on the stage, until the first pause."""
        self._stage.living.add(self)
        self._continue()

    def kill(self) -> None:
        """Ends it where it pauses; called on the stage."""
        if self in self._stage.living:
            self.killed = True
            self._continue()

    def pause(self, seconds: float, *, freezes: bool, checkpoint: bool = False) -> None:
        """Called by the code that acts."""
        strike = self._strike
        if strike and strike.in_call:
            self._pauses += not freezes
        else:
            self._pauses += checkpoint or not (strike and strike.at_checkpoint)
        if (
            strike
            and self._pauses >= strike.at
            and (freezes or strike.frozen_s is None or strike.in_call)
        ):
            if strike.in_call:
                strike.in_call()
            seconds += self._struck(strike)
        self._stage.after(seconds, self._continue)
        self._others.switch()
        if self.killed:
            raise Killed

    def _struck(self, strike: Strike) -> float:
        if strike.frozen_s is None:
            raise Killed
        self._strike = None
        self._stage.note("frozen", f"{strike.frozen_s:.0f} s")
        return strike.frozen_s

    def go_on(self) -> None:
        """Lets it run until it pauses or ends; called by the stage."""
        self._own.switch()

    def _continue(self) -> None:
        if self not in self._stage.living:
            return
        self._stage.play(self)
        if self._over:
            self._stage.living.discard(self)
            self._ended(self._result)

    def _live(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:
            self._result = error
        self._over = True
