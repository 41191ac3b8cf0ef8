"""The record of a run, as the ledger keeps it, and its summary."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never

from shared.errors import Problem
from shared.models.base import Frozen
from shared.models.drop import Drop
from shared.models.effect_kinds import DEPLOYMENT, FILE, JOB
from shared.models.pace import Pace
from shared.models.plan import Plan, Role

BLOB_SHOWN_CHARS = 100


class Step(StrEnum):
    """The steps of a run, in their order. A run shows the furthest one that it entered."""

    CLAIMED = "claimed"
    SETTLE = "settle"
    PLAN = "plan"
    SCAN = "scan"
    GATE = "gate"
    UPLOAD = "upload"
    TRAIN = "train"
    DEPLOY = "deploy"
    SMOKE_TEST = "smoke_test"
    CLEAN_UP = "clean_up"
    REPORT = "report"
    ENDED = "ended"


# How far a run is when it enters a step: a rough measure, by the time that the steps usually take.
PERCENTAGES = dict(zip(Step, (0, 1, 3, 5, 12, 15, 20, 75, 90, 95, 98, 100), strict=True))


class Outcome(StrEnum):
    """How a run ends."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    NOT_BETTER = "not_better"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"

    @property
    def undoes(self) -> bool:
        """Whether a run that ends so takes back its own job and its deployment."""
        match self:
            case Outcome.SUCCEEDED:
                return False
            case (
                Outcome.REJECTED
                | Outcome.NOT_BETTER
                | Outcome.FAILED
                | Outcome.CANCELLED
                | Outcome.EXPIRED
                | Outcome.SUPERSEDED
                | Outcome.DUPLICATE
            ):
                return True
            case _:
                assert_never(self)


class Effect(Frozen):
    """Something that the run made outside, or meant to make: intent, look, act once, record."""

    state: Literal["intended", "unknown", "made", "removed"]
    holder: str
    """The execution that holds the intent."""
    at: datetime
    """When the state was written, by the storage service's clock."""
    id: str | None = None
    until: datetime | None = None
    """Until when an intent or an unknown outcome may still make the thing unseen. No setting that
    is read later shortens it. Of something made: until when an earlier execution that was held up
    may still make a second one.
    """
    lost: bool = False
    """Whether at the end it was somebody else's, and was left alone."""
    others: tuple[str, ...] = ()
    """What else bore the run's mark at the end, and was removed: a second copy of an execution that
    was held up.
    """


class FileSummary(Frozen):
    """What the scan found in one file; the whole stands in the scan blob."""

    examples: int
    errors: int
    warnings: int
    total_tokens: int
    content_hash: str
    at_most_tokens: int | None = None
    """The most that the service can count: also declarations of tools, other fields and images.
    None in records of the first releases.
    """


class WorstCase(Frozen):
    """What a run may cost at most until it ends, in US dollars."""

    usd: float
    training_usd: float
    hosting_usd: float
    """Of the deployment, while the run proves it: after a success it costs on by the hour."""
    tokens: int
    """Tokens of the training file, once over it, at most."""
    epochs: int


class Slot(Frozen):
    """What a run's deployment takes of its account: a place among the deployments, and quota."""

    account: str
    deployment: str
    """Its name in lower case: names are compared without case."""
    quota: str | None = None
    capacity: float = 0


class JobProgress(Frozen):
    """The last that was heard of the fine-tuning job."""

    status: str = "unknown"
    fine_tuned_model: str | None = None
    last_event: str | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    trained_tokens: int | None = None
    n_epochs: int | None = None
    created_at: int | None = None
    finished_at: int | None = None


class SmokeResult(Frozen):
    """How the smoke test ended."""

    verdict: Literal["passed", "failed", "blocked", "not_answered"]
    answer: str | None = None
    attempts: int = 1
    words_in_common: float | None = None
    """The share of the expected answer's words that the answer holds, from 0 to 1; told, not
    demanded. None where no answer is expected.
    """


class Ending(Frozen):
    """The decision that a run ends, and how: made once, before anything is taken back."""

    outcome: Outcome
    problem: Problem | None = None
    duplicate_of: str | None = None


class Entered(Frozen):
    """A step and when the run entered it."""

    step: Step
    at: datetime


