"""How a look at something under way is answered around its deadline."""

import pytest

from shared.answering import PATIENT_WAITS, polled
from shared.errors import DataRejected, ServiceUnavailable
from shared.models.messages import Answer, done, wait
from shared.models.pace import AZURE
from shared.models.record import Outcome

DEADLINE_S = 3600.0
GRACE_S = PATIENT_WAITS * AZURE.poll_most_s
LATE = DataRejected("TD-DROP-002", "It took too long.", "Try again.")


def answer_at(waited_s: float, found: Answer | None) -> Answer:
    """The answer after so long, where the look says this; None is an outage."""

    def look() -> Answer:
        if found is None:
            raise ServiceUnavailable("Storage", "503")
        return found

    return polled(look, AZURE, waited_s, DEADLINE_S, LATE)


@pytest.mark.parametrize("waited_s", [0, DEADLINE_S, DEADLINE_S + 1, DEADLINE_S + GRACE_S])
def test_outage_decides_nothing_before_a_few_more_looks(waited_s: float) -> None:
    """Also right at the deadline: what the next look says is worth more than a fault."""
    assert answer_at(waited_s, None).kind == "wait"


def test_outage_that_outlasts_the_deadline_is_the_reason() -> None:
    """The run doesn't wait for ever."""
    answer = answer_at(DEADLINE_S + GRACE_S + 1, None)
    assert answer.outcome is Outcome.EXPIRED
    assert answer.problem
    assert "503" in answer.problem.message


@pytest.mark.parametrize("waited_s", [DEADLINE_S + 1, DEADLINE_S + GRACE_S + 1])
def test_what_is_still_under_way_at_the_deadline_is_late(waited_s: float) -> None:
    """A wait that isn't an outage gets no grace, and an end is an end at any time."""
    answer = answer_at(waited_s, wait(5))
    assert (answer.outcome, answer.problem) == (Outcome.EXPIRED, LATE.problem)
    assert answer_at(waited_s, done()).kind == "done"
