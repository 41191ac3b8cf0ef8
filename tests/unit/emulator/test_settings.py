"""Pace, faults, limits, switches, clock and store, by value."""

import ast
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tunedrop.emulator import faults, limits, pace, switches
from tunedrop.emulator.clock import Clock
from tunedrop.emulator.limits import Limits
from tunedrop.emulator.pace import AT_ONCE, DEMO, FAST, NAMED, Policy, after_reads, after_seconds
from tunedrop.emulator.store import Store
from tunedrop.emulator.switches import Switches


@pytest.mark.parametrize(
    ("policy", "elapsed", "reads", "gained"),
    [
        (AT_ONCE, 0, 0, 1.0),
        (after_reads(4), 99, 1, 0.25),
        (after_seconds(10), 5, 99, 0.5),
        (after_seconds(10), 20, 0, 2.0),
    ],
    ids=str,
)
def test_policy_gains_by_its_own_measure(
    policy: Policy, elapsed: float, reads: int, gained: float
) -> None:
    """Reads do not move a policy of seconds, nor seconds one of reads."""
    assert policy.gained(elapsed, reads) == gained


def test_policy_knows_the_moment_of_a_fraction() -> None:
    """Under seconds a fraction has its time; else it is now."""
    assert after_seconds(10).moment(100, 0.5, 999) == 105
    assert after_reads(2).moment(100, 0.5, 999) == 999


@pytest.mark.parametrize("one", NAMED.values(), ids=NAMED)
def test_pace_reads_what_it_writes(one: pace.Pace) -> None:
    """Every pace survives its JSON."""
    assert pace.parse(one.to_json(), DEMO) == one


def test_pace_object_replaces_what_it_names() -> None:
    """An object changes one policy and leaves the others."""
    changed = pace.parse({"job": {"after_reads": 2}}, FAST)
    assert (changed.job, changed.file) == (after_reads(2), FAST.file)


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [],
        "",
        {"job": None},
        {"job": {"after_seconds": "1"}},
        {"job": {"after_seconds": 0}},
    ],
    ids=str,
)
def test_pace_is_refused_when_it_is_none(value: Any) -> None:
    """What is no pace is a ValueError."""
    with pytest.raises(ValueError, match=r"pace|policy"):
        pace.parse(value)


def test_fault_strikes_as_often_as_it_says() -> None:
    """Skipped matches pass, then it strikes its times, then it is gone."""
    plan = [faults.parse({"on": "files.*", "then": {"status": 500}, "times": 2, "skip": 1})]
    struck = [faults.take(plan, "files.list", "before") is not None for _ in range(4)]
    assert struck == [False, True, True, False]
    assert plan == []


def test_fault_strikes_for_ever_without_times() -> None:
    """`times` null never ends."""
    plan = [faults.parse({"on": "job", "then": "rai_data", "times": None})]
    assert all(faults.take(plan, "job", "before") for _ in range(100))


def test_fault_strikes_only_at_its_time_and_operation() -> None:
    """`when` and `on` both have to fit."""
    plan = [faults.parse({"on": "files.list", "then": "truncated", "when": "after_commit"})]
    assert faults.take(plan, "files.list", "before") is None
    assert faults.take(plan, "files.create", "after_commit") is None
    assert faults.take(plan, "files.list", "after_commit") == {"body": "truncated"}


def test_faults_strike_in_the_order_of_the_plan() -> None:
    """The first that fits is used up first."""
    plan = [faults.parse({"on": "*", "then": {"status": status}}) for status in (500, 503)]
    assert [faults.take(plan, "files.list", "before") for _ in range(2)] == [
        {"status": 500},
        {"status": 503},
    ]


@pytest.mark.parametrize("name", list(faults.PRESETS))
def test_named_fault_can_be_planned(name: str) -> None:
    """Every name is a fault somewhere."""
    ends = "ends" in faults.PRESETS[name]
    on = ("readiness" if name == "never" else "job") if ends else "chat.completions.create"
    assert faults.parse({"on": on, "then": name}).then == faults.PRESETS[name]


@pytest.mark.parametrize(
    ("module", "value"), [(limits, Limits()), (switches, Switches())], ids=["limits", "switches"]
)
def test_every_setting_says_what_it_means(module: Any, value: Any) -> None:
    """Each field of limits and switches has a sentence below it in the source."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    [body] = [
        found.body
        for found in tree.body
        if isinstance(found, ast.ClassDef) and found.name == type(value).__name__
    ]
    said = {
        ast.unparse(field.target)
        for field, sentence in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(sentence, ast.Expr)
        and isinstance(sentence.value, ast.Constant)
    }
    assert said == set(value.to_json())


def test_clock_moves_forward_only() -> None:
    """The offset grows; going back is refused."""
    clock = Clock(lambda: 100.0)
    clock.advance(5)
    assert clock.now() == 105
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_store_keeps_nothing_of_a_transaction_that_failed(tmp_path: Path) -> None:
    """Half a request is none."""
    store = Store(tmp_path / "state.sqlite")

    def fail() -> None:
        with store.transaction():
            store.put("file", "a", {})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.get("file", "a") is None


def test_ids_never_repeat_across_restarts(tmp_path: Path) -> None:
    """The counter goes on where it was; the same seed gives the same ids in the same order."""
    first = Store(tmp_path / "state.sqlite")
    early = [first.next_hex() for _ in range(3)]
    first.close()
    second = Store(tmp_path / "state.sqlite")
    late = [second.next_hex() for _ in range(3)]
    fresh = Store()
    assert [fresh.next_hex() for _ in range(6)] == early + late


def test_reset_forgets_things_but_not_settings() -> None:
    """After a reset there is nothing left but settings, and new ids."""
    store = Store()
    store.put("file", "a", {})
    store.add_event("job", {})
    store.write_content("a", [b"1"])
    store.append_entry({})
    store.set_setting("pace", "fast")
    store.reset()
    assert (store.all("file"), store.events("job"), list(store.content("a")), store.entries()) == (
        [],
        [],
        [],
        [],
    )
    assert store.setting("pace") == "fast"


def test_documents_keep_their_place_when_they_change() -> None:
    """The order is that of creation; `live` shows what still progresses."""
    store = Store()
    for name in "abc":
        store.put("job", name, {"id": name}, live=True)
    store.put("job", "a", {"id": "a", "done": True})
    assert [doc["id"] for doc in store.all("job")] == ["a", "b", "c"]
    assert [doc["id"] for doc in store.all("job", live=True)] == ["b", "c"]
