"""Faults, as official clients meet them; the ledger tells what was really done."""

from typing import Any

import openai
import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError

from tests.contract.descriptions import Judge
from tests.contract.standin import (
    BASE_MODEL,
    StandIn,
    body,
    delete,
    deployed,
    job,
    processed,
    put,
    state_of,
    tuned_model,
    upload,
)
from tests.patience import patience, until
from tunedrop.emulator import faults
from tunedrop.emulator.service import Service
from tunedrop.emulator.world import ACCOUNT, RESOURCE_GROUP, Config

QUESTION: Any = [{"role": "user", "content": "x"}]
BASE = body("gpt-4.1-mini", version="2025-04-14")


def test_dropped_connection_after_the_commit_leaves_a_job_that_nobody_was_told_of(
    stand_in: StandIn,
) -> None:
    """The caller sees a broken connection, the ledger one committed job."""
    client = stand_in.azure()
    file = processed(stand_in, client)
    stand_in.fault("fine_tuning.jobs.create", "drop_connection", when="after_commit")
    with pytest.raises(openai.APIConnectionError):
        client.fine_tuning.jobs.create(model="gpt-4.1", training_file=file)
    assert [entry["committed"] for entry in stand_in.entries("fine_tuning.jobs.create")] == [True]
    assert len(client.fine_tuning.jobs.list().data) == 1


def test_dropped_connection_before_the_work_leaves_nothing(stand_in: StandIn) -> None:
    """The caller sees the same, but there is no job."""
    client = stand_in.v1()
    file = processed(stand_in, client)
    stand_in.fault("fine_tuning.jobs.create", "drop_connection")
    with pytest.raises(openai.APIConnectionError):
        client.fine_tuning.jobs.create(model="gpt-4.1", training_file=file)
    assert [entry["committed"] for entry in stand_in.entries("fine_tuning.jobs.create")] == [False]
    assert client.fine_tuning.jobs.list().data == []


def test_retrying_client_creates_three_jobs_and_says_so_in_its_header(stand_in: StandIn) -> None:
    """The client's own retries repeat a paid POST: three jobs, retry counts 0, 1, 2 in the
    ledger.
    """
    client = stand_in.azure()
    file = processed(stand_in, client)
    stand_in.fault(
        "fine_tuning.jobs.create",
        {"status": 500, "code": "internalFailure"},
        when="after_commit",
        times=2,
    )
    client.with_options(max_retries=2).fine_tuning.jobs.create(
        model="gpt-4.1", training_file=file, timeout=patience(20)
    )
    assert [entry["retry_count"] for entry in stand_in.entries("fine_tuning.jobs.create")] == [
        "0",
        "1",
        "2",
    ]
    assert len(client.fine_tuning.jobs.list().data) == 3


def test_answer_fault_has_status_code_message_and_wait(stand_in: StandIn) -> None:
    """A planned 429 comes with its Retry-After, once."""
    client = stand_in.v1()
    stand_in.fault(
        "files.list",
        {"status": 429, "code": "tooManyRequests", "message": "Slower.", "retry_after": 7},
    )
    with pytest.raises(openai.RateLimitError, match="Slower") as refused:
        client.files.list()
    assert refused.value.response.headers["retry-after"] == "7"
    assert client.files.list().data == []


def test_truncated_answer_is_no_json(stand_in: StandIn, judge: Judge) -> None:
    """The work is done, the answer unreadable."""
    client = stand_in.v1()
    file = processed(stand_in, client)
    stand_in.fault("fine_tuning.jobs.create", "truncated", when="after_commit")
    raw = client.fine_tuning.jobs.with_raw_response.create(model="gpt-4.1", training_file=file)
    with pytest.raises(ValueError, match=r"JSON|Unterminated|Expecting|delimiter"):
        raw.http_response.json()
    assert len(stand_in.control("GET", "state")["jobs"]) == 1
    assert [one for one in judge.wrong if not one.endswith("is no JSON")] == []
    judge.wrong.clear()


def test_delay_outlasts_an_impatient_client(stand_in: StandIn) -> None:
    """An answer that comes too late is a timeout for the caller, and work done for the service."""
    client = stand_in.v1()
    file = processed(stand_in, client)
    stand_in.fault("fine_tuning.jobs.create", {"delay_s": 0.5}, when="after_commit")
    with pytest.raises(openai.APITimeoutError):
        client.fine_tuning.jobs.create(model="gpt-4.1", training_file=file, timeout=0.2)
    assert len(until(lambda: client.fine_tuning.jobs.list().data, what="the job")) == 1


