"""One clock and one source of ids for the whole stand-in."""

import hashlib
import time
from collections.abc import Callable


# The clock can be moved forward, so that no test waits.
class Clock:
    """Seconds since 1970 as the stand-in sees them, with what the control surface added."""

    def __init__(self, source: Callable[[], float] = time.time, offset_s: float = 0.0) -> None:
        self._source = source
        self.offset_s = offset_s

    def now(self) -> float:
        """The present, in seconds since 1970."""
        return self._source() + self.offset_s

    def advance(self, seconds: float) -> None:
        """Move the present forward; raises ValueError when asked to go back."""
        if seconds < 0:
            msg = "The clock only moves forward."
            raise ValueError(msg)
        self.offset_s += seconds


# Ids derive from a seed and a counter that is kept with the state, so that a restart never repeats
# one and a seeded run is the same to the byte.
def hexadecimal(seed: str, counter: int) -> str:
    """The 32 hexadecimal digits of the counter-th id of a seed."""
    return hashlib.sha256(f"{seed}:{counter}".encode()).hexdigest()[:32]
