"""Deploying a trained model again, without paying for training again: which run's model, and what
the story then leaves out.
"""

import hashlib
import json
from collections.abc import Callable

from shared.models.job_file import DeployRequest
from shared.models.record import JobProgress, RunRecord
from shared.runs.answering import needed
from shared.runs.ledger import Ledger
from shared.runs.pinning import pinned

# The status of the job of a run that trained nothing.
REUSED = "reused"


def reuses(record: RunRecord) -> bool:
    """Whether the run deploys a trained model: it scans, uploads and trains nothing."""
    return record.reuse_of is not None


def trained_model(record: RunRecord) -> str | None:
    """The model that this run has trained, or deploys again."""
    return record.job.fine_tuned_model if record.job else None


def taken_from(record: RunRecord, source: RunRecord) -> RunRecord:
    """The record as one that deploys the model of `source`."""
    job = JobProgress(status=REUSED, fine_tuned_model=trained_model(source))
    return record.model_copy(update={"reuse_of": source.reuse_of or source.id, "job": job})


def source_of(
    ledger: Ledger, claim: str, record: RunRecord, about: Callable[[RunRecord], bool]
) -> RunRecord | None:
    """The last run that has trained this content on the account of this run's plan. `about` tells
    who had the claim on the content, where that is damaged.
    """
    for run_id in ledger.trainers(claim, about):
        found = ledger.read(run_id) if run_id != record.id else None
        if (
            found
            and found.record.ended_at
            and trained_model(found.record)
            and _same_account(found.record, record)
        ):
            return found.record
    return None


def _same_account(one: RunRecord, other: RunRecord) -> bool:
    if one.plan is None or other.plan is None:
        return False
    return pinned(one.plan).account.id.lower() == pinned(other.plan).account.id.lower()


def id_of(source: RunRecord, wish: DeployRequest, number: int) -> str:
    """The id of the run that deploys this model for the `number`-th time by the same request."""
    wanted, before = wish.deployment, needed(source.plan, "plan").deployment
    # The same request is the same run: what is left out counts as what it stands for, and a run
    # that deploys again as the one that has trained.
    told = {
        "of": source.reuse_of or source.id,
        "name": (wanted.name or "").lower(),
        "sku": (wanted.sku or before.sku).lower(),
        "capacity": wanted.capacity or before.capacity,
        "rai_policy": (wanted.rai_policy or before.rai_policy or "").lower(),
        "smoke_test": wish.smoke_test.model_dump() if wish.smoke_test else None,
        "number": number,
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return f"{source.drop.name}-{digest[:8]}"
