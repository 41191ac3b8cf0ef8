"""How an activity answers: what must not be retried is returned, what may be is raised."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.errors import (
    BudgetExceeded,
    DataRejected,
    InternalError,
    PlanRejected,
    Problem,
    ServiceUnavailable,
    TuneDropError,
)
from shared.models.base import wire
from shared.models.messages import Answer, ended, wait
from shared.models.pace import Pace
from shared.models.record import Outcome
from shared.runs.ledger import Ledger
from shared.services.storage import Changed

PATIENT_WAITS = (
    4  # an unavailability that outlasted the client's own retries is not over in one brief wait
)
LATE_LOOKS = (
    4  # past a deadline, so that neither one Retry-After nor an outage of ours uses all of it up
)


def answered(work: Callable[[], Answer], pace: Pace | None = None) -> dict[str, Any]:
    """The answer of this work in plain JSON. With a `pace`, unavailability is answered as a wait,
    however long it lasts: for activities that the story calls until they are done.

    Raises:
        ServiceUnavailable: without a pace; the only kind that the engine may retry.
    """
    try:
        return wire(_answer(work))
    except ServiceUnavailable as unavailable:
        if pace is None:
            raise
        # The engine's retries are counted, and an outage of an hour must not end a run that has
        # trained for days.
        return wire(wait(max(unavailable.retry_after_s or 0, PATIENT_WAITS * pace.brief_s)))


@dataclass(frozen=True)
class Deadline:
    """How long the run `run_id` has waited for `what`, and how long it may, in seconds."""

    ledger: Ledger
    run_id: str
    what: str
    waited_s: float
    limit_s: float

    def passes(self) -> bool:
        """Whether this look, which did not find what is waited for, is the last."""
        # Past the limit a few looks count, in the ledger.
        return (
            self.waited_s > self.limit_s
            and self.ledger.look_late(self.run_id, self.what) >= LATE_LOOKS
        )


def polled(
    ask: Callable[[], Answer], pace: Pace, deadline: Deadline, late: TuneDropError
) -> Answer:
    """A look at something under way: its answer, or the run's expiry where it still says wait past
    the deadline; `late` tells the end, with the last reason to wait.
    """
    try:
        answer = ask()
    except ServiceUnavailable as unavailable:
        # Refusals of the moment are bounded by time, not by number: a storm of them ends nothing
        # that goes on.
        answer = wait(
            max(unavailable.retry_after_s or 0, pace.next_poll_s(deadline.waited_s)),
            unavailable.problem.message,
        )
    if answer.kind == "wait" and deadline.passes():
        return ended(Outcome.EXPIRED, _with_reason(late.problem, answer.because))
    return answer


def tried(
    attempt: Callable[[], Answer], pace: Pace, deadline: Deadline, late: TuneDropError
) -> Answer:
    """As `polled`, for a try to make something; its wait is told to whoever watches the run."""
    answer = polled(attempt, pace, deadline, late)
    if answer.kind != "wait" or answer.because is None:
        return answer
    deadline.ledger.show_wait(deadline.run_id, answer.because)
    # A full or busy account is not asked more often than it is worth.
    return wait(max(answer.wait_s, pace.next_poll_s(deadline.waited_s)), answer.because)


def needed[T](value: T | None, what: str) -> T:
    """What a living run must have by now, as its plan.

    Raises:
        InternalError: it is missing: the one answer of every activity.
    """
    # A run that stops is answered before anybody asks for it.
    if value is None:
        raise InternalError(f"the run has no {what}")
    return value


def _with_reason(late: Problem, because: str | None) -> Problem:
    return (
        late.model_copy(
            update={"message": f"{late.message} The last reason to wait: {because}"[:1000]}
        )
        if because
        else late
    )


def _answer(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except ServiceUnavailable:
        raise
    except Changed:
        problem = DataRejected(
            "TD-DROP-004",
            "A file of the drop was replaced or deleted while the run read it.",
            (
                "If a newer upload has its own run, you need to do nothing; otherwise drop the "
                "files again."
            ),
        ).problem
        return ended(Outcome.SUPERSEDED, problem)
    except (DataRejected, PlanRejected, BudgetExceeded) as error:
        return ended(Outcome.REJECTED, error.problem)
    except TuneDropError as error:
        return ended(Outcome.FAILED, error.problem)
