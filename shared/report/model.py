"""The report of a run, as published in report.json (schema version 1).

Every run that was claimed ends in one `Report`, whatever its outcome. The JSON Schema of this model
is docs/schemas/report.schema.json; a field may be added with a default, but is never renamed or
given another meaning within a schema version. Money is in US dollars, sizes are in bytes, instants
carry their offset from UTC.
"""

from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FiniteFloat,
    NonNegativeInt,
)

type Outcome = Literal[
    "succeeded",
    "rejected",
    "not_better",
    "failed",
    "cancelled",
    "expired",
    "superseded",
    "duplicate",
]


def _encodable(value: object) -> object:
    """Lone surrogates, which JSON lets through and UTF-8 can't carry, become U+FFFD."""
    return (
        value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, str)
        else value
    )


Text = Annotated[str, BeforeValidator(_encodable)]
Usd = Annotated[FiniteFloat, "US dollars"]


class ReportObject(BaseModel):
    """Base of all objects of a report: frozen, closed, and silent about the values that it
    refuses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Problem(ReportObject):
    """What kept the run from succeeding, and how to fix it."""

    code: Text
    message: Text
    fix: Text
    anchor: Text
    """Heading of the documentation that says more, such as `troubleshooting.md#td-data-004`."""
    request_id: Text | None = None
    """The service's own id of the refused request, which its support asks for."""


class BlobPart(ReportObject):
    """One blob of the drop, pinned as the run has read it."""

    role: Literal["training", "validation", "job"]
    name: Text
    bytes: NonNegativeInt | None = None
    etag: Text
    sha256: Text | None = None
    content_hash: Text | None = None
    """Hash over the digests of the file's blocks, as the scan computes it."""


class DropPart(ReportObject):
    """Where the run's data came from."""

    account: Text
    container: Text
    blobs: list[BlobPart] = []


class SettingsPart(ReportObject):
    """What the run asked of the service, after the app's own limits were applied."""

    model: Text
    method: Text
    training_type: Text
    seed: int | None = None
    suffix: Text | None = None
    n_epochs: int | None = None
    hyperparameters: dict[Text, Text | int | FiniteFloat | bool | None] = {}


class FindingPart(ReportObject):
    """One fault of the data: its place and its fix, never the data itself."""

    line: int | None
    """Line of the file, counted from 1; absent where the whole file is meant, the first one where
    many lines are.
    """
    field: Text
    """JSON pointer into the line; empty for the whole line."""
    code: Text
    severity: Literal["error", "warning"]
    message: Text
    fix: Text
    times: NonNegativeInt = 1
    """How many lines the finding stands for; it counts once in `errors` or `warnings`."""
    lines: list[int] = []
    """Of a finding that may stand for many lines, the first 20 of them."""


class Tokens(ReportObject):
    """Distribution of a token count over the examples of a file."""

    min: FiniteFloat
    max: FiniteFloat
    mean: FiniteFloat
    median: FiniteFloat
    sum: FiniteFloat
    p5: FiniteFloat
    p95: FiniteFloat


class Bin(ReportObject):
    """Number of examples whose count of tokens lies between `low` and `high`, both included."""

    low: NonNegativeInt
    high: NonNegativeInt
    count: NonNegativeInt


class ImagesPart(ReportObject):
    """What the images of a file are estimated to count, beside the tokens of its texts."""

    images: NonNegativeInt
    assumed: NonNegativeInt
    """Images whose size isn't known, for they stand at an address: taken for 1,024 by 1,024."""
    tokens: NonNegativeInt


class DataPart(ReportObject):
    """What the scan found in one file."""

    role: Literal["training", "validation"]
    name: Text
    bytes: NonNegativeInt
    lines: NonNegativeInt
    examples: NonNegativeInt
    errors: NonNegativeInt
    warnings: NonNegativeInt
    findings: list[FindingPart] = []
    findings_shown_limit: NonNegativeInt = 100
    """At most this many errors, and as many warnings, are listed in `findings`; `errors` and
    `warnings` count all.
    """
    total: Tokens | None = None
    assistant: Tokens | None = None
    trained: Tokens | None = None
    """Of the answers that are learnt: without those of weight 0, and of preferences those that are
    preferred.
    """
    over_limit: NonNegativeInt = 0
    """Examples with more tokens than `max_example_tokens`, the most that the model takes."""
    max_example_tokens: NonNegativeInt | None = None
    images: ImagesPart | None = None
    histogram: list[Bin] = []


