"""Timer triggers."""

import asyncio
import json

import pytest

from tests.patience import patience
from tests.unit.host.builders import a_function
from tunedrop.host.errors import FunctionFailed, HostError
from tunedrop.host.functions import Function
from tunedrop.host.timers import Timer, timers


class Recorder:
    """A function that notes its calls and fails on the first."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.again = asyncio.Event()

    async def __call__(self, function: Function, info: str) -> None:
        self.calls.append(info)
        if len(self.calls) == 1:
            raise FunctionFailed(function.name, "RuntimeError", "first time")
        self.again.set()


async def test_timer_goes_on_when_the_function_failed() -> None:
    """Each second fires, the failure of one doesn't stop the next."""
    recorder = Recorder()
    running = asyncio.create_task(
        Timer(a_function("timerTrigger", schedule="* * * * * *"), recorder).run(at_start=False)
    )
    async with asyncio.timeout(patience(5)):
        await recorder.again.wait()
    running.cancel()
    assert json.loads(recorder.calls[0])["IsPastDue"] is False


@pytest.mark.parametrize(
    ("run_on_startup", "at_start", "calls"),
    [(False, True, 1), (True, False, 1), (True, True, 1), (False, False, 0)],
)
async def test_timer_fires_at_the_start_when_told(
    run_on_startup: bool, at_start: bool, calls: int
) -> None:
    """Either wish is enough, both are still one call."""
    recorder = Recorder()
    function = a_function("timerTrigger", schedule="0 0 0 1 1 *", runOnStartup=run_on_startup)
    running = asyncio.create_task(Timer(function, recorder).run(at_start))
    for _ in range(10):
        await asyncio.sleep(0)
    running.cancel()
    assert len(recorder.calls) == calls


def test_timer_reads_its_schedule_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """`%NAME%` in a schedule is an app setting."""
    monkeypatch.setenv("SWEEP", "0 */10 * * * *")
    (timer,) = timers(
        [a_function("timerTrigger", schedule="%SWEEP%"), a_function("httpTrigger")], Recorder()
    )
    assert timer.schedule.expression == "0 */10 * * * *"


def test_timer_is_refused_with_its_name_when_the_schedule_is_wrong() -> None:
    """A schedule that can't be read stops the start."""
    with pytest.raises(HostError, match=r"act.*second"):
        Timer(a_function("timerTrigger", schedule="61 * * * * *"), Recorder())
