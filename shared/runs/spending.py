"""What the training of a run came to: by the service's own word where it gave one, else
reckoned.
"""

import re
from dataclasses import dataclass

from shared.models.effect_kinds import DEPLOYMENT, JOB
from shared.models.plan import Plan
from shared.models.record import RunRecord
from shared.runs.pinning import pinned
from shared.runs.result_files import kept_events
from tunedrop_check.counting import money

BILLED = re.compile(r"Training tokens billed: (\d+)")


@dataclass(frozen=True)
class Spend:
    """The training of a run in US dollars, without second jobs; `usd` None: no price is known."""

    usd: float | None
    is_estimate: bool = True
    billed_tokens: int | None = None
    is_told: bool = False
    """Whether the service told the billed tokens."""
    epochs: int | None = None
    usd_per_million_tokens: float | None = None


NOTHING = Spend(0.0, is_estimate=False)


def has_job(record: RunRecord) -> bool:
    """Whether the run has, had or may have had a job at the service."""
    job = record.effects.get(JOB.named())
    return job is not None and not (job.state == "removed" and job.id is None)


def has_bought(record: RunRecord) -> bool:
    """Whether the run has, had or may have had a job, or a deployment of a model that another run
    had trained.
    """
    return has_job(record) or (record.reuse_of is not None and DEPLOYMENT.named() in record.effects)


def training_spend(record: RunRecord, plan: Plan) -> Spend:
    """What this run's job costs, or cost."""
    from tunedrop_check.counting import pricing  # msgspec: not at import

    # Failed jobs are not billed (cost management page).
    if not has_job(record) or (record.job is not None and record.job.status == "failed"):
        return NOTHING
    told = record.job.n_epochs if record.job else None
    epochs = (
        told or plan.training.n_epochs or pricing.auto_epochs(record.files["training"].examples)
    )
    heard = _billed(record)
    billed = heard or pricing.billed_tokens(record.files["training"].total_tokens, epochs)
    rate = pinned(plan).prices.training_usd_per_million_tokens
    return Spend(
        usd=None if rate is None else money.price(billed, rate),
        billed_tokens=billed,
        is_told=heard is not None,
        epochs=epochs,
        usd_per_million_tokens=rate,
    )


def second_jobs(record: RunRecord) -> int:
    """How many jobs bore this run's mark beside its own."""
    # An execution that stood still in the middle of its call had begun them.
    job = record.effects.get(JOB.named())
    return len(job.others) if job else 0


def second_jobs_usd(record: RunRecord) -> float:
    """What the training of second jobs has cost at most."""
    # What each had done until its cancel is billed, and nobody is told how much.
    return second_jobs(record) * record.worst_case.training_usd if record.worst_case else 0.0


def spent_at_most(record: RunRecord, plan: Plan) -> float | None:
    """What an ended run has cost until its end, for the wallet; None where nobody knows."""
    spend, second_usd = training_spend(record, plan), second_jobs_usd(record)
    # An estimate frees no money.
    training = spend.usd if spend is NOTHING or _billed(record) is not None else None
    # What was booked stands, unless second jobs have cost more than that.
    if training is None:
        return record.worst_case.usd + second_usd if record.worst_case and second_usd else None
    # Hours of its deployment count in full, and second jobs as if they had trained to their end.
    hosting_usd = (
        record.worst_case.hosting_usd
        if record.worst_case and DEPLOYMENT.named() in record.effects
        else 0.0
    )
    return money.total(training, second_usd, hosting_usd)


def _billed(record: RunRecord) -> int | None:
    """What the service says that it billed, in the job's last event; else it is reckoned."""
    told = [found for event in kept_events(record) if (found := BILLED.match(event["message"]))]
    return int(told[-1][1]) if told else None
