"""The same content under ten names at once: real orchestrators, the real engine, the real
ledger.
"""

import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from activities.claim_content import claimed, content_key, keeps
from orchestrators.names import WAKE, Activity, Orchestrator
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended, wait
from shared.models.record import Ending, Outcome, RunRecord
from shared.runs.ledger import Ledger
from tests.builders import a_record, done_with
from tests.patience import until
from tests.unit.ledger.test_content_claim import nothing_to_take_back
from tests.unit.orchestrators.test_run import output
from tests.unit.orchestrators.theatre import PACE, SOON, Play, Theatre, a_play

QUICK = PACE.model_copy(update={"poll_first_s": 0.1, "poll_most_s": 0.2})
BAD = {"failed": ended(Outcome.FAILED), "cancelled": CANCELLED, "expired": ended(Outcome.EXPIRED)}


@dataclass
class Service:
    """Trains one content: the jobs' ends in the order of their beginnings, the last one for ever;
    and how many there were at once.
    """

    ledger: Ledger
    ends: list[Answer]
    trained: list[str] = field(default_factory=list[str])
    training: set[str] = field(default_factory=set[str])
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def a_play(self, name: str) -> Play:
        """A run of the content, known to the ledger, with its real claim."""
        record = a_record(f"{name}-{secrets.token_hex(4)}")  # the engine outlives the test
        assert self.ledger.claim(record)
        play = a_play(
            claim_content=self._claim,
            create_job=self._create,
            job_status=[SOON, SOON, self.status],
            cancel_job=self._cancel,
            begin_ending=self._decide,
            end_run=self._end,
        )
        play.run_id = record.id
        return play

    def _claim(self, given: dict[str, Any]) -> Answer:
        return claimed(self.ledger, RunStep.model_validate(given), nothing_to_take_back)

    def _create(self, given: dict[str, Any]) -> Answer:
        with self.lock:
            if given["run_id"] not in self.trained:
                self.trained.append(given["run_id"])
            self.training.add(given["run_id"])
            self.most_at_once = max(self.most_at_once, len(self.training))
        return done()

    def status(self, given: dict[str, Any]) -> Answer:
        answer = self.ends[min(self.trained.index(given["run_id"]), len(self.ends) - 1)]
        if answer.kind == "done":
            self.training.discard(given["run_id"])
        return answer

    def _cancel(self, given: dict[str, Any]) -> Answer:
        self.training.discard(given["run_id"])
        return done()

    def _decide(self, given: dict[str, Any]) -> Answer:
        ending = Ending.model_validate(given)
        self.ledger.change(
            given["run_id"], lambda record, _now: record.model_copy(update={"ending": ending})
        )
        return done_with(outcome=given["outcome"], roles=["training"])

    def _end(self, given: dict[str, Any]) -> Answer:
        self.ledger.change(
            given["run_id"], lambda record, now: record.model_copy(update={"ended_at": now})
        )
        return done()

    def claim_of(self, play: Play) -> str:
        """The name of the claim on the run's content."""
        return f"content/{content_key(self.record(play))}"

    def record(self, play: Play) -> RunRecord:
        """What the ledger knows of the run."""
        return self.ledger.get(play.run_id).record


def played(theatre: Theatre, plays: list[Play]) -> list[str]:
    """The outcomes of these runs, begun at the same moment."""
    instances = [theatre.start(play, pace=QUICK) for play in plays]
    return [output(theatre.end(instance))["outcome"] for instance in instances]


@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
def test_next_one_trains_when_the_holder_ended_badly(
    theatre: Theatre, ledger: Ledger, bad: Answer
) -> None:
    """Three holders in a row end badly: four jobs, one at a time, one success, and six duplicates
    of it.
    """
    service = Service(ledger, [bad, bad, bad, done()])
    plays = [service.a_play(f"run{number}") for number in range(10)]
    outcomes = played(theatre, plays)
    assert (len(service.trained), service.most_at_once) == (4, 1)
    assert [
        outcomes.count(outcome)
        for outcome in (
            "succeeded",
            bad.outcome if bad is not CANCELLED else "cancelled",
            "duplicate",
        )
    ] == [
        1,
        3,
        6,
    ]
    named = {
        record.ending.duplicate_of
        for play in plays
        if (record := service.record(play)).ending and record.outcome is Outcome.DUPLICATE
    }
    assert named == {service.trained[3]}


def test_every_one_is_tried_when_all_end_badly(theatre: Theatre, ledger: Ledger) -> None:
    """Nobody is called a duplicate of a run that has no model."""
    service = Service(ledger, [ended(Outcome.FAILED)])
    assert (
        played(theatre, [service.a_play(f"run{number}") for number in range(4)]) == ["failed"] * 4
    )
    assert (len(service.trained), service.most_at_once) == (4, 1)


def test_waiting_run_can_be_cancelled(theatre: Theatre, ledger: Ledger) -> None:
    """It ends at once, although its next look is an hour away, and the holder doesn't notice."""
    service = Service(ledger, [done()])
    holder, waiting = service.a_play("first"), service.a_play("second")
    ledger.hold(service.claim_of(holder), holder.run_id, keeps)
    instance = theatre.start(
        waiting, pace=QUICK.model_copy(update={"poll_first_s": 3600, "poll_most_s": 3600})
    )
    until(lambda: service.record(waiting).waits_because)
    ledger.change(
        waiting.run_id, lambda record, now: record.model_copy(update={"cancel_requested_at": now})
    )
    theatre.hub.raise_orchestration_event(f"{instance}-{Orchestrator.GATE}", WAKE)
    assert output(theatre.end(instance))["outcome"] == "cancelled"
    assert played(theatre, [holder]) == ["succeeded"]


def test_killed_holder_that_comes_back_is_the_one_that_trains(
    theatre: Theatre, ledger: Ledger
) -> None:
    """While nobody runs the holder the others wait for it: it lives in the ledger, and its job at
    the service.
    """
    service = Service(ledger, [done()])
    holder, others = (
        service.a_play("first"),
        [service.a_play(f"run{number}") for number in range(3)],
    )
    holder.lines[Activity.JOB_STATUS] = [wait(3600), service.status]
    killed = theatre.start(holder, pace=QUICK)
    until(lambda: holder.given(Activity.JOB_STATUS))
    for instance in (killed, f"{killed}-{Orchestrator.TRAIN}"):
        theatre.hub.terminate_orchestration(instance)
        theatre.end(instance)
    for part in Orchestrator:
        theatre.hub.purge_orchestration(killed if part is Orchestrator.RUN else f"{killed}-{part}")
    waiting = [theatre.start(play, pace=QUICK) for play in others]
    until(lambda: all(service.record(play).waits_because for play in others))
    assert played(theatre, [holder]) == ["succeeded"]
    assert [output(theatre.end(instance))["outcome"] for instance in waiting] == ["duplicate"] * 3
    assert (service.trained, service.most_at_once) == ([holder.run_id], 1)
