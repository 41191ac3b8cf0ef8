"""Each known bug, put into the app, is caught by the simulator."""

import pytest

from tests.faults.simulator import caught, many
from tests.faults.simulator.found_bugs import FOUND
from tests.faults.simulator.mutations import MUTATIONS, name_of

KNOWN = caught.read()
NEW = {*map(name_of, FOUND), "story-decides-itself", "claim-falls-back-to-nobody", "claim-kept-without-a-job"}
QUICK = NEW & set(KNOWN)
NOT_CAUGHT_YET = {*map(name_of, FOUND)} - set(KNOWN)
"""Bugs for which no seed is known yet: docs/reliability.md tells them as a gap."""
MOST_SEEDS = 250


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", sorted(QUICK))
def test_bug_that_was_found_in_use_is_caught(name: str) -> None:
    """Its seed breaks an invariant. Where draws have changed, `python -m tests.faults.simulate --mutations --record` finds another."""
    assert many.result_of(KNOWN[name].seed, name, KNOWN[name].trouble).violation is not None


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [name for name in MUTATIONS if name not in NOT_CAUGHT_YET])
def test_known_bug_is_caught(name: str) -> None:
    """It breaks an invariant within a bounded number of seeds."""
    assert many.first_violation(name, range(MOST_SEEDS)) is not None


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_seed_of_a_known_bug_holds_without_it(name: str) -> None:
    """What is caught is the bug."""
    assert many.result_of(KNOWN[name].seed, trouble=KNOWN[name].trouble).violation is None
