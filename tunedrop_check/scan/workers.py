"""Sharing a scan's spans out among processors: to this process and its forks where that is safe, to
threads elsewhere.
"""

import gc
import os
import queue
import select
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Part = TypeVar("Part")
Result = TypeVar("Result")
_AHEAD = 4  # parts a process that may be worked at beyond the first whose result is due


def may_fork() -> bool:
    """Whether a fork is safe here."""
    # Another thread could hold a lock that nobody would release in the fork.
    return sys.platform == "linux" and threading.active_count() == 1


# Counting, hashing and searching let go of the interpreter's lock, the rest of a span's work holds
# it: processes don't wait for each other. A fork takes a few milliseconds and finds the
# vocabularies loaded; a process that starts from nothing needs a second for them. What a fork
# writes to it must copy first, for a small file a tenth of its time: so this process works, too,
# instead of one more.
def by_forks(  # noqa: UP047  # Python 3.11 has no such syntax
    work: Callable[[Part], Result], parts: Sequence[Part], processes: int
) -> Iterator[Result]:
    """The parts' results in order, from this process and its forks; each takes the next part when
    it is done with one.
    """
    ready: dict[int, Result] = {}
    due = issued = 0
    collects = gc.isenabled()
    tickets, forks = _Tickets(), _Forks()
    # a scan makes no cycles, and a collection would touch, and so copy, all that the processes
    # share
    gc.disable()
    try:
        forks.start(tickets, work, parts, processes - 1)
        while due < len(parts):
            for number in range(issued, min(due + _AHEAD * processes, len(parts))):
                tickets.issue(number)
                issued = number + 1
            if issued == len(parts):
                tickets.end()
            number = tickets.draw()
            # What a fork fails at is done here again: an error is raised here, and a fork that
            # somebody ended, as a machine does that is out of memory, costs no result.
            if number is None and forks.lost_one:
                number = due
            if number is not None:
                ready[number] = work(parts[number])
            for answered, result in forks.answers(wait=number is None):
                if answered >= due:
                    ready[answered] = work(parts[answered]) if result is None else result
            while due in ready:
                yield ready.pop(due)
                due += 1
    finally:
        forks.end()
        tickets.close()
        if collects:
            gc.enable()


class _Tickets:
    """Numbers of parts in a pipe, each drawn by one process: whichever asks first."""

    _BYTES = 4

    def __init__(self) -> None:
        self._drawn, self._issued = os.pipe()
        self._ended = False
        os.set_blocking(self._drawn, False)

    def issue(self, number: int) -> None:
        os.write(self._issued, number.to_bytes(self._BYTES, "little"))

    def end(self) -> None:
        """All are issued: a fork that finds none left may go, while this process still works."""
        if not self._ended:
            self._ended = True
            os.close(self._issued)

    def draw(self) -> int | None:
        """The next number; None where none is left for now."""
        try:
            ticket = os.read(self._drawn, self._BYTES)
        except BlockingIOError:
            return None
        return int.from_bytes(ticket, "little") if ticket else None

    def drawn_in_turn(self) -> Iterator[int]:
        """The numbers that a fork draws, until all are issued and none is left."""
        self.end()
        waiting = select.poll()
        waiting.register(self._drawn, select.POLLIN)
        while waiting.poll()[0][1] & select.POLLIN:
            number = self.draw()
            if number is not None:
                yield number

    def close(self) -> None:
        self.end()
        os.close(self._drawn)


class _Forks:
    """The forks, and a thread for each that hears what it says while this process works."""

    def __init__(self) -> None:
        self.lost_one = False
        self._heard: queue.SimpleQueue[tuple[int, Any] | None] = queue.SimpleQueue()
        self._connections: list[Connection] = []
        self._processes: list[BaseProcess] = []
        self._threads: list[threading.Thread] = []

    def start(
        self, tickets: _Tickets, work: Callable[[Any], Any], parts: Sequence[Any], number: int
    ) -> None:
        """Start so many."""
        import multiprocessing  # 0.02 s: only for a big file

        context = multiprocessing.get_context("fork")
        for _ in range(number):
            here, there = context.Pipe(duplex=False)
            self._connections.append(here)
            process = context.Process(
                target=_help, args=(tickets, work, parts, there, self._connections), daemon=True
            )
            process.start()
            there.close()
            self._processes.append(process)
        # The threads last, as no fork is safe beside one.
        for connection in self._connections:
            thread = threading.Thread(target=self._hear, args=(connection,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def answers(self, *, wait: bool) -> Iterator[tuple[int, Any]]:
        """What the forks have answered meanwhile; `wait` for one, or for the end of a fork."""
        while wait or not self._heard.empty():
            heard = self._heard.get()
            wait = False
            if heard is None:
                self.lost_one = True
            else:
                yield heard

    def end(self) -> None:
        """End them, whatever they do."""
        for process in self._processes:
            process.kill()
            process.join()
        for thread in self._threads:
            thread.join()
        for connection in self._connections:
            connection.close()

    def _hear(self, connection: "Connection") -> None:
        try:
            while (heard := connection.recv()) is not None:
                self._heard.put(heard)
        except (EOFError, OSError):
            self._heard.put(None)


def _help(
    tickets: _Tickets,
    work: Callable[[Any], Any],
    parts: Sequence[Any],
    connection: "Connection",
    of_parent: "list[Connection]",
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to answer
    for foreign in of_parent:  # else nobody would notice that the parent is gone
        foreign.close()
    for number in tickets.drawn_in_turn():
        try:
            result = work(parts[number])
        except Exception:  # the parent tries it again, and raises it
            result = None
        connection.send((number, result))
    connection.send(None)  # else its end would seem a loss


def in_order(  # noqa: UP047  # Python 3.11 has no such syntax
    pool: "Executor", work: Callable[[Part], Result], parts: Iterable[Part], workers: int
) -> Iterator[Result]:
    """The parts' results in order."""
    under_way: deque[Future[Result]] = deque()
    try:
        for part in parts:
            under_way.append(pool.submit(work, part))
            # One more part than workers is under way, so that results don't pile up.
            if len(under_way) > workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for waiting in under_way:
            waiting.cancel()
