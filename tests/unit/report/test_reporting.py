"""From the ledger's record to the report: the run that is repeated, the smoke test, what stayed
behind, and whether Azure was real.
"""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from shared import settings
from shared.errors import DataRejected
from shared.models.job_file import Message
from shared.models.plan import DeploymentPlan, Plan, SmokeTestPlan
from shared.models.record import (
    Effect,
    Ending,
    Entered,
    JobProgress,
    Outcome,
    RunRecord,
    SmokeResult,
    Step,
)
from shared.report.model import Report
from shared.report.render import to_html
from shared.report.reporting import report_of
from shared.runs.ledger import open_ledger
from shared.runs.result_files import report_path
from shared.services import storage
from tests.azurite import azurite
from tests.builders import NOW, a_plan, a_record
from tests.unit.report.test_render import Skeleton

__all__ = ["azurite"]
ASKED = SmokeTestPlan(
    messages=(Message(role="user", content="How long?"),), contains=("30 days", "receipt")
)


@pytest.fixture(autouse=True)
def account(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty storage, and Azure in the settings."""
    monkeypatch.setenv("DropStorage", azurite)
    monkeypatch.setenv("TUNEDROP_OPENAI_ENDPOINT", "https://contoso.openai.azure.com")
    for kind in ("TRAINING", "REPORTS", "LEDGER"):
        monkeypatch.setenv(f"TUNEDROP_{kind}_CONTAINER", f"{kind.lower()}-{secrets.token_hex(6)}")
    forget()
    storage.ledger().create()
    storage.reports().create()
    yield
    forget()


def forget() -> None:
    """What the app caches of its settings is read anew."""
    for cached in (settings.settings, settings.storage_connection, vars(storage)["_service"]):
        cached.cache_clear()


def effect(state: Any = "made") -> Effect:
    """Something that the run made."""
    return Effect(state=state, holder="x", at=NOW, id="thing")


def page_of(report: Report) -> str:
    """The text of the page."""
    return " ".join(Skeleton(to_html(report)).text.split())


def a_smoke_test(verdict: Any, answer: str | None) -> RunRecord:
    """A run whose smoke test ended so."""
    smoke = SmokeResult(verdict=verdict, answer=answer, attempts=2)
    job = JobProgress(fine_tuned_model="m.ft-1")
    outcome = Outcome.SUCCEEDED if verdict == "passed" else Outcome.FAILED
    effects = {"job": effect("removed"), "deployment": effect("removed")}
    return a_record(
        outcome=outcome, plan=a_plan(smoke_test=ASKED), smoke=smoke, job=job, effects=effects
    )


def test_wrong_answer_is_told_as_asked_answered_and_wanted() -> None:
    """What came does not hold all that was wanted, in whatever case: what is missing is named."""
    report = report_of(a_smoke_test("failed", "Within 30 DAYS."))
    assert report.smoke_test is not None
    assert (report.smoke_test.wanted, report.smoke_test.missing) == (
        ["30 days", "receipt"],
        ["receipt"],
    )
    assert report.headline == (
        "The model is trained, but did not give the expected answer; the deployment was cleaned up."
    )
    text = page_of(report)
    for shown in (
        "Not the expected answer, 2 attempts",
        "userHow long?",
        "answerWithin 30 DAYS.",
        "expected30 days, receipt",
        "missingreceipt",
    ):
        assert shown in text


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        pytest.param(
            "blocked",
            "The model is trained, but the content filter stopped its first answer",
            id="blocked",
        ),
        pytest.param(
            "not_answered",
            "The model is trained, but its deployment did not answer",
            id="not answered",
        ),
    ],
)
def test_smoke_test_without_an_answer_has_its_own_headline(verdict: str, headline: str) -> None:
    """It is no refusal of the service, and nothing is missing from an answer that never came."""
    report = report_of(a_smoke_test(verdict, None))
    assert report.headline.startswith(headline)
    assert report.smoke_test is not None
    assert report.smoke_test.missing == []


def test_headline_never_says_that_all_was_taken_back_where_it_was_not() -> None:
    """A deployment that could not be deleted goes on costing."""
    record = a_record(outcome=Outcome.CANCELLED, effects={"deployment": effect("made")})
    assert (
        report_of(record).headline
        == "The run was cancelled; not everything that the run created could be cleaned up."
    )


def test_job_that_the_run_cancelled_is_told_as_it_was_seen_last_and_without_a_bill() -> None:
    """Nobody looked at it after its cancel."""
    report = report_of(
        a_record(
            outcome=Outcome.CANCELLED,
            plan=a_plan(),
            job=JobProgress(status="running"),
            effects={"job": effect("removed")},
        )
    )
    assert report.training
    assert report.training.status == (
        "running at the last look; then cancelled, unless it had ended by itself"
    )
    assert not report.money.billed_by_service
    assert "The service has told no bill" in page_of(report)


def test_bill_of_the_service_is_told_as_such() -> None:
    """By the event that names the tokens; the job's end is told as it was seen."""
    record = a_record(
        outcome=Outcome.SUCCEEDED,
        plan=a_plan(),
        job=JobProgress(status="succeeded", fine_tuned_model="m.ft-1"),
        effects={"job": effect()},
    )
    event: dict[str, Any] = {"message": "Training tokens billed: 5000", "metrics": {}}
    storage.reports().put(report_path(record, "events.jsonl"), json.dumps(event).encode())
    report = report_of(record)
    assert report.training
    assert report.training.status == "succeeded"
    assert (report.money.billed_tokens, report.money.billed_by_service) == (5000, True)
    assert "no bill" not in page_of(report)


def a_repeat(first: RunRecord, plan: Plan) -> RunRecord:
    """A run that repeats another one."""
    return a_record(
        "again",
        ending=Ending(outcome=Outcome.DUPLICATE, duplicate_of=first.id),
        ended_at=NOW,
        plan=plan,
    )


def test_duplicate_names_the_model_and_the_deployment_of_the_first_run() -> None:
    """And what this drop asked for beside the training, and how to have it without paying again."""
    job = JobProgress(fine_tuned_model="gpt-4.1-mini.ft-1-travel")
    first = a_record("travel", outcome=Outcome.SUCCEEDED, job=job, effects={"deployment": effect()})
    open_ledger().claim(first)
    wish = DeploymentPlan(name="mine", sku="Standard", capacity=20)
    report = report_of(a_repeat(first, a_plan(deployment=wish, smoke_test=ASKED)))
    assert report.duplicate is not None
    assert (report.duplicate.run_id, report.duplicate.model) == (
        first.id,
        "gpt-4.1-mini.ft-1-travel",
    )
    assert (report.duplicate.deployment, report.duplicate.stands) == ("travel", True)
    assert report.duplicate.differences == [
        "deployment.name: this drop asks for mine, the other has travel.",
        "deployment.sku: this drop asks for Standard, the other has GlobalStandard.",
        "deployment.capacity: this drop asks for 20, the other has 10.",
        (
            "smoke_test: this drop has another question, or expects another answer, than the other "
            "run."
        ),
    ]
    text = page_of(report)
    for shown in (
        "gpt-4.1-mini.ft-1-travel",
        "travel, which still exists",
        f"tunedrop deploy {first.id}",
        '"reuse": true',
        "Standard",
    ):
        assert shown in text


def test_duplicate_of_the_same_wishes_differs_in_nothing() -> None:
    """A name that nobody gave is the run's own, and no wish."""
    first = a_record("travel", outcome=Outcome.SUCCEEDED)
    plans = [
        a_plan(deployment=DeploymentPlan(name=run_id, sku="Standard", capacity=1))
        for run_id in (first.id, a_record("again").id)
    ]
    open_ledger().claim(
        first.model_copy(update={"plan": plans[0], "effects": {"deployment": effect("removed")}})
    )
    report = report_of(a_repeat(first, plans[1]))
    assert report.duplicate is not None
    assert (report.duplicate.differences, report.duplicate.stands) == ([], False)
    assert "which was deleted" in page_of(report)


@pytest.mark.parametrize("damaged", [True, False])
def test_duplicate_of_a_run_that_cannot_be_read_is_told_by_its_id(*, damaged: bool) -> None:
    """A record that is damaged or gone keeps no report from being written."""
    first = a_record("travel", outcome=Outcome.SUCCEEDED)
    if damaged:
        storage.ledger().put(f"runs/{first.id}.json", b"{")
    report = report_of(a_repeat(first, a_plan()))
    assert report.duplicate is not None
    assert (report.duplicate.run_id, report.duplicate.model) == (first.id, None)


@pytest.mark.parametrize(
    ("endpoint", "stood_in"),
    [("http://127.0.0.1:4010", True), ("https://contoso.openai.azure.com", False)],
)
@pytest.mark.parametrize("planned", [True, False])
def test_page_says_so_where_nothing_was_real(
    endpoint: str, *, stood_in: bool, planned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loopback address can only be the stand-in: beside prices of Azure the page says that
    nothing was bought.
    """
    monkeypatch.setenv("TUNEDROP_OPENAI_ENDPOINT", endpoint)
    forget()
    report = report_of(
        a_record(
            outcome=Outcome.SUCCEEDED,
            effects={"deployment": effect()},
            plan=a_plan() if planned else None,
        )
    )
    assert report.stand_in is stood_in
    text = page_of(report)
    assert ("This was not a run on Azure." in text) is stood_in
    assert ("az cognitiveservices" in text) is (planned and not stood_in)


def test_report_does_not_send_its_reader_to_the_report() -> None:
    """What to do about errors in the data is said for whoever reads them here."""
    told = DataRejected(
        "TD-DROP-006", "The file has 8 errors.", "The report lists the first 100 of each file."
    ).problem
    report = report_of(
        a_record(ending=Ending(outcome=Outcome.REJECTED, problem=told), ended_at=NOW, plan=None)
    )
    assert report.problem is not None
    assert report.problem.fix.startswith("Correct the errors that this report lists")


def test_page_sends_nobody_to_a_file_of_the_repository() -> None:
    """A page in a container has no docs beside it: where to read on is said in words, and the
    version that wrote it is told.
    """
    told = DataRejected("TD-DROP-006", "The file has 8 errors.", "Fix.").problem
    text = page_of(
        report_of(
            a_record(ending=Ending(outcome=Outcome.REJECTED, problem=told), ended_at=NOW, plan=None)
        )
    )
    assert "docs/" not in text
    assert "explained in TuneDrop's documentation, page errors.md, heading TD-DROP-006" in text
    assert "Written by TuneDrop 0." in text


def test_steps_are_told_in_words() -> None:
    """No step of a run stands on the page by its name in the code."""
    record = a_record(outcome=Outcome.SUCCEEDED)
    section = to_html(
        report_of(
            record.model_copy(
                update={"timeline": tuple(Entered(step=step, at=NOW) for step in Step)}
            )
        )
    )
    assert [step.value for step in Step if f">{step.value}<" in section] == []
    assert "Asked the model" in section
