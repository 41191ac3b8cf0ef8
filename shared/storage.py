"""Blob storage in our words: read, read a range, put, put anew, swap, list.

No type of azure-storage-blob leaves this module; its exceptions become ServiceUnavailable or
ServiceRejected. "Not there" and "somebody else was first" are values.
"""

import logging
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient, ContentSettings, ExponentialRetry

from shared.credentials import credential_for
from shared.errors import ServiceRejected, ServiceUnavailable, TuneDropError
from shared.settings import AZURITE, AZURITE_CONNECTION_STRING, settings, storage_connection

log = logging.getLogger(__name__)
CHUNK_BYTES = 4 * 2**20
OWN_BLOB_BYTES = 8 * 2**20  # a record with all that a run can gather stays far under it
SCAN_BYTES = 64 * 2**20  # a scan holds at most a million fingerprints of 28 bytes, in base64
RESULTS_BYTES = 64 * 2**20  # what a run keeps of its job: results.csv, events
TRANSIENT = {401, 403, 408, 429}
"""Statuses that pass, as those from 500 on do. 401 and 403 too: a new role takes minutes to arrive (RBAC troubleshooting page)."""
RETRIES = ExponentialRetry(initial_backoff=1, increment_base=2, random_jitter_range=1, retry_total=3)
"""The client's own retries, after about 3, 5 and 9 s; its default waits 18 s before the first. What lasts longer, the run waits for."""


@dataclass(frozen=True)
class Stored:
    """A blob's content, its ETag, and the time by the service's clock."""

    content: bytes
    etag: str
    now: datetime


@dataclass(frozen=True)
class BlobFacts:
    """What a listing tells of a blob. `kind`: block, page or append; `archived`: its bytes can't be read until it is brought back."""

    name: str
    etag: str
    bytes: int
    modified: datetime
    metadata: dict[str, str]
    kind: str = "block"
    archived: bool = False


class TooLarge(TuneDropError):
    """The blob has more bytes than its reader takes; none of them was read."""

    kind = "service"

    def __init__(self, size: int, most: int) -> None:
        self.bytes = size
        self.most = most
        super().__init__(
            "TD-STORAGE-001",
            f"A blob has {size:,} bytes; TuneDrop reads at most {most:,} of its kind.",
            "TuneDrop never writes one so large: look who did, and restore the blob from its versions.",
        )


class Changed(Exception):
    """The blob is not the one that was pinned: another ETag, or gone."""


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
        raise
    except HttpResponseError as error:
        status = error.status_code or 0
        if status in TRANSIENT or status >= 500:
            raise ServiceUnavailable("Storage", f"{status} {getattr(error, 'error_code', None) or error.reason}") from None
        raise ServiceRejected("Storage", status, str(getattr(error, "error_code", None) or "unknown"), str(error.reason)) from None
    except AzureError as error:
        raise ServiceUnavailable("Storage", type(error).__name__) from None


