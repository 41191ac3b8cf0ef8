"""Following a run to its end: each step as it happens, the job's events and losses as they come."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tunedrop.cli.client import Api, Refused, Unreachable, part
from tunedrop.cli.output import UNAVAILABLE, Trouble, err, visible

BEGINS_WITHIN_S = 120
"""A blob's event takes seconds; after a cold start, a minute."""
SILENT_S = 60
"""A host that starts anew is back by then."""


@dataclass(frozen=True)
class Pace:
    """When to look; tests bring their own clock."""

    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep

    def pause(self, began: float) -> None:
        """Half a second at first; five once the run has taken two minutes, as it then takes many more."""
        self.wait(0.5 if self.clock() - began < 120 else 5.0)


@dataclass
class _Told:
    steps: int = 0
    event: str = ""
    reason: str = ""
    bar: Progress = field(default_factory=lambda: _bar())

    def tell(self, run: dict[str, Any]) -> None:
        for entered in run["timeline"][self.steps :]:
            at = datetime.fromisoformat(entered["at"]).astimezone()
            self.bar.console.print(f"  [dim]{at:%H:%M:%S}[/]  {visible(entered['step'].replace('_', ' '))}")
        self.steps = len(run["timeline"])
        reason = str(run.get("waits_because") or "")
        if reason and reason != self.reason:
            self.bar.console.print(f"            [dim]{visible(reason)}[/]")
        self.reason = reason
        job = part(run, "job")
        event = str(job.get("last_event") or "")
        if event != self.event:
            self.event = event
            self.bar.console.print(f"            [dim]{visible(event)}{losses(job)}[/]")
        for task in self.bar.task_ids:
            self.bar.update(task, completed=run["percentage"], description=visible(run["step"].replace("_", " ")))


def follow(api: Api, run_id: str, check: Callable[[], None] = lambda: None, pace: Pace | None = None) -> dict[str, Any]:
    """Prints the steps of this run until it has an outcome; answers the run.

    `check` is called before each look, and may raise where waiting is in vain.

    Raises:
        Trouble: the run did not begin within two minutes, or the API was silent for one.
    """
    pace = pace or Pace()
    began = pace.clock()
    heard: float | None = None  # a wrong address or key shows in the first answer, and does not get better by waiting
    told = _Told()
    with told.bar:
        told.bar.add_task("waiting for the run to begin", total=100)
        while True:
            check()
            try:
                run = api.run(run_id)
            except Refused as refused:
                if not refused.no_such_run:
                    raise
                if pace.clock() - began > BEGINS_WITHIN_S:
                    raise Trouble(_never(run_id), UNAVAILABLE) from None
                heard = pace.clock()
            except Unreachable:
                if heard is None or pace.clock() - heard > SILENT_S:
                    raise
            else:
                heard = pace.clock()
                told.tell(run)
                if run["outcome"]:
                    return run
            pace.pause(began)


def losses(job: dict[str, Any]) -> str:
    """The losses of a job that have been measured, ready to stand behind its event."""
    measured = [(label, job.get(name)) for label, name in (("training", "train_loss"), ("validation", "valid_loss"))]
    told = ", ".join(f"{label} {value:.3f}" for label, value in measured if value is not None)
    return f"  (losses: {told})" if told else ""


def _never(run_id: str) -> str:
    return f"No run {run_id} began within {BEGINS_WITHIN_S} s. Does the app behind the API listen to this account and container?"


def _bar() -> Progress:
    columns = (TextColumn("  {task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
