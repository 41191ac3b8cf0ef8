"""Sharing a scan's spans out among processors: to forked processes where that is safe, to threads elsewhere.

Counting, hashing and searching let go of the interpreter's lock, the rest of a span's work holds it: processes don't wait for each
other. A fork takes a few milliseconds and finds the vocabularies loaded; a process that starts from nothing needs a second for them.
"""

import gc
import multiprocessing
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


def may_fork() -> bool:
    """Whether a fork is safe here: on Linux, and while no other thread of Python's could hold a lock that nobody would release."""
    return sys.platform == "linux" and threading.active_count() == 1


def forked(processes: int) -> ProcessPoolExecutor:
    """So many forks of this process; an interrupt is the parent's to answer."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _begin)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # a scan makes no cycles, and a collection would touch, and so copy, all that the parent has


def in_order(  # noqa: UP047  # Python 3.11 has no such syntax
    pool: Executor, work: Callable[[Part], Result], parts: Iterable[Part], workers: int
) -> Iterator[Result]:
    """The parts' results in order; one more part than workers is under way, so that results don't pile up."""
    under_way: deque[Future[Result]] = deque()
    try:
        for part in parts:
            under_way.append(pool.submit(work, part))
            if len(under_way) > workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for waiting in under_way:
            waiting.cancel()
