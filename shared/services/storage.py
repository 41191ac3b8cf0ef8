"""Blob storage as the app is set up: its containers of drops, of reports and of the ledger, each as
a `Container`.
"""

import logging
from functools import cache
from typing import Any

from azure.storage.blob import BlobServiceClient, ExponentialRetry

from shared.errors import ServiceRejected
from shared.services import call_limits
from shared.services.bounded_azure import transport
from shared.services.container import CHUNK_BYTES, Container
from shared.services.credentials import credential_for
from shared.services.storage_answers import (
    SERVICE,
    BlobFacts,
    Changed,
    ContainerMissing,
    NotAllowed,
    Stored,
    TooLarge,
)
from shared.settings import AZURITE, AZURITE_CONNECTION_STRING, settings, storage_connection

__all__ = [
    "CHUNK_BYTES",
    "BlobFacts",
    "Changed",
    "Container",
    "ContainerMissing",
    "NotAllowed",
    "Stored",
    "TooLarge",
    "ledger",
    "named",
    "reports",
    "training",
]

SCAN_BYTES = 64 * 2**20  # a scan holds at most a million fingerprints of 28 bytes, in base64
RESULTS_BYTES = 64 * 2**20  # what a run keeps of its job: results.csv, events


class _Retries(ExponentialRetry):
    def sleep(self, settings: dict[str, Any], transport: Any) -> None:
        """Waits before a retry, where the call has that much time.

        Raises:
            TimeoutError: it hasn't.
        """
        # Here and not in our transport: the clients of containers wrap that one, and its sleep.
        wait_s = self.get_backoff_time(settings)
        call_limits.hold_to_time(wait_s)
        transport.sleep(wait_s)


# The client's own retries, after about 3, 5 and 9 s; its default waits 18 s before the first. What
# lasts longer, the run waits for.
RETRIES = _Retries(initial_backoff=1, increment_base=2, random_jitter_range=1, retry_total=3)


@cache
def _service() -> BlobServiceClient:
    # Its DEBUG lines hold whole addresses, and an address of a shared access signature is the
    # secret itself.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    # Else it warns of answers without a body.
    logging.getLogger("azure.storage.blob._shared.response_handlers").setLevel(logging.ERROR)
    connection = storage_connection()
    # permit_redirects=False below: the key and the token go to no other address.
    if connection.connection_string:
        text = connection.connection_string.get_secret_value()
        text = AZURITE_CONNECTION_STRING if text == AZURITE else text
        own = BlobServiceClient.from_connection_string(text).primary_endpoint
        return BlobServiceClient.from_connection_string(
            text, retry_policy=RETRIES, transport=transport(own), permit_redirects=False
        )
    if address := connection.address:
        return BlobServiceClient(
            address,
            credential=credential_for(address),
            retry_policy=RETRIES,
            transport=transport(address),
            permit_redirects=False,
        )
    raise ServiceRejected(
        SERVICE, None, "NoConnection", "neither DropStorage nor DropStorage__blobServiceUri is set"
    )


def training() -> Container:
    """The container for drops."""
    return Container(_service().get_container_client(settings().training_container))


def named(name: str) -> Container:
    """The container of this name: of a run under way, whose containers are pinned."""
    return Container(_service().get_container_client(name))


def reports() -> Container:
    """The container of the reports."""
    return Container(_service().get_container_client(settings().reports_container))


def ledger() -> Container:
    """The container of the ledger, the claims and the scans."""
    # Never made anew beside reports: every drop would be trained again.
    return Container(
        _service().get_container_client(settings().ledger_container), lambda: any(reports().list())
    )
