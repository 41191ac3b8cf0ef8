"""Whole runs under duplicates, cancels and kills: nothing lost, nothing bought twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.data import a_training_set
from tests.patience import until
from tests.runs.stack import Stack
from tests.runs.test_outcomes import gone

pytestmark = pytest.mark.timeout(150)


def jobs_of(stack: Stack, run_id: str) -> list[dict[str, Any]]:
    """The jobs that the stand-in made for this run."""
    return [
        e
        for e in stack.asked("fine_tuning.jobs.create")
        if e["request"]["body"].get("suffix") == run_id
    ]


def ends_of_jobs(stack: Stack, run_id: str) -> list[str]:
    """How each job of this run is, by the stand-in's own state."""
    made = {job["id"] for job in jobs_of(stack, run_id)}
    return [job["status"] for job in stack.control("GET", "state")["jobs"] if job["id"] in made]


def test_one_event_five_times_at_once_and_once_after_the_end_is_one_run(
    stack: Stack, name: str
) -> None:
    """However often an event comes, also after the end: one run, one job."""
    stack.drop(name, a_training_set(name))
    stack.deliver(f"{name}/training_set.jsonl", 5)
    run = stack.ended(name)
    stack.deliver(f"{name}/training_set.jsonl", 1)
    assert [row["id"] for row in stack.runs(name)] == [run["id"]]
    assert len(jobs_of(stack, run["id"])) == 1


def test_same_bytes_during_and_after_a_run_are_duplicates_that_name_it(
    stack: Stack, name: str
) -> None:
    """One job for the same content; the others end `duplicate` and name the first."""
    data = a_training_set(name)
    stack.drop(name, data)
    first = stack.at_step(name, "upload", "train", "deploy")
    stack.drop(f"{name}-b", data)
    during = stack.ended(f"{name}-b")
    assert stack.ended(name)["outcome"] == "succeeded"
    stack.drop(f"{name}-c", data)
    after = stack.ended(f"{name}-c")
    assert [(r["outcome"], r["duplicate_of"]) for r in (during, after)] == [
        ("duplicate", first)
    ] * 2
    assert not jobs_of(stack, during["id"]) + jobs_of(stack, after["id"])


@pytest.mark.parametrize(
    "step", ["settle", "scan", "gate", "upload", "train", "deploy", "smoke_test"]
)
def test_cancel_at_each_step_leaves_nothing_behind(stack: Stack, name: str, step: str) -> None:
    """A cancelled run ends cancelled, without files, deployment or a running job."""
    slow = {
        "upload": {"file": {"after_seconds": 5}},
        "train": {"job": {"after_seconds": 60}},
        "deploy": {"deployment": {"after_seconds": 6}},
        "smoke_test": {"readiness": {"after_seconds": 20}},
    }
    stack.control("PUT", "pace", slow.get(step, {}))
    if step == "settle":
        stack.drop(name, a_training_set(name), job={"validation": "expected"})
    else:
        stack.drop(name, a_training_set(name))
    run_id = stack.at_step(
        name,
        step,
        *({"plan", "scan", "gate", "upload", "train"} if step in {"scan", "gate"} else ()),
    )
    assert stack.api.post(f"/runs/{run_id}/cancel").status_code == 202
    run = stack.ended(name)
    assert run["outcome"] == "cancelled"
    assert stack.api.post(f"/runs/{run_id}/cancel").status_code == 409
    assert gone(stack, run_id)
    ends = set(ends_of_jobs(stack, run_id))
    assert ends == {"succeeded"} if step in {"deploy", "smoke_test"} else ends <= {"cancelled"}


def test_cancel_after_the_end_is_refused(stack: Stack, name: str) -> None:
    """What has ended stays as it ended."""
    stack.training.upload_blob(f"{name}.jsonl", b"")
    run = stack.ended(name)
    assert stack.api.post(f"/runs/{run['id']}/cancel").status_code == 409


def test_killed_host_resumes_in_the_middle_of_training(stack: Stack, name: str) -> None:
    """After SIGKILL a new host takes the run up from the ledger: one job, one model."""
    stack.control("PUT", "pace", {"job": {"after_seconds": 8}})
    stack.drop(name, a_training_set(name))
    run_id = stack.at_step(name, "train")
    until(lambda: jobs_of(stack, run_id), what="the job")
    stack.kill_host()
    stack.break_lease()
    stack.start_host()
    assert stack.ended(name, 90)["outcome"] == "succeeded"
    assert len(jobs_of(stack, run_id)) == 1


def test_resumed_run_is_not_undone_by_a_newer_upload(stack: Stack, name: str) -> None:
    """A run that has paid goes on after a resume, although its blob was replaced meanwhile; the new
    upload is a run of its own.
    """
    stack.control("PUT", "pace", {"job": {"after_seconds": 8}})
    stack.drop(name, a_training_set(name))
    run_id = stack.at_step(name, "train")
    until(lambda: jobs_of(stack, run_id), what="the job")
    stack.kill_host()
    stack.drop(name, a_training_set(f"{name}-newer"))
    stack.break_lease()
    stack.start_host()
    ended = until(
        lambda: (
            [r for r in stack.runs(name) if r["outcome"]]
            if all(r["outcome"] for r in stack.runs(name))
            else None
        ),
        90,
    )
    assert len(ended) == 2
    assert {row["outcome"] for row in ended} == {"succeeded"}


def test_create_without_an_answer_is_looked_up_and_not_repeated(stack: Stack, name: str) -> None:
    """The job was made, the connection fell: the run finds its job and makes no second one."""
    stack.control(
        "POST",
        "faults",
        {"on": "fine_tuning.jobs.create", "when": "after_commit", "then": "drop_connection"},
    )
    stack.drop(name, a_training_set(name))
    run = stack.ended(name, 90)
    assert run["outcome"] == "succeeded"
    assert len(jobs_of(stack, run["id"])) == 1


def test_creating_calls_are_never_retried_by_a_client(stack: Stack, name: str) -> None:
    """The client's own retry count is 0 on every creating call."""
    stack.control(
        "POST",
        "faults",
        {"on": "fine_tuning.jobs.create", "when": "before", "then": {"status": 500}, "times": 2},
    )
    stack.drop(name, a_training_set(name))
    assert stack.ended(name, 90)["outcome"] == "succeeded"
    calls = stack.asked("files.create", committed=False) + stack.asked(
        "fine_tuning.jobs.create", committed=False
    )
    assert {str(call["retry_count"]) for call in calls} <= {"0"}


def test_http_start_of_the_same_upload_is_the_same_run(stack: Stack, name: str) -> None:
    """The event and five HTTP starts at once make one run."""
    stack.drop(name, a_training_set(name))
    with ThreadPoolExecutor(5) as pool:
        posts = [pool.submit(stack.api.post, "/runs", json={"run": name}) for _ in range(5)]
        answers = {str(post.result().json()["id"]) for post in posts}
    assert answers == {row["id"] for row in stack.runs(name)}
    assert stack.ended(name)["outcome"] == "succeeded"
