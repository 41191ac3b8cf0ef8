"""How long the tests wait before they call a thing broken: safety nets, scaled to what this machine
is measured to do.

No test claims that something is quick. A wait ends as soon as what it waits for is there; its net
is for what never comes, and hangs the lower, the slower the machine. So a net's seconds are those
of a quiet machine, with room to spare.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

ROUNDS = 200_000
QUIET_S = 0.02
"""What that many rounds of work take on a quiet machine of 2026, rounded up."""
ROOM = 2
"""The nets of a quiet machine, too, have this much room: the tests run three files at a time."""
WORST = 20
"""A machine that is even slower for a moment, as one that slept was, makes no wait endless."""
FRESH_S = 5
"""After so many seconds the machine is measured anew: others may have begun to work on it."""
SELDOM_S = 1.0
"""The longest pause between two looks."""
NOW_AND_THEN_S = 0.3
"""A pause for a look that costs what is waited for: one at all runs takes a host some 10 ms of a
processor, and Azurite 5 (measured).
"""

_pause = threading.Event()
_checks: list[Callable[[], None]] = []


@dataclass
class Machine:
    """What this process has measured: the worst so far, from 1 to 20, in times of a quiet
    machine.
    """

    by_the_clock: float = 1.0
    by_its_processor: float = 1.0
    measured_at: float = -FRESH_S

    def measure(self) -> Self:
        """Takes a piece of work's time, unless that was just done."""
        if time.monotonic() - self.measured_at > FRESH_S:
            began, began_working = time.perf_counter(), time.thread_time()
            _work()
            self.by_its_processor = min(
                WORST, max(self.by_its_processor, (time.thread_time() - began_working) / QUIET_S)
            )
            self.by_the_clock = min(
                WORST, max(self.by_the_clock, (time.perf_counter() - began) / QUIET_S)
            )
            self.measured_at = time.monotonic()
        return self


_machine = Machine()


def slowness() -> float:
    """How many times as long as on a quiet machine work takes here, with all else that this machine
    does.
    """
    return _machine.measure().by_the_clock


def processor_slowness() -> float:
    """How many times as much time of a processor as on a quiet machine work takes here; who else
    works hardly matters.
    """
    return _machine.measure().by_its_processor


def patience(seconds: float) -> float:
    """The net of a wait that on a quiet machine ends within so many seconds, in seconds of this
    machine.
    """
    return seconds * ROOM * slowness()


@contextmanager
def while_it_lives(check: Callable[[], None]) -> Generator[None]:
    """For this long every wait calls `check` before it looks: what has ended brings nothing any
    more, and `check` raises why.
    """
    _checks.append(check)
    try:
        yield
    finally:
        _checks.remove(check)


def until[T](
    look: Callable[[], T | None],
    seconds: float = 40,
    what: str = "the expected state",
    every_s: float = 0.05,
) -> T:
    """The first answer of `look` that is true; a look that costs much is taken less often, since
    what it waits for needs the time.

    Raises:
        TimeoutError: None came in the time that `patience` makes of the seconds.
    """
    began = time.monotonic()
    while True:
        for check in tuple(_checks):
            check()
        looked = time.monotonic()
        if answer := look():
            return answer
        cost_s = time.monotonic() - looked
        if time.monotonic() - began > patience(seconds):
            message = f"{what} did not come within {patience(seconds):.0f} s"
            raise TimeoutError(message)
        _pause.wait(max(every_s, min(4 * cost_s, SELDOM_S)))


def _work() -> int:
    """A fixed piece of work."""
    total = 0
    for number in range(ROUNDS):
        total += number * number % 7
    return total
