"""Every way in which a run can go and end, as what its activities say: the corpus that replay rests
on.

A new outcome or activity needs a path here: a test says so.
"""

from dataclasses import dataclass, field
from typing import Any

from orchestrators.names import Activity
from shared.errors import BudgetExceeded, DataRejected, PlanRejected, Problem, ServiceRejected
from shared.models.messages import CANCELLED, Answer, done, ended, wait
from shared.models.record import Outcome
from tests.builders import done_with
from tests.unit.orchestrators.theatre import Line

RUN_ID = "travel-0c41aa97"
HOLDER = "travel-desk-5f2e10b3"
ONE_FILE = done_with(files={"training": {"bytes": 10}}, span_bytes=100)
MANY_SPANS = done_with(files={"training": {"bytes": 66}, "validation": {"bytes": 2}}, span_bytes=1)
BUSY = ConnectionError("busy")


@dataclass(frozen=True)
class Path:
    """One way: what its activities say where it is not "done", and when the run is woken."""

    outcome: str
    lines: dict[str, list[Line]] = field(default_factory=dict[str, list[Line]])
    woken_after_s: float | None = None


def path(outcome: str, *, woken_after_s: float | None = None, **lines: Any) -> Path:
    """A path; a single line is said for ever."""
    return Path(
        outcome,
        {name: said if isinstance(said, list) else [said] for name, said in lines.items()},
        woken_after_s,
    )


def rejected(code: str) -> Answer:
    """The end by a person's own mistake."""
    return ended(
        Outcome.REJECTED, PlanRejected(code, "It can't be done.", "Ask for something else.").problem
    )


def refused(code: str, outcome: Outcome = Outcome.FAILED) -> Answer:
    """The end by the service."""
    return ended(outcome, ServiceRejected("Azure OpenAI", 400, code, "no").problem)


def broken(code: str) -> Problem:
    """What is wrong with the data."""
    return DataRejected(code, "The training file has 2 errors.", "Correct them.").problem


