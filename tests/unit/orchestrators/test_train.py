"""The training: one paid call, any number of polls, and a history that stays short."""

import json

import pytest
from durabletask.client import OrchestrationStatus

from orchestrators.names import WAKE, Activity, Orchestrator
from shared.models.base import wire
from shared.models.messages import CANCELLED, Answer, done, ended, wait
from shared.models.record import Outcome
from tests.builders import done_with
from tests.unit.orchestrators.theatre import SOON, Line, Theatre, a_play


def test_job_is_created_once_when_it_is_polled_many_times(theatre: Theatre) -> None:
    """Three hundred polls, one creation, and never more than 60 events in the history."""
    lengths: list[int] = []

    def polled(given: dict[str, object]) -> Answer:
        lengths.append(theatre.events(str(given["run_id"])))
        return SOON if len(lengths) < 300 else done_with(model="ft:travel")

    play = a_play(job_status=polled)
    state = theatre.play(play, Orchestrator.TRAIN)
    assert json.loads(state.serialized_output or "null") == wire(done_with(model="ft:travel"))
    assert (play.called.count("create_job"), play.called.count("job_status")) == (1, 300)
    assert max(lengths) < 60


def test_history_of_the_run_stays_short_when_its_training_is_polled_many_times(
    theatre: Theatre,
) -> None:
    """The polls are the training's own: the run that waits for it doesn't grow."""
    few, many = a_play(job_status=done()), a_play(job_status=[*[SOON] * 50, done()])
    assert [theatre.play(play).runtime_status for play in (few, many)] == [
        OrchestrationStatus.COMPLETED
    ] * 2
    assert theatre.events(many.run_id) == theatre.events(few.run_id)


def test_job_is_asked_for_again_only_while_its_creation_says_wait(theatre: Theatre) -> None:
    """A creation of unknown outcome is asked again, and no status before it is through."""
    play = a_play(create_job=[SOON, SOON, done()], job_status=[SOON, done()])
    theatre.play(play, Orchestrator.TRAIN)
    assert play.called == ["create_job", "create_job", "create_job", "job_status", "job_status"]


@pytest.mark.parametrize("stop", [CANCELLED, ended(Outcome.EXPIRED)], ids=["cancelled", "ended"])
@pytest.mark.parametrize("activity", ["create_job", "job_status"])
def test_training_answers_what_stopped_it(theatre: Theatre, activity: str, stop: Answer) -> None:
    """The answer goes to the run as it is, and nothing is asked after it."""
    lines: list[Line] = [SOON, stop]
    play = a_play(**{activity: lines})
    state = theatre.play(play, Orchestrator.TRAIN)
    assert json.loads(state.serialized_output or "null") == wire(stop)
    assert play.called[-1] == activity
    assert len(play.given(Activity(activity))) == 2


def test_status_is_asked_again_when_it_raised(theatre: Theatre) -> None:
    """A poll costs nothing, so a failed one is repeated."""
    play = a_play(job_status=[ConnectionError("busy"), done()])
    theatre.play(play, Orchestrator.TRAIN)
    assert play.called == ["create_job", "job_status", "job_status"]


def test_creation_is_not_repeated_when_it_raised(theatre: Theatre) -> None:
    """The paid call is never the engine's to repeat."""
    play = a_play(create_job=ConnectionError("busy"))
    assert theatre.play(play, Orchestrator.TRAIN).runtime_status is OrchestrationStatus.FAILED
    assert play.called == ["create_job"]


def test_wake_cuts_the_wait_for_the_job_short(theatre: Theatre) -> None:
    """A poll that is an hour away happens at once."""
    play = a_play(job_status=[wait(3600), done()])
    instance = theatre.start(play, Orchestrator.TRAIN)
    theatre.hub.raise_orchestration_event(instance, WAKE)
    assert theatre.end(instance).runtime_status is OrchestrationStatus.COMPLETED
    assert play.called == ["create_job", "job_status", "job_status"]


def test_status_shows_the_jobs_last_event_and_losses(theatre: Theatre) -> None:
    """Whoever watches the instance sees how the job learns."""
    play = a_play(
        job_status=done_with(
            progress={"last_event": "Step 3", "train_loss": 0.5, "valid_loss": 0.75}
        )
    )
    state = theatre.play(play, Orchestrator.TRAIN)
    assert json.loads(state.serialized_custom_status or "null") == {
        "step": "train",
        "percentage": 20,
        "last_event": "Step 3",
        "train_loss": 0.5,
        "valid_loss": 0.75,
    }
