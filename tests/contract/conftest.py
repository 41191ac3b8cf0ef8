"""Fixtures of the contract tests: the judge, and a stand-in whose every answer is judged."""

from collections.abc import Generator

import pytest

from tests.contract.descriptions import Judge
from tests.contract.standin import StandIn, running


@pytest.fixture(scope="session")
def descriptions() -> Judge:
    """The official descriptions, read once."""
    return Judge()


@pytest.fixture
def judge(descriptions: Judge) -> Generator[Judge]:
    """The judge of one test, which fails for any answer that the descriptions do not allow."""
    descriptions.wrong.clear()
    yield descriptions
    assert descriptions.wrong == []


@pytest.fixture(scope="session")
def running_stand_in(descriptions: Judge) -> Generator[StandIn]:
    """One stand-in for all tests, in the region that trains and deploys by every type, and that has
    the lab's model.
    """
    with running(descriptions) as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(judge: Judge, running_stand_in: StandIn) -> StandIn:
    """A stand-in with nothing in it, whose clock the test moves."""
    running_stand_in.control("POST", "reset", {"settings": True})
    return running_stand_in
