"""One TuneDrop for the whole-run tests of a worker; each test uses runs and data of its own."""

import secrets
from collections.abc import Iterator

import pytest

from tests.runs.stack import Stack, running_stack


@pytest.fixture(scope="package")
def the_stack() -> Iterator[Stack]:
    """Ended with the last of these tests, so that it takes no time from others."""
    with running_stack() as stack:
        yield stack


@pytest.fixture
def stack(the_stack: Stack) -> Iterator[Stack]:
    """The one stack, without faults before and after."""
    yield the_stack
    the_stack.control("DELETE", "faults")
    the_stack.control("PUT", "pace", "fast")


@pytest.fixture
def name() -> str:
    """A run name that no other test has."""
    return f"t{secrets.token_hex(5)}"
