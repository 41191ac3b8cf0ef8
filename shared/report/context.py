"""Parts of a report that take more than the run's own record: the run that it repeats, the smoke
test, and whether Azure was real.
"""

from shared.errors import RecordUnreadable
from shared.models.effect_kinds import DEPLOYMENT
from shared.models.plan import DeploymentPlan, Plan
from shared.models.record import RunRecord
from shared.report import model as page
from shared.runs.ledger import open_ledger
from shared.runs.pinning import pinned
from shared.settings import is_loopback, settings


def duplicate_part(record: RunRecord, plan: Plan | None) -> page.DuplicatePart | None:
    """What the ledger knows of the run that trained this content before; None where none did."""
    first = record.ending.duplicate_of if record.ending else None
    if first is None:
        return None
    try:
        found = open_ledger().read(first)
    except RecordUnreadable:
        # It is told by its id alone.
        found = None
    if found is None or found.record.plan is None:
        return page.DuplicatePart(run_id=first)
    other, effect = found.record, found.record.effects.get(DEPLOYMENT.named())
    return page.DuplicatePart(
        run_id=first,
        model=other.job.fine_tuned_model if other.job else None,
        deployment=found.record.plan.deployment.name if effect else None,
        stands=effect is not None and effect.state != "removed",
        differences=differences(record, plan, other, found.record.plan) if plan else [],
    )


def differences(record: RunRecord, plan: Plan, other: RunRecord, others: Plan) -> list[str]:
    """What this drop wished for beside the training that the other run did not do, one sentence
    each.
    """
    mine, theirs = _wishes(plan.deployment, record.id), _wishes(others.deployment, other.id)
    told = [
        f"deployment.{field}: this drop asks for {mine[field]}, the other has {theirs[field]}."
        for field in mine
        if mine[field] != theirs[field]
    ]
    if plan.smoke_test != others.smoke_test:
        told.append(
            "smoke_test: this drop has another question, or expects another answer, than the "
            "other run."
        )
    return told


def _wishes(deployment: DeploymentPlan, run_id: str) -> dict[str, str]:
    """A deployment by its fields."""
    # A name that nobody gave is the run's own, and no wish.
    return {
        "name": "its own name" if deployment.name == run_id else deployment.name,
        "sku": deployment.sku,
        "capacity": f"{deployment.capacity:,}",
        "rai_policy": deployment.rai_policy or "the default policy",
    }


def smoke_part(record: RunRecord, plan: Plan) -> page.SmokePart | None:
    """What the deployment was asked, what came and what was wanted; None where it was not asked."""
    if record.smoke is None:
        return None
    wanted, answer = plan.smoke_test.contains, record.smoke.answer or ""
    return page.SmokePart(
        verdict=record.smoke.verdict,
        messages=[
            page.MessagePart(role=m.role, content=m.content) for m in plan.smoke_test.messages
        ],
        answer=record.smoke.answer,
        attempts=record.smoke.attempts,
        expectation=f"contains {', '.join(wanted)}" if wanted else None,
        wanted=list(wanted),
        missing=[text for text in wanted if text.casefold() not in answer.casefold()]
        if record.smoke.verdict == "failed"
        else [],
        row_of=plan.smoke_test.row_of,
        row_line=plan.smoke_test.row_line,
        known_answer=plan.smoke_test.expected,
        words_in_common=record.smoke.words_in_common,
    )


def stood_in(plan: Plan | None) -> bool:
    """Whether a stand-in on this machine was asked instead of Azure."""
    # A loopback address can be nothing else.
    if plan is None:
        return is_loopback(settings().openai_endpoint)
    account = pinned(plan).account
    return is_loopback(account.openai_endpoint) or is_loopback(account.arm_endpoint)
