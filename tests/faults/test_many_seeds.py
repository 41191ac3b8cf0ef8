"""The simulator at length: as many seeds as a commit can wait for, and storms."""

import pytest

from tests.faults.simulator import many
from tests.faults.simulator.trouble import PRESETS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SEEDS = 300
STORMS = 40
PROCESSES = 2


def test_invariants_hold_in_many_seeds() -> None:
    """Nothing lost, nothing bought twice, whatever goes wrong."""
    assert many.violations(range(SEEDS), PROCESSES) == []


@pytest.mark.parametrize("preset", PRESETS)
def test_invariants_hold_in_storms(preset: str) -> None:
    """What catches the known bugs finds nothing where there is none."""
    assert many.violations(range(STORMS), PROCESSES, PRESETS[preset]) == []
