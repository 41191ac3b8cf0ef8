"""Timer triggers: each runs on its own schedule, never twice at once; a failure is logged and waits
for the next time.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

from tunedrop.host.errors import FunctionFailed, HostError
from tunedrop.host.functions import Function, resolve_settings
from tunedrop.host.logs import log_failure
from tunedrop.host.schedule import Schedule, ScheduleError

type Fire = Callable[[Function, str], Awaitable[object]]
LONGEST_SLEEP_S = 60.0  # a laptop that was asleep is late by at most this


class Timer:
    """One timer function with its schedule; `fire` takes the function and the timer's JSON."""

    def __init__(self, function: Function, fire: Fire) -> None:
        self.function = function
        self._fire = fire
        try:
            self.schedule = Schedule.parse(resolve_settings(str(function.trigger["schedule"])))
        except ScheduleError as error:
            msg = f"The timer function {function.name} can't be scheduled: {error}"
            raise HostError(msg) from error

    async def run(self, at_start: bool) -> None:
        """Fire for ever, and once right away where `at_start` or the function's run_on_startup says
        so.
        """
        if at_start or self.function.trigger.get("runOnStartup"):
            await self.fire()
        while True:
            due = self.schedule.after(datetime.now(UTC))
            while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
                await asyncio.sleep(min(left, LONGEST_SLEEP_S))
            await self.fire()

    async def fire(self) -> None:
        """Invoke the function once, now."""
        try:
            await self._fire(
                self.function,
                json.dumps({"IsPastDue": False, "Schedule": {}, "ScheduleStatus": {}}),
            )
        except FunctionFailed as failure:
            log_failure(failure)


def timers(functions: Iterable[Function], fire: Fire) -> list[Timer]:
    """A timer for each timer function; raises HostError for a schedule that can't be read."""
    return [Timer(function, fire) for function in functions if function.kind == "timerTrigger"]