class RunRecord(Frozen):
    """All that is known of a run: the one source of `GET /api/runs`, of a resume, and of the
    report.
    """

    id: str
    drop: Drop
    created_at: datetime
    updated_at: datetime
    written_by: str = ""
    step: Step = Step.CLAIMED
    timeline: tuple[Entered, ...] = ()
    pace: Pace | None = None
    """The pace of the day on which the run was claimed; a resume keeps it. None in records of the
    first releases.
    """
    job_settings: dict[str, object] | None = None
    """The body's job settings of an HTTP start, in place of job.json."""
    plan: Plan | None = None
    files: dict[Role, FileSummary] = {}
    effects: dict[str, Effect] = {}
    estimate_usd: float | None = None
    worst_case: WorstCase | None = None
    slot: Slot | None = None
    """What the gate saw that the deployment takes: reserved before anything is bought."""
    not_asked: tuple[str, ...] = ()
    """What the gate could not ask the account, a sentence each: the run went on without it. Empty
    in records of the first releases.
    """
    booked_at: datetime | None = None
    """When the wallet had booked it: by it a wallet that is lost is told anew. None also in records
    of the first releases.
    """
    reuse_of: str | None = None
    """The run whose trained model this one deploys, instead of training."""
    waits_because: str | None = None
    """What the run waits for before it can go on or make something, since it was told last;
    forgotten when it enters the next step.
    """
    turn_at: datetime | None = None
    """When it first held its content: from then on it waits for no other run with the same."""
    job: JobProgress | None = None
    smoke: SmokeResult | None = None
    smoke_attempts: int = 0
    nameless_since: datetime | None = None
    """When the job was first seen to have succeeded without naming its model."""
    late_looks: dict[str, int] = {}
    """How often the run has looked for something past its deadline."""
    cancel_requested_at: datetime | None = None
    ending: Ending | None = None
    ended_at: datetime | None = None
    report: str | None = None

    @property
    def outcome(self) -> Outcome | None:
        """How the run ended; None while it lives."""
        return self.ending.outcome if self.ending and self.ended_at else None

    @property
    def stopping(self) -> bool:
        """Whether nothing new may be made for this run."""
        return self.ending is not None or self.cancel_requested_at is not None

    def made(self, effect: str) -> str | None:
        """The id of what the run made under this name and has not removed."""
        found = self.effects.get(effect)
        return found.id if found and found.state == "made" else None

    def entered(self, step: Step) -> datetime:
        """When the run first entered this step; its creation where it never did."""
        return next((entry.at for entry in self.timeline if entry.step == step), self.created_at)


class RunSummary(Frozen):
    """One row of the list of runs: small enough for the metadata of the run's ledger blob."""

    id: str
    name: str
    step: Step
    percentage: int
    outcome: Outcome | None = None
    created_at: datetime
    updated_at: datetime
    model: str | None = None
    deployment: str | None = None
    duplicate_of: str | None = None
    reuse_of: str | None = None
    """The run whose trained model this one deploys."""
    cancel_requested: bool = False
    code: str | None = None
    waits_because: str | None = None
    blob: str | None = None
    """The blob that began the run, cut to 100 characters. None in rows of the first releases, until
    they are written again.
    """


def summary_of(record: RunRecord) -> RunSummary:
    """The row of this run."""
    return RunSummary(
        id=record.id,
        name=record.drop.name,
        step=record.step,
        percentage=PERCENTAGES[record.step],
        outcome=record.outcome,
        created_at=record.created_at,
        updated_at=record.updated_at,
        model=record.plan.training.model if record.plan else None,
        deployment=record.made(DEPLOYMENT.named()),
        duplicate_of=record.ending.duplicate_of if record.ending else None,
        reuse_of=record.reuse_of,
        cancel_requested=record.cancel_requested_at is not None,
        code=record.ending.problem.code if record.ending and record.ending.problem else None,
        waits_because=record.waits_because if _waits(record) and not record.stopping else None,
        blob=record.drop.blob
        if len(record.drop.blob) <= BLOB_SHOWN_CHARS
        else f"{record.drop.blob[: BLOB_SHOWN_CHARS - 1]}…",
    )


def _waits(record: RunRecord) -> bool:
    """Whether what the run waits for at its step isn't there yet."""
    # After that it only looks on.
    match record.step:
        case Step.SETTLE | Step.GATE:
            return True
        case Step.UPLOAD:
            return record.plan is not None and any(
                record.made(FILE.named(role)) is None for role in record.plan.roles
            )
        case Step.TRAIN:
            return record.made(JOB.named()) is None
        case Step.DEPLOY:
            return record.made(DEPLOYMENT.named()) is None
        case _:
            return False
