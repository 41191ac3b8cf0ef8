"""One host per container."""

import os
import threading
import uuid
from contextlib import suppress

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient

from tests.azurite import connection_string, free_port
from tests.faults.proxy import before
from tests.patience import patience, until
from tunedrop.host.errors import HostError, LeaseHeld, LeaseLost
from tunedrop.host.lease import BLOB, Lease


def ignore(_lost: LeaseLost) -> None:
    """For leases that no test takes away."""


def a_container() -> str:
    """A name that no other test uses; the lease makes the container."""
    return f"lock-{uuid.uuid4().hex[:8]}"


def test_lease_is_refused_with_its_holder_when_another_host_has_it(
    storage: BlobServiceClient,
) -> None:
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
    waiting.join(patience(10))
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


def stolen(blob: BlobClient) -> BlobLeaseClient:
    """The lease of this blob, taken away from its holder, who takes it again where nobody is
    faster.
    """

    def taken() -> BlobLeaseClient | None:
        BlobLeaseClient(blob).break_lease(0)
        try:
            return blob.acquire_lease(15)
        except ResourceExistsError:
            return None

    thief = until(taken)
    assert thief
    return thief


def test_lease_that_ran_out_is_taken_again(storage: BlobServiceClient) -> None:
    """A laptop that slept for more than a minute, or storage that was away, ends no host; others
    are kept out again.
    """
    container = a_container()
    lost: list[LeaseLost] = []
    lease = Lease(storage, container, lost.append, renew_every=0.05)
    lease.acquire()
    BlobLeaseClient(storage.get_blob_client(container, BLOB)).break_lease(0)

    def held() -> bool:
        other = Lease(storage, container, ignore)
        with suppress(LeaseHeld):
            if other._take():  # pyright: ignore[reportPrivateUsage]
                return False
        return True

    properties = storage.get_blob_client(container, BLOB).get_blob_properties
    until(lambda: properties().lease.state == "leased")
    assert (held(), lost) == (True, [])
    lease.release()
    until(lambda: properties().lease.state == "available")


def test_lease_is_made_anew_where_its_container_was_deleted(storage: BlobServiceClient) -> None:
    """As long as nobody else has one."""
    container = a_container()
    lost: list[LeaseLost] = []
    lease = Lease(storage, container, lost.append, renew_every=0.05)
    lease.acquire()
    storage.delete_container(container)
    until(lambda: storage.get_blob_client(container, BLOB).exists())
    until(
        lambda: (
            storage.get_blob_client(container, BLOB).get_blob_properties().lease.state == "leased"
        )
    )
    assert lost == []
    lease.release()


def test_lease_outlives_a_storage_that_is_away_for_long(
    azurite: str, caplog: pytest.LogCaptureFixture
) -> None:
    """However many renewals fail: the host ends by another host alone. The log has one line
    of it.
    """
    with (
        before(azurite) as (connection, proxy),
        BlobServiceClient.from_connection_string(connection, retry_total=0) as service,
    ):
        container = a_container()
        lost: list[LeaseLost] = []
        lease = Lease(service, container, lost.append, renew_every=0.01)
        lease.acquire()
        proxy.plan("PUT", BLOB, 503, times=100_000)
        until(lambda: proxy.met > 100)
        proxy.end()
        renewed = len(caplog.records)
        until(
            lambda: (
                service.get_blob_client(container, BLOB).get_blob_properties().lease.state
                == "leased"
            )
        )
        assert (lost, [record.message for record in caplog.records[:renewed]]) == (
            [],
            ["lease not renewed"],
        )
        lease.release()


def test_lease_is_lost_when_somebody_else_took_it(storage: BlobServiceClient) -> None:
    """The holder is told, once, so that it stops."""
    container = a_container()
    lost: list[LeaseLost] = []
    lease = Lease(storage, container, lost.append, renew_every=0.05)
    lease.acquire()
    thief = stolen(storage.get_blob_client(container, BLOB))
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
    with (
        BlobServiceClient.from_connection_string(
            connection_string(free_port()), retry_total=0
        ) as nowhere,
        pytest.raises(HostError, match="Storage can't be used"),
    ):
        Lease(nowhere, "tunedrop", ignore).acquire()
