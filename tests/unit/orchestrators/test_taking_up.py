"""Runs that the sweep takes up again, on the real engine: whatever ended their orchestration,
nothing of it is in the way.
"""

import pytest
from durabletask.client import OrchestrationStatus

from orchestrators.names import Activity, Orchestrator
from shared.models.messages import done, wait
from tests.patience import until
from tests.unit.orchestrators.theatre import Play, Theatre, a_play
from triggers.starting import is_alive, schedule_anew

AN_HOUR = wait(3600)


def status(theatre: Theatre, instance: str) -> OrchestrationStatus | None:
    """How an instance is."""
    state = theatre.hub.get_orchestration_state(instance)
    return state.runtime_status if state else None


def terminated(theatre: Theatre, play: Play, at: Activity) -> str:
    """A run whose orchestration somebody ended by hand while it waited in this activity."""
    instance = theatre.start(play)
    until(lambda: play.given(at))
    theatre.hub.terminate_orchestration(instance)
    theatre.end(instance)
    assert not is_alive(theatre.hub, instance)
    return instance


@pytest.mark.parametrize(
    ("activity", "part"),
    [(Activity.JOB_STATUS, Orchestrator.TRAIN), (Activity.RESERVE, Orchestrator.GATE)],
    ids=["training", "gate"],
)
def test_run_is_taken_up_when_its_orchestration_was_terminated_and_a_part_lives_on(
    theatre: Theatre, activity: Activity, part: Orchestrator
) -> None:
    """The first sweep ends what outlived the run, the next one begins the run anew, and it comes as
    far as it was.
    """
    play = a_play(**{activity: AN_HOUR})
    run_id = terminated(theatre, play, activity)
    child = f"{run_id}-{part}"
    assert status(theatre, child) is OrchestrationStatus.RUNNING
    assert not schedule_anew(theatre.hub, run_id)
    theatre.end(child)
    assert schedule_anew(theatre.hub, run_id)
    until(lambda: len(play.given(activity)) == 2)
    assert Activity.BEGIN_ENDING not in play.called


def test_run_is_taken_up_at_once_when_nothing_of_it_lives(theatre: Theatre) -> None:
    """Ended parts are forgotten, so that they can begin again."""
    play = a_play(file_status=AN_HOUR)
    run_id = terminated(theatre, play, Activity.FILE_STATUS)
    play.lines[Activity.FILE_STATUS] = [done()]
    play.lines[Activity.DEPLOY] = [AN_HOUR]
    assert schedule_anew(theatre.hub, run_id)
    until(lambda: play.given(Activity.DEPLOY))
    assert play.called.count("open_run") == 2
