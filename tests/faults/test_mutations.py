"""Each known bug, put into the app, is caught by the simulator."""

import pytest

from tests.faults.simulator import caught, many
from tests.faults.simulator.found_bugs import FOUND
from tests.faults.simulator.mutations import MUTATIONS, name_of

KNOWN = caught.read()
FOUND_IN_USE = {
    *map(name_of, FOUND),
    "story-decides-itself",
    "claim-falls-back-to-nobody",
    "claim-kept-without-a-job",
}


MOST_SEEDS = 40


def test_every_known_bug_has_a_seed() -> None:
    """Where draws have changed, `python -m tests.faults.simulate --mutations --record` finds
    others.
    """
    assert set(KNOWN) == set(MUTATIONS)


def caught_as_recorded_or_soon(name: str) -> bool:
    """Whether its seed breaks an invariant; where a change of the app has changed what the seed
    draws, whether one of the first seeds does.
    """
    recorded = many.result_of(KNOWN[name].seed, name, KNOWN[name].trouble)
    return bool(recorded.violation or many.first_violation(name, range(MOST_SEEDS)))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", sorted(FOUND_IN_USE & set(KNOWN)))
def test_bug_that_was_found_in_use_is_caught(name: str) -> None:
    """It breaks an invariant."""
    assert caught_as_recorded_or_soon(name)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", sorted(set(KNOWN) - FOUND_IN_USE))
def test_known_bug_is_caught(name: str) -> None:
    """It breaks an invariant."""
    assert caught_as_recorded_or_soon(name)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_seed_of_a_known_bug_holds_without_it(name: str) -> None:
    """What is caught is the bug."""
    assert many.result_of(KNOWN[name].seed, trouble=KNOWN[name].trouble).violation is None
