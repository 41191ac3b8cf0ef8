"""Drops whose events are lost, doubled, reordered and late: how many runs and jobs come of them."""

from dataclasses import dataclass

from tests.faults.simulator.drops import Dropped, good_drop
from tests.faults.simulator.simulation import DAY_S, Simulation
from tests.faults.simulator.trouble import CALM
from tunedrop.emulator.pace import Pace, after_seconds

SPREAD_S = 3 * DAY_S
QUICK = Pace(*(after_seconds(seconds) for seconds in (1, 60, 5, 1, 1)))


@dataclass(frozen=True)
class Counted:
    """What the provider made, and what became of the events."""

    runs: int
    jobs: int
    lost: int
    doubled: int


def counted(count: int, seed: int) -> Counted:
    """So many drops within three days, each its own content; raises Violation where an invariant
    does not hold.
    """
    drops: list[Dropped] = [good_drop(number, number * SPREAD_S / count) for number in range(count)]
    simulation = Simulation(seed, trouble=CALM, drops=drops, speed=QUICK)
    simulation.run()
    jobs = sum(
        asked.operation == "fine_tuning.jobs.create" and asked.committed
        for asked in simulation.provider.record
    )
    return Counted(
        len(simulation.watch.records), jobs, simulation.events_lost, simulation.events_doubled
    )
