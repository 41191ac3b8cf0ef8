"""Following a run to its end: each step as it happens, the job's events and losses as they come."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tunedrop.cli.client import Api, Refused, Unreachable, part
from tunedrop.cli.output import FINE, NOT_SUCCEEDED, UNAVAILABLE, Trouble, command, err, visible

if TYPE_CHECKING:
    from rich.progress import Progress

# A blob's event takes seconds; after a cold start, a minute.
BEGINS_WITHIN_S = 120
# A host that starts anew is back by then.
SILENT_S = 60
# Outcomes that leave what was wanted: to drop the same thing again is no failure.
GOOD = {"succeeded", "duplicate"}
_LONG_NUMBER = re.compile(r"(?<![\w.-])\d+\.\d{3,}(?:e[+-]?\d+)?(?![\w.-])")
_LOSSES = (("training", "train_loss"), ("validation", "valid_loss"))


@dataclass(frozen=True)
class Pace:
    """When to look; tests bring their own clock."""

    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep

    def pause(self, began: float) -> None:
        """Waits half a second at first, and later five."""
        # A run that has taken two minutes takes many more.
        self.wait(0.5 if self.clock() - began < 120 else 5.0)


@dataclass
class _Told:
    steps: int = 0
    event: str = ""
    reason: str = ""
    losses: dict[str, float] = field(default_factory=dict[str, float])
    bar: "Progress" = field(default_factory=lambda: _bar())

    def tell(self, run: dict[str, Any]) -> None:
        for entered in run["timeline"][self.steps :]:
            at = datetime.fromisoformat(entered["at"]).astimezone()
            self.bar.console.print(
                f"  [dim]{at:%H:%M:%S}[/]  {visible(entered['step'].replace('_', ' '))}"
            )
        self.steps = len(run["timeline"])
        reason = str(run.get("waits_because") or "")
        if reason and reason != self.reason:
            self._aside(reason)
        self.reason = reason
        self._tell_job(part(run, "job"))
        for task in self.bar.task_ids:
            # How far the job is, nobody tells: while it trains, the bar moves without saying so.
            total = None if run["step"] == "train" else 100
            self.bar.update(
                task,
                total=total,
                completed=run["percentage"],
                description=visible(self._doing(run)),
            )

    def _tell_job(self, job: dict[str, Any]) -> None:
        event = shortened(str(job.get("last_event") or ""))
        heard = {
            label: float(value) for label, name in _LOSSES if (value := job.get(name)) is not None
        }
        fresh = {
            label: value
            for label, value in heard.items()
            if self.losses.get(label) != value and f"{label} loss=" not in event
        }
        if event != self.event or fresh:
            self._aside(f"{event}{losses(fresh)}".strip())
        self.event, self.losses = event, self.losses | heard

    def _aside(self, text: str) -> None:
        self.bar.console.print(f"            [dim]{visible(text)}[/]")

    def _doing(self, run: dict[str, Any]) -> str:
        step = str(run["step"]).replace("_", " ")
        if run["step"] != "train":
            return f"{step}, {run['percentage']} %"
        return f"{step}: {self.event}" if self.event else step


def follow(
    api: Api, run_id: str, check: Callable[[], None] = lambda: None, pace: Pace | None = None
) -> dict[str, Any]:
    """Prints the steps of this run until it has an outcome; answers the run.

    `check` is called before each look, and may raise where waiting is in vain.

    Raises:
        Trouble: the run did not begin within two minutes, or the API was silent for one.
    """
    pace = pace or Pace()
    began = pace.clock()
    # A wrong address or key shows in the first answer, and does not get better by waiting.
    heard: float | None = None
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


def followed(api: Api, run_id: str) -> dict[str, Any]:
    """The same for a person who may have enough of it.

    Raises:
        Trouble: as `follow`; and on Ctrl-C, which ends the following and not the run.
    """
    try:
        return follow(api, run_id)
    except KeyboardInterrupt:
        raise Trouble(
            f"No longer following; the run goes on. `{command()} runs {run_id}` shows it.",
            NOT_SUCCEEDED,
        ) from None


def code_of(run: dict[str, Any]) -> int:
    """The exit code of a command that has followed a run to this end."""
    return FINE if run["outcome"] in GOOD else NOT_SUCCEEDED


def shortened(event: str) -> str:
    """An event of a job with numbers of at most four significant digits."""
    # The service tells losses with fifteen.
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.4g}", event)


def losses(measured: dict[str, float]) -> str:
    """Losses ready to stand behind an event, with at most four significant digits."""
    told = ", ".join(f"{label} {value:.4g}" for label, value in measured.items())
    return f"  (losses: {told})" if told else ""


def _never(run_id: str) -> str:
    return (
        f"No run {run_id} began within {BEGINS_WITHIN_S} s. Does the app behind the API listen to "
        "this account and container?"
    )


def _bar() -> "Progress":
    # 0.02 s: only where something is followed
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("  {task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