def test_list_lags_behind_for_so_many_seconds(stand_in: StandIn) -> None:
    """A young job is not listed, though it is found by its id."""
    client = stand_in.azure()
    made = job(stand_in, client)
    stand_in.fault("*.list", {"lag_s": 30}, times=None)
    assert client.fine_tuning.jobs.list().data == []
    assert client.fine_tuning.jobs.retrieve(made.id).id == made.id
    stand_in.advance(30)
    assert len(client.fine_tuning.jobs.list().data) == 1


@pytest.mark.parametrize(
    ("then", "code", "words"),
    [
        ("rai_data", "trainingDataFailedRai", "failed RAI checks"),
        ("rai_model", "modelEvaluationFailed", "unable to be deployed"),
    ],
)
def test_job_fails_unbilled_when_safety_refuses(
    stand_in: StandIn, then: str, code: str, words: str
) -> None:
    """A safety refusal fails the job in the service's words and costs nothing; no model is left to
    deploy.
    """
    client = stand_in.v1()
    stand_in.fault("job", then)
    made = job(stand_in, client)
    stand_in.advance()
    found = client.fine_tuning.jobs.retrieve(made.id)
    assert found.error
    assert (found.status, found.error.code, found.fine_tuned_model) == ("failed", code, None)
    assert words in found.error.message
    assert client.fine_tuning.jobs.list_events(made.id).data[0].level == "error"
    assert [entry["cost_usd"] for entry in stand_in.entries("fine_tuning.jobs.billed")] == [0.0]
    assert stand_in.control("GET", "state")["models"] == []


def test_file_ends_in_error_when_a_fault_says_so(stand_in: StandIn) -> None:
    """A file may fail for a reason of the service's own."""
    client = stand_in.azure()
    stand_in.fault("file", {"ends": "error", "message": "The service could not read it."})
    file = upload(client)
    stand_in.advance(60)
    found = client.files.retrieve(file.id)
    assert (found.status, found.status_details) == ("error", "The service could not read it.")


def test_deployment_fails_and_can_be_made_again(stand_in: StandIn) -> None:
    """A Failed deployment stays until another PUT, which starts anew."""
    stand_in.fault("deployment", {"ends": "Failed"})
    put(stand_in, "ours", BASE)
    stand_in.advance()
    assert state_of(stand_in, "ours") == "Failed"
    put(stand_in, "ours", BASE)
    stand_in.advance()
    assert state_of(stand_in, "ours") == "Succeeded"


def test_deployment_is_never_ready_when_a_fault_says_so(stand_in: StandIn) -> None:
    """ARM says Succeeded, the data plane 404, for ever."""
    client = stand_in.v1()
    stand_in.fault("readiness", "never")
    put(stand_in, "ours", BASE)
    stand_in.advance(30 * 24 * 3600)
    assert state_of(stand_in, "ours") == "Succeeded"
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="ours", messages=QUESTION)


