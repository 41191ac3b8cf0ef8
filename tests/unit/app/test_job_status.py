"""What is noted of a job when its news come out of order."""

import pytest

from activities.job_status import later_of
from shared.models.record import JobProgress

RUNNING = JobProgress(status="running", last_event="Step 3")
LATER = JobProgress(status="running", last_event="Step 9")
WITHOUT_MODEL = JobProgress(status="succeeded")
DONE = JobProgress(status="succeeded", fine_tuned_model="ft:travel")


@pytest.mark.parametrize(
    ("known", "heard", "noted"),
    [
        pytest.param(None, RUNNING, RUNNING, id="first"),
        pytest.param(RUNNING, LATER, LATER, id="later"),
        pytest.param(LATER, DONE, DONE, id="end"),
        pytest.param(WITHOUT_MODEL, DONE, DONE, id="model after the end"),
        pytest.param(DONE, LATER, DONE, id="running, heard before the end"),
        pytest.param(DONE, WITHOUT_MODEL, DONE, id="end, heard before the model"),
    ],
)
def test_news_of_a_job_never_go_back(
    known: JobProgress | None, heard: JobProgress, noted: JobProgress
) -> None:
    """A model that the ledger forgot is a deployment that nobody deletes."""
    assert later_of(known, heard) == noted
