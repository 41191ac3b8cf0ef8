"""Strikes: what shall happen to which run at which point, told by files, so that a test can arm a
host in another process.

A strike is used up by the first execution that meets it: its file is renamed, which only one of two
can do. It raises, or has the same activity executed a second time while the first stands still, or
holds the execution until the host is killed, or only notes that the run came by.
"""

import functools
import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote

from shared.runs import checkpoints
from tests.faults import points
from tests.patience import patience

type Mode = Literal["raise", "twice", "hold", "note"]

STANDS_STILL_S = 120
# Longer than it takes until the host is killed, so they grow as the waits for that do.
NAP_S = 120
DATA_WAS_HERE = "a strike, as the test says"


class Struck(Exception):
    """What no code expects: a fault of the platform, or of ours."""


def arm(folder: Path, point: str, run: str, mode: Mode) -> None:
    """Plan a strike on the run of this name at this point."""
    _file(folder, point, run, "armed").write_text(mode, encoding="utf-8")


def reached(folder: Path, point: str, run: str) -> bool:
    """Whether the strike has met its run."""
    return _file(folder, point, run, "struck").exists()


def _file(folder: Path, point: str, run: str, state: str) -> Path:
    return folder / f"{quote(point, safe='')}@{run}.{state}"


@dataclass
class Execution:
    """One execution of a function of the app: for which run, and how to do it once more."""

    run: str
    again: Callable[[], Any]


class Striker:
    """The observer of one host process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._here = threading.local()

    def watch(self, app: Any) -> None:
        """Installs itself at the checkpoints and around every function that isn't an
        orchestrator.
        """
        checkpoints.observe(self._meet)
        for builder in app._function_builders:
            function = builder._function
            if function._trigger.type != "orchestrationTrigger":
                function._func = self._around(function._name, function._func)

    def _around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its executions known to the observer; asynchronous ones are left as they
        are.
        """
        if inspect.iscoroutinefunction(function):
            return function

        @functools.wraps(function)
        def observed(*args: Any, **kwargs: Any) -> Any:
            execution = Execution(
                _run_of([*args, *kwargs.values()]), lambda: function(*args, **kwargs)
            )
            if self._used_up(points.SLEEPS.format(name), execution.run):
                return {"kind": "wait", "wait_s": patience(NAP_S)}
            self._here.execution = execution
            try:
                self._meet(points.BEGINS.format(name))
                return function(*args, **kwargs)
            finally:
                self._here.execution = None

        return observed

    def _meet(self, point: str) -> None:
        execution: Execution | None = getattr(self._here, "execution", None)
        if execution is None:  # the second execution of a pair, which nothing strikes
            return
        match self._used_up(point, execution.run):
            case "raise":
                raise Struck(DATA_WAS_HERE)
            case "twice":
                second = threading.Thread(target=execution.again)
                second.start()
                second.join()
            case "hold":
                threading.Event().wait(patience(STANDS_STILL_S))
                raise Struck(DATA_WAS_HERE)
            case _:
                return

    def _used_up(self, point: str, run: str) -> str | None:
        """The mode of the strike that waits here for this run; from now on there is none."""
        armed = _file(self._folder, point, run, "armed")
        try:
            mode = armed.read_text(encoding="utf-8")
            armed.rename(_file(self._folder, point, run, "struck"))
        except FileNotFoundError:
            return None
        return mode


def _run_of(arguments: list[Any]) -> str:
    """The name of the run that an execution is about: from an activity's request, a dropped blob,
    or an address.
    """
    for argument in arguments:
        if isinstance(argument, dict):
            return str(cast("dict[str, Any]", argument).get("run_id", "")).rpartition("-")[0]
        if name := getattr(argument, "blob_name", None):
            return str(name).partition("/")[0]
        if run_id := getattr(argument, "route_params", {}).get("id"):
            return str(run_id).rpartition("-")[0]
    return ""
