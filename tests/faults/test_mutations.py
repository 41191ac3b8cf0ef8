"""Each known bug, put into the app, is caught by the simulator."""

import pytest

from tests.faults.simulator import many
from tests.faults.simulator.mutations import MUTATIONS

MOST_SEEDS = 250


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", MUTATIONS)
def test_known_bug_is_caught(name: str) -> None:
    """It breaks an invariant within a bounded number of storms."""
    assert many.first_violation(name, range(MOST_SEEDS)) is not None
