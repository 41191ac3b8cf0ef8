"""Files that nobody owns any more: only those of runs that this ledger knows to have ended."""

import json

import httpx2
import pytest

from shared.models.plan import DeploymentPlan
from shared.models.record import JobProgress, Outcome, RunRecord
from shared.runs.ledger import Ledger
from shared.runs.marks import file_name, run_of_file
from shared.runs.unowned import delete_unowned_deployments, delete_unowned_files
from shared.services.arm_facts import OWNER_TAG
from tests.builders import a_plan, a_record
from tests.unit.adapters import arm_wire
from tests.unit.adapters.openai_wire import Wire, file_body, refused


def names(ledger: Ledger) -> dict[str, str]:
    """The files at the service by id: of an ended run, of a living one, of a run that this ledger
    doesn't know, and of people.
    """
    ended, living, strange = (
        a_record("done", outcome=Outcome.FAILED),
        a_record("lives"),
        a_record("elsewhere"),
    )
    for record in (ended, living):
        assert ledger.claim(record)
    mine = file_name(ended, "training")
    return {
        "file-mine": mine,
        "file-lives": file_name(living, "training"),
        "file-strange": file_name(strange, "training"),
        "file-role": file_name(ended, "training").replace("training_set", "validation_set"),
        "file-bytes": mine.replace(ended.files["training"].content_hash[:12], "0" * 12),
        "file-copy": f"copy-of-{mine}",
        "file-person": "training_set.jsonl",
        "file-id": f"{ended.id}.jsonl",
    }


@pytest.mark.parametrize("older", [None, "2025-04-01-preview"])
def test_only_the_file_of_a_run_that_has_ended_is_deleted(
    ledger: Ledger, older: str | None
) -> None:
    """Never what lives, what another environment made, or what a person did."""
    there = names(ledger)
    listed = {
        "object": "list",
        "data": [file_body(id=one, filename=name) for one, name in there.items()],
        "has_more": False,
    }
    wire = Wire(
        lambda _: httpx2.Response(200, json=listed),
        lambda _: httpx2.Response(204, content=json.dumps({}).encode()),
    )
    assert delete_unowned_files(ledger, wire.service(older)) == ["file-mine"]
    assert [
        request.url.path.rpartition("/")[2]
        for request in wire.requests
        if request.method == "DELETE"
    ] == ["file-mine"]


def test_service_that_can_not_be_asked_keeps_no_sweep_from_its_work(ledger: Ledger) -> None:
    """The next sweep asks it again."""
    assert delete_unowned_files(ledger, Wire(refused(403, "forbidden")).service()) == []


def test_mark_is_read_as_it_is_written() -> None:
    """The run's id, whatever hyphens it has."""
    record = a_record("a-b-c")
    assert run_of_file(file_name(record, "training")) == record.id
    assert [
        run_of_file(name)
        for name in (
            "x.jsonl",
            "A-0c41aa97-abababababab-training_set.jsonl",
            "../x-training_set.jsonl",
        )
    ] == [None] * 3


MODEL = "gpt-4.1-mini-2025-04-14.ft-1"


def deployed(ledger: Ledger, name: str, outcome: Outcome | None) -> RunRecord:
    """A run whose model has been deployed."""
    named = a_plan(deployment=DeploymentPlan(name=name, sku="GlobalStandard", capacity=1))
    record = a_record(name, outcome=outcome, plan=named, job=JobProgress(fine_tuned_model=MODEL))
    assert ledger.claim(record)
    return record


def standing(
    name: str, owner: str | None, model: str = MODEL, state: str = "Succeeded"
) -> dict[str, object]:
    """A deployment as the account lists it."""
    properties = {
        "model": {"format": "OpenAI", "name": model, "version": "1"},
        "provisioningState": state,
    }
    return arm_wire.deployment_body(
        name=name, properties=properties, tags={OWNER_TAG: owner} if owner else None
    )


def test_only_the_deployment_of_a_run_that_has_ended_without_it_is_deleted(ledger: Ledger) -> None:
    """By tag, name and model: never what succeeded, lives, serves another model, or what this
    ledger doesn't know.
    """
    failed, good, lives, going = (
        deployed(ledger, name, outcome)
        for name, outcome in (
            ("late", Outcome.FAILED),
            ("good", Outcome.SUCCEEDED),
            ("lives", None),
            ("going", Outcome.CANCELLED),
        )
    )
    there = [
        standing("late", failed.id),
        standing("late-copy", failed.id),
        standing("good", good.id),
        standing("lives", lives.id),
        standing("going", going.id, state="Deleting"),
        standing("going", going.id, model="somebody-elses"),
        standing("late", None),
        standing("strange", "no-such-run-00000000"),
        standing("path", "../../wallet"),
    ]
    wire = arm_wire.Wire(arm_wire.told({"value": there}), arm_wire.raw(202))
    assert delete_unowned_deployments(ledger, wire.manager()) == ["late"]
    assert [request.method for request in wire.requests] == ["GET", "DELETE"]


def test_account_that_refuses_to_list_its_deployments_stops_no_sweep(ledger: Ledger) -> None:
    """The next sweep asks it again."""
    assert (
        delete_unowned_deployments(
            ledger, arm_wire.Wire(arm_wire.refused(403, "AuthorizationFailed")).manager()
        )
        == []
    )
