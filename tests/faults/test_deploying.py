"""What befalls a run from its deployment on: conflicts, refusals, states that don't come, names
that are taken, clean-up. Rows G, H, I.
"""

import pytest

from shared.models.plan import DeploymentPlan
from shared.models.record import summary_of
from tests.data import a_training_set
from tests.faults.cases import Case, Runs, always, answer, chosen, often
from tests.faults.rig import PACE, Rig
from tests.patience import until
from tests.runs.stack import ACCOUNT

pytestmark = pytest.mark.timeout(180)
PUT, GET, DELETE, CHAT = (
    "deployments.create_or_update",
    "deployments.get",
    "deployments.delete",
    "chat.completions.create",
)
LONG = 120.0
WORDS = {
    "smoke_test": {
        "messages": [{"role": "user", "content": "hello"}],
        "expect": {"contains": ["octarine"]},
    }
}
CASES = {
    "put-reset-before": Case(often(PUT, "drop_connection", 1)),
    "put-reset-after": Case([{"on": PUT, "when": "after_commit", "then": "drop_connection"}]),
    "put-timeout-after": Case([{"on": PUT, "when": "after_commit", "then": {"delay_s": 2.5}}]),
    "put-500-after": Case([{"on": PUT, "when": "after_commit", "then": answer(500)}]),
    "put-body-truncated": Case([{"on": PUT, "when": "after_commit", "then": "truncated"}]),
    "put-conflict": Case(often(PUT, "busy", 4)),
    "put-conflict-beyond-the-deadline": Case(
        always(PUT, "busy"), "expired", "could not be written", pace={"deployment_deadline_s": 2}
    ),
    "quota": Case(
        often(
            PUT,
            answer(400, "InsufficientQuota", message="This operation requires 50 new capacity."),
            1,
        ),
        "failed",
        "InsufficientQuota: This operation",
    ),
    "state-failed": Case(
        [{"on": "deployment", "then": {"ends": "Failed"}}], "failed", "ended failed"
    ),
    "state-canceled": Case(
        [{"on": "deployment", "then": {"ends": "Canceled"}}], "failed", "ended canceled"
    ),
    "get-storm": Case(often(GET, answer(503), 36), pace={"deployment_deadline_s": LONG}),
    "not-ready-at-first": Case(
        often(CHAT, answer(404, "DeploymentNotFound"), 4), pace={"smoke_deadline_s": LONG}
    ),
    "never-ready": Case([{"on": "readiness", "then": "never"}], "failed", "gave no answer"),
    "chat-filtered": Case(often(CHAT, "content_filter", 1), "failed", "content filter"),
    "chat-429": Case(
        often(CHAT, answer(429, "429", retry_after=1), 4), pace={"smoke_deadline_s": LONG}
    ),
    "chat-429-past-the-deadline": Case(
        often(CHAT, answer(429, "429", retry_after=1), 3), pace={"smoke_deadline_s": 0.5}
    ),
    "chat-429-for-ever": Case(always(CHAT, answer(429, "429")), "failed", "gave no answer"),
    "chat-500": Case(often(CHAT, answer(500), 4), pace={"smoke_deadline_s": LONG}),
    "file-delete-404": Case(often("files.delete", answer(404, "notFound"), 1), left=2),
    "file-delete-conflict": Case(often("files.delete", answer(409, "unexpectedEntityState"), 6)),
    "file-delete-503": Case(often("files.delete", answer(503), 36), pace={"take_back_s": LONG}),
}
QUICK = ("put-reset-after", "put-conflict", "state-canceled", "not-ready-at-first")


@pytest.fixture(scope="module")
def runs(rig: Rig, request: pytest.FixtureRequest) -> Runs:
    """All runs of the cases at once."""
    return Runs(rig, CASES, chosen(request))


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in CASES]
)
def test_deployed_model_ends_as_it_should(runs: Runs, case: str) -> None:
    """One deployment that answers, or none at all and the reason."""
    assert runs.ended(case).wrong(CASES[case]) == {}


@pytest.mark.slow
def test_deployment_that_is_created_for_ever_is_deleted_at_the_deadline(rig: Rig) -> None:
    """It is taken back, so that it neither costs nor holds the account's one write."""
    drop = rig.put("stuck", a_training_set("stuck"))
    rig.fault("deployment", "never", about=drop.run_id)
    record = rig.ended(rig.start(drop, PACE.model_copy(update={"deployment_deadline_s": 2.0})))
    assert (record.outcome, rig.left(drop.run_id)) == ("expired", [])