class Container:
    """One blob container."""

    def __init__(self, client: ContainerClient) -> None:
        self._client = client

    @property
    def account(self) -> str:
        """The name of the storage account."""
        return str(self._client.account_name)

    @property
    def name(self) -> str:
        """The name of the container."""
        return str(self._client.container_name)

    def create(self) -> None:
        """Makes the container; one that is there is left alone."""
        with _translated():
            try:
                self._client.create_container()
            except ResourceExistsError:
                log.debug("container was there")

    def reach(self, within_s: float) -> None:
        """Asks the service for the container, once, so that whoever waits for an answer gets one.

        Raises:
            ServiceUnavailable: no answer came within so many seconds, or one that passes.
            ServiceRejected: the service refuses to say.
        """
        with _translated():
            try:
                self._client.get_container_properties(retry_total=0, connection_timeout=within_s, read_timeout=within_s)
            except ResourceNotFoundError:
                log.debug("container was not there")

    def read(self, blob: str, most: int = OWN_BLOB_BYTES) -> Stored | None:
        """The whole of a small blob; None where there is none.

        Raises:
            TooLarge: it has more than `most` bytes.
        """
        seen: dict[str, str] = {}

        def note(response: Any) -> None:
            answer = response.http_response
            seen.update({name.lower(): value for name, value in answer.headers.items()})
            if answer.status_code in {200, 206} and (size := _whole_size(seen)) > most:
                answer.close()  # before its body is read
                raise TooLarge(size, most)

        with _translated():
            try:
                stream = self._client.download_blob(blob, raw_response_hook=note)
                content = stream.readall()
            except ResourceNotFoundError:
                return None
        now = parsedate_to_datetime(seen["date"]).astimezone(UTC) if "date" in seen else datetime.now(UTC)
        return Stored(content, stream.properties.etag.strip('"'), now)

    def facts(self, blob: str) -> BlobFacts | None:
        """What the service tells of a blob; None where there is none."""
        with _translated():
            try:
                return _facts(self._client.get_blob_client(blob).get_blob_properties())
            except ResourceNotFoundError:
                return None

    def put(self, blob: str, content: bytes, *, content_type: str = "application/json") -> None:
        """Writes the blob, whatever was there."""
        with _translated():
            self._client.upload_blob(blob, content, overwrite=True, content_settings=ContentSettings(content_type=content_type))

    def put_new(self, blob: str, content: bytes, metadata: dict[str, str] | None = None) -> bool:
        """Writes the blob only where there is none (If-None-Match: *); False where there is one.

        A retry inside the client can meet its own first attempt: whoever needs to know compares what stands there.
        """
        with _translated():
            try:
                self._client.upload_blob(
                    blob, content, overwrite=False, metadata=metadata, content_settings=ContentSettings("application/json")
                )
            except (ResourceExistsError, ResourceModifiedError):
                return False
        return True

    def swap(self, blob: str, content: bytes, etag: str, metadata: dict[str, str] | None = None) -> bool:
        """Writes the blob only where it still has this ETag; False where it has not."""
        with _translated():
            try:
                self._client.upload_blob(
                    blob,
                    content,
                    overwrite=True,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                    metadata=metadata,
                    content_settings=ContentSettings("application/json"),
                )
            except (ResourceModifiedError, ResourceNotFoundError):
                return False
        return True

    def chunks(self, blob: str, etag: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop) of the blob with this ETag, in pieces of bounded size.

        Raises:
            Changed: the blob has another ETag by now, or is gone.
        """
        at = start
        while at < stop:
            length = min(CHUNK_BYTES, stop - at)
            with _translated():
                try:
                    yield self._client.download_blob(
                        blob, offset=at, length=length, etag=etag, match_condition=MatchConditions.IfNotModified
                    ).readall()
                except (ResourceModifiedError, ResourceNotFoundError):
                    raise Changed from None
            at += length

    def list(self, prefix: str = "") -> Iterator[BlobFacts]:
        """Every blob whose name starts so, by name, with its metadata."""
        with _translated():
            for found in self._client.list_blobs(name_starts_with=prefix, include=["metadata"]):
                yield _facts(found)


def _facts(found: Any) -> BlobFacts:
    return BlobFacts(
        name=found.name,
        etag=found.etag.strip('"'),
        bytes=found.size,
        modified=found.last_modified,
        metadata=dict(found.metadata or {}),
        kind=str(getattr(found.blob_type, "value", found.blob_type)).removesuffix("Blob").lower(),
        archived=found.blob_tier == "Archive",  # it stays so until it is brought back, which takes hours
    )


def _whole_size(headers: Mapping[str, str]) -> int:
    """The blob's size, whichever part of it the answer holds: `Content-Range: bytes 0-99/1000`."""
    total = headers.get("content-range", "").rpartition("/")[2] or headers.get("content-length", "")
    return int(total) if total.isdecimal() else 0


@cache
def _service() -> BlobServiceClient:
    # Its DEBUG lines hold whole addresses, and an address of a shared access signature is the secret itself.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
    connection = storage_connection()
    if connection.connection_string:
        text = connection.connection_string.get_secret_value()
        return BlobServiceClient.from_connection_string(AZURITE_CONNECTION_STRING if text == AZURITE else text, retry_policy=RETRIES)
    if connection.address:
        return BlobServiceClient(connection.address, credential=credential_for(connection.address), retry_policy=RETRIES)
    raise ServiceRejected("Storage", None, "NoConnection", "neither DropStorage nor DropStorage__blobServiceUri is set")


def training() -> Container:
    """The container that drops land in."""
    return Container(_service().get_container_client(settings().training_container))


def reports() -> Container:
    """The container of the reports."""
    return Container(_service().get_container_client(settings().reports_container))


def ledger() -> Container:
    """The container of the ledger, the claims and the scans."""
    return Container(_service().get_container_client(settings().ledger_container))
