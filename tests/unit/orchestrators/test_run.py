"""The story of a run: its order, its early ends, and an ending that nothing keeps from its last
line.
"""

import json
import threading
import time
from typing import Any

import pytest
from durabletask.client import OrchestrationState, OrchestrationStatus

from orchestrators.names import WAKE, Activity
from orchestrators.steps import waits_between
from shared.errors import PlanRejected, Problem
from shared.models.messages import CANCELLED, Answer, done, ended, wait
from shared.models.pace import AZURE
from shared.models.record import Outcome
from tests.builders import done_with
from tests.patience import patience
from tests.unit.orchestrators.theatre import PACE, SOON, Theatre, a_play

PROBLEM: Problem = PlanRejected(
    "TD-PLAN-001", "It can't be done.", "Ask for something else."
).problem
STORY = [
    "open_run",
    "settle_drop",
    "make_plan",
    "scan_range",
    "scan_range",
    "merge_scan",
    "claim_content",
    "preflight",
    "reserve",
    "upload_file:training",
    "upload_file:validation",
    "file_status",
    "create_job",
    "job_status",
    "deploy",
    "deployment_status",
    "smoke_test",
]
TAKEN_BACK = ["delete_deployment", "cancel_job"]
FILES_DELETED = ["delete_file:validation", "delete_file:training"]
CLOSED = ["write_report", "end_run", "give_back"]
UNDONE = ["begin_ending", "collect_results", *TAKEN_BACK, *FILES_DELETED, *CLOSED]
STEPS = [name for name in Activity if name in {step.partition(":")[0] for step in STORY}]
WAITING = [name for name in STEPS if name not in {Activity.SCAN_RANGE, Activity.MERGE_SCAN}]


def output(state: OrchestrationState) -> dict[str, Any]:
    """What the orchestration answered."""
    assert state.runtime_status is OrchestrationStatus.COMPLETED, state.failure_details
    return json.loads(state.serialized_output or "null")


def until(activity: str) -> list[str]:
    """The story up to the last call of this activity when each of its calls says the same."""
    return STORY[
        : next(n for n, step in enumerate(STORY) if step.partition(":")[0] == activity) + 1
    ]


REUSED = done_with(waited_s=0, reuse=True)


def test_run_that_deploys_again_neither_scans_nor_uploads_nor_trains(theatre: Theatre) -> None:
    """Its plan is made from another run's; gate, wallet, deployment and proof are as of any run."""
    play = a_play(
        make_plan=done_with(files={"training": {"bytes": 10}}, span_bytes=100, reuse=True),
        reserve=REUSED,
    )
    assert output(theatre.play(play))["outcome"] == "succeeded"
    left_out = {
        "scan_range",
        "merge_scan",
        "upload_file:training",
        "upload_file:validation",
        "file_status",
        "create_job",
        "job_status",
    }
    assert play.called[: play.called.index("begin_ending")] == [
        step for step in STORY if step not in left_out
    ]


def test_drop_with_reuse_scans_but_neither_uploads_nor_trains(theatre: Theatre) -> None:
    """What the content is, only the scan tells."""
    play = a_play(reserve=REUSED)
    assert output(theatre.play(play))["outcome"] == "succeeded"
    left_out = {
        "upload_file:training",
        "upload_file:validation",
        "file_status",
        "create_job",
        "job_status",
    }
    assert play.called[: play.called.index("begin_ending")] == [
        step for step in STORY if step not in left_out
    ]


def test_good_run_calls_everything_in_order(theatre: Theatre) -> None:
    """The model stays deployed and its job untouched; a second job and the service's copies of the
    files go.
    """
    play = a_play()
    assert output(theatre.play(play)) == {"run_id": play.run_id, "outcome": "succeeded"}
    assert play.called == [
        *STORY,
        "begin_ending",
        "collect_results",
        "cancel_job",
        *FILES_DELETED,
        *CLOSED,
    ]


def test_good_run_gives_every_activity_its_run(theatre: Theatre) -> None:
    """Each call carries the id of the run and the pace, and the whole of a message stays small."""
    play = a_play()
    theatre.play(play)
    assert {given["run_id"] for _, given in play.calls} == {play.run_id}
    assert all("pace" in given and len(json.dumps(given)) < 2000 for _, given in play.calls)


def test_run_ends_at_once_when_the_ledger_says_that_it_has_ended(theatre: Theatre) -> None:
    """A second start of an ended run touches nothing."""
    play = a_play(open_run=done_with(ended=True))
    assert output(theatre.play(play)) == {"run_id": play.run_id}
    assert play.called == ["open_run"]


