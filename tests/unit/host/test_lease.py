"""One host per container."""

import os
import threading
import uuid

import pytest
from azure.storage.blob import BlobLeaseClient, BlobServiceClient

from tests.azurite import connection_string, free_port
from tests.unit.host.conftest import until
from tunedrop.host.errors import HostError, LeaseHeld, LeaseLost
from tunedrop.host.lease import BLOB, Lease


def ignore(_lost: LeaseLost) -> None:
    """For leases that no test takes away."""


def a_container() -> str:
    """A name that no other test uses; the lease makes the container."""
    return f"lock-{uuid.uuid4().hex[:8]}"


def test_lease_is_refused_with_its_holder_when_another_host_has_it(storage: BlobServiceClient) -> None:
    """The second host learns which process holds the lease, and since when."""
    container = a_container()
    first, second = Lease(storage, container, ignore), Lease(storage, container, ignore)
    first.acquire()
    with pytest.raises(LeaseHeld, match=rf"process {os.getpid()}, started 2\d\d\d-"):
        second.acquire()
    first.release()


def test_lease_is_free_at_once_when_its_holder_released_it(storage: BlobServiceClient) -> None:
    """A host that ends in order leaves no wait behind."""
    container = a_container()
    for _ in range(3):
        lease = Lease(storage, container, ignore)
        lease.acquire()
        lease.release()


def test_lease_is_taken_over_by_a_waiting_host_when_it_ends(storage: BlobServiceClient) -> None:
    """A host that waits gets the lease once the first one's is over."""
    container = a_container()
    first, second = Lease(storage, container, ignore), Lease(storage, container, ignore)
    first.acquire()
    waiting = threading.Thread(target=second.acquire, args=(True,))
    waiting.start()
    first.release()
    waiting.join(10)
    with pytest.raises(LeaseHeld):
        Lease(storage, container, ignore).acquire()
    second.release()


def test_lease_that_is_waited_for_can_be_given_up(storage: BlobServiceClient) -> None:
    """A signal ends the wait."""
    container = a_container()
    first, second = Lease(storage, container, ignore), Lease(storage, container, ignore)
    first.acquire()
    second.give_up()
    with pytest.raises(HostError, match="Stopped"):
        second.acquire(wait=True)
    first.release()


def test_lease_is_lost_when_somebody_else_took_it(storage: BlobServiceClient) -> None:
    """The holder is told, once, so that it stops."""
    container = a_container()
    lost: list[LeaseLost] = []
    lease = Lease(storage, container, lost.append, renew_every=0.05)
    lease.acquire()
    blob = storage.get_blob_client(container, BLOB)
    BlobLeaseClient(blob).break_lease(0)
    thief = blob.acquire_lease(15)
    assert until(lambda: lost)[0].lock == f"{container}/{BLOB}"
    thief.release()
    lease.release()


def test_lease_is_kept_while_renewals_succeed(storage: BlobServiceClient) -> None:
    """A renewed lease still keeps others out."""
    container = a_container()
    lost: list[LeaseLost] = []
    lease = Lease(storage, container, lost.append, renew_every=0.01)
    lease.acquire()
    for _ in range(20):
        with pytest.raises(LeaseHeld):
            Lease(storage, container, ignore).acquire()
    assert lost == []
    lease.release()


def test_lease_says_that_storage_is_away() -> None:
    """Without storage the start ends with a sentence about it."""
    with BlobServiceClient.from_connection_string(connection_string(free_port()), retry_total=0) as nowhere:  # noqa: SIM117
        with pytest.raises(HostError, match="Storage can't be used"):
            Lease(nowhere, "tunedrop", ignore).acquire()
