"""Events on the embedded host: lost, doubled, out of order, late; and hosts that die. Every drop is
one run and one job.

The host itself looks for new blobs once an hour here: an event is what the test delivers.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from shared.models.drop import TRAINING_SET, Drop, drop_of
from shared.models.record import RunRecord
from shared.runs.ledger import Ledger
from shared.services.storage import Container
from tests.azurite import free_port
from tests.data import a_training_set
from tests.patience import NOW_AND_THEN_S, patience, until
from tests.runs.stack import PACE, Stack, running_stack
from tests.runs.test_same_content import outcomes

pytestmark = pytest.mark.timeout(300)
SIXTEEN, FIFTY = 16, 50
ROOM = {"jobs_running_max": 100, "jobs_queued_max": 100}
PATIENCE_S = 6
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def the_stack() -> Iterator[Stack]:
    """A TuneDrop that hears of drops only what it is told, and sweeps up what it was not told after
    six seconds.
    """
    with running_stack(
        "instant", options=("--poll-every", "3600"), TUNEDROP_DROP_PATIENCE_S=str(PATIENCE_S)
    ) as stack:
        stack.control("PUT", "limits", ROOM)
        yield stack


@pytest.fixture
def stack(the_stack: Stack) -> Iterator[Stack]:
    """The module's stack, at its own pace before and after."""
    yield the_stack
    the_stack.control("PUT", "pace", "instant")


def a_dropped(stack: Stack, name: str) -> str:
    """The starting blob of a new drop."""
    stack.drop(name, a_training_set(name))
    return f"{name}/{TRAINING_SET}"


def many_dropped(stack: Stack, name: str, count: int) -> list[str]:
    """The starting blobs of so many new drops."""
    return [a_dropped(stack, f"{name}-{number}") for number in range(count)]


def deliver_at_once(stack: Stack, blobs: list[str]) -> None:
    """The events of these blobs, eight at a time."""
    with ThreadPoolExecutor(8) as pool:
        for delivered in [pool.submit(stack.deliver, blob, 1) for blob in blobs]:
            delivered.result()


def rows_of(stack: Stack, name: str) -> list[dict[str, Any]]:
    """The rows of the runs of this test."""
    return [row for row in stack.runs() if row["name"].startswith(name)]


def all_ended(stack: Stack, name: str, count: int, seconds: float = 150) -> list[dict[str, Any]]:
    """The rows of so many runs, once all of them have ended."""

    def found() -> list[dict[str, Any]] | None:
        rows = [row for row in rows_of(stack, name) if row["outcome"]]
        return rows if len(rows) >= count else None

    return until(found, seconds, f"the end of {count} runs", NOW_AND_THEN_S)


def jobs_of(stack: Stack, rows: list[dict[str, Any]]) -> list[str]:
    """The runs that the stand-in made jobs for, once for each job."""
    ids = {row["id"] for row in rows}
    return sorted(
        s
        for e in stack.asked("fine_tuning.jobs.create")
        if (s := e["request"]["body"].get("suffix")) in ids
    )


@pytest.mark.parametrize("count", [SIXTEEN, pytest.param(FIFTY, marks=pytest.mark.slow)])
def test_each_drop_is_one_run_whatever_becomes_of_its_events(
    stack: Stack, name: str, count: int
) -> None:
    """Of their events three are lost, ten come twice, five more come after the end, all out of
    order, two late.
    """
    dice = random.Random(6)  # noqa: S311  # a seeded order of events, nothing secret
    asked = len(stack.asked("accounts.list_models", committed=False))
    blobs = many_dropped(stack, name, count)
    shuffled = dice.sample(blobs, count)
    heard, late = shuffled[3:-2], shuffled[-2:]
    events = dice.sample([*heard, *dice.sample(heard, 10)], len(heard) + 10)
    deliver_at_once(stack, events)
    until(lambda: len(rows_of(stack, name)) == count, 60, "a run of every drop")
    for blob in late:
        stack.deliver(blob, 1)
    rows = all_ended(stack, name, count)
    for blob in shuffled[:5]:
        stack.deliver(blob, 2)
    assert outcomes(rows) == {"succeeded": count}
    assert len(rows_of(stack, name)) == count
    assert jobs_of(stack, rows) == sorted(row["id"] for row in rows)
    # The gate's question; the wallet asks for the quota, too.
    assert len(stack.asked("accounts.list_models", committed=False)) == asked + count


def test_run_whose_starter_died_after_the_claim_is_started_by_the_sweep(
    stack: Stack, name: str
) -> None:
    """The claim is all that the starter left behind, and it is enough."""
    training = Container(stack.training)
    facts = training.facts(a_dropped(stack, name))
    assert facts
    drop = drop_of(training.account, training.name, facts.name, facts.etag)
    assert isinstance(drop, Drop)
    now = datetime.now(UTC)
    assert ledger_of(stack).claim(
        RunRecord(id=drop.run_id, drop=drop, created_at=now, updated_at=now)
    )
    assert stack.ended(name)["id"] == drop.run_id
    assert len(rows_of(stack, name)) == 1