GOOD = {
    "succeeded": path("succeeded"),
    "succeeded-without-validation-file": path(
        "succeeded",
        make_plan=ONE_FILE,
        begin_ending=done_with(outcome="succeeded", roles=["training"]),
    ),
    "succeeded-with-many-spans": path("succeeded", make_plan=MANY_SPANS),
    "succeeded-after-settling": path("succeeded", settle_drop=[wait(5), wait(15), done()]),
    "succeeded-after-waiting-for-the-holder": path(
        "succeeded", claim_content=[wait(15, "It trains."), wait(15, "It trains."), done()]
    ),
    "succeeded-after-waiting-for-the-wallet": path(
        "succeeded", reserve=[wait(300, "No place."), done_with(waited_s=301)]
    ),
    "succeeded-after-retries": path(
        "succeeded",
        preflight=[BUSY, BUSY, done()],
        scan_range=[BUSY, done()],
        upload_file=[BUSY, done()],
    ),
    "succeeded-after-unknown-creation": path("succeeded", create_job=[wait(15), wait(15), done()]),
    "succeeded-after-long-training": path(
        "succeeded", job_status=[*[wait(300)] * 6, done_with(progress={"last_event": "Step 9"})]
    ),
    "succeeded-after-slow-deployment": path(
        "succeeded", deploy=[wait(15), done()], deployment_status=[*[wait(15)] * 3, done()]
    ),
    "succeeded-after-slow-first-answer": path("succeeded", smoke_test=[wait(15), wait(15), done()]),
    "succeeded-woken": path(
        "succeeded", woken_after_s=30, file_status=[wait(3600), wait(15), done()]
    ),
    "succeeded-with-a-trained-model": path(
        "succeeded",
        make_plan=done_with(files={}, span_bytes=100, reuse=True),
        reserve=done_with(waited_s=0, reuse=True),
        begin_ending=done_with(outcome="succeeded", roles=["training"]),
    ),
    "succeeded-by-deploying-again": path(
        "succeeded",
        make_plan=done_with(**ONE_FILE.value, reuse=True),
        reserve=done_with(waited_s=0, reuse=True),
    ),
    "succeeded-by-reuse-of-the-content": path(
        "succeeded", reserve=done_with(waited_s=0, reuse=True)
    ),
    "succeeded-without-report": path("succeeded", collect_results=BUSY, write_report=BUSY),
}
REJECTED = {
    "rejected-by-name": path("rejected", open_run=rejected("TD-DROP-001")),
    "rejected-by-missing-companion": path(
        "rejected", settle_drop=[wait(15), ended(Outcome.REJECTED, broken("TD-DROP-003"))]
    ),
    "rejected-by-plan": path("rejected", make_plan=rejected("TD-PLAN-002")),
    "rejected-by-data": path("rejected", merge_scan=ended(Outcome.REJECTED, broken("TD-DROP-006"))),
    "rejected-by-budget": path(
        "rejected", preflight=ended(Outcome.REJECTED, BudgetExceeded(12, 10).problem)
    ),
    "rejected-by-sku": path("rejected", preflight=rejected("TD-GATE-002")),
    "rejected-by-quota": path("rejected", preflight=rejected("TD-GATE-003")),
    "rejected-by-deployment-name": path("rejected", preflight=rejected("TD-GATE-005")),
    "rejected-by-wallet": path("rejected", reserve=rejected("TD-BUDGET-003")),
    "rejected-by-wallet-after-waiting": path(
        "rejected", reserve=[wait(300, "No place."), rejected("TD-BUDGET-003")]
    ),
}
FAILED = {
    "failed-by-upload": path("failed", upload_file=refused("invalidFile")),
    "failed-by-file": path("failed", file_status=[wait(15), refused("fileError")]),
    "failed-by-creation": path("failed", create_job=refused("modelNotSupported")),
    "failed-by-creation-that-raised": path("failed", create_job=BUSY),
    "failed-by-job": path("failed", job_status=[wait(15), refused("trainingDataFailedRai")]),
    "failed-by-job-cancelled-outside": path("failed", job_status=[wait(15), refused("cancelled")]),
    "failed-by-refused-deployment": path("failed", deploy=refused("InsufficientQuota")),
    "failed-by-deployment": path("failed", deployment_status=[wait(15), refused("Failed")]),
    "failed-by-silent-smoke-test": path(
        "failed", smoke_test=[*[wait(15)] * 4, refused("not_answered")]
    ),
    "failed-by-blocked-smoke-test": path("failed", smoke_test=refused("blocked")),
    "failed-by-wrong-words": path("failed", smoke_test=refused("failed")),
    "failed-by-patience": path("failed", upload_file=BUSY),
    "failed-by-patience-in-the-scan": path("failed", scan_range=BUSY),
    "failed-by-patience-in-the-gate": path("failed", preflight=BUSY),
    "failed-by-patience-in-the-training": path("failed", job_status=BUSY),
    "failed-and-waited-to-take-back": path(
        "failed",
        smoke_test=refused("failed"),
        delete_deployment=[wait(15), done()],
        cancel_job=[wait(15), done()],
        delete_file=[wait(15), done()],
    ),
    "failed-and-could-not-take-back": path(
        "failed",
        smoke_test=refused("failed"),
        delete_deployment=BUSY,
        cancel_job=BUSY,
        delete_file=BUSY,
    ),
}
TAKEN_BACK = {
    "succeeded-and-took-back-what-is-listed": path("succeeded", cancel_job=[wait(15), done()]),
    "failed-and-took-back-what-is-listed": path(
        "failed",
        smoke_test=refused("failed"),
        delete_deployment=[wait(15), done()],
        delete_file=BUSY,
    ),
    "failed-and-had-nothing-to-take-back": path(
        "failed",
        settle_drop=refused("failed"),
        begin_ending=done_with(outcome="failed", take_back=[]),
    ),
}
"""Endings whose answer says what to take back: those that were decided before it did say how,
replay beside them.
"""
EXPIRED = {
    "expired-in-the-gate": path(
        "expired", reserve=[wait(300, "No place."), refused("patience", Outcome.EXPIRED)]
    ),
    "expired-behind-the-holder": path(
        "expired",
        claim_content=[
            wait(15, "It trains."),
            rejected("TD-GATE-009").model_copy(update={"outcome": Outcome.EXPIRED}),
        ],
    ),
    "expired-while-creating": path(
        "expired", create_job=[wait(15), refused("jobDeadline", Outcome.EXPIRED)]
    ),
    "expired-while-training": path(
        "expired", job_status=[wait(300), refused("jobDeadline", Outcome.EXPIRED)]
    ),
    "expired-while-the-file-was-processed": path(
        "expired", file_status=[wait(15), refused("fileDeadline", Outcome.EXPIRED)]
    ),
    "expired-while-deploying": path(
        "expired", deployment_status=[wait(15), refused("deploymentDeadline", Outcome.EXPIRED)]
    ),
}
OTHER = {
    "not-better": path("not_better", smoke_test=refused("notBetter", Outcome.NOT_BETTER)),
    "superseded": path(
        "superseded", scan_range=[done(), ended(Outcome.SUPERSEDED, broken("TD-DROP-004"))]
    ),
    "duplicate": path("duplicate", claim_content=ended(Outcome.DUPLICATE, None, HOLDER)),
    "duplicate-after-waiting": path(
        "duplicate", claim_content=[wait(15, "It trains."), ended(Outcome.DUPLICATE, None, HOLDER)]
    ),
    "resumed-after-the-end": path("completed", open_run=done_with(ended=True)),
    "resumed-while-ending": path("failed", open_run=refused("Failed")),
    "not-closed": path("failed", end_run=BUSY),
}
CANCELLED_AT = [
    Activity.OPEN_RUN,
    Activity.SETTLE_DROP,
    Activity.MAKE_PLAN,
    Activity.SCAN_RANGE,
    Activity.MERGE_SCAN,
    Activity.CLAIM_CONTENT,
    Activity.PREFLIGHT,
    Activity.RESERVE,
    Activity.UPLOAD_FILE,
    Activity.FILE_STATUS,
    Activity.CREATE_JOB,
    Activity.JOB_STATUS,
    Activity.DEPLOY,
    Activity.DEPLOYMENT_STATUS,
    Activity.SMOKE_TEST,
]
CANCELS = {
    f"cancelled-at-{activity.replace('_', '-')}": Path("cancelled", {activity: [CANCELLED]})
    for activity in CANCELLED_AT
} | {
    "cancelled-at-the-end": path(
        "cancelled", begin_ending=done_with(outcome="cancelled", roles=["training"])
    ),
    "cancelled-while-training": path("cancelled", job_status=[wait(300), CANCELLED]),
}
PATHS: dict[str, Path] = GOOD | REJECTED | FAILED | TAKEN_BACK | EXPIRED | OTHER | CANCELS
