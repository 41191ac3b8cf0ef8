"""Named points around every side effect, where a crash test strikes. In the app a point does
nothing.
"""

from collections.abc import Callable

type Observer = Callable[[str], None]

_observers: list[Observer] = []


# A test installs an observer, which may raise, block, or end the process (tests/faults/). Names are
# literal, so that the tests read the list of points from the code, and a side effect without its
# points fails.
def checkpoint(name: str) -> None:
    """Says that this execution is at the named point, for example "make job: after the intent"."""
    for observer in _observers:
        observer(name)


def observe(observer: Observer | None) -> None:
    """Installs the one observer of this process; None removes it. Only tests call this."""
    _observers[:] = [observer] if observer else []