@pytest.mark.slow
def test_deletion_that_was_taken_and_not_done_is_repeated_until_the_deployment_is_gone(
    rig: Rig,
) -> None:
    """202 is a promise: the run looks whether it was kept, before its report says so."""
    drop = rig.put("promise", a_training_set("promise"))
    rig.fault(DELETE, {"status": 202}, about=drop.run_id, times=2)
    record = rig.ended(rig.start(drop, job=WORDS))
    assert (record.outcome, rig.left(drop.run_id)) == ("failed", [])
    assert record.effects["deployment"].state == "removed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("on", "then", "what"),
    [
        pytest.param(DELETE, answer(403, "AuthorizationFailed"), "deployment", id="deployment-403"),
        pytest.param(DELETE, answer(500), "deployment", id="deployment-500-for-ever"),
        pytest.param("files.delete", "forbidden", "training file", id="file-403"),
    ],
)
def test_what_could_not_be_deleted_stands_in_the_report(
    rig: Rig, on: str, then: object, what: str
) -> None:
    """The run still ends, and names what stays and may cost."""
    name = f"stays{len(str(then))}{what[:4]}"
    drop = rig.put(name, a_training_set(name))
    rig.fault(on, then, about=drop.run_id, times=None)
    record = rig.ended(rig.start(drop, PACE.model_copy(update={"take_back_s": 2.0}), WORDS))
    rig.control("DELETE", "faults")
    rows = [
        line
        for line in rig.reported(record).split("{")
        if f'"what": "{what}"' in line or f'"what":"{what}"' in line
    ]
    assert record.outcome == "failed"
    assert all("NOT removed" in row for row in rows)
    assert rows


@pytest.mark.slow
def test_name_that_somebody_took_while_the_model_was_trained_is_not_touched(rig: Rig) -> None:
    """The run fails and says so; the other's deployment serves what it served."""
    drop = rig.put("taken", a_training_set("taken"))
    run = rig.start(drop)
    until(lambda: rig.asked("fine_tuning.jobs.create", run), what="the job")
    plan = DeploymentPlan(name=run, sku="Standard", capacity=1)
    body = {
        "sku": {"name": plan.sku, "capacity": plan.capacity},
        "properties": {
            "model": {"format": "OpenAI", "name": "gpt-4.1-mini", "version": "2025-04-14"}
        },
    }
    address = f"{rig.emulator}{ACCOUNT}/deployments/{run}?api-version=2024-10-01"
    rig.http.put(
        address, json=body, headers={"authorization": "Bearer somebody"}
    ).raise_for_status()
    record = rig.ended(run)
    assert record.ending is not None
    assert record.ending.problem is not None
    assert (record.outcome, record.ending.problem.code) == ("failed", "TD-DEPLOYMENT-003")
    [standing] = [
        found for found in rig.control("GET", "state")["deployments"] if found["name"] == run
    ]
    assert standing["model"]["name"] == "gpt-4.1-mini"


def test_model_that_somebody_put_in_its_place_is_not_taken_for_the_trained_one(rig: Rig) -> None:
    """What is served is asked before and after the smoke test: the run fails by name, and leaves
    alone what is somebody else's now.
    """
    drop = rig.put("replaced-model", a_training_set("replaced-model"))
    rig.fault(CHAT, answer(404, "DeploymentNotFound"), about=drop.run_id, times=None)
    run = rig.start(drop, PACE.model_copy(update={"smoke_deadline_s": LONG}))
    until(lambda: rig.ledger.get(run).record.smoke_attempts > 0, what="the first question")
    address = f"{rig.emulator}{ACCOUNT}/deployments/{run}?api-version=2024-10-01"
    theirs = {"authorization": "Bearer somebody"}
    rig.http.delete(address, headers=theirs).raise_for_status()
    body = {
        "sku": {"name": "Standard", "capacity": 1},
        "properties": {
            "model": {"format": "OpenAI", "name": "gpt-4.1-mini", "version": "2025-04-14"}
        },
    }
    until(
        lambda: rig.http.put(address, json=body, headers=theirs).is_success,
        what="the other deployment",
    )
    rig.control("DELETE", "faults")
    record = rig.ended(run)
    assert record.ending is not None
    assert record.ending.problem is not None
    assert record.outcome == "failed"
    # The second where the run looked between both calls.
    assert record.ending.problem.code in {
        "TD-PROOF-004",
        "TD-DEPLOYMENT-002",
    }
    assert "has answered" not in rig.reported(record)
    [standing] = [
        found for found in rig.control("GET", "state")["deployments"] if found["name"] == run
    ]
    assert standing["model"]["name"] == "gpt-4.1-mini"


def test_model_that_can_not_be_deployed_is_kept_and_its_reason_shown_while_it_waits(
    rig: Rig,
) -> None:
    """The account is full: the run says so while it waits, asks seldom, and names the model that
    was paid for at its end.
    """
    drop = rig.put("full", a_training_set("full"))
    rig.fault(PUT, answer(429, "DeploymentLimitExceeded"), about=drop.run_id, times=None)
    pace = PACE.model_copy(
        update={"deployment_deadline_s": 4.0, "poll_first_s": 1.0, "poll_most_s": 1.0}
    )
    run = rig.start(drop, pace)
    until(
        lambda: (
            "DeploymentLimitExceeded"
            in (summary_of(rig.ledger.get(run).record).waits_because or "")
        ),
        what="the reason",
    )
    record = rig.ended(run)
    problem = record.ending.problem if record.ending else None
    assert problem is not None
    assert (record.outcome, problem.code, "DeploymentLimitExceeded" in problem.message) == (
        "expired",
        "TD-DEADLINE-006",
        True,
    )
    model = record.job.fine_tuned_model if record.job else None
    assert f"The trained model {model} stays: `tunedrop deploy {run}`" in problem.fix
    tried = [
        e
        for e in rig.control("GET", "ledger")["entries"]
        if e["operation"] == PUT and run in str(e)
    ]
    assert 4 <= len(tried) <= 10