@pytest.mark.parametrize("activity", STEPS)
def test_run_is_taken_back_when_a_step_ends_it(theatre: Theatre, activity: str) -> None:
    """Wherever the story stops, nothing later is called, and everything is undone in
    reverse order.
    """
    play = a_play(**{activity: ended(Outcome.REJECTED, PROBLEM)})
    assert output(theatre.play(play))["outcome"] == "rejected"
    expected = until(activity)
    if activity == Activity.SCAN_RANGE:
        expected = [*expected, "scan_range"]
    assert play.called == [*expected, *UNDONE]
    decision = play.given(Activity.BEGIN_ENDING)[0]
    assert (decision["outcome"], decision["problem"]["code"]) == ("rejected", "TD-PLAN-001")


@pytest.mark.parametrize("activity", STEPS)
def test_run_ends_cancelled_when_a_step_says_so(theatre: Theatre, activity: str) -> None:
    """A cancelled run is undone like any other."""
    play = a_play(**{activity: CANCELLED})
    assert output(theatre.play(play))["outcome"] == "cancelled"
    assert play.called[-len(UNDONE) :] == UNDONE
    assert play.given(Activity.BEGIN_ENDING)[0].get("problem") is None


@pytest.mark.parametrize("activity", [name for name in STEPS if name != Activity.CREATE_JOB])
def test_run_fails_with_a_problem_of_ours_when_a_step_keeps_raising(
    theatre: Theatre, activity: str
) -> None:
    """The engine's patience is eleven calls; then the run ends failed, undone and reported."""
    play = a_play(**{activity: ConnectionError("no way")})
    assert output(theatre.play(play))["outcome"] == "failed"
    assert len(play.given(Activity(activity))) == 11 * (2 if activity == Activity.SCAN_RANGE else 1)
    assert play.given(Activity.BEGIN_ENDING)[0]["problem"]["code"] == "TD-INTERNAL-001"
    assert play.called[-len(UNDONE) :] == UNDONE


def test_run_fails_after_one_call_when_the_paid_call_raises(theatre: Theatre) -> None:
    """The job's creation has no retry policy."""
    play = a_play(create_job=ConnectionError("no way"))
    assert output(theatre.play(play))["outcome"] == "failed"
    assert play.called == [*until("create_job"), *UNDONE]
    assert play.given(Activity.BEGIN_ENDING)[0]["problem"]["code"] == "TD-INTERNAL-001"


def test_run_goes_on_when_a_step_raised_and_then_worked(theatre: Theatre) -> None:
    """A failure that passes is not the run's."""
    play = a_play(preflight=[ConnectionError("busy"), ConnectionError("busy"), done()])
    assert output(theatre.play(play))["outcome"] == "succeeded"
    assert play.called.count("preflight") == 3


@pytest.mark.parametrize("activity", WAITING)
def test_run_asks_again_when_a_step_says_wait(theatre: Theatre, activity: str) -> None:
    """Each waiting step is asked until it is through."""
    last = a_play().say(activity, {"run_id": "any", "outcome": "succeeded"})
    play = a_play(**{activity: [SOON, SOON, done_with(**last["value"])]})
    assert output(theatre.play(play))["outcome"] == "succeeded"
    plain = [step.partition(":")[0] for step in STORY].count(activity)
    assert len(play.given(Activity(activity))) == plain + 2


@pytest.mark.parametrize(
    "activity",
    ["collect_results", "delete_deployment", "cancel_job", "delete_file", "write_report"],
)
def test_ending_goes_on_when_a_part_of_it_keeps_failing(theatre: Theatre, activity: str) -> None:
    """What can't be taken back stays in the ledger's list; the rest and the last line still
    happen.
    """
    play = a_play(preflight=ended(Outcome.FAILED, PROBLEM), **{activity: ConnectionError("no way")})
    assert output(theatre.play(play))["outcome"] == "failed"
    assert list(dict.fromkeys(play.called[play.called.index("begin_ending") :])) == UNDONE


@pytest.mark.parametrize("activity", ["delete_deployment", "cancel_job", "delete_file"])
def test_ending_asks_again_when_a_compensation_says_wait(theatre: Theatre, activity: str) -> None:
    """A deployment that is still being made is deleted when it can be."""
    play = a_play(preflight=ended(Outcome.FAILED, PROBLEM), **{activity: [SOON, SOON, done()]})
    theatre.play(play)
    assert list(dict.fromkeys(play.called[play.called.index("begin_ending") :])) == UNDONE
    assert len(play.given(Activity(activity))) == (4 if activity == "delete_file" else 3)


