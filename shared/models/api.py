"""What the HTTP API takes and answers; the OpenAPI description is written from these models."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.errors import Problem
from shared.models.base import Frozen
from shared.models.drop import RUN_NAME, RUN_NAME_MAX_CHARS
from shared.models.job_file import JobFile
from shared.models.plan import Role
from shared.models.record import Entered, FileSummary, RunSummary

BODY_MAX_BYTES = 256 * 1024
# What may be asked for; a page holds fewer.
RUNS_MAX = 10_000
RUNS_DEFAULT, PAGE_MAX = 100, 1_000
CURSOR_MAX_CHARS = 2_000


class StartRequest(BaseModel):
    """Starts a run for blobs that are in the container; `job` stands in place of job.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    run: Annotated[str, Field(pattern=f"^{RUN_NAME.pattern}$", max_length=RUN_NAME_MAX_CHARS)]
    """The name of the run: that of its folder, or of its file without the ending."""
    job: JobFile | None = None


class Started(Frozen):
    """The run of this upload; `started` is false where it had one already."""

    id: str
    name: str
    started: bool


class RunList(Frozen):
    """A page of runs, newest first."""

    runs: list[RunSummary]
    cursor: str | None = None
    """What to ask for the next page with; null on the last one."""


def _instant(seconds: object) -> object:
    """Seconds since 1970, as the service tells them, as an instant; None where they are beyond any
    calendar.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else seconds
    except (OverflowError, ValueError, OSError):
        return None


Instant = Annotated[datetime | None, BeforeValidator(_instant)]


class Job(Frozen):
    """The fine-tuning job, as it was heard of last; its times are instants, like all others
    here.
    """

    id: str | None = None
    status: str = "unknown"
    fine_tuned_model: str | None = None
    last_event: str | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    trained_tokens: int | None = None
    n_epochs: int | None = None
    created_at: Instant = None
    finished_at: Instant = None


class RunDetail(RunSummary):
    """A row, and what the row has no room for."""

    timeline: list[Entered]
    files: dict[Role, FileSummary]
    estimate_usd: float | None = None
    """What the training will probably cost, in US dollars."""
    worst_case_usd: float | None = None
    """What the run may cost at most until its end; by this the gate and the wallet decide."""
    job: Job | None = None
    answer: str | None = None
    """What the deployment answered to the smoke test."""
    smoke_test: Literal["passed", "failed", "blocked", "not_answered"] | None = None
    problem: Problem | None = None
    report: str | None = None
    """Container and path of report.html; its other files stand beside it."""


class Cancelling(Frozen):
    """The cancel is in the ledger, and the run will end by it."""

    id: str
    cancel_requested_at: datetime


Missing = Literal[
    "training container",
    "reports container",
    "ledger container",
    "training role",
    "reports role",
    "ledger role",
    "orchestrators",
]


class Health(Frozen):
    """Whether the app can do its work."""

    status: Literal["ok", "storage unavailable", "incomplete"]
    missing: tuple[Missing, ...] = ()
    """What isn't there. Containers by what they are for: the app makes them when it first needs
    them, or the owner does. Roles by their container: the app's identity may not even look at it.
    `orchestrators`: runs are claimed and don't begin, as on a Functions host that refuses the app's
    orchestrators.
    """


class Fault(Frozen):
    """What went wrong, and how to fix it; never what was sent."""

    code: str
    """A heading of docs/errors.md; the host's own refusals, which come before the app sees a
    request, have words instead.
    """
    message: str
    fix: str | None = None


class Refusal(Frozen):
    """The body of every error."""

    error: Fault
