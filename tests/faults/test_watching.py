"""What befalls a run while the service works for it: files and jobs that stall, vanish, fail, or
can't be asked about. Rows D and F.
"""

import pytest

from shared.runs.ledger import Ledger
from tests.data import a_training_set
from tests.faults.cases import Case, Runs, always, answer, chosen, often
from tests.faults.rig import PACE, Rig
from tests.patience import until
from tests.runs.stack import unhurried

pytestmark = pytest.mark.timeout(180)
RETRIEVE = "fine_tuning.jobs.retrieve"
NAMELESS = {"patch": {"status": "succeeded", "fine_tuned_model": None}}
TIMELESS = {"patch": {"status": "succeeded", "fine_tuned_model": None, "finished_at": None}}
STORM = 36  # more than a client's three tries in each of the engine's eleven
LONG = 120.0
CASES = {
    "file-in-error": Case(
        [{"on": "file", "then": {"ends": "error", "message": "Line 7 is odd."}}],
        "failed",
        "Line 7 is odd",
        jobs=0,
    ),
    "file-pending-for-ever": Case(
        [{"on": "file", "then": "never"}],
        "expired",
        "not processed",
        jobs=0,
        pace={"file_deadline_s": 2},
    ),
    "file-vanished": Case(
        always("files.retrieve", answer(404, "notFound")), "failed", "uploaded file is gone", jobs=0
    ),
    "file-storm": Case(often("files.retrieve", answer(503), STORM), pace={"file_deadline_s": LONG}),
    "job-status-unknown": Case(often(RETRIEVE, {"patch": {"status": "dreaming"}}, 4)),
    "job-paused": Case(often(RETRIEVE, {"patch": {"status": "paused"}}, 4)),
    "job-nameless-for-a-while": Case(often(RETRIEVE, NAMELESS, 4)),
    "job-nameless-for-ever": Case(
        always(RETRIEVE, NAMELESS), "failed", "names no model", pace={"nameless_s": 1}
    ),
    "job-nameless-without-a-time": Case(
        always(RETRIEVE, TIMELESS), "failed", "names no model", pace={"nameless_s": 1}
    ),
    "job-deleted": Case(always(RETRIEVE, answer(404, "notFound")), "failed", "job is gone"),
    "job-failed": Case([{"on": "job", "then": "rai_data"}], "failed", "failed RAI checks"),
    "job-runs-for-ever": Case(
        [{"on": "job", "then": "never"}], "expired", "not ended", pace={"job_deadline_s": 2}
    ),
    "job-storm-429": Case(
        often(RETRIEVE, answer(429, "tooManyRequests"), STORM), pace={"job_deadline_s": LONG}
    ),
    "job-storm-503": Case(often(RETRIEVE, answer(503), STORM), pace={"job_deadline_s": LONG}),
    "job-storm-beyond-the-deadline": Case(
        [*always(RETRIEVE, answer(503, "backendDown")), {"on": "job", "then": "never"}],
        "expired",
        "backendDown",
        pace={"job_deadline_s": 3},
    ),
    "events-fail": Case(always("fine_tuning.jobs.list_events", answer(503))),
    "events-forbidden": Case(always("fine_tuning.jobs.list_events", "forbidden")),
}
QUICK = (
    "job-status-unknown",
    "job-nameless-for-ever",
    "job-nameless-without-a-time",
    "job-deleted",
)


@pytest.fixture(scope="module")
def runs(rig: Rig, request: pytest.FixtureRequest) -> Runs:
    """All runs of the cases at once."""
    return Runs(rig, CASES, chosen(request))


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in CASES]
)
def test_watched_thing_ends_as_it_should(runs: Runs, case: str) -> None:
    """What goes on is waited for, by time and not by number; what has ended badly ends the run with
    the reason, and nothing is left.
    """
    assert runs.ended(case).wrong(CASES[case]) == {}


@pytest.mark.slow
def test_events_that_fail_keep_no_result_from_the_report(rig: Rig) -> None:
    """The loss curve comes from the results file, which another endpoint serves."""
    drop = rig.put("noevents", a_training_set("noevents"))
    rig.fault("fine_tuning.jobs.list_events", answer(503), about=drop.run_id, times=None)
    assert '"curve":[]' not in rig.reported(rig.ended(rig.start(drop))).replace(" ", "")


