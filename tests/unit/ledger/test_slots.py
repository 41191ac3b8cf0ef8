"""Places and quota on the account are booked before anything is bought: of many runs that want the
last one, one gets it.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier, Lock

import pytest

from shared.models.record import Ending, Outcome, RunRecord, Slot
from shared.models.service_limits import ServiceLimits
from shared.runs.booking import AccountRoom, Room, book
from shared.runs.ledger import Ledger
from shared.runs.wallet import Limits, Refused
from shared.services.resource_manager import DeploymentFacts, Quota
from tests.builders import NOW, a_plan, a_record

PLENTY = Limits(jobs_at_a_time=100, jobs_a_day=100, usd_a_day=1000)
QUOTA = "OpenAI.GlobalStandard.gpt-4.1-mini"


class Account:
    """An account as it stands at each moment."""

    def __init__(self, standing: int = 0, used: float = 0, limit: float = 100) -> None:
        self.deployments = [f"old{number}" for number in range(standing)]
        self.quota = Quota(used, limit)
        self._lock = Lock()

    def deploy(self, name: str) -> None:
        """A deployment of ten units is made."""
        with self._lock:
            self.deployments.append(name)
            self.quota = Quota(self.quota.used + 10, self.quota.limit)

    def ask(self) -> AccountRoom:
        """What the account answers now."""
        with self._lock:
            facts = [
                DeploymentFacts(name, "gpt-4.1-mini.ft-1", "GlobalStandard", 10, "Succeeded", None)
                for name in self.deployments
            ]
            return AccountRoom(facts, {QUOTA: self.quota})


def room(account: Account, run_id: str, places: int = 10) -> Room:
    """What the deployment of a run needs of this account."""
    slot = Slot(account="/a", deployment=run_id, quota=QUOTA, capacity=10)
    return Room(a_plan(), slot, ServiceLimits(fine_tuned_deployments=places), account.ask)


def claimed(ledger: Ledger, name: str) -> str:
    """The id of a new run."""
    run = a_record(name)
    assert ledger.claim(run)
    return run.id


def end(ledger: Ledger, run_id: str) -> None:
    """The run has ended in the ledger; the wallet isn't told."""

    def ending(record: RunRecord, _now: datetime) -> RunRecord:
        return record.model_copy(update={"ending": Ending(outcome=Outcome.FAILED), "ended_at": NOW})

    ledger.change(run_id, ending)


def code(refused: Refused | None) -> str | None:
    """The refusal's code."""
    return refused.problem.code if refused else None


@pytest.mark.parametrize(
    ("account", "left"),
    [
        pytest.param(Account(standing=9), 1, id="places"),
        pytest.param(Account(used=70), 3, id="quota"),
    ],
)
def test_twenty_at_once_book_no_more_than_the_account_has_room_for(
    ledger: Ledger, account: Account, left: int
) -> None:
    """The others wait for them, and have paid nothing."""
    runs = [claimed(ledger, f"run{number}") for number in range(20)]
    start = Barrier(len(runs))

    def one(run_id: str) -> Refused | None:
        start.wait()
        return book(ledger, run_id, 1.0, PLENTY, room(account, run_id))

    with ThreadPoolExecutor(len(runs)) as pool:
        answers = list(pool.map(one, runs))
    assert answers.count(None) == left
    refusals = [answer for answer in answers if answer]
    assert {(code(refused), refused.passes, refused.today) for refused in refusals} == {
        ("TD-BUDGET-006" if left == 1 else "TD-BUDGET-007", True, True)
    }


def test_place_of_a_run_that_ended_without_its_deployment_is_free_again(ledger: Ledger) -> None:
    """Nobody gave it back; the ledger says that the run has ended."""
    account, dead, alive = Account(standing=9), claimed(ledger, "dead"), claimed(ledger, "alive")
    assert book(ledger, dead, 1.0, PLENTY, room(account, dead)) is None
    assert code(book(ledger, alive, 1.0, PLENTY, room(account, alive))) == "TD-BUDGET-006"
    end(ledger, dead)
    assert book(ledger, alive, 1.0, PLENTY, room(account, alive)) is None


def test_deployment_that_stands_is_counted_once(ledger: Ledger) -> None:
    """A living run's deployment is in the account's own answer."""
    account, first, second = (
        Account(standing=8),
        claimed(ledger, "first"),
        claimed(ledger, "second"),
    )
    assert book(ledger, first, 1.0, PLENTY, room(account, first)) is None
    account.deploy(first)
    assert book(ledger, second, 1.0, PLENTY, room(account, second)) is None


@pytest.mark.parametrize(
    ("account", "refusal"),
    [(Account(standing=10), "TD-GATE-006"), (Account(used=95), "TD-GATE-003")],
)
def test_full_account_refuses_for_good(ledger: Ledger, account: Account, refusal: str) -> None:
    """Where no booking is in the way, waiting would help nobody."""
    run_id = claimed(ledger, "travel")
    refused = book(ledger, run_id, 1.0, PLENTY, room(account, run_id))
    assert refused is not None
    assert (code(refused), refused.passes) == (refusal, False)


def test_room_on_another_account_is_not_this_one_s(ledger: Ledger) -> None:
    """A booking counts against its own account."""
    account, here, there = Account(standing=9), claimed(ledger, "here"), claimed(ledger, "there")
    elsewhere = room(account, there)
    elsewhere = Room(
        elsewhere.plan,
        elsewhere.slot.model_copy(update={"account": "/b"}),
        elsewhere.limits,
        elsewhere.ask,
    )
    assert book(ledger, there, 1.0, PLENTY, elsewhere) is None
    assert book(ledger, here, 1.0, PLENTY, room(account, here)) is None


def test_run_that_trains_nothing_takes_no_job_of_the_day(ledger: Ledger) -> None:
    """It deploys a model that is trained already."""
    first, second = claimed(ledger, "first"), claimed(ledger, "second")
    one_a_day = Limits(jobs_at_a_time=100, jobs_a_day=1, usd_a_day=1000)
    assert book(ledger, first, 1.0, one_a_day) is None
    assert book(ledger, second, 1.0, one_a_day, trains=False) is None
    assert code(book(ledger, claimed(ledger, "third"), 1.0, one_a_day)) == "TD-BUDGET-003"