def test_second_host_on_one_container_is_refused(stack: Stack) -> None:
    """It says who holds the container and what to do, and the first one goes on."""
    second = stack.run_host(free_port())
    assert second.wait(patience(60)) == 3
    assert stack.host
    said = stack.log.read_text(encoding="utf-8").splitlines()[-1]
    assert f"Another host (process {stack.host.pid}, " in said
    assert "--wait-for-lease" in said
    assert stack.api.get("/health").status_code == 200


@pytest.mark.slow
def test_waiting_host_takes_over_a_minute_after_the_first_was_killed(
    stack: Stack, name: str
) -> None:
    """Nobody helps: the lease runs out, the second host takes it, and the run goes on with
    its job.
    """
    stack.control("PUT", "pace", {"job": {"after_seconds": 60}})
    stack.deliver(a_dropped(stack, name), 1)
    run_id = stack.at_step(name, "train")
    until(lambda: jobs_of(stack, rows_of(stack, name)), what="the job")
    stack.kill_host()
    killed = datetime.now(UTC)
    stack.start_host()
    assert 30 < (datetime.now(UTC) - killed).total_seconds() < 90
    stack.control("PUT", "pace", "instant")
    assert stack.ended(name)["outcome"] == "succeeded"
    assert jobs_of(stack, rows_of(stack, name)) == [run_id]


@pytest.mark.slow
def test_fifty_runs_under_way_resume_from_the_ledger_when_the_task_hub_is_lost(
    stack: Stack, name: str
) -> None:
    """Every run comes to its end with the job that it had, and no time in its record begins
    anew.
    """
    stack.control("PUT", "pace", {"job": {"after_seconds": 600}})
    deliver_at_once(stack, many_dropped(stack, name, FIFTY))
    until(lambda: len(jobs_of(stack, rows_of(stack, name))) == FIFTY, 120, "fifty jobs")
    before = {row["id"]: stack.run(row["id"])["timeline"] for row in rows_of(stack, name)}
    stack.kill_host()
    stack.control("PUT", "pace", "instant")
    stack.break_lease()
    stack.start_host()
    rows = all_ended(stack, name, FIFTY)
    assert outcomes(rows) == {"succeeded": FIFTY}
    assert jobs_of(stack, rows) == sorted(before)
    after = {run_id: stack.run(run_id)["timeline"] for run_id in before}
    assert {run_id: timeline[: len(before[run_id])] for run_id, timeline in after.items()} == before


@pytest.mark.slow
def test_deadline_of_a_run_goes_on_while_nobody_runs_it(stack: Stack, name: str) -> None:
    """A host that comes an hour after the first one died keeps to the deadline of the ledger: one
    begun anew would last an hour more.
    """
    stack.control("PUT", "pace", {"job": {"after_seconds": 3 * 3600}})
    stack.deliver(a_dropped(stack, name), 1)
    run_id = stack.at_step(name, "train")
    until(lambda: jobs_of(stack, rows_of(stack, name)), what="the job")
    began = moment(stack, run_id, "train") - HOUR
    stack.kill_host()
    deadline_s = (datetime.now(UTC) - began).total_seconds() + 20
    # In the record: a resume keeps the run's own.
    pace = PACE.model_copy(update={"job_deadline_s": deadline_s})
    ledger_of(stack).change(
        run_id, lambda record, _now: an_hour_older(record).model_copy(update={"pace": pace})
    )
    stack.break_lease()
    stack.start_host()
    run = stack.ended(name, 90)
    assert (run["outcome"], moment(stack, run_id, "train")) == ("expired", began)
    assert moment(stack, run_id, "clean_up") >= began + timedelta(seconds=deadline_s)


def ledger_of(stack: Stack) -> Ledger:
    """The ledger of a stack, past its host."""
    return Ledger(
        Container(
            BlobServiceClient.from_connection_string(stack.storage).get_container_client("tunedrop")
        )
    )


def an_hour_older(record: RunRecord) -> RunRecord:
    """The record of a run that has come as far as this one, but did so an hour earlier."""
    timeline = tuple(entry.model_copy(update={"at": entry.at - HOUR}) for entry in record.timeline)
    return record.model_copy(update={"created_at": record.created_at - HOUR, "timeline": timeline})


def moment(stack: Stack, run_id: str, step: str) -> datetime:
    """When the run entered this step, by its record."""
    return next(
        datetime.fromisoformat(e["at"]) for e in stack.run(run_id)["timeline"] if e["step"] == step
    )
