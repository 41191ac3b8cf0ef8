"""The simulator with a thousand drops whose events go wrong."""

import pytest

from tests.faults.simulator import events

WORLDS, DROPS = 10, 100


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thousand_drops_under_lost_doubled_and_late_events_are_a_thousand_runs() -> None:
    """5 % lost, 20 % doubled, also after the end and after the purge, some a day late: exactly
    1,000 runs and jobs.

    In ten worlds: a world of a thousand (`python -m tests.faults.simulate --events 1000`) takes
    several times as long.
    """
    counted = [events.counted(DROPS, seed) for seed in range(WORLDS)]
    assert [(world.runs, world.jobs) for world in counted] == [(DROPS, DROPS)] * WORLDS
    assert sum(world.lost for world in counted) > 20
    assert sum(world.doubled for world in counted) > 100