def test_prompt_is_filtered_with_the_reasons(stand_in: StandIn) -> None:
    """A blocked prompt is a 400 that names param, code and categories."""
    client = stand_in.azure("2024-02-01")
    deployed(stand_in, client)
    stand_in.fault("chat.completions.create", "content_filter")
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="ours", messages=QUESTION)
    error: Any = refused.value.body
    assert (refused.value.code, refused.value.param) == ("content_filter", "prompt")
    assert error["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert error["innererror"]["content_filter_result"]["violence"]["filtered"] is True


@pytest.mark.parametrize(
    ("then", "status"), [("retired", 410), ("unauthorized", 401), ("forbidden", 403)]
)
def test_named_fault_has_its_status(stand_in: StandIn, then: str, status: int) -> None:
    """Faults with a name need no text."""
    stand_in.fault("chat.completions.create", then)
    with pytest.raises(openai.APIStatusError) as refused:
        stand_in.v1().chat.completions.create(model="ours", messages=QUESTION)
    assert refused.value.status_code == status


def test_management_client_meets_conflicts_and_broken_connections(stand_in: StandIn) -> None:
    """The same faults strike the management plane."""
    stand_in.fault("deployments.create_or_update", "busy")
    with pytest.raises(HttpResponseError) as refused:
        put(stand_in, "ours", BASE)
    assert refused.value.status_code == 409
    stand_in.fault("deployments.create_or_update", "drop_connection", when="after_commit")
    with pytest.raises(ServiceResponseError):
        put(stand_in, "ours", BASE)
    assert [entry["committed"] for entry in stand_in.entries("deployments.create_or_update")] == [
        False,
        True,
    ]


def test_fault_passes_over_the_first_matches_when_told_to_skip(stand_in: StandIn) -> None:
    """`skip` lets calls through before it strikes."""
    client = stand_in.v1()
    stand_in.control("POST", "faults", {"on": "files.list", "then": {"status": 503}, "skip": 1})
    client.files.list()
    with pytest.raises(openai.InternalServerError):
        client.files.list()


def test_model_of_a_failed_job_can_not_be_deployed(stand_in: StandIn) -> None:
    """Only models of jobs that succeeded exist."""
    client = stand_in.v1()
    good = tuned_model(stand_in, client)
    stand_in.fault("job", "rai_model")
    made = job(stand_in, client)
    stand_in.advance()
    with pytest.raises(HttpResponseError):
        put(stand_in, "bad", body(f"{BASE_MODEL}.ft-{made.id.removeprefix('ftjob-')}"))
    put(stand_in, "good", body(good))


def test_fault_strikes_only_what_it_is_about(stand_in: StandIn) -> None:
    """A fault about one file meets its upload and each call that names it, and no other."""
    client = stand_in.v1()
    stand_in.control(
        "POST",
        "faults",
        {
            "on": "files.*",
            "about": "struck.jsonl",
            "then": {"status": 503},
            "skip": 1,
            "times": None,
        },
    )
    struck, spared = upload(client, name="struck.jsonl"), upload(client, name="spared.jsonl")
    assert client.files.retrieve(spared.id).id == spared.id
    with pytest.raises(openai.InternalServerError):
        client.files.retrieve(struck.id)


def test_fate_of_a_thing_meets_only_what_it_is_about(stand_in: StandIn) -> None:
    """The job with this suffix fails, though another was created before it."""
    client = stand_in.v1()
    stand_in.control("POST", "faults", {"on": "job", "about": "struck", "then": "rai_data"})
    spared, struck = job(stand_in, client, suffix="spared"), job(stand_in, client, suffix="struck")
    stand_in.advance()
    assert [client.fine_tuning.jobs.retrieve(one.id).status for one in (spared, struck)] == [
        "succeeded",
        "failed",
    ]


def test_patch_is_laid_over_the_answer_and_over_no_thing(stand_in: StandIn, judge: Judge) -> None:
    """An unknown status is in one answer; the job knows nothing of it."""
    client = stand_in.v1()
    made = job(stand_in, client)
    stand_in.fault("fine_tuning.jobs.retrieve", {"patch": {"status": "dreaming"}})
    assert [client.fine_tuning.jobs.retrieve(made.id).status for _ in range(2)] == [
        "dreaming",
        "pending",
    ]
    judge.wrong.clear()


def test_patch_reaches_into_objects(stand_in: StandIn) -> None:
    """The state of a deployment is replaced, and its model stays."""
    put(stand_in, "ours", BASE)
    stand_in.fault("deployments.get", {"patch": {"properties": {"provisioningState": "Disabled"}}})
    found: Any = stand_in.arm().deployments.get(
        RESOURCE_GROUP, ACCOUNT, "ours", enforce_https=False
    )
    assert (found.properties.provisioning_state, found.properties.model.name) == (
        "Disabled",
        "gpt-4.1-mini",
    )


@pytest.mark.parametrize(("body_", "content"), [("empty", b""), ("page", b"<html>")])
def test_answer_without_json_hides_work_that_was_done(
    stand_in: StandIn, judge: Judge, body_: str, content: bytes
) -> None:
    """2xx with nothing, or with a gateway's page: the job is there."""
    client = stand_in.v1()
    file = processed(stand_in, client)
    stand_in.fault("fine_tuning.jobs.create", {"body": body_}, when="after_commit")
    raw = client.fine_tuning.jobs.with_raw_response.create(model="gpt-4.1", training_file=file)
    assert raw.http_response.content.startswith(content)
    assert len(stand_in.control("GET", "state")["jobs"]) == 1
    judge.wrong.clear()


def test_file_is_pending_for_ever_when_a_fault_says_so(stand_in: StandIn) -> None:
    """Neither processed nor in error."""
    client = stand_in.v1()
    stand_in.fault("file", "never")
    file = upload(client)
    stand_in.advance()
    assert client.files.retrieve(file.id).status == "pending"


def test_job_runs_for_ever_when_a_fault_says_so_and_can_be_cancelled(stand_in: StandIn) -> None:
    """It never ends by itself; a cancel bills what was trained."""
    client = stand_in.v1()
    stand_in.fault("job", "never")
    made = job(stand_in, client)
    stand_in.advance()
    assert client.fine_tuning.jobs.retrieve(made.id).status == "running"
    assert client.fine_tuning.jobs.cancel(made.id).status == "cancelled"
    assert len(stand_in.entries("fine_tuning.jobs.billed")) == 1


def test_deployment_is_created_for_ever_when_a_fault_says_so_and_can_be_deleted(
    stand_in: StandIn,
) -> None:
    """It holds the account's one write until it is taken back."""
    stand_in.fault("deployment", "never")
    put(stand_in, "ours", BASE)
    stand_in.advance()
    assert state_of(stand_in, "ours") == "Creating"
    with pytest.raises(HttpResponseError):
        put(stand_in, "other", BASE)
    delete(stand_in, "ours")
    stand_in.advance()
    put(stand_in, "other", BASE)


def test_deployment_ends_cancelled_when_a_fault_says_so(stand_in: StandIn) -> None:
    """Canceled is an end like Failed."""
    stand_in.fault("deployment", {"ends": "Canceled"})
    put(stand_in, "ours", BASE)
    stand_in.advance()
    assert state_of(stand_in, "ours") == "Canceled"


def test_every_list_lags_when_the_switch_says_so(stand_in: StandIn) -> None:
    """A young job and a young file are in no list, without any fault planned."""
    client = stand_in.azure()
    job(stand_in, client)
    stand_in.control("PUT", "switches", {"list_lag_s": 3600})
    assert client.fine_tuning.jobs.list().data + client.files.list().data == []
    stand_in.advance(3600)
    assert len(client.fine_tuning.jobs.list().data) == 1


def test_creating_call_that_a_client_repeats_is_refused_when_the_switch_says_so(
    stand_in: StandIn,
) -> None:
    """The first try made a job; the client's own second one is a 400 that nobody takes for a
    success.
    """
    client = stand_in.v1()
    file = processed(stand_in, client)
    stand_in.control("PUT", "switches", {"client_retries": "refused"})
    stand_in.fault("fine_tuning.jobs.create", {"status": 500}, when="after_commit")
    with pytest.raises(openai.BadRequestError, match="made twice"):
        client.with_options(max_retries=1).fine_tuning.jobs.create(
            model="gpt-4.1", training_file=file
        )
    assert [
        (entry["retry_count"], entry["committed"])
        for entry in stand_in.entries("fine_tuning.jobs.create")
    ] == [
        ("0", True),
        ("1", False),
    ]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"on": "fine_tuning.job.create", "then": {"status": 500}}, "fine_tuning.jobs.create"),
        ({"on": "files.list", "then": {"status": "500"}}, "status"),
        ({"on": "files.list", "then": {"status": 99}}, "status"),
        ({"on": "files.list", "then": {"delay_s": "5"}}, "delay_s"),
        ({"on": "files.list", "then": {"lag_s": -1}}, "lag_s"),
        ({"on": "files.list", "then": {"body": "half"}}, "truncated"),
        ({"on": "files.list", "then": {"patch": "status"}}, "patch"),
        ({"on": "files.list", "then": {"status": 500, "delay_s": 1}}, "then"),
        ({"on": "files.list", "then": "no such name"}, "drop_connection"),
        ({"on": "job", "then": {"ends": "happily"}}, "failed"),
        ({"on": "files.list", "about": 7, "then": {"status": 500}}, "about"),
        ({"on": "files.list", "when": "later", "then": {"status": 500}}, "after_commit"),
        ({"on": "files.list", "times": 0, "then": {"status": 500}}, "times"),
        ({"on": "files.list", "what": 1, "then": {"status": 500}}, "about"),
    ],
)
def test_fault_that_could_never_strike_is_refused_when_it_is_planned(
    stand_in: StandIn, fault: object, sentence: str
) -> None:
    """A mistake in a plan is told at once, and nothing of the plan is taken."""
    answer = stand_in.plain.post(
        f"{stand_in.base}/_tunedrop/faults",
        json=[{"on": "files.list", "then": {"status": 500}}, fault],
    )
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]
    assert stand_in.control("GET", "faults") == {"faults": []}


def test_faults_know_every_operation_of_the_stand_in() -> None:
    """A plan may name each operation that there is, and none that there isn't."""
    service = Service(Config())
    planes = [
        *service.data_plane.operations("v1"),
        *service.data_plane.operations("api-version"),
        *service.management_plane.operations(),
    ]
    assert {operation.name for operation in planes} == faults.OPERATIONS
