"""The limits on what all runs together buy, in whole runs: fifty drops at once on a TuneDrop with a
small wallet.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.data import a_training_set
from tests.patience import NOW_AND_THEN_S, until
from tests.runs.stack import Stack, running_stack

pytestmark = pytest.mark.timeout(240)
FIFTY, AT_A_TIME, A_DAY = 50, 4, 12


@pytest.fixture(scope="module")
def small() -> Iterator[Stack]:
    """A TuneDrop with four places and twelve jobs a day."""
    with running_stack(
        "instant", TUNEDROP_JOBS_AT_A_TIME=str(AT_A_TIME), TUNEDROP_JOBS_A_DAY=str(A_DAY)
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


def test_fifty_drops_at_once_never_pass_the_limits(small: Stack) -> None:
    """Twelve train, four at a time at most; the others end rejected, with the reason, and have
    bought nothing.
    """
    waited: set[str] = set()

    def ended() -> list[dict[str, Any]] | None:
        rows = small.runs()
        waited.update(row["waits_because"] for row in rows if row["waits_because"])
        return rows if len(rows) == FIFTY and all(row["outcome"] for row in rows) else None

    for number in range(FIFTY):
        small.drop(f"fifty{number}", a_training_set(f"subject {number}"))
    runs = [small.run(row["id"]) for row in until(ended, 180, "fifty ends", NOW_AND_THEN_S)]
    trained = [run for run in runs if run["outcome"] == "succeeded"]
    rejected = [run for run in runs if run["outcome"] == "rejected"]
    assert (len(trained), len(rejected)) == (A_DAY, FIFTY - A_DAY)
    assert {run["problem"]["code"] for run in rejected} == {"TD-BUDGET-003"}
    assert len(small.asked("fine_tuning.jobs.create")) == A_DAY
    assert 1 < most_at_once(runs) <= AT_A_TIME
    away = {
        because for because in waited if " is not available: " in because
    }  # a connection lost on a busy machine
    assert waited - away == {f"The limit of runs at the same time is reached: {AT_A_TIME}."}
    assert not [
        e
        for run in rejected
        for e in small.asked("files.create")
        if run["id"] in e["request"]["filename"]
    ]
