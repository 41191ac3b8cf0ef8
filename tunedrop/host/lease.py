"""One embedded host per container: a blob lease that a host holds for as long as it runs.

60 s is the longest lease that Azure Storage gives for a limited time; a killed host's lease ends by itself. The blob's
metadata tells who holds it. Renewals that fail because storage is away are repeated while the lease still holds.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient

from tunedrop.host.errors import HostError, LeaseHeld, LeaseLost, bounded
from tunedrop.host.logs import log
from tunedrop.host.storage import cause, create_containers

LEASE_S = 60
RENEW_EVERY_S = 15.0
RETRY_EVERY_S = 2.0
MARGIN_S = 10.0  # stop this long before the lease ends, so that two hosts never overlap
BLOB = "host.lock"


class Lease:
    """The right to be the one host of this container; `lost` is called at most once, from the renewing thread."""

    def __init__(
        self, service: BlobServiceClient, container: str, lost: Callable[[LeaseLost], None], renew_every: float = RENEW_EVERY_S
    ) -> None:
        self.lock = f"{container}/{BLOB}"
        self._service = service
        self._container = container
        self._lost = lost
        self._renew_every = renew_every
        self._blob: BlobClient = service.get_blob_client(container, BLOB)
        self._lease: BlobLeaseClient | None = None
        self._released = threading.Event()

    def acquire(self, wait: bool = False) -> None:
        """Take the lease and keep it; raises LeaseHeld, or waits for its end where `wait`."""
        create_containers(self._service, self._container)
        try:
            while (lease := self._take()) is None:
                if not wait:
                    raise self._held()
                if self._released.wait(RETRY_EVERY_S):
                    msg = "Stopped while waiting for the lease."
                    raise HostError(msg)
        except AzureError as error:
            msg = f"The lease on {self.lock} can't be taken: {cause(error)}"
            raise HostError(msg) from error
        self._lease = lease
        threading.Thread(target=self._keep, args=(lease,), name="lease", daemon=True).start()

    def give_up(self) -> None:
        """End a wait in `acquire`."""
        self._released.set()

    def release(self) -> None:
        """Let go, so that the next host needn't wait; harmless if the lease is not held."""
        self._released.set()
        lease, self._lease = self._lease, None
        if lease:
            try:
                lease.release()
            except AzureError as error:
                log.warning("lease not released", extra={"lock": self.lock, "error": cause(error)})

    def _take(self) -> BlobLeaseClient | None:
        try:
            self._blob.upload_blob(b"", overwrite=False)
        except HttpResponseError as error:
            if error.status_code not in (409, 412):  # there already, or there and leased
                raise
        try:
            lease = self._blob.acquire_lease(LEASE_S)
        except ResourceExistsError:
            return None
        self._blob.set_blob_metadata({"pid": str(os.getpid()), "started": datetime.now(UTC).isoformat(timespec="seconds")}, lease=lease)
        return lease

    def _held(self) -> LeaseHeld:
        holder = self._blob.get_blob_properties().metadata
        return LeaseHeld(self.lock, bounded(holder.get("pid", "unknown")), bounded(holder.get("started", "unknown")))

    def _keep(self, lease: BlobLeaseClient) -> None:
        renewed = time.monotonic()
        pause = self._renew_every
        while not self._released.wait(pause):
            asked = time.monotonic()
            try:
                lease.renew()
                renewed, pause = asked, self._renew_every
            except AzureError as error:
                refused = isinstance(error, HttpResponseError) and error.status_code in (404, 409, 412)
                if self._released.is_set():
                    return
                if refused or time.monotonic() - renewed > LEASE_S - MARGIN_S:
                    self._lease = None
                    self._lost(LeaseLost(self.lock, cause(error)))
                    return
                pause = min(RETRY_EVERY_S, self._renew_every)
