"""The simulator: no invariant breaks under faults, and the same seed is the same world."""

import pytest

from tests.faults.simulator import events, many
from tests.faults.simulator.simulation import Simulation
from tests.faults.simulator.trouble import STORM

FEW = 20


@pytest.mark.timeout(240)
def test_invariants_hold_in_a_few_seeds() -> None:
    """Nothing lost, nothing bought twice, whatever goes wrong."""
    assert many.violations(range(FEW), 1) == []


def test_same_seed_gives_the_same_trace_also_in_another_process() -> None:
    """A violation can be seen again: the trace does not hang on hashes, threads or what ran
    before.
    """
    here = [result.trace for result in many.results(range(5), 1)]
    elsewhere = [result.trace for result in many.results(range(4, -1, -1), 2)]
    assert here == elsewhere[::-1]
    assert len(set(here)) == 5


def test_simulation_has_each_kind_of_trouble() -> None:
    """Late, doubled and dying activities, cancels, kills and faulty calls all happen: a seed
    without them proves little.
    """
    seen: set[str] = set()
    for seed in range(3):
        simulation = Simulation(seed, trouble=STORM)
        simulation.run()
        seen |= {word for line in simulation.stage.last for word in line.split()}
    of_calls = {"timeout_late", "refused_after_all", "broken", "reset_after"}
    of_the_world = {
        "killed",
        "cancel_run",
        "Killed",
        "sweep",
        "frozen",
        "changed",
        "jumped",
        "damaged",
        "out",
    }
    assert of_calls | of_the_world <= seen


def test_lost_doubled_and_late_events_give_one_run_and_one_job_each() -> None:
    """Of 20 drops: 20 runs, 20 jobs."""
    counted = events.counted(20, seed=2)
    assert (counted.runs, counted.jobs) == (20, 20)
    assert counted.lost > 0
    assert counted.doubled > 0
