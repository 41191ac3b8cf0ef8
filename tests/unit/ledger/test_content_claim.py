"""The content claim: one training at a time, one success, and a next one wherever the holder ended
badly.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from activities.claim_content import claimed, content_key
from shared.errors import ClaimUnreadable, ServiceRejected
from shared.models.messages import CANCELLED, Answer, RunStep, done
from shared.models.record import (
    Effect,
    Ending,
    Entered,
    JobProgress,
    Outcome,
    RunRecord,
    Step,
    summary_of,
)
from shared.runs.ledger import Ledger, with_effect
from shared.services.storage import Container
from tests.builders import AT_ONCE, NOW, a_plan, a_record

PACE = AT_ONCE.model_copy(update={"poll_first_s": 0, "poll_most_s": 0, "brief_s": 0})
ENDS_BADLY = [outcome for outcome in Outcome if outcome is not Outcome.SUCCEEDED]


def nothing_to_take_back(_holder: RunStep) -> Answer:
    """No run of this test left a job behind."""
    raise AssertionError


def claim(
    ledger: Ledger, run: RunRecord, take_back: Callable[[RunStep], Answer] = nothing_to_take_back
) -> Answer:
    """One call of the activity."""
    return claimed(ledger, RunStep(run_id=run.id, pace=PACE), take_back)


def begun(ledger: Ledger, *names: str, **changes: Any) -> list[RunRecord]:
    """Runs of the same content that the ledger knows."""
    runs = [a_record(name, **changes) for name in names]
    for run in runs:
        assert ledger.claim(run)
    return runs


def change(ledger: Ledger, run: RunRecord, **changes: Any) -> RunRecord:
    """Writes these fields of the run's record."""
    return ledger.change(run.id, lambda record, _now: record.model_copy(update=changes))


def end(ledger: Ledger, run: RunRecord, outcome: Outcome) -> None:
    """Closes the run."""
    change(ledger, run, ending=Ending(outcome=outcome), ended_at=NOW)


def test_run_waits_and_says_for_whom_while_another_one_trains_the_same(ledger: Ledger) -> None:
    """A wait, not an end: whether it is a duplicate shows in how the first one ends."""
    first, second = begun(ledger, "first", "second")
    assert (claim(ledger, first).kind, claim(ledger, second).kind) == ("done", "wait")
    assert first.id in (summary_of(ledger.get(second.id).record).waits_because or "")
    assert summary_of(ledger.get(first.id).record).waits_because is None


def test_run_is_a_duplicate_once_the_holder_has_succeeded(ledger: Ledger) -> None:
    """It names the run that trained its content."""
    first, second = begun(ledger, "first", "second")
    for run in (first, second):
        claim(ledger, run)
    end(ledger, first, Outcome.SUCCEEDED)
    answer = claim(ledger, second)
    assert (answer.kind, answer.outcome, answer.duplicate_of) == (
        "ended",
        Outcome.DUPLICATE,
        first.id,
    )


@pytest.mark.parametrize("outcome", ENDS_BADLY)
def test_one_of_the_waiting_goes_on_once_the_holder_has_ended_badly(
    ledger: Ledger, outcome: Outcome
) -> None:
    """Never none: the next one trains, says no more that it waits, and the others wait for it."""
    first, second, third = begun(ledger, "first", "second", "third")
    for run in (first, second, third):
        claim(ledger, run)
    end(ledger, first, outcome)
    assert (claim(ledger, second).kind, claim(ledger, third).kind) == ("done", "wait")
    assert ledger.get(second.id).record.waits_because is None
    assert second.id in (ledger.get(third.id).record.waits_because or "")


def test_run_that_is_ending_holds_its_content_until_everything_is_taken_back(
    ledger: Ledger,
) -> None:
    """Between the decision and the end its job may still be training."""
    first, second = begun(ledger, "first", "second")
    claim(ledger, first)
    change(ledger, first, ending=Ending(outcome=Outcome.CANCELLED))
    assert claim(ledger, second).kind == "wait"


@pytest.mark.parametrize("state", ["intended", "unknown", "made"])
def test_job_that_was_left_behind_is_cancelled_by_who_waits_before_it_trains(
    ledger: Ledger, state: Any
) -> None:
    """One job at a time also where the first run's own cancel never reached the service."""
    first, second = begun(ledger, "first", "second")
    claim(ledger, first)
    ledger.change(
        first.id,
        lambda r, now: with_effect(r, "job", Effect(state=state, holder="h", at=now, id="ftjob-1")),
    )
    end(ledger, first, Outcome.FAILED)

    def take_back(holder: RunStep) -> Answer:
        ledger.change(
            holder.run_id,
            lambda r, now: with_effect(
                r, "job", Effect(state="removed", holder="h", at=now, id="ftjob-1")
            ),
        )
        return done()

    assert [claim(ledger, second, take_back).kind for _ in range(2)] == ["wait", "done"]