class MoneyPart(ReportObject):
    """What the run cost, and what it goes on costing."""

    training_usd: Usd | None = None
    """Absent where no price is known: the report never guesses."""
    training_is_estimate: bool = True
    billed_tokens: NonNegativeInt | None = None
    billed_by_service: bool = False
    """Whether the service told them; else they are what a job bills that runs to its end."""
    epochs: NonNegativeInt | None = None
    usd_per_million_tokens: Usd | None = None
    second_jobs: NonNegativeInt = 0
    """Jobs beside the run's own, found at its end and cancelled; `training_usd` is without them."""
    second_jobs_usd_at_most: Usd | None = None
    """What they have cost at most; absent where there was none, or nobody can say."""
    worst_case_usd: Usd | None = None
    """What the run could cost at most until its end, by which the gate and the wallet decided;
    absent where it never came so far.
    """
    training_usd_at_most: Usd | None = None
    hosting_usd_at_most: Usd | None = None
    """Of the deployment, for the hours that the run could take to prove it."""
    tokens_at_most: NonNegativeInt | None = None
    """The upper bound of the training file's tokens, once over it: also declarations of tools,
    other fields and images.
    """
    epochs_at_most: NonNegativeInt | None = None
    """The epochs of that worst case."""
    price_table_date: Text
    training_price_date: Text | None = None
    """The date of the training price, where it is older than the table."""
    training_price_is_assumed: bool = False
    """Whether the table has no training price, so that the owner's worst case stands in its
    place.
    """
    deployment_usd_per_hour: Usd | None = 0.0
    """0 when no deployment stands; absent where one stands whose price is not known."""
    deployment_usd_per_month: Usd | None = 0.0
    """The hourly price for 720 hours."""
    remove_command: Text | None = None


class CurvePoint(ReportObject):
    """One training step; what the service did not measure at that step is absent."""

    step: int
    train_loss: FiniteFloat | None = None
    valid_loss: FiniteFloat | None = None
    full_valid_loss: FiniteFloat | None = None
    train_mean_token_accuracy: FiniteFloat | None = None
    valid_mean_token_accuracy: FiniteFloat | None = None
    full_valid_mean_token_accuracy: FiniteFloat | None = None


class TrainingPart(ReportObject):
    """The fine-tuning job."""

    job_id: Text
    status: Text
    base_model: Text
    fine_tuned_model: Text | None = None
    trained_tokens: NonNegativeInt | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    curve: list[CurvePoint] = []
    last_events: list[Text] = []


class DeploymentPart(ReportObject):
    """The deployment that the run made."""

    name: Text
    model: Text
    sku: Text
    capacity: int
    state: Text
    stands: bool
    """Whether it still exists, and costs, as the run ends."""


class MessagePart(ReportObject):
    """One chat message of the smoke test."""

    role: Text
    content: Text


class SmokePart(ReportObject):
    """What the deployment was asked first, and what it answered."""

    verdict: Literal["passed", "failed", "blocked", "not_answered"]
    messages: list[MessagePart]
    answer: Text | None = None
    attempts: NonNegativeInt
    expectation: Text | None = None
    wanted: list[Text] = []
    """What the answer had to hold, whatever its case; nothing where any answer would do."""
    missing: list[Text] = []
    """What of it the answer does not hold."""
    row_of: Literal["training", "validation"] | None = None
    """The file that the question is a row of, where job.json gave none."""
    row_line: NonNegativeInt | None = None
    """The row's line there, from 1."""
    known_answer: Text | None = None
    """The answer that stands in that row: for comparison, not demanded."""
    words_in_common: FiniteFloat | None = None
    """The share of that answer's words that the model's answer holds, from 0 to 1; it decides
    nothing.
    """


class CleanUpPart(ReportObject):
    """One thing that the run removed, or tried to remove."""

    what: Text
    id: Text
    result: Text


class DuplicatePart(ReportObject):
    """The run that trained this content before, and what stands of it."""

    run_id: Text
    model: Text | None = None
    """Its fine-tuned model."""
    deployment: Text | None = None
    """The name of its deployment."""
    stands: bool = False
    """Whether that deployment stands, for all that the ledger knows."""
    differences: list[Text] = []
    """One sentence for each wish of this drop that the other run's deployment or smoke test does
    not meet.
    """


class TimelinePart(ReportObject):
    """When a step of the run began."""

    step: Text
    at: AwareDatetime


class Report(ReportObject):
    """One run from drop to verdict."""

    schema_version: Literal[1] = 1
    run_id: Text
    name: Text
    outcome: Outcome
    headline: Text
    """The verdict in one sentence."""
    problem: Problem | None = None
    created_at: AwareDatetime
    ended_at: AwareDatetime
    drop: DropPart
    settings: SettingsPart | None = None
    clamped: list[Text] = []
    """One sentence for each setting of the drop that the app's own limits have lowered."""
    not_asked: list[Text] = []
    """One sentence for each question that the account did not answer before anything was bought;
    the run went on without it.
    """
    data: list[DataPart] = []
    money: MoneyPart
    training: TrainingPart | None = None
    deployment: DeploymentPart | None = None
    smoke_test: SmokePart | None = None
    clean_up: list[CleanUpPart] = []
    reuse_of: Text | None = None
    """Run id of the run that has trained the model which this run deploys; absent where it trained
    one itself.
    """
    duplicate_of: Text | None = None
    """Run id of the run that already holds this content."""
    duplicate: DuplicatePart | None = None
    """What the ledger knows of that run."""
    stand_in: bool = False
    """Whether a stand-in on this machine took the place of Azure: then nothing was bought, and
    nothing costs.
    """
    tunedrop_version: Text | None = None
    """The release that wrote the report."""
    timeline: list[TimelinePart] = []
