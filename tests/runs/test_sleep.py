"""A host that stands still for longer than its lease, as a laptop that sleeps."""

import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from azure.storage.blob import BlobServiceClient

from tests.azurite import free_port
from tests.data import a_training_set
from tests.patience import patience, until
from tests.runs.stack import Stack, running_stack
from tests.runs.test_once_only import jobs_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX"),
]


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A TuneDrop of its own, with a run whose job takes until the test lets it end."""
    with running_stack() as made:
        yield made


@contextmanager
def asleep(stack: Stack) -> Generator[None]:
    """The host that runs now stands still inside, at least until its lease has run out."""
    assert stack.host is not None
    sleeper = stack.host.pid
    lock = BlobServiceClient.from_connection_string(stack.storage).get_blob_client(
        "tunedrop", "host.lock"
    )
    os.kill(sleeper, signal.SIGSTOP)
    try:
        until(
            lambda: lock.get_blob_properties().lease.state == "expired", 90, "the end of the lease"
        )
        yield
    finally:
        os.kill(sleeper, signal.SIGCONT)


def test_host_that_slept_goes_on(stack: Stack) -> None:
    """Nobody else took its lease: the run under way ends well, with one job, and the host lives."""
    stack.control("PUT", "pace", {"job": {"after_seconds": 5}})
    stack.drop("sleeper", a_training_set("sleeper"))
    run = stack.at_step("sleeper", "train")
    with asleep(stack):
        pass
    assert stack.ended("sleeper", 90)["outcome"] == "succeeded"
    assert len(jobs_of(stack, run)) == 1
    assert stack.host is not None
    assert stack.host.poll() is None


def test_host_that_slept_ends_where_another_took_over(stack: Stack) -> None:
    """The other one brings the run to its end; what the sleeper still does when it wakes buys
    nothing.
    """
    stack.control("PUT", "pace", {"job": {"after_seconds": 5}})
    stack.drop("sleeper", a_training_set("sleeper"))
    run = stack.at_step("sleeper", "train")
    sleeper = stack.host
    assert sleeper is not None
    with asleep(stack):
        stack.port = free_port()
        stack.start_host()
    assert sleeper.wait(patience(60)) == 4
    assert stack.ended("sleeper", 90)["outcome"] == "succeeded"
    assert len(jobs_of(stack, run)) == 1
