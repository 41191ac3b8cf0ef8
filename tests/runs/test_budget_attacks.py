"""Drops that try to get past the budget, and an account without room, in whole runs: nothing is
bought, by the stand-in's own ledger.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.data import a_training_set
from tests.patience import NOW_AND_THEN_S, until
from tests.runs.stack import Stack, running_stack

pytestmark = pytest.mark.timeout(180)
LARGE: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Search it. " * 3_000,
        "parameters": {"type": "object", "properties": {}},
    },
}
EASY = {"smoke_test": {"messages": [{"role": "user", "content": "Hello?"}]}}


def with_tools() -> bytes:
    """Forty lines of few words with large declarations, of which the lab's formula counts
    nothing.
    """
    turns = [
        [
            {"role": "user", "content": f"Question {n}?"},
            {"role": "assistant", "content": f"Answer {n}."},
        ]
        for n in range(40)
    ]
    return "".join(
        json.dumps({"messages": messages, "tools": [LARGE]}) + "\n" for messages in turns
    ).encode()


ATTACKS: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "no-price": (
        a_training_set("a"),
        {"model": "gpt-35-turbo-0125", "budget": {"usd": 0}, "hyperparameters": {"n_epochs": 50}},
        "TD-GATE-010",
    ),
    "large-tools": (
        with_tools(),
        {"model": "gpt-4.1-2025-04-14", "hyperparameters": {"n_epochs": 50}},
        "TD-BUDGET-001",
    ),
    "provisioned": (
        a_training_set("b"),
        {"deployment": {"sku": "ProvisionedManaged", "capacity": 200}},
        "TD-GATE-011",
    ),
    "no-budget": (a_training_set("c"), {"budget": {"usd": 0}}, "TD-BUDGET-001"),
}


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_attack_on_the_budget_is_rejected_and_buys_nothing(
    stack: Stack, name: str, attack: str
) -> None:
    """No file, no job, no deployment; where it came so far, the worst case stands beside the
    estimate.
    """
    data, job, code = ATTACKS[attack]
    stack.drop(name, data, job=job)
    run = stack.ended(name)
    assert (run["outcome"], run["problem"]["code"]) == ("rejected", code)
    made = ("files.create", "fine_tuning.jobs.create", "deployments.create_or_update")
    assert not [
        e for operation in made for e in stack.asked(operation) if run["id"] in json.dumps(e)
    ]
    if attack == "large-tools":
        money = stack.report(run)["money"]
        assert run["estimate_usd"] < 5 < 400 < run["worst_case_usd"] == money["worst_case_usd"]


@pytest.fixture(scope="module")
def narrow() -> Iterator[Stack]:
    """A TuneDrop whose account has one place for a fine-tuned deployment."""
    with running_stack(
        "fast",
        TUNEDROP_LIMITS=json.dumps(
            {"files": 100, "jobs": 100, "fine_tuned_deployments": 1, "deployments": 32}
        ),
    ) as stack:
        yield stack


def test_last_place_on_the_account_is_paid_for_once(narrow: Stack) -> None:
    """Of three runs at once one trains; the others wait and say why, and end rejected once the
    place is taken for good.
    """
    waited: set[str] = set()

    def ended() -> list[dict[str, Any]] | None:
        rows = narrow.runs()
        waited.update(row["waits_because"] for row in rows if row["waits_because"])
        return rows if len(rows) == 3 and all(row["outcome"] for row in rows) else None

    for number in range(3):
        narrow.drop(f"place{number}", a_training_set(f"place {number}"), job=EASY)
    runs = [narrow.run(row["id"]) for row in until(ended, 120, "three ends", NOW_AND_THEN_S)]
    assert sorted(run["outcome"] for run in runs) == ["rejected", "rejected", "succeeded"]
    assert {run["problem"]["code"] for run in runs if run["outcome"] == "rejected"} == {
        "TD-GATE-006"
    }
    assert len(narrow.asked("fine_tuning.jobs.create")) == 1
    assert waited <= {"Other runs have booked the last places for fine-tuned deployments: 1."}
