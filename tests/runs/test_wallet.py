"""The limits on what all runs together buy, in whole runs: fifty drops at once on a TuneDrop with a
small wallet.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.data import a_training_set
from tests.patience import NOW_AND_THEN_S, until
from tests.runs.stack import Stack, running_stack

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True)
class Rush:
    """How many drops come at once, and how many of them may train."""

    drops: int
    at_a_time: int
    a_day: int


TWENTY, FIFTY = Rush(20, 3, 6), Rush(50, 4, 12)


@contextmanager
def small(rush: Rush) -> Generator[Stack]:
    """A TuneDrop with so many places, and jobs a day."""
    with running_stack(
        "instant",
        TUNEDROP_JOBS_AT_A_TIME=str(rush.at_a_time),
        TUNEDROP_JOBS_A_DAY=str(rush.a_day),
    ) as stack:
        yield stack


def most_at_once(runs: list[dict[str, Any]]) -> int:
    """How many runs were past the gate at the same moment, at most, by the times in the ledger; an
    end comes before a begin.
    """
    turns: list[tuple[datetime, int]] = []
    for run in runs:
        at = {entry["step"]: datetime.fromisoformat(entry["at"]) for entry in run["timeline"]}
        if "upload" in at:
            turns += [(at["upload"], 1), (at["ended"], -1)]
    highest = now = 0
    for _, turn in sorted(turns):
        now += turn
        highest = max(highest, now)
    return highest


@pytest.mark.parametrize("rush", [TWENTY, pytest.param(FIFTY, marks=pytest.mark.slow)])
def test_drops_at_once_never_pass_the_limits(rush: Rush) -> None:
    """As many train as may a day, and at a time at most; the others end rejected, with the reason,
    and have bought nothing.
    """
    with small(rush) as stack:
        _never_pass_the_limits(stack, rush)


def _never_pass_the_limits(small: Stack, rush: Rush) -> None:
    waited: set[str] = set()

    def ended() -> list[dict[str, Any]] | None:
        rows = small.runs()
        waited.update(row["waits_because"] for row in rows if row["waits_because"])
        return rows if len(rows) == rush.drops and all(row["outcome"] for row in rows) else None

    for number in range(rush.drops):
        small.drop(f"rush{number}", a_training_set(f"subject {number}"))
    runs = [small.run(row["id"]) for row in until(ended, 180, "all ends", NOW_AND_THEN_S)]
    trained = [run for run in runs if run["outcome"] == "succeeded"]
    rejected = [run for run in runs if run["outcome"] == "rejected"]
    assert (len(trained), len(rejected)) == (rush.a_day, rush.drops - rush.a_day)
    assert {run["problem"]["code"] for run in rejected} == {"TD-BUDGET-003"}
    assert len(small.asked("fine_tuning.jobs.create")) == rush.a_day
    assert 1 < most_at_once(runs) <= rush.at_a_time
    # A connection lost on a busy machine.
    away = {because for because in waited if " is not available: " in because}
    assert waited - away == {f"The limit of runs at the same time is reached: {rush.at_a_time}."}
    assert not [
        e
        for run in rejected
        for e in small.asked("files.create")
        if run["id"] in e["request"]["filename"]
    ]
