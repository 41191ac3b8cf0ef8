"""One TuneDrop for all whole-run tests of a session; each test uses runs and data of its own."""

import secrets
from collections.abc import Iterator

import pytest

from tests.runs.stack import Stack, running_stack


@pytest.fixture(scope="session")
def the_stack() -> Iterator[Stack]:
    """Started once a session."""
    with running_stack() as stack:
        yield stack


@pytest.fixture
def stack(the_stack: Stack) -> Iterator[Stack]:
    """The session's stack, without faults before and after."""
    yield the_stack
    the_stack.control("DELETE", "faults")
    the_stack.control("PUT", "pace", "fast")


@pytest.fixture
def name() -> str:
    """A run name that no other test has."""
    return f"t{secrets.token_hex(5)}"
