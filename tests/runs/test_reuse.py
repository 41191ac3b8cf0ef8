"""Trained models deployed again, in whole runs: paid for once, by the stand-in's own ledger."""

from typing import Any

import pytest

from tests.data import a_training_set
from tests.patience import until
from tests.runs.stack import Stack

pytestmark = pytest.mark.timeout(150)
IMPOSSIBLE = {
    "smoke_test": {
        "messages": [{"role": "user", "content": "Hello?"}],
        "expect": {"contains": ["no model says this"]},
    }
}
EASY = {"smoke_test": {"messages": [{"role": "user", "content": "Hello?"}]}}


def jobs(stack: Stack, name: str) -> int:
    """How many jobs the service has made for runs of this name."""
    return sum(
        1
        for e in stack.asked("fine_tuning.jobs.create")
        if str(e["request"]["body"].get("suffix")).startswith(f"{name}-")
    )


def ended(stack: Stack, run_id: str) -> dict[str, Any]:
    """A run, once it has ended."""
    return until(
        lambda: run if (run := stack.run(run_id))["outcome"] else None, 60, f"the end of {run_id}"
    )


def deployed(stack: Stack, run_id: str, body: dict[str, Any], status: int = 202) -> str:
    """The id of the run that answers this request to deploy."""
    answer = stack.api.post(f"/runs/{run_id}/deploy", json=body)
    assert answer.status_code == status, answer.text
    return str(answer.json()["id"])


def test_model_of_a_failed_smoke_test_is_deployed_without_paying_again(
    stack: Stack, name: str
) -> None:
    """The paid model is named, and a second run serves it under another question."""
    stack.drop(name, a_training_set(name), job=IMPOSSIBLE)
    first = stack.ended(name)
    assert first["outcome"] == "failed"
    again = ended(stack, deployed(stack, first["id"], EASY))
    assert (again["outcome"], again["reuse_of"]) == ("succeeded", first["id"])
    assert again["deployment"] == again["id"]
    assert jobs(stack, name) == 1
    report = stack.report(again)
    assert report["reuse_of"] == first["id"]
    assert report["money"]["training_usd"] == 0
    assert report["deployment"]["model"] == first["job"]["fine_tuned_model"]


def test_same_request_is_one_run_and_one_deployment(stack: Stack, name: str) -> None:
    """A repeat costs nothing; `again`, or another name, makes another deployment."""
    stack.drop(name, a_training_set(name), job=EASY)
    first = stack.ended(name)
    second = deployed(stack, first["id"], {})
    assert deployed(stack, first["id"], {}, 200) == second
    assert ended(stack, second)["outcome"] == "succeeded"
    assert deployed(stack, first["id"], {}, 200) == second
    third = deployed(stack, first["id"], {"again": True})
    assert third != second
    assert ended(stack, third)["deployment"] != ended(stack, second)["deployment"]
    assert jobs(stack, name) == 1


def test_drop_with_reuse_deploys_what_was_trained_from_the_same_content(
    stack: Stack, name: str
) -> None:
    """`"reuse": true` in job.json: no upload, no job; without it the same drop is a duplicate."""
    data = a_training_set(name)
    stack.drop(name, data, job=EASY)
    first = stack.ended(name)
    stack.drop(f"{name}-b", data, job={**EASY, "reuse": True})
    second = stack.ended(f"{name}-b")
    assert (second["outcome"], second["reuse_of"], second["deployment"]) == (
        "succeeded",
        first["id"],
        second["id"],
    )
    stack.drop(f"{name}-c", data, job=EASY)
    assert stack.ended(f"{name}-c")["outcome"] == "duplicate"
    assert jobs(stack, name) == 1
    assert not [e for e in stack.asked("files.create") if second["id"] in e["request"]["filename"]]


def test_drop_with_reuse_of_new_content_trains(stack: Stack, name: str) -> None:
    """There is nothing to deploy again."""
    stack.drop(name, a_training_set(name), job={**EASY, "reuse": True})
    run = stack.ended(name)
    assert (run["outcome"], run["reuse_of"], jobs(stack, name)) == ("succeeded", None, 1)


def test_what_can_not_be_deployed_again_is_refused(stack: Stack, name: str) -> None:
    """Without a model, by a run that isn't there, or as this app does not allow."""
    stack.drop(
        name, a_training_set(name), job={**EASY, "deployment": {"sku": "ProvisionedManaged"}}
    )
    rejected = stack.ended(name)
    assert (
        stack.api.post(f"/runs/{rejected['id']}/deploy", json={}).json()["error"]["code"]
        == "TD-HTTP-011"
    )
    assert (
        stack.api.post("/runs/nobody-00000000/deploy", json={}).json()["error"]["code"]
        == "TD-HTTP-004"
    )
    stack.drop(f"{name}-b", a_training_set(f"{name}-b"), job=EASY)
    trained = stack.ended(f"{name}-b")
    answer = stack.api.post(
        f"/runs/{trained['id']}/deploy",
        json={"deployment": {"sku": "ProvisionedManaged", "capacity": 100}},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "TD-GATE-011")


def test_reuse_is_within_the_budget_of_its_deployment(stack: Stack, name: str) -> None:
    """The hours that the run may take to prove it count."""
    stack.drop(name, a_training_set(name), job=EASY)
    first = stack.ended(name)
    run = ended(stack, deployed(stack, first["id"], {"budget": {"usd": 1.69}}))
    assert (run["outcome"], run["problem"]["code"], run["worst_case_usd"]) == (
        "rejected",
        "TD-BUDGET-001",
        1.7,
    )
