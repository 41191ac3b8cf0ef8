"""Uploads and jobs whose creation has an unknown outcome: looked up, adopted, and never made twice.
Catalogue rows D and E.
"""

from typing import Any

import pytest

from tests.faults.cases import Case, Runs, always, answer, chosen
from tests.faults.rig import Rig

pytestmark = pytest.mark.timeout(180)
CREATE = "fine_tuning.jobs.create"
LATE_S = 2.0  # longer than a call may take


def once(then: Any, when: str = "before", on: str = CREATE) -> list[dict[str, Any]]:
    """One fault of one creating call."""
    return [{"on": on, "then": then, "when": when}]


JOBS = {
    "reset-before": Case(once("drop_connection")),
    "reset-after": Case(once("drop_connection", "after_commit")),
    "timeout-and-made-later": Case(once({"delay_s": LATE_S})),
    "timeout-after": Case(once({"delay_s": LATE_S}, "after_commit")),
    **{f"{status}-before": Case(once(answer(status))) for status in (408, 409, 500, 502, 503, 504)},
    **{
        f"{status}-after": Case(once(answer(status), "after_commit"))
        for status in (408, 409, 500, 502, 503, 504)
    },
    **{
        f"body-{body}": Case(once({"body": body}, "after_commit"))
        for body in ("truncated", "empty", "page")
    },
    "no-id": Case(once({"patch": {"id": None}}, "after_commit")),
    "unknown-status": Case(once({"patch": {"status": "dreaming"}}, "after_commit")),
    "429-retry-after-1": Case(once(answer(429, "tooManyRequests", retry_after=1))),
    "429-without-retry-after": Case(once(answer(429, "tooManyRequests"))),
    "429-garbage": Case(once(answer(429, "tooManyRequests", retry_after="soon"))),
    "quota-for-a-while": Case([{"on": CREATE, "then": answer(429, "quotaExceeded"), "times": 3}]),
    "three-unknown-in-a-row": Case([{"on": CREATE, "then": answer(500), "times": 3}]),
    "not-trainable": Case(
        once(
            answer(
                400,
                "invalidPayload",
                message="The specified base model does not support fine-tuning.",
            )
        ),
        "failed",
        "400 invalidPayload: The specified base model does not support fine-tuning",
        jobs=0,
    ),
    "content": Case(once(answer(400, "contentFilter")), "failed", "400 contentFilter", jobs=0),
    "busy-beyond-the-deadline": Case(
        always(CREATE, answer(429, "quotaExceeded")),
        "expired",
        "No job could be created",
        jobs=0,
        pace={"job_deadline_s": 2},
    ),
    "forbidden": Case(once("forbidden"), "failed", "403 forbidden", jobs=0),
}
FILES = {
    "reset-before": Case(once("drop_connection", on="files.create")),
    "reset-after": Case(once("drop_connection", "after_commit", "files.create")),
    "500-before": Case(once(answer(500), on="files.create")),
    "500-after": Case(once(answer(500), "after_commit", "files.create")),
    "body-truncated": Case(once({"body": "truncated"}, "after_commit", "files.create")),
    "429": Case(once(answer(429, "tooManyRequests", retry_after=1), on="files.create")),
    "429-beyond-the-deadline": Case(
        always("files.create", answer(429, "tooManyRequests")),
        "expired",
        "could not be uploaded|tooManyRequests",
        jobs=0,
        pace={"file_deadline_s": 2},
    ),
    "too-large": Case(
        once(answer(413, "payloadTooLarge"), on="files.create"), "failed", "413", jobs=0
    ),
}
CASES = {f"job-{name}": case for name, case in JOBS.items()} | {
    f"file-{name}": case for name, case in FILES.items()
}
QUICK = (
    "job-reset-after",
    "job-timeout-and-made-later",
    "job-500-after",
    "job-body-truncated",
    "file-reset-after",
)


@pytest.fixture(scope="module")
def runs(rig: Rig, request: pytest.FixtureRequest) -> Runs:
    """All runs of the cases at once."""
    return Runs(rig, CASES, chosen(request))


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in CASES]
)
def test_creation_ends_in_one_thing_or_in_a_clear_no(runs: Runs, case: str) -> None:
    """One file, one job, one deployment, whatever the creating call was answered; where the service
    says no, nothing is left.
    """
    assert runs.ended(case).wrong(CASES[case]) == {}
