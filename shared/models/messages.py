"""What crosses the durable engine: references and small answers, at most 16 KB each, never data."""

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.errors import Problem
from shared.models.answers import FileSize
from shared.models.base import Frozen, wire
from shared.models.drop import RUN_ID_MAX_CHARS, RUN_NAME
from shared.models.pace import Pace
from shared.models.plan import Role
from shared.models.record import Outcome

# The external event that cuts a wait short; what it is about stands in the ledger.
WAKE = "wake"

# A message holds references and summaries: above 45 KB the durable engine would move it to a blob
# of its own (Azure Storage provider).
WIRE_MAX_BYTES = 16 * 1024
# Checked wherever it comes in: it becomes part of names, and whoever can write to the task hub can
# send any message.
RunId = Annotated[str, Field(pattern=f"^{RUN_NAME.pattern}$", max_length=RUN_ID_MAX_CHARS)]


class StartRun(Frozen):
    """Input of the run orchestrator: all else stands in the ledger."""

    run_id: RunId
    pace: Pace = Pace()
    version: int = 1
    """The version of the orchestrators that began this instance: it travels in the input, because
    the engine gives none to parts.
    """


class ScanStart(StartRun):
    """Input of the scan orchestrator: what there is to scan."""

    files: dict[Role, FileSize]
    span_bytes: int


class GateState(StartRun):
    """Input of the gate orchestrator, and what it keeps from turn to turn."""

    passed: int = 0
    """How many of its parts the run has passed."""
    because: str | None = None
    """What the run waits for."""


class TrainState(StartRun):
    """Input of the train orchestrator, and what it keeps from turn to turn."""

    created: bool = False
    """Whether the fine-tuning job is there."""


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
    """The plain JSON of one of the models in shared/models/answers.py; `tells` reads it."""
    wait_s: float = 0
    because: str | None = None
    outcome: Outcome = Outcome.FAILED
    problem: Problem | None = None
    duplicate_of: str | None = None

    def tells[M: Frozen](self, kind: type[M]) -> M:
        """The value, typed."""
        return kind.model_validate(self.value)


def done(value: Frozen | None = None) -> Answer:
    """The step is over; `value` is what it tells."""
    return Answer(kind="done", value=wire(value) if value else {})


def wait(seconds: float, because: str | None = None) -> Answer:
    """Not yet: ask again after so many seconds; `because` tells what the run waits for."""
    return Answer(kind="wait", wait_s=seconds, because=because)


def ended(
    outcome: Outcome, problem: Problem | None = None, duplicate_of: str | None = None
) -> Answer:
    """The story ends here."""
    return Answer(kind="ended", outcome=outcome, problem=problem, duplicate_of=duplicate_of)


CANCELLED = Answer(kind="cancelled")
