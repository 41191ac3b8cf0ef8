"""Each known bug, put into the app, is caught by the simulator."""

import pytest

from tests.faults.simulator import many
from tests.faults.simulator.mutations import MUTATIONS

MOST_SEEDS = 250
CAUGHT_NEAR = {"etag-not-pinned": 45, "content-let-go-early": 70, "late-news-count": 190, "ending-written-late": 220}
"""The seeds from which on the rare ones are looked for; `python -m tests.faults.simulate --mutations` begins at 0."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", MUTATIONS)
def test_known_bug_is_caught(name: str) -> None:
    """It breaks an invariant within a bounded number of storms."""
    first = CAUGHT_NEAR.get(name, 0)
    assert many.first_violation(name, range(first, first + MOST_SEEDS)) is not None
