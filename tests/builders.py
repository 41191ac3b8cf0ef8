"""The world of the tests in builders: each argument that a test names matters to that test."""

from datetime import UTC, datetime
from typing import Any

from shared.models.drop import Drop, drop_of
from shared.models.messages import Answer
from shared.models.pace import Pace
from shared.models.plan import DeploymentPlan, Pin, Plan, SmokeTestPlan, Training
from shared.models.record import Ending, FileSummary, Outcome, RunRecord

NOW = datetime(2024, 11, 24, 12, tzinfo=UTC)
"""Long ago, so that a test whose verdict depends on the day it is run shows it."""
AT_ONCE = Pace(settle_s=0, poll_first_s=0.05, poll_most_s=0.2, brief_s=0.05, call_s=0, list_lag_s=0)
"""A pace that waits for nothing."""


def done_with(**value: Any) -> Answer:
    """What an activity answers that is done and tells this."""
    return Answer(kind="done", value=value)


def a_drop(name: str = "travel", etag: str = "0x1") -> Drop:
    """A drop of one training file in a folder."""
    drop = drop_of("account", "training", f"{name}/training_set.jsonl", etag)
    assert drop is not None
    return drop


def a_plan(**changes: Any) -> Plan:
    """A plan with nothing special in it."""
    plan = Plan(
        training_file=Pin(blob="travel/training_set.jsonl", etag="0x1", bytes=100),
        training=Training(model="gpt-4.1-mini-2025-04-14", training_type="GlobalStandard"),
        suffix="travel",
        deployment=DeploymentPlan(name="travel", sku="GlobalStandard", capacity=10),
        smoke_test=SmokeTestPlan(messages=()),
        budget_usd=10,
    )
    return plan.model_copy(update=changes)


def a_record(name: str = "travel", *, outcome: Outcome | None = None, **changes: Any) -> RunRecord:
    """A record of a run; with an outcome, of one that has ended."""
    drop = a_drop(name)
    record = RunRecord(
        id=drop.run_id,
        drop=drop,
        created_at=NOW,
        updated_at=NOW,
        files={"training": a_summary()},
        plan=a_plan(),
    )
    if outcome:
        record = record.model_copy(update={"ending": Ending(outcome=outcome), "ended_at": NOW})
    return record.model_copy(update=changes)


def a_summary(**changes: Any) -> FileSummary:
    """The scan of a file of 10 examples."""
    found = FileSummary(
        examples=10,
        errors=0,
        warnings=0,
        total_tokens=500,
        content_hash="ab" * 32,
        at_most_tokens=500,
    )
    return found.model_copy(update=changes)
