"""Each known bug, put into the app, is caught by the simulator."""

import pytest

from tests.faults.simulator import caught, many
from tests.faults.simulator.found_bugs import FOUND
from tests.faults.simulator.mutations import MUTATIONS, name_of

KNOWN = caught.read()
QUICK = {*map(name_of, FOUND), "story-decides-itself", "claim-falls-back-to-nobody", "claim-kept-without-a-job"}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in MUTATIONS])
def test_known_bug_is_caught(name: str) -> None:
    """Its seed breaks an invariant. Where draws have changed, `python -m tests.faults.simulate --mutations --record` finds others."""
    assert many.result_of(KNOWN[name].seed, name, KNOWN[name].trouble).violation is not None


@pytest.mark.timeout(120)
@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_seed_of_a_known_bug_holds_without_it(name: str) -> None:
    """What is caught is the bug."""
    assert many.result_of(KNOWN[name].seed, trouble=KNOWN[name].trouble).violation is None
