"""What can go wrong, told once: for whom, in which words, and how to fix it.

    TuneDropError
    ├── DataRejected         the user fixes the data
    ├── PlanRejected         the user fixes job.json, a setting, or the account
    ├── BudgetExceeded       the user raises the budget, or trains on less
    ├── WalletFull           the user waits, or the owner raises what all runs together may buy
    ├── ServiceRejected      Azure said no, or ended what it had begun: code, message, request id
    ├── ServiceLost          something at Azure is gone, or ended without a reason
    ├── ProofFailed          the model is deployed, and did not prove itself in the smoke test
    ├── DeadlinePassed       something took longer than the pace allows
    ├── ServiceUnavailable   try again later: the only kind that is retried
    │   └── OutcomeUnknown   a creating call whose effect nobody has confirmed: look, never repeat
    ├── RecordUnreadable     an operator restores a record of the ledger
    ├── ClaimUnreadable      an operator restores a claim of the ledger
    └── InternalError        our fault

Only ServiceUnavailable leaves an activity as an exception. Every other kind is returned as its
`Problem`, because the durable engine retries whatever is raised. No text of a drop stands in a
message.
"""

import math
from typing import ClassVar, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from shared import diagnoses
from tunedrop_check.counting.money import amount
from tunedrop_check.rules.wording import lasting

TEXT_CHARS = 1_000
# What the adapters cut already, and nothing else may exceed: a text of a service once became a
# report of five megabytes.
ID_CHARS = 128

Kind = Literal["data", "plan", "budget", "service", "proof", "deadline", "unavailable", "internal"]


class Problem(BaseModel):
    """A failure as a value: what happened, how to fix it, and where the documentation tells
    more.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    code: str
    message: str
    fix: str = Field(validation_alias=AliasChoices("fix", "mend"))
    """Called `mend` in records and histories of the first releases, which are still read."""
    request_id: str | None = None

    @property
    def anchor(self) -> str:
        """The heading in docs/errors.md that explains this code."""
        return f"docs/errors.md#{self.code.lower()}"


class TuneDropError(Exception):
    """The root: a stable code, a sentence and a fix."""

    kind: ClassVar[Kind] = "internal"

    def __init__(self, code: str, message: str, fix: str, request_id: str | None = None) -> None:
        message, fix = message[:TEXT_CHARS], fix[:TEXT_CHARS]
        super().__init__(f"{code}: {message}")
        self.problem = Problem(
            kind=self.kind,
            code=code,
            message=message,
            fix=fix,
            request_id=request_id and request_id[:ID_CHARS],
        )


class DataRejected(TuneDropError):
    """The drop itself can't be used."""

    kind = "data"


class PlanRejected(TuneDropError):
    """What was asked for can't be done, by job.json, by the settings or by the account."""

    kind = "plan"


class BudgetExceeded(TuneDropError):
    """The training would cost more than it may."""

    kind = "budget"

    def __init__(self, worst_usd: float, budget_usd: float) -> None:
        super().__init__(
            "TD-BUDGET-001",
            (
                f"The run may cost up to {amount(worst_usd)} USD until its end; its budget is "
                f"{amount(budget_usd)} USD."
            ),
            (
                "Train on less data or for fewer epochs, or raise the budget: `budget.usd` in "
                "job.json, up to TUNEDROP_BUDGET_USD."
            ),
        )


class WalletFull(TuneDropError):
    """All runs together have bought what they may, or as many train as may at a time."""

    kind = "budget"

    @classmethod
    def of_places(cls, most: int) -> "WalletFull":
        """Too many runs between gate and end."""
        return cls(
            "TD-BUDGET-002",
            f"The limit of runs at the same time is reached: {most}.",
            (
                "You need to do nothing: the run continues when another run ends. "
                "TUNEDROP_JOBS_AT_A_TIME sets the limit."
            ),
        )

    @classmethod
    def of_jobs(cls, most: int) -> "WalletFull":
        """Too many jobs today."""
        return cls(
            "TD-BUDGET-003",
            f"All {most} jobs of this day (UTC) are used.",
            "Drop it again tomorrow, or ask the owner of the app to raise TUNEDROP_JOBS_A_DAY.",
        )

    @classmethod
    def of_money(cls, usd: float, spent: float, most: float) -> "WalletFull":
        """Too much money today."""
        return cls(
            "TD-BUDGET-004",
            (
                f"The run needs about {amount(usd)} USD; {amount(max(most - spent, 0))} of the "
                f"{amount(most)} USD of this day (UTC) are left."
            ),
            (
                "Drop it again tomorrow, train on less data, or ask the owner of the app to raise "
                "TUNEDROP_USD_A_DAY."
            ),
        )

    @classmethod
    def of_deployments(cls, coming: int) -> "WalletFull":
        """Other runs have booked the last places for deployments."""
        return cls(
            "TD-BUDGET-006",
            f"Other runs have booked the last places for fine-tuned deployments: {coming}.",
            (
                "You need to do nothing: the run continues when a booked place becomes free, "
                "and ends rejected if all places stay in use."
            ),
        )

    @classmethod
    def of_quota(cls, quota: str) -> "WalletFull":
        """Other runs have booked the rest of the quota."""
        return cls(
            "TD-BUDGET-007",
            f"The rest of the quota {quota} is booked by other runs.",
            (
                "You need to do nothing: the run continues when booked quota becomes free, and "
                "ends rejected if all of it stays in use."
            ),
        )

    @classmethod
    def of_patience(cls, waited_s: float) -> "WalletFull":
        """The run has waited for too long."""
        return cls(
            "TD-BUDGET-005",
            f"For {lasting(waited_s)} the limits of all runs together had no room for this run.",
            (
                "Drop it again later, or ask the owner of the app to raise TUNEDROP_JOBS_AT_A_TIME "
                "or the limits of the day."
            ),
        )


