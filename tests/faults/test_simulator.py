"""The simulator: no invariant breaks under faults, and the same seed is the same world."""

import pytest

from tests.faults.simulator import events, many
from tests.faults.simulator.simulation import Simulation
from tests.faults.simulator.trouble import STORM, Trouble

SEEDS, FEW = 300, 20
PROCESSES = 2
STORMS = 40


def violations(seeds: range, processes: int, trouble: Trouble | None = None) -> list[str]:
    """What does not hold in these seeds; `python -m tests.faults.simulate --seed N` shows the events before it."""
    found = many.results(seeds, processes, trouble=trouble)
    return [f"seed {result.seed}: {result.violation}" for result in found if result.violation]


@pytest.mark.timeout(240)
def test_invariants_hold_in_a_few_seeds() -> None:
    """Nothing lost, nothing bought twice, whatever goes wrong."""
    assert violations(range(FEW), 1) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_invariants_hold_in_many_seeds() -> None:
    """The same in as many seeds as a commit can wait for."""
    assert violations(range(FEW, SEEDS), PROCESSES) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_invariants_hold_in_storms() -> None:
    """What catches the known bugs finds nothing where there is none."""
    assert violations(range(STORMS), PROCESSES, STORM) == []


def test_same_seed_gives_the_same_trace_also_in_another_process() -> None:
    """A violation can be seen again: the trace does not hang on hashes, threads or what ran before."""
    here = [result.trace for result in many.results(range(5), 1)]
    elsewhere = [result.trace for result in many.results(range(4, -1, -1), 2)]
    assert here == elsewhere[::-1]
    assert len(set(here)) == 5


def test_simulation_has_each_kind_of_trouble() -> None:
    """Late, doubled and dying activities, cancels, kills and faulty calls all happen: a seed without them proves little."""
    seen: set[str] = set()
    for seed in range(3):
        simulation = Simulation(seed, trouble=STORM)
        simulation.run()
        seen |= {word for line in simulation.stage.last for word in line.split()}
    assert {"killed", "cancel_run", "Killed", "timeout_late", "refused_after_all", "broken", "reset_after", "sweep"} <= seen


def test_lost_doubled_and_late_events_give_one_run_and_one_job_each() -> None:
    """Of 20 drops: 20 runs, 20 jobs."""
    counted = events.counted(20, seed=1)
    assert (counted.runs, counted.jobs) == (20, 20)
    assert counted.lost > 0
    assert counted.doubled > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thousand_drops_under_lost_doubled_and_late_events_are_a_thousand_runs() -> None:
    """5 % lost, 20 % doubled, also after the end and after the purge, some a day late: exactly 1,000 runs and jobs."""
    counted = events.counted(1000, seed=0)
    assert (counted.runs, counted.jobs) == (1000, 1000)
    assert counted.lost > 20
    assert counted.doubled > 100