def test_refusal_to_take_back_the_job_of_another_run_is_a_reason_to_wait(ledger: Ledger) -> None:
    """The holder's account may refuse for good what the waiting run's own would not."""
    first, second = begun(ledger, "first", "second")
    claim(ledger, first)
    ledger.change(
        first.id,
        lambda r, now: with_effect(
            r, "job", Effect(state="made", holder="h", at=now, id="ftjob-1")
        ),
    )
    end(ledger, first, Outcome.FAILED)

    def take_back(_holder: RunStep) -> Answer:
        raise ServiceRejected("Azure OpenAI", 400, "UnsupportedApiVersion", "It is retired.")

    assert claim(ledger, second, take_back).kind == "wait"
    waits = summary_of(ledger.get(second.id).record).waits_because
    assert waits
    assert "is left" in waits
    assert "UnsupportedApiVersion" in waits


def test_cancelled_run_waits_no_more(ledger: Ledger) -> None:
    """A waiting run can be cancelled, and then shows no reason to wait."""
    first, second = begun(ledger, "first", "second")
    for run in (first, second):
        claim(ledger, run)
    change(ledger, second, cancel_requested_at=NOW)
    assert claim(ledger, second) == CANCELLED
    assert summary_of(ledger.get(second.id).record).waits_because is None


def test_run_does_not_wait_for_ever(ledger: Ledger) -> None:
    """After the longest time that a run can live it ends expired, and names the holder."""
    long_ago = NOW - timedelta(seconds=PACE.run_deadline_s + 3600)
    first, second = begun(
        ledger, "first", "second", timeline=(Entered(step=Step.GATE, at=long_ago),)
    )
    claim(ledger, first)
    answer = claim(ledger, second)
    assert (answer.kind, answer.outcome) == ("ended", Outcome.EXPIRED)
    assert answer.problem
    assert first.id in answer.problem.message


def test_run_that_has_begun_to_buy_asks_no_more(ledger: Ledger) -> None:
    """A resumed run is not undone because a retrain took its claim meanwhile."""
    [first] = begun(ledger, "first")
    [retrain] = begun(ledger, "second", plan=a_plan(retrain=True))
    claim(ledger, first)
    ledger.change(
        first.id,
        lambda r, now: with_effect(
            r, "file:training", Effect(state="made", holder="h", at=now, id="file-1")
        ),
    )
    assert (claim(ledger, retrain).kind, claim(ledger, first).kind) == ("done", "done")


def a_failed_retrain(ledger: Ledger, number: int, model: str | None = None) -> RunRecord:
    """A run that takes the content by force and ends badly; with a model where its training had
    succeeded.
    """
    [retrain] = begun(ledger, f"again{number}", plan=a_plan(retrain=True))
    assert claim(ledger, retrain).kind == "done"
    change(
        ledger,
        retrain,
        job=JobProgress(status="succeeded", fine_tuned_model=model) if model else None,
    )
    end(ledger, retrain, Outcome.FAILED)
    return retrain


@pytest.mark.parametrize("at_once", [False, True])
def test_success_is_never_forgotten_however_many_retrains_fail(
    ledger: Ledger, at_once: bool
) -> None:
    """Nine retrains by force, one after the other or all at once, that fail: the content has been
    trained, and is not trained again.
    """
    [first] = begun(ledger, "first")
    claim(ledger, first)
    end(ledger, first, Outcome.SUCCEEDED)
    if at_once:
        retrains = begun(
            ledger, *(f"again{number}" for number in range(9)), plan=a_plan(retrain=True)
        )
        for retrain in retrains:
            assert claim(ledger, retrain).kind == "done"
        for retrain in retrains:
            end(ledger, retrain, Outcome.FAILED)
    else:
        for number in range(9):
            a_failed_retrain(ledger, number)
    [late] = begun(ledger, "late")
    answer = claim(ledger, late)
    assert (answer.outcome, answer.duplicate_of) == (Outcome.DUPLICATE, first.id)


def test_last_trained_model_is_never_forgotten(ledger: Ledger) -> None:
    """A run that trained and could not be deployed keeps its model: its content's claim names it,
    whatever fails after it.
    """
    key = f"content/{content_key(a_record())}"
    assert ledger.trainers(key) == []
    trained = a_failed_retrain(ledger, 0, model="gpt-4.1-mini.ft-7")
    later = [a_failed_retrain(ledger, number) for number in range(1, 4)]
    assert ledger.trainers(key) == [later[-1].id, trained.id]
    better = a_failed_retrain(ledger, 4, model="gpt-4.1-mini.ft-8")
    latest = a_failed_retrain(ledger, 5)
    assert ledger.trainers(key) == [latest.id, better.id]