class ServiceRejected(TuneDropError):
    """Azure refused the call for good; or, by `said`, it ended badly what it had begun."""

    kind = "service"

    def __init__(
        self,
        service: str,
        status: int | None,
        azure_code: str,
        azure_message: str,
        request_id: str | None = None,
        *,
        said: str | None = None,
    ) -> None:
        self.status = status
        azure_code = azure_code[:ID_CHARS]
        self.azure_code = azure_code
        known = diagnoses.of(azure_code)
        unknown = (
            f"Look up {azure_code} in docs/errors.md; if it is still unclear, give the request id "
            "to Azure support."
        )
        super().__init__(
            "TD-SERVICE-001",
            (
                f"{said or f'{service} refused the call: {status or "no status"}'} {azure_code}: "
                f"{azure_message}"
            ),
            f"{known.cause} {known.fix}" if known else unknown,
            request_id,
        )


class ServiceLost(TuneDropError):
    """Something that the run has at Azure is gone, was ended from outside, or ended without a
    reason.
    """

    kind = "service"


class ProofFailed(TuneDropError):
    """The smoke test's verdict on a deployed model; what was asked and answered is in the report
    alone.
    """

    kind = "proof"


class DeadlinePassed(TuneDropError):
    """Something took longer than the pace allows; `field` is the field of TUNEDROP_PACE for it."""

    kind = "deadline"

    def __init__(self, code: str, message: str, field: str) -> None:
        helps = (
            f"Check whether Azure has an outage, then drop the files again; `{field}` of "
            "TUNEDROP_PACE says how long a run waits."
        )
        super().__init__(code, message, helps)


class ServiceUnavailable(TuneDropError):
    """The service can't answer now; `retry_after_s`: when it asked to be asked again, in s."""

    kind = "unavailable"

    def __init__(self, service: str, reason: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(
            "TD-SERVICE-002",
            f"{service} is not available: {reason}",
            "You need to do nothing: the run tries again.",
        )


def retry_after_s(header: str | None) -> float | None:
    """Retry-After in seconds, an hour at most; None where it is absent or no number."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    # `float` also reads "nan", which is no time to wait.
    return None if math.isnan(seconds) else min(max(seconds, 0.0), 3600.0)


class OutcomeUnknown(ServiceUnavailable):
    """A creating call ended without an answer: the thing may exist."""


class RecordUnreadable(TuneDropError):
    """The ledger's record of a run is damaged, or was written by a later release."""

    def __init__(self, run_id: str) -> None:
        super().__init__(
            "TD-LEDGER-001",
            f"The ledger's record of the run {run_id} can't be read.",
            (
                "Restore the blob runs/<run id>.json of the ledger's container from its versions, "
                "or go back to the release that wrote it."
            ),
        )


class ClaimUnreadable(TuneDropError):
    """A claim of the ledger is damaged, and whoever asked can't tell from the records who
    had it.
    """

    def __init__(self, claim: str) -> None:
        super().__init__(
            "TD-LEDGER-003",
            f"The claim {claim} of the ledger can't be read.",
            (
                "Restore the blob claims/<claim>.json of the ledger's container from its versions; "
                "then drop the files again."
            ),
        )


class InternalError(TuneDropError):
    """Something that should not happen, did."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "TD-INTERNAL-001",
            f"TuneDrop failed because of its own fault: {what}",
            (
                "The clean-up list of the report names everything that is left. "
                "Please report it with the run id."
            ),
        )
