"""Whole runs with the same bytes under ten names: one job at a time, one model, and always one."""

from typing import Any

import pytest

from tests.data import a_training_set
from tests.patience import NOW_AND_THEN_S, until
from tests.runs.stack import Stack

pytestmark = pytest.mark.timeout(150)


def drop_ten(stack: Stack, name: str) -> None:
    """The same bytes under ten names at once."""
    data = a_training_set(name)
    for number in range(10):
        stack.drop(f"{name}-{number}", data)


def rows_of(stack: Stack, name: str) -> list[dict[str, Any]]:
    """The rows of the ten runs."""
    return [row for row in stack.runs() if row["name"].startswith(f"{name}-")]


def all_ended(stack: Stack, name: str, seconds: float = 90) -> list[dict[str, Any]]:
    """The rows, once all ten have ended."""

    def found() -> list[dict[str, Any]] | None:
        rows = [row for row in rows_of(stack, name) if row["outcome"]]
        return rows if len(rows) == 10 else None

    return until(found, seconds, "the end of all ten", NOW_AND_THEN_S)


def holder_at_work(stack: Stack, name: str) -> str:
    """The run that trains, once its job exists and the other nine say that they wait for it."""

    def found() -> str | None:
        waiting = [row["waits_because"] for row in rows_of(stack, name) if row["waits_because"]]
        [holder] = (
            [row["id"] for row in rows_of(stack, name) if not row["waits_because"]]
            if len(waiting) == 9
            else [None]
        )
        return (
            holder
            if holder and all(holder in text for text in waiting) and jobs_of(stack, [holder])
            else None
        )

    return until(found, 60, "one job and nine that wait")


def jobs_of(stack: Stack, runs: list[str]) -> list[str]:
    """The ids of the jobs that were made for these runs, oldest first."""
    return [
        e["id"]
        for e in stack.asked("fine_tuning.jobs.create")
        if e["request"]["body"].get("suffix") in runs
    ]


def most_at_once(stack: Stack, jobs: list[str]) -> int:
    """How many of these jobs the service had under way at most: a job's bill is written when it
    ends.
    """
    living, most = 0, 0
    for entry in stack.record():
        if entry.get("id") in jobs and entry["operation"] in {
            "fine_tuning.jobs.create",
            "fine_tuning.jobs.billed",
        }:
            living += 1 if entry["operation"] == "fine_tuning.jobs.create" else -1
            most = max(most, living)
    return most


def outcomes(rows: list[dict[str, Any]]) -> dict[str, int]:
    """How many runs ended how."""
    found = [row["outcome"] for row in rows]
    return {outcome: found.count(outcome) for outcome in sorted(set(found))}


def check_one_model(stack: Stack, rows: list[dict[str, Any]], jobs: int) -> None:
    """So many jobs, never two at a time; all duplicates name the one success."""
    made = jobs_of(stack, [row["id"] for row in rows])
    assert (len(made), most_at_once(stack, made)) == (jobs, 1)
    [winner] = [row["id"] for row in rows if row["outcome"] == "succeeded"]
    assert {row["duplicate_of"] for row in rows if row["outcome"] == "duplicate"} == {winner}


def test_same_bytes_under_ten_names_at_once_are_trained_once(stack: Stack, name: str) -> None:
    """One job, one model, and nine duplicates that name it; one more afterwards is a duplicate,
    too.
    """
    drop_ten(stack, name)
    rows = all_ended(stack, name)
    assert outcomes(rows) == {"duplicate": 9, "succeeded": 1}
    check_one_model(stack, rows, jobs=1)


def test_next_one_trains_when_the_job_of_the_holder_fails(stack: Stack, name: str) -> None:
    """The first job fails: one of the nine takes over, and there is a model after all."""
    stack.control("POST", "faults", {"on": "job", "then": "rai_data"})
    drop_ten(stack, name)
    rows = all_ended(stack, name)
    assert outcomes(rows) == {"duplicate": 8, "failed": 1, "succeeded": 1}
    check_one_model(stack, rows, jobs=2)


@pytest.mark.slow
def test_next_one_trains_when_the_holder_is_cancelled(stack: Stack, name: str) -> None:
    """Also a waiting run can be cancelled, and nobody notices."""
    stack.control("PUT", "pace", {"job": {"after_seconds": 12}})
    drop_ten(stack, name)
    holder = holder_at_work(stack, name)
    waiting = next(row["id"] for row in rows_of(stack, name) if row["id"] != holder)
    for run_id in (waiting, holder):
        assert stack.api.post(f"/runs/{run_id}/cancel").status_code == 202
    stack.control("PUT", "pace", "fast")
    rows = all_ended(stack, name)
    assert outcomes(rows) == {"cancelled": 2, "duplicate": 7, "succeeded": 1}
    check_one_model(stack, rows, jobs=2)


@pytest.mark.slow
def test_holder_goes_on_when_its_host_was_killed(stack: Stack, name: str) -> None:
    """The nine wait for a run that nobody runs: the job is still there, and so is the run."""
    stack.control("PUT", "pace", {"job": {"after_seconds": 8}})
    drop_ten(stack, name)
    holder = holder_at_work(stack, name)
    stack.kill_host()
    stack.break_lease()
    stack.start_host()
    rows = all_ended(stack, name)
    assert outcomes(rows) == {"duplicate": 9, "succeeded": 1}
    assert next(row["id"] for row in rows if row["outcome"] == "succeeded") == holder
    check_one_model(stack, rows, jobs=1)
