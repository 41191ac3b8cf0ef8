"""Runs of one name go to the gate a few at a time, the oldest first."""

from datetime import timedelta
from typing import Any

import pytest

from activities.settle_drop import AT_ONCE, in_the_way
from shared.models.record import Outcome, RunRecord, Step, summary_of
from shared.runs.ledger import Ledger
from tests.builders import NOW, a_drop, a_record


def begun(ledger: Ledger, number: int, name: str = "travel", **changes: Any) -> RunRecord:
    """The number-th run of this name, each a second later than the one before it."""
    drop = a_drop(name, f"0x{number}")
    record = a_record(
        name,
        drop=drop,
        id=drop.run_id,
        created_at=NOW + timedelta(seconds=number),
        step=Step.SETTLE,
        **changes,
    )
    assert ledger.claim(record)
    return record


def test_oldest_runs_of_a_name_go_and_the_others_wait_and_say_why(ledger: Ledger) -> None:
    """As many as may be at a time."""
    runs = [begun(ledger, number) for number in range(AT_ONCE + 2)]
    reasons = [in_the_way(ledger, run) for run in runs]
    assert [reason is None for reason in reasons] == [True] * AT_ONCE + [False] * 2
    assert str(AT_ONCE) in (reasons[-1] or "")


def test_run_goes_when_an_older_one_is_at_the_gate_or_has_ended(ledger: Ledger) -> None:
    """One that has ended, or waits in the gate for money, is in nobody's way."""
    older = [begun(ledger, number) for number in range(AT_ONCE)]
    last = begun(ledger, AT_ONCE)
    assert in_the_way(ledger, last) is not None
    ledger.change(older[1].id, lambda record, _: record.model_copy(update={"step": Step.GATE}))
    assert in_the_way(ledger, last) is None


def test_ended_runs_and_runs_of_other_names_are_in_nobodys_way(ledger: Ledger) -> None:
    """Also of names that begin alike."""
    for number in range(10):
        begun(ledger, number, outcome=Outcome.REJECTED)
        begun(ledger, number, "travel-desk")
        begun(ledger, number, "tra")
    assert in_the_way(ledger, begun(ledger, 99)) is None


@pytest.mark.parametrize(
    ("step", "told"), [(Step.SETTLE, "why"), (Step.SCAN, None), (Step.GATE, "why")]
)
def test_reason_of_a_wait_is_told_at_the_steps_that_wait(step: Step, told: str | None) -> None:
    """In the row of the run."""
    assert summary_of(a_record(step=step, waits_because="why")).waits_because == told
