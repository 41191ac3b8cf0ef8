"""What crosses the durable engine: references and small answers, at most 16 KB each, never data."""

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.errors import Problem
from shared.models.base import Frozen
from shared.models.drop import RUN_ID_MAX_CHARS, RUN_NAME
from shared.models.pace import Pace
from shared.models.plan import Role
from shared.models.record import Outcome

WIRE_MAX_BYTES = 16 * 1024
RunId = Annotated[str, Field(pattern=f"^{RUN_NAME.pattern}$", max_length=RUN_ID_MAX_CHARS)]
"""Checked wherever it comes in: it becomes part of names, and whoever can write to the task hub can send any message."""


class StartRun(Frozen):
    """Input of the run orchestrator: all else stands in the ledger."""

    run_id: RunId
    pace: Pace = Pace()
    version: int = 1
    """The version of the orchestrators that began this instance: it travels in the input, because the engine gives none to parts."""


class RunStep(Frozen):
    """Input of most activities."""

    run_id: RunId
    pace: Pace = Pace()


class FileStep(RunStep):
    """Input of the activities that work on one file of the run."""

    role: Role


class ScanSpan(RunStep):
    """Input of scan_range: one span of bytes of one file."""

    role: Role
    index: int
    start: int
    stop: int


class EndRun(RunStep):
    """Input of begin_ending: how the story ended."""

    outcome: Outcome
    problem: Problem | None = None
    duplicate_of: str | None = None


class Answer(Frozen):
    """What an activity says. Raised means "try me again"; everything else is one of these."""

    kind: Literal["done", "wait", "ended", "cancelled"]
    value: dict[str, Any] = {}
    wait_s: float = 0
    because: str | None = None
    outcome: Outcome = Outcome.FAILED
    problem: Problem | None = None
    duplicate_of: str | None = None


def done(**value: Any) -> Answer:
    """The step is over; `value` holds small plain JSON."""
    return Answer(kind="done", value=value)


def wait(seconds: float, because: str | None = None) -> Answer:
    """Not yet: ask again after so many seconds; `because` tells whoever watches the run what it waits for."""
    return Answer(kind="wait", wait_s=seconds, because=because)


def ended(outcome: Outcome, problem: Problem | None = None, duplicate_of: str | None = None) -> Answer:
    """The story ends here."""
    return Answer(kind="ended", outcome=outcome, problem=problem, duplicate_of=duplicate_of)


CANCELLED = Answer(kind="cancelled")
