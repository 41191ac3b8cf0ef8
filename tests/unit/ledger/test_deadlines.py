"""How a look at something under way is answered around its deadline."""

import pytest

from shared.errors import DataRejected, ServiceUnavailable
from shared.models.messages import Answer, done, wait
from shared.models.pace import AZURE
from shared.models.record import Outcome
from shared.runs.answering import LATE_LOOKS, Deadline, polled
from shared.runs.ledger import Ledger
from tests.builders import a_record

LIMIT_S = 3600.0
LATE = DataRejected("TD-DROP-002", "It took too long.", "Try again.")


@pytest.fixture
def run_id(ledger: Ledger) -> str:
    """A run that waits."""
    run = a_record()
    ledger.claim(run)
    return run.id


def answer_at(
    waited_s: float, found: Answer | None, ledger: Ledger, run_id: str, what: str = "file_status"
) -> Answer:
    """The answer after so long, where the look says this; None is an outage."""

    def look() -> Answer:
        if found is None:
            raise ServiceUnavailable("Storage", "503")
        return found

    return polled(look, AZURE, Deadline(ledger, run_id, what, waited_s, LIMIT_S), LATE)


@pytest.mark.parametrize("found", [None, wait(5)], ids=["outage", "wait"])
def test_no_number_of_looks_passes_the_deadline_before_its_time(
    ledger: Ledger, run_id: str, found: Answer | None
) -> None:
    """A storm of refusals ends nothing that goes on."""
    assert {answer_at(LIMIT_S, found, ledger, run_id).kind for _ in range(10 * LATE_LOOKS)} == {
        "wait"
    }


@pytest.mark.parametrize("waited_s", [LIMIT_S + 1, 50 * LIMIT_S])
@pytest.mark.parametrize(
    ("found", "reason"), [(None, "503"), (wait(5), "It took too long.")], ids=["outage", "wait"]
)
def test_time_alone_passes_no_deadline(
    ledger: Ledger, run_id: str, found: Answer | None, waited_s: float, reason: str
) -> None:
    """An outage of ours may have used all of it up: a few looks must say the same. The last one's
    reason is told.
    """
    answers = [answer_at(waited_s, found, ledger, run_id) for _ in range(LATE_LOOKS)]
    assert [answer.kind for answer in answers] == ["wait"] * (LATE_LOOKS - 1) + ["ended"]
    assert answers[-1].outcome is Outcome.EXPIRED
    assert answers[-1].problem
    assert reason in answers[-1].problem.message


def test_late_looks_for_one_thing_are_none_for_the_next(ledger: Ledger, run_id: str) -> None:
    """What came late, but came, leaves what is waited for then its own looks."""
    for _ in range(LATE_LOOKS - 1):
        answer_at(LIMIT_S + 1, wait(5), ledger, run_id, "deploy")
    assert answer_at(LIMIT_S + 1, wait(5), ledger, run_id, "deployment_status").kind == "wait"


@pytest.mark.parametrize("waited_s", [0, LIMIT_S + 1, 50 * LIMIT_S])
def test_end_is_an_end_at_any_time(ledger: Ledger, run_id: str, waited_s: float) -> None:
    """What is found at last is found."""
    assert answer_at(waited_s, done(), ledger, run_id).kind == "done"