def test_job_that_a_repeated_call_made_twice_is_cancelled_and_the_oldest_stays(rig: Rig) -> None:
    """Somebody on the way repeated the POST: the run adopts its first job and cancels the
    second.
    """
    drop = rig.put("twojobs", a_training_set("twojobs"))
    rig.fault("fine_tuning.jobs.create", "drop_connection", about=drop.run_id, when="after_commit")
    rig.fault("fine_tuning.jobs.list", {"lag_s": 60}, times=None)  # until the second job is there
    run = rig.start(drop, unhurried(PACE.model_copy(update={"list_lag_s": 8.0}), "list_lag_s"))
    [first] = until(lambda: rig.asked("fine_tuning.jobs.create", run), what="the first job")
    body = first["request"]["body"]
    rig.fault("job", "never", about=run)  # it would still run, and cost
    rig.http.post(f"{rig.emulator}/openai/v1/fine_tuning/jobs", json=body).raise_for_status()
    rig.control("DELETE", "faults")
    assert rig.ended(run).outcome == "succeeded"
    assert [job["status"] for job in rig.jobs(run)] == ["succeeded", "cancelled"]
    assert rig.ledger.get(run).record.effects["job"].id == first["id"]


@pytest.mark.parametrize("lag_s", [0.5, pytest.param(2.0, marks=pytest.mark.slow)])
def test_job_that_no_list_shows_yet_is_waited_for(rig: Rig, lag_s: float) -> None:
    """A lost answer and a list that lags for as long as a run allows, but for the whole second that
    storage tells time in: one job.
    """
    drop = rig.put(f"lag{lag_s * 10:.0f}", a_training_set(f"lag{lag_s}"))
    rig.control("PUT", "switches", {"list_lag_s": lag_s})
    rig.fault("fine_tuning.jobs.create", "drop_connection", about=drop.run_id, when="after_commit")
    try:
        assert (
            rig.ended(rig.start(drop, PACE.model_copy(update={"list_lag_s": 3.2}))).outcome
            == "succeeded"
        )
    finally:
        rig.control("PUT", "switches", {"list_lag_s": 0})
    assert len(rig.jobs(drop.run_id)) == 1


@pytest.mark.slow
def test_cancel_that_races_the_end_of_the_job_is_a_cancel(rig: Rig) -> None:
    """The job ends while its cancel is on the way: 409, and the run is cancelled all the same, with
    nothing left.
    """
    drop = rig.put("race", a_training_set("race"))
    rig.fault("fine_tuning.jobs.cancel", {"delay_s": 2}, about=drop.run_id)
    run = rig.start(drop)
    until(lambda: rig.asked("fine_tuning.jobs.create", run), what="the job")
    rig.cancel(run)
    assert rig.ended(run).outcome == "cancelled"
    assert ([job["status"] for job in rig.jobs(run)], rig.left(run)) == (["succeeded"], [])


@pytest.mark.slow
def test_cancel_that_fails_for_a_while_is_tried_again(rig: Rig) -> None:
    """A running job costs money: its cancel is repeated until it holds."""
    drop = rig.put("cancel", a_training_set("cancel"))
    rig.fault("job", "never", about=drop.run_id)
    rig.fault("fine_tuning.jobs.cancel", answer(500), about=drop.run_id, times=3)
    run = rig.start(drop)
    until(lambda: rig.asked("fine_tuning.jobs.create", run), what="the job")
    rig.cancel(run)
    assert rig.ended(run).outcome == "cancelled"
    assert [job["status"] for job in rig.jobs(run)] == ["cancelled"]


@pytest.mark.slow
def test_paused_job_is_shown_as_paused(rig: Rig) -> None:
    """Whoever looks at the run sees why it doesn't go on."""
    drop = rig.put("paused", a_training_set("paused"))
    rig.fault(
        "fine_tuning.jobs.retrieve", {"patch": {"status": "paused"}}, about=drop.run_id, times=None
    )
    run = rig.start(drop)

    def shown() -> bool:
        job = Ledger.get(rig.ledger, run).record.job
        return job is not None and job.status == "paused"

    until(shown, what="the status")
    rig.control("DELETE", "faults")
    assert rig.ended(run).outcome == "succeeded"
