"""What a run waits for before its plan is made, and that it says so."""

from datetime import datetime

import pytest

from activities.settle_drop import AT_ONCE
from shared.models.drop import drop_of
from shared.models.record import Ending, Outcome, RunRecord, summary_of
from tests.data import a_training_set
from tests.faults.rig import PACE, Rig
from tests.patience import until
from triggers.starting import new_record

pytestmark = pytest.mark.timeout(180)


def reason(rig: Rig, run_id: str) -> str | None:
    """Why the run waits, as its row tells it."""
    return summary_of(rig.ledger.get(run_id).record).waits_because


def claimed(rig: Rig, name: str, number: int) -> str:
    """An older run of this name that stands still before its first step."""
    drop = drop_of("account", "training", f"{name}.jsonl", f"0x{number}")
    assert drop is not None
    assert rig.ledger.claim(new_record(drop))
    return drop.run_id


def ended(record: RunRecord, now: datetime) -> RunRecord:
    """As it is after its end."""
    return record.model_copy(update={"ended_at": now, "ending": Ending(outcome=Outcome.FAILED)})


def test_run_waits_while_older_ones_of_its_name_are_not_at_the_gate_and_then_goes(rig: Rig) -> None:
    """Nothing of it is read meanwhile; when an older one ends, it goes."""
    older = [claimed(rig, "crowd", number) for number in range(AT_ONCE)]
    run = rig.start(rig.put("crowd", a_training_set("crowd")))
    until(lambda: "older runs of this name" in (reason(rig, run) or ""), what="the reason")
    assert rig.ledger.get(run).record.plan is None
    rig.ledger.change(older[0], ended)
    assert rig.ended(run).outcome == "succeeded"
    for one in older[1:]:
        rig.ledger.change(one, ended)


def test_run_goes_after_the_patience_for_companions_whatever_holds_the_older_ones_up(
    rig: Rig,
) -> None:
    """Runs that nobody takes up again hold nobody up for ever."""
    older = [claimed(rig, "stuck", number) for number in range(AT_ONCE)]
    run = rig.start(
        rig.put("stuck", a_training_set("stuck")), PACE.model_copy(update={"companion_s": 1.0})
    )
    assert rig.ended(run).outcome == "succeeded"
    for one in older:
        rig.ledger.change(one, ended)


def test_run_that_waits_for_its_validation_file_says_so(rig: Rig) -> None:
    """An hour in silence would look like a fault."""
    rig.upload("announced/job.json", b'{"validation": "expected"}')
    run = rig.start(rig.put("announced", a_training_set("announced"), "{}/training_set.jsonl"))
    until(lambda: "validation_set.jsonl" in (reason(rig, run) or ""), what="the reason")
    rig.upload("announced/validation_set.jsonl", a_training_set("announced-v"))
    assert rig.ended(run).outcome == "succeeded"
