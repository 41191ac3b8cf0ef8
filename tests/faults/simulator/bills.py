"""What runs and days cost, by the provider's own bill, beside the limits that they had."""

import math
from collections import Counter
from typing import TYPE_CHECKING

from shared.models.record import RunRecord, Step, WorstCase
from tests.faults.simulator.watch import Violation

if TYPE_CHECKING:
    from tests.faults.simulator.simulation import Simulation

MILL = 0.001
NONE = WorstCase(usd=0, training_usd=0, hosting_usd=0, tokens=0, epochs=0)


def no_run_costs_more_than_its_limit(world: "Simulation") -> None:
    """I5: training and hosting until the end of the run, each within its part of the worst case,
    and that within the budget.
    """
    training, hosting = _training(world), _hosting(world)
    for record in world.watch.records.values():
        worst, budget = record.worst_case or NONE, record.plan.budget_usd if record.plan else 0
        trained, stood = training[record.id], hosting[record.id]
        if record.id not in world.watch.frozen_in_a_call and trained > worst.training_usd + MILL:
            raise Violation(
                "I5",
                (
                    f"the training of {record.id} was billed {trained:.3f}; at most "
                    f"{worst.training_usd:.3f} was told"
                ),
            )
        if stood > worst.hosting_usd + MILL:
            raise Violation(
                "I5",
                (
                    f"until its end {record.id} stood for {stood:.2f}; at most "
                    f"{worst.hosting_usd:.2f} was told"
                ),
            )
        if (trained or stood) and worst.usd > budget + MILL:
            raise Violation(
                "I5",
                f"{record.id} bought for up to {worst.usd:.2f}, and has a budget of {budget:.2f}",
            )


def no_day_costs_more_than_its_limit(world: "Simulation") -> None:
    """I5: a run counts on the day on which it was through the gate."""
    training, hosting = _training(world), _hosting(world)
    days: Counter[str] = Counter()
    for record in world.watch.records.values():
        if booked := next(
            (entry.at for entry in record.timeline if entry.step in {Step.UPLOAD, Step.DEPLOY}),
            None,
        ):
            days[booked.date().isoformat()] += training[record.id] + hosting[record.id]  # pyright: ignore[reportArgumentType]  # dollars
    if over := {day: usd for day, usd in days.items() if usd > world.usd_a_day + MILL}:
        raise Violation("I5", f"days cost {over}; {world.usd_a_day:.2f} may")


def _training(world: "Simulation") -> Counter[str]:
    bills: Counter[str] = Counter()
    jobs = {job["id"]: str(world.provider.run_of(job)) for job in world.provider.docs("job")}
    for job_id, usd in world.provider.training_bills().items():
        bills[jobs[job_id]] += usd
    return bills


def _hosting(world: "Simulation") -> Counter[str]:
    """Until each run's end: what succeeded stands on, and the report tells what it costs an
    hour.
    """
    bills: Counter[str] = Counter()
    records = world.watch.records
    trained_for = {
        job.get("result_name"): str(world.provider.run_of(job))
        for job in world.provider.docs("job")
    }
    owners = {
        record.job.fine_tuned_model: record
        for record in records.values()
        if record.job and record.job.fine_tuned_model
    }
    for stood in world.provider.hosting():
        record = owners.get(stood["model"]) or records[trained_for[stood["model"]]]
        until = min(stood["until"] or math.inf, _ended(record))
        bills[record.id] += max(0.0, until - stood["from"]) / 3600 * stood["usd_per_hour"]
    return bills


def _ended(record: RunRecord) -> float:
    return record.ended_at.timestamp() if record.ended_at else math.inf
