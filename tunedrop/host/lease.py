"""One embedded host per container: a blob lease that a host holds for as long as it runs. The
blob's metadata tells who holds it.

A renewal that fails because storage is away is repeated for as long as it takes. A lease that has
run out meanwhile, as while a laptop sleeps, is taken again; only where another host has taken it
does this one end.
"""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient

from tunedrop.host.errors import HostError, LeaseHeld, LeaseLost, bounded
from tunedrop.host.logs import log
from tunedrop.host.storage import cause, create_containers

# Seconds; the longest lease that Azure Storage gives for a limited time. A killed host's lease ends
# by itself.
LEASE_S = 60
RENEW_EVERY_S = 15.0
RETRY_EVERY_S = 2.0
END_S = 2.0
BLOB = "host.lock"


class Lease:
    """The right to be the one host of this container; `lost` is called in the renewing thread."""

    def __init__(
        self,
        service: BlobServiceClient,
        container: str,
        lost: Callable[[LeaseLost], None],
        renew_every: float = RENEW_EVERY_S,
    ) -> None:
        self.lock = f"{container}/{BLOB}"
        self._service = service
        self._container = container
        self._lost = lost
        self._renew_every = renew_every
        self._blob: BlobClient = service.get_blob_client(container, BLOB)
        self._lease: BlobLeaseClient | None = None
        self._keeping: threading.Thread | None = None
        self._released = threading.Event()

    def acquire(self, wait: bool = False) -> None:
        """Take the lease and keep it; raises LeaseHeld, or waits for its end where `wait`."""
        create_containers(self._service, self._container)
        try:
            while (lease := self._take()) is None:
                if not wait:
                    raise LeaseHeld(self.lock, *self._held())
                if self._released.wait(RETRY_EVERY_S):
                    msg = "Stopped while waiting for the lease."
                    raise HostError(msg)
        except AzureError as error:
            msg = f"The lease on {self.lock} can't be taken: {cause(error)}"
            raise HostError(msg) from error
        self._lease = lease
        self._keeping = threading.Thread(
            target=self._keep, args=(lease,), name="lease", daemon=True
        )
        self._keeping.start()

    def give_up(self) -> None:
        """End a wait in `acquire`."""
        self._released.set()

    def release(self) -> None:
        """Let go, so that the next host needn't wait; harmless if the lease is not held."""
        self._released.set()
        if self._keeping and self._keeping is not threading.current_thread():
            # It may be taking the lease again.
            self._keeping.join(END_S)
        lease, self._lease = self._lease, None
        if lease:
            try:
                lease.release()
            except AzureError as error:
                log.warning("lease not released", extra={"lock": self.lock, "error": cause(error)})

    def _take(self) -> BlobLeaseClient | None:
        try:
            self._blob.upload_blob(b"", overwrite=False)
        except ResourceNotFoundError:
            self._service.get_container_client(self._container).create_container()
            return self._take()
        except HttpResponseError as error:
            if error.status_code not in (409, 412):  # there already, or there and leased
                raise
        try:
            lease = self._blob.acquire_lease(LEASE_S)
        except ResourceExistsError:
            return None
        self._blob.set_blob_metadata(
            {"pid": str(os.getpid()), "started": datetime.now(UTC).isoformat(timespec="seconds")},
            lease=lease,
        )
        return lease

    def _held(self) -> tuple[str, str]:
        """The process that holds the lease, and since when."""
        holder = self._blob.get_blob_properties().metadata
        return bounded(holder.get("pid", "unknown")), bounded(holder.get("started", "unknown"))

    def _keep(self, lease: BlobLeaseClient) -> None:
        away, pause = False, self._renew_every
        while not self._released.wait(pause):
            try:
                lease = self._renewed(lease)
            except LeaseLost as lost:
                self._lease = None
                self._lost(lost)
                return
            except AzureError as error:
                if not away and not self._released.is_set():
                    log.warning(
                        "lease not renewed", extra={"lock": self.lock, "error": cause(error)}
                    )
                away, pause = True, min(RETRY_EVERY_S, self._renew_every)
            else:
                away, pause = False, self._renew_every

    def _renewed(self, lease: BlobLeaseClient) -> BlobLeaseClient:
        """The lease, still ours or ours again; raises LeaseLost where another host holds it."""
        try:
            lease.renew()
        except HttpResponseError as error:
            if error.status_code not in (404, 409, 412):
                raise
        else:
            return lease
        # Until it knows, both hosts may run for some seconds: the ledger keeps them apart, whose
        # writes compare and swap and whose intents stand before every call that costs money, as it
        # does for two hosts on Azure.
        again = self._take()
        if again is None:
            raise LeaseLost(self.lock, *self._held())
        log.warning("lease had run out, taken again", extra={"lock": self.lock})
        self._lease = again
        return again
