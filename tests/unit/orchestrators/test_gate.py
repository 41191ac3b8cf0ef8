"""The gate: the claim before the preflight, however long it takes, in a history that stays
short.
"""

import json

import pytest
from durabletask.client import OrchestrationStatus

from orchestrators.names import WAKE, Activity, Orchestrator
from shared.models.base import wire
from shared.models.messages import CANCELLED, Answer, done, ended, wait
from shared.models.record import Outcome
from tests.builders import done_with
from tests.unit.orchestrators.theatre import SOON, Line, Theatre, a_play


def test_gate_waits_in_a_short_history_however_often_it_asks(theatre: Theatre) -> None:
    """A run can wait for weeks for another one with the same content: three hundred looks, never
    more than 60 events.
    """
    lengths: list[int] = []

    def asked(given: dict[str, object]) -> Answer:
        lengths.append(theatre.events(str(given["run_id"])))
        return SOON if len(lengths) < 300 else done()

    play = a_play(claim_content=asked)
    state = theatre.play(play, Orchestrator.GATE)
    assert json.loads(state.serialized_output or "null") == wire(done())
    assert (
        play.called.count("claim_content"),
        play.called.count("preflight"),
        play.called.count("reserve"),
    ) == (300, 1, 1)
    assert max(lengths) < 60


def test_gate_asks_no_part_twice_that_is_passed(theatre: Theatre) -> None:
    """A run that waits for the wallet keeps its claim, and doesn't ask the account at each look."""
    play = a_play(claim_content=[SOON, done()], reserve=[SOON, SOON, done()])
    theatre.play(play, Orchestrator.GATE)
    assert play.called == [
        "claim_content",
        "claim_content",
        "preflight",
        "reserve",
        "reserve",
        "reserve",
    ]


@pytest.mark.parametrize(
    ("waited_s", "asked"), [(0, 1), (3600, 2)], ids=["at once", "after an hour"]
)
def test_account_is_asked_again_when_the_run_has_waited_long_for_the_wallet(
    theatre: Theatre, waited_s: float, asked: int
) -> None:
    """What it said before the wait is old."""
    play = a_play(reserve=done_with(waited_s=waited_s))
    theatre.play(play, Orchestrator.GATE)
    assert play.called.count("preflight") == asked


def test_gate_tells_what_it_waits_for(theatre: Theatre) -> None:
    """The reason is the answer's, until the wait is over."""
    seen: list[dict[str, object]] = []

    def reserving(given: dict[str, object]) -> Answer:
        state = theatre.hub.get_orchestration_state(str(given["run_id"]))
        seen.append(json.loads((state and state.serialized_custom_status) or "null"))
        return wait(0.01, "As many runs train as may.") if len(seen) == 1 else done_with(waited_s=0)

    theatre.play(a_play(reserve=reserving), Orchestrator.GATE)
    assert [status.get("waits_because") for status in seen] == [None, "As many runs train as may."]
    assert {status["step"] for status in seen} == {"gate"}


@pytest.mark.parametrize(
    "stop",
    [CANCELLED, ended(Outcome.DUPLICATE, None, "travel-00000000")],
    ids=["cancelled", "ended"],
)
@pytest.mark.parametrize("activity", ["claim_content", "preflight", "reserve"])
def test_gate_answers_what_stopped_it(theatre: Theatre, activity: str, stop: Answer) -> None:
    """The answer goes to the run as it is, and nothing is asked after it."""
    lines: list[Line] = [SOON, stop]
    play = a_play(**{activity: lines})
    state = theatre.play(play, Orchestrator.GATE)
    assert json.loads(state.serialized_output or "null") == wire(stop)
    assert play.called[-1] == activity
    assert len(play.given(Activity(activity))) == 2


def test_wake_cuts_the_wait_at_the_gate_short(theatre: Theatre) -> None:
    """A waiting run hears of its cancel at once."""
    play = a_play(claim_content=[wait(3600), CANCELLED])
    instance = theatre.start(play, Orchestrator.GATE)
    theatre.hub.raise_orchestration_event(instance, WAKE)
    assert theatre.end(instance).runtime_status is OrchestrationStatus.COMPLETED
    assert play.called == ["claim_content", "claim_content"]
