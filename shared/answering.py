"""How an activity answers: what must not be retried is returned, what may be is raised."""

from collections.abc import Callable
from typing import Any

from shared.errors import BudgetExceeded, DataRejected, PlanRejected, ServiceUnavailable, TuneDropError
from shared.models.base import wire
from shared.models.messages import Answer, ended
from shared.models.record import Outcome
from shared.storage import Changed


def answered(work: Callable[[], Answer]) -> dict[str, Any]:
    """The answer of this work in plain JSON.

    Raises:
        ServiceUnavailable: the only kind that the engine may retry.
    """
    return wire(_answer(work))


def _answer(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except ServiceUnavailable:
        raise
    except Changed:
        problem = DataRejected(
            "TD-DROP-004",
            "A file of the drop was replaced or deleted while the run read it.",
            "Nothing to do where a newer upload has its own run; else drop the files again.",
        ).problem
        return ended(Outcome.SUPERSEDED, problem)
    except (DataRejected, PlanRejected, BudgetExceeded) as error:
        return ended(Outcome.REJECTED, error.problem)
    except TuneDropError as error:
        return ended(Outcome.FAILED, error.problem)
