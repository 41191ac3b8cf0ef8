"""What people do to a run, and what somebody does to its orchestration behind its back."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient

from shared.models.drop import TRAINING_SET
from tests.data import a_training_set
from tests.patience import patience, until
from tests.runs.stack import Stack
from tests.runs.test_once_only import ends_of_jobs, jobs_of
from tests.runs.test_outcomes import gone

pytestmark = pytest.mark.timeout(150)
A_WHILE = {"job": {"after_seconds": 300}}


@contextmanager
def task_hub(stack: Stack) -> Generator[TaskHubGrpcClient]:
    """The durable engine, as somebody with the Durable tools has it."""
    hub = stack.hub()
    try:
        yield hub
    finally:
        hub.close()


def in_training(stack: Stack, name: str) -> str:
    """The id of a run whose job is under way, and stays so."""
    stack.control("PUT", "pace", A_WHILE)
    stack.drop(name, a_training_set(name))
    run_id = stack.at_step(name, "train")
    until(lambda: jobs_of(stack, run_id), what="the job")
    return run_id


def terminate(stack: Stack, run_id: str) -> None:
    """Ends the orchestration by force, and not what it has begun."""
    with task_hub(stack) as hub:
        hub.terminate_orchestration(run_id)
        state = hub.wait_for_orchestration_completion(run_id, timeout=patience(30))
    assert state
    assert state.runtime_status is OrchestrationStatus.TERMINATED


def test_second_cancel_is_the_first_one(stack: Stack, name: str) -> None:
    """It is accepted as long as the run ends by it, and changes nothing."""
    run_id = in_training(stack, name)
    first, second = (stack.api.post(f"/runs/{run_id}/cancel") for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert stack.ended(name)["outcome"] == "cancelled"
    assert (
        len(
            [
                e
                for e in stack.asked("fine_tuning.jobs.cancel")
                if e["id"] == jobs_of(stack, run_id)[0]["id"]
            ]
        )
        == 1
    )


@pytest.mark.parametrize("run_id", ["nobody-00000000", "..%2f..%2fwallet", "@entity", "a" * 1000])
def test_cancel_of_a_run_that_nobody_knows_is_refused(stack: Stack, run_id: str) -> None:
    """Whatever the id looks like."""
    assert stack.api.post(f"/runs/{run_id}/cancel").status_code == 404


@pytest.mark.slow
def test_terminated_run_is_taken_up_by_the_sweep_with_its_job(stack: Stack, name: str) -> None:
    """Whoever ends the orchestration ends no run: it goes on with the job that it paid for."""
    run_id = in_training(stack, name)
    terminate(stack, run_id)
    stack.control("PUT", "pace", "fast")
    assert stack.ended(name, 60)["outcome"] == "succeeded"
    assert len(jobs_of(stack, run_id)) == 1


@pytest.mark.slow
def test_terminated_run_can_be_cancelled(stack: Stack, name: str) -> None:
    """The cancel stands in the ledger; the sweep brings back the run that obeys it, and nothing is
    left behind.
    """
    run_id = in_training(stack, name)
    terminate(stack, run_id)
    assert stack.api.post(f"/runs/{run_id}/cancel").status_code == 202
    assert stack.ended(name, 60)["outcome"] == "cancelled"
    assert gone(stack, run_id)
    assert ends_of_jobs(stack, run_id) == ["cancelled"]


def test_late_event_of_a_purged_run_changes_nothing(stack: Stack, name: str) -> None:
    """The history is gone, the ledger remembers: one run, one job, and its orchestration does not
    come back.
    """
    stack.drop(name, a_training_set(name))
    run = stack.ended(name)
    with task_hub(stack) as hub:
        hub.wait_for_orchestration_completion(run["id"], timeout=patience(30))
        hub.purge_orchestration(run["id"])
        stack.deliver(f"{name}/{TRAINING_SET}", 3)
        assert stack.api.post("/runs", json={"run": name}).json() == {
            "id": run["id"],
            "name": name,
            "started": False,
        }
        assert hub.get_orchestration_state(run["id"]) is None
    assert [row["id"] for row in stack.runs(name)] == [run["id"]]
    assert len(jobs_of(stack, run["id"])) == 1
    assert stack.run(run["id"]) == run


def test_request_for_other_settings_is_refused_where_the_upload_has_its_run(
    stack: Stack, name: str
) -> None:
    """Not answered as if they would be used; the same settings, or none, are told the run."""
    stack.drop(name, a_training_set(name), job={"seed": 1})
    run_id = stack.ended(name)["id"]
    told = {"id": run_id, "name": name, "started": False}
    refused = stack.api.post("/runs", json={"run": name, "job": {"seed": 2}})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "TD-HTTP-012")
    again = [
        stack.api.post("/runs", json={"run": name, **asked})
        for asked in ({}, {"job": {"seed": 1}}, {"job": {"seed": 1, "retrain": False}})
    ]
    assert [(one.status_code, one.json()) for one in again] == [(200, told)] * 3
    assert [row["id"] for row in stack.runs(name)] == [run_id]