def test_ending_is_what_the_ledger_decided_first(theatre: Theatre) -> None:
    """Where a cancellation was decided before the success, the cancellation counts and all is
    undone.
    """
    play = a_play(begin_ending=done_with(outcome="cancelled", roles=["training"]))
    assert output(theatre.play(play))["outcome"] == "cancelled"
    assert play.called == [
        *STORY,
        "begin_ending",
        "collect_results",
        *TAKEN_BACK,
        "delete_file:training",
        *CLOSED,
    ]


def test_ending_names_the_run_that_this_one_repeats(theatre: Theatre) -> None:
    """A duplicate knows whose."""
    play = a_play(claim_content=ended(Outcome.DUPLICATE, None, "travel-00000000"))
    assert output(theatre.play(play))["outcome"] == "duplicate"
    assert play.given(Activity.BEGIN_ENDING)[0]["duplicate_of"] == "travel-00000000"


def test_instance_fails_when_the_record_cannot_be_closed(theatre: Theatre) -> None:
    """An ending that the ledger never took is not called one: the sweep finds the run again."""
    play = a_play(end_run=ConnectionError("no way"))
    assert theatre.play(play).runtime_status is OrchestrationStatus.FAILED


def test_wake_cuts_a_wait_of_the_run_short(theatre: Theatre) -> None:
    """A step that would wait for an hour is asked again at once, and the next wait listens
    again.
    """
    play = a_play(file_status=[wait(3600), wait(3600), done()])
    instance = theatre.start(play)
    for _ in range(2):
        theatre.hub.raise_orchestration_event(instance, WAKE)
    assert output(theatre.end(instance))["outcome"] == "succeeded"
    assert len(play.given(Activity.FILE_STATUS)) == 3


def test_wake_cuts_one_wait_short_and_not_the_next(theatre: Theatre) -> None:
    """A wake-up is used up by the wait that it ended: the following wait takes its time."""
    asked: list[float] = []

    def asking(_given: dict[str, Any]) -> Answer:
        asked.append(time.monotonic())
        return [wait(3600), wait(0.3), done()][len(asked) - 1]

    play = a_play(file_status=asking)
    instance = theatre.start(play)
    theatre.hub.raise_orchestration_event(instance, WAKE)
    assert output(theatre.end(instance))["outcome"] == "succeeded"
    assert asked[2] - asked[1] > 0.25


HOURLY = PACE.model_copy(update={"retry_first_s": 3600.0, "retry_most_s": 3600.0})
PARTS = {
    "scan_range": "-scan",
    "merge_scan": "-scan",
    "claim_content": "-gate",
    "preflight": "-gate",
    "reserve": "-gate",
    "job_status": "-train",
}


@pytest.mark.parametrize("activity", [name for name in STEPS if name != Activity.CREATE_JOB])
def test_cancel_is_noticed_between_two_tries(theatre: Theatre, activity: str) -> None:
    """A step that raised would be tried again after an hour: the wake-up of the cancel has it asked
    at once.
    """
    raised = threading.Event()

    def saying(_given: dict[str, Any]) -> Answer | Exception:
        if raised.is_set():
            return CANCELLED
        raised.set()
        return ConnectionError("busy")

    play = a_play(**{activity: saying})
    instance = theatre.start(play, pace=HOURLY)
    assert raised.wait(patience(20))
    theatre.hub.raise_orchestration_event(instance + PARTS.get(activity, ""), WAKE)
    assert output(theatre.end(instance))["outcome"] == "cancelled"


@pytest.mark.parametrize("version", [1, 2])
def test_steps_are_tried_as_often_in_instances_of_every_version(
    theatre: Theatre, version: int
) -> None:
    """The story waits between tries as the engine does for instances that began before it did so
    itself.
    """
    play = a_play(preflight=ConnectionError("no way"), scan_range=[ConnectionError("busy"), done()])
    assert output(theatre.play(play, version=version))["outcome"] == "failed"
    assert (len(play.given(Activity.PREFLIGHT)), len(play.given(Activity.SCAN_RANGE))) == (11, 3)
    assert waits_between(AZURE) == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]


def test_status_tells_the_last_step_when_the_run_is_over(theatre: Theatre) -> None:
    """Whoever watches the instance sees that it ended."""
    state = theatre.play(a_play())
    assert json.loads(state.serialized_custom_status or "null") == {
        "step": "ended",
        "percentage": 100,
    }