@pytest.mark.parametrize(
    "damage", [b"", b"[", b'{"run_id": 1}'], ids=["empty", "cut off", "nonsense"]
)
def test_claim_that_is_damaged_is_told_anew_from_the_records(
    ledger: Ledger, container: Container, damage: bytes
) -> None:
    """Who holds it keeps it, a success is not forgotten, and no run ends for it."""
    key = f"content/{content_key(a_record())}"
    first, holder, waiting = begun(ledger, "first", "holder", "waiting")
    claim(ledger, first)
    end(ledger, first, Outcome.FAILED)
    claim(ledger, holder)
    container.put(f"claims/{key}.json", damage)
    assert claim(ledger, waiting).kind == "wait"
    assert holder.id in (summary_of(ledger.get(waiting.id).record).waits_because or "")
    assert ledger.trainers(key) == [holder.id]
    assert claim(ledger, holder).kind == "done"
    end(ledger, holder, Outcome.SUCCEEDED)
    container.put(f"claims/{key}.json", damage)
    assert claim(ledger, waiting).duplicate_of == holder.id


def test_claim_that_nobody_can_tell_anew_is_refused_by_name(
    ledger: Ledger, container: Container
) -> None:
    """Never "failed inside"."""
    container.put("claims/content/abc.json", b"")
    with pytest.raises(ClaimUnreadable, match="TD-LEDGER-003"):
        ledger.hold("content/abc", "travel-00000000", lambda _record: True)
    with pytest.raises(ClaimUnreadable, match="TD-LEDGER-003"):
        ledger.trainers("content/abc")


@dataclass
class World:
    """What a service would see of runs of the same content, each with an ending of its own."""

    ledger: Ledger
    endings: dict[str, Outcome]
    training: set[str] = field(default_factory=set[str])
    trained: list[str] = field(default_factory=list[str])
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def live(self, run: RunRecord) -> Outcome:
        """A run from its claim to its end."""
        while (answer := claim(self.ledger, run)).kind == "wait":
            pass
        outcome = answer.outcome
        if answer.kind == "done":
            outcome = self.endings[run.id]
            self.train(run.id)
        end(self.ledger, run, outcome)
        return outcome

    def train(self, run_id: str) -> None:
        """One job; the claim is asked again meanwhile, as by a sweep that resumes the run or an
        activity that runs twice.
        """
        with self.lock:
            self.training.add(run_id)
            self.trained.append(run_id)
            self.most_at_once = max(self.most_at_once, len(self.training))
        assert (
            claimed(self.ledger, RunStep(run_id=run_id, pace=PACE), nothing_to_take_back).kind
            == "done"
        )
        with self.lock:
            self.training.discard(run_id)


@pytest.mark.parametrize("seed", range(4))
def test_ten_runs_at_once_train_one_at_a_time_until_one_succeeds(ledger: Ledger, seed: int) -> None:
    """Whatever happens to the holders: never two jobs at a time, one success if any would succeed,
    and duplicates name it.
    """
    dice = random.Random(seed)  # noqa: S311  # a seeded choice of endings, nothing secret
    runs = begun(ledger, *(f"run{number}" for number in range(10)))
    bad = [dice.choice([Outcome.FAILED, Outcome.CANCELLED, Outcome.EXPIRED]) for _ in runs]
    endings = (
        bad
        if seed == 0
        else [Outcome.SUCCEEDED if dice.random() < 0.3 else outcome for outcome in bad]
    )
    world = World(ledger, {run.id: ending for run, ending in zip(runs, endings, strict=True)})
    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(world.live, runs))
    assert world.most_at_once == 1
    assert outcomes.count(Outcome.SUCCEEDED) == (Outcome.SUCCEEDED in endings)
    winner = next(
        (
            run.id
            for run, outcome in zip(runs, outcomes, strict=True)
            if outcome is Outcome.SUCCEEDED
        ),
        None,
    )
    assert world.trained[-1] == winner or winner is None
    assert len(world.trained) + outcomes.count(Outcome.DUPLICATE) == 10


def test_damaged_claim_still_names_who_has_trained(ledger: Ledger, container: Container) -> None:
    """A drop that asks for `reuse` finds the model by the records; a success stands first."""
    key = f"content/{content_key(a_record())}"
    good, bad = begun(ledger, "good", "bad")
    claim(ledger, good)
    end(ledger, good, Outcome.SUCCEEDED)
    claim(ledger, bad)
    container.put(f"claims/{key}.json", b"")
    had = [good.id, bad.id]
    assert ledger.trainers(key, lambda record: record.id in had) == had
