"""TuneDrops whose hosts are killed: a new one for every few waves, since what clients that died
leave behind adds up in Azurite.
"""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.matrix import Cell, Seen, Wave
from tests.patience import patience
from tests.runs.stack import PACE, Stack, running_stack, unhurried

WAVES = 4
# On a busy machine the sweep would else start a run before its event does, and past the event's
# checkpoints.
PATIENCE_S = 20
APP = Path(__file__).parent / "app"
QUICK = PACE.model_copy(
    update={
        "brief_s": 0.3,
        "call_s": 4.0,
        "upload_s": 4.0,
        "list_lag_s": 1.0,
        "settle_s": 0.2,
        "poll_first_s": 0.3,
    }
)


class Stacks:
    """One TuneDrop at a time; `folder` is where its strikes are armed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self._stack: Stack | None = None
        self._waves = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def strike(self, cells: list[Cell]) -> dict[Cell, list[str]]:
        """Runs a wave; what is wrong at its end, cell by cell. A deployment that nobody owns is
        wrong for all.
        """
        stack = self._current()
        try:
            found = Wave(stack, cells).run()
            unowned = [f"nobody owns the deployment {name}" for name in Seen.of(stack).unowned()]
        except BaseException:
            print(stack.last_words())
            self._end()
            raise
        self._waves += 1
        return {cell: wrong + unowned for cell, wrong in found.items()}

    def _current(self) -> Stack:
        if self._stack is None or self._waves >= WAVES:
            self._end()
            # Where the machine is slow, the stand-in is late, too: what it has not made by then
            # would be made a second time.
            nets = ("smoke_deadline_s", "call_s", "upload_s", "list_lag_s")
            folder, pace = str(self._folder), unhurried(QUICK, *nets).model_dump_json()
            starting = running_stack(
                app=APP,
                TUNEDROP_TEST_STRIKES=folder,
                TUNEDROP_PACE=pace,
                TUNEDROP_DROP_PATIENCE_S=f"{patience(PATIENCE_S):.0f}",
            )
            self._stack = self._running.enter_context(starting)
            # Jobs don't wait for each other, and a deployment answers only after its first
            # question.
            self._stack.control(
                "PUT", "limits", {"jobs_running_max": 1000, "jobs_queued_max": 1000}
            )
            self._stack.control(
                "PUT", "pace", {"job": {"after_seconds": 2}, "readiness": {"after_reads": 2}}
            )
        return self._stack

    def _end(self) -> None:
        self._stack, self._waves = None, 0
        self._running.close()
