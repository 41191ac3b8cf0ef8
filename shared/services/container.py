"""One blob container in our words: read, read a range, put, put anew, swap, list.

No type of azure-storage-blob leaves this module; its exceptions become ServiceUnavailable or
ServiceRejected (`storage_answers.py`). "Not there" and "somebody else was first" are values.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContainerClient, ContentSettings

from shared.errors import ServiceRejected, ServiceUnavailable
from shared.services.blob_listing import Unreadable, every, some
from shared.services.blocks import write_blocks
from shared.services.container_pages import Pages
from shared.services.storage_answers import (
    SERVICE,
    BlobFacts,
    Changed,
    ContainerMissing,
    Stored,
    Swapped,
    TooLarge,
    ascii_of,
    etag_of,
    facts_of,
    hold_to_range,
    swapped_of,
    time_of,
    translated,
    whole_size,
)

log = logging.getLogger(__name__)
CHUNK_BYTES = 4 * 2**20
OWN_BLOB_BYTES = 8 * 2**20  # a record with all that a run can gather stays far under it
REACH_S = 10.0
NO_ETAG = "0x0"  # no blob has it


type BlobPage = tuple[list[BlobFacts], str | None]
"""Some blobs, and the marker of the next page; None where there is none."""


class Container:
    """One blob container, made when it is first written to or listed, unless `lost` says that it
    was there and has gone.
    """

    def __init__(self, client: ContainerClient, lost: Callable[[], bool] = lambda: False) -> None:
        self._client = client
        self._lost = lost

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
        try:
            with translated(ResourceExistsError):
                self._client.create_container()
        except ResourceExistsError:
            log.debug("container was there")

    def make_if_missing(self) -> None:
        """Looks whether the container is there, and makes it where it isn't.

        Raises:
            ContainerMissing: it was lost, or may not be made.
        """
        if not self.reach(REACH_S):
            self._make()

    def _make(self) -> None:
        if self._lost():
            raise ContainerMissing(
                self.name,
                ("the reports of its runs exist, so it was lost, and no run may start without it"),
            )
        try:
            self.create()
        except (ServiceUnavailable, ServiceRejected) as error:
            raise ContainerMissing(self.name, error.problem.message) from None
        log.warning("container made", extra={"container": self.name})

    def _written[T](self, write: Callable[[], T]) -> T:
        """What the write answers; a missing container is made first."""
        try:
            return write()
        except ResourceNotFoundError:
            self._make()
        try:
            return write()
        except ResourceNotFoundError:
            raise ContainerMissing(self.name, "it is being deleted") from None

    def reach(self, within_s: float) -> bool:
        """Asks the service once whether the container is there, so that whoever waits for an answer
        gets one.

        Raises:
            ServiceUnavailable: no answer came within so many seconds, or one that passes.
            ServiceRejected: the service refuses to say.
        """
        try:
            with translated(ResourceNotFoundError):
                self._client.get_container_properties(
                    retry_total=0, connection_timeout=within_s, read_timeout=within_s
                )
        except ResourceNotFoundError:
            return False
        return True

    def read(self, blob: str, most: int = OWN_BLOB_BYTES, etag: str | None = None) -> Stored | None:
        """The whole of a small blob; None where there is none, or none with this ETag where one is
        given.

        Raises:
            TooLarge: it has more than `most` bytes.
        """
        seen: dict[str, str] = {}

        def note(response: Any) -> None:
            answer = response.http_response
            seen.update({name.lower(): value for name, value in answer.headers.items()})
            if answer.status_code in {200, 206} and (size := whole_size(seen)) > most:
                # Before its body is read.
                answer.close()
                raise TooLarge(size, most)
            hold_to_range(response)

        condition: dict[str, Any] = (
            {} if etag is None else {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        )
        try:
            with translated(ResourceNotFoundError, ResourceModifiedError):
                # As it was dropped: a blob can call itself packed, and unpack to gigabytes.
                stream = self._client.download_blob(
                    blob, raw_response_hook=note, decompress=False, **condition
                )
                content = stream.readall()
                if len(content) > most:
                    raise TooLarge(len(content), most)
                if len(content) != whole_size(seen):
                    raise ServiceUnavailable(SERVICE, "a blob has another size than its head says")
                return Stored(content, etag_of(stream.properties.etag), time_of(seen))
        except (ResourceNotFoundError, ResourceModifiedError):
            return None

    def facts(self, blob: str) -> BlobFacts | None:
        """What the service tells of a blob; None where there is none."""
        try:
            with translated(ResourceNotFoundError):
                return facts_of(self._client.get_blob_client(blob).get_blob_properties())
        except ResourceNotFoundError:
            return None

    def put(
        self,
        blob: str,
        content: bytes,
        *,
        content_type: str = "application/json",
        metadata: dict[str, str] | None = None,
    ) -> None:
        """Writes the blob, whatever was there."""

        def write() -> None:
            with translated(ResourceNotFoundError):
                self._upload(blob, content, metadata, content_type, overwrite=True)

        self._written(write)

    def put_new(self, blob: str, content: bytes, metadata: dict[str, str] | None = None) -> bool:
        """Writes the blob only where there is none (If-None-Match: *); False where there is one.

        A retry inside the client can meet its own first attempt: whoever needs to know compares
        what stands there.
        """

        def write() -> bool:
            try:
                with translated(ResourceNotFoundError, ResourceExistsError, ResourceModifiedError):
                    self._upload(blob, content, metadata, overwrite=False)
            except (ResourceExistsError, ResourceModifiedError):
                return False
            return True

        return self._written(write)

    def swap(
        self,
        blob: str,
        content: bytes,
        etag: str,
        metadata: dict[str, str] | None = None,
        note: Callable[[Swapped], None] | None = None,
    ) -> bool:
        """Writes the blob only where it still has this ETag; False where it has not. `note` is told
        what the answer to a write that was taken tells.
        """
        told: dict[str, str] = {}

        def keep(response: Any) -> None:
            told.update({k.lower(): v for k, v in response.http_response.headers.items()})

        same: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        same["raw_response_hook"] = keep
        if not self._written_over(blob, content, metadata, same):
            return False
        if note:
            note(swapped_of(told))
        return True

    def replace(self, blob: str, content: bytes, metadata: dict[str, str] | None = None) -> bool:
        """Writes the blob only where there is one (If-Match: *); False where there is none."""
        there: dict[str, Any] = {"match_condition": MatchConditions.IfPresent}
        return self._written_over(blob, content, metadata, there)

    def _written_over(
        self,
        blob: str,
        content: bytes,
        metadata: dict[str, str] | None,
        condition: dict[str, Any],
    ) -> bool:
        try:
            with translated(ResourceModifiedError, ResourceNotFoundError):
                self._upload(blob, content, metadata, overwrite=True, **condition)
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        return True

    def _upload(
        self,
        blob: str,
        content: bytes,
        metadata: dict[str, str] | None,
        content_type: str = "application/json",
        **how: Any,
    ) -> None:
        settings = ContentSettings(content_type=content_type)
        self._client.upload_blob(
            blob, content, metadata=ascii_of(metadata), content_settings=settings, **how
        )

    def try_write(self) -> None:
        """Asks whether the app may write here, by a write that can't succeed.

        Raises:
            NotAllowed: it may not.
            ServiceUnavailable: nobody can say now.
        """
        # No blob has this name or this ETag: nothing changes, whatever the answer is.
        self.swap("may-write", b"", NO_ETAG)

    def chunks(self, blob: str, etag: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop) of the blob with this ETag, in pieces of bounded size.

        Raises:
            Changed: the blob has another ETag by now, or is gone.
        """
        at = start
        while at < stop:
            length = min(CHUNK_BYTES, stop - at)
            yield self._piece(blob, etag, at, length)
            at += length

    def _piece(self, blob: str, etag: str, start: int, length: int) -> bytes:
        try:
            with translated(ResourceModifiedError, ResourceNotFoundError):
                piece = self._client.download_blob(
                    blob,
                    offset=start,
                    length=length,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                    decompress=False,
                    raw_response_hook=hold_to_range,
                ).readall()
        except (ResourceModifiedError, ResourceNotFoundError):
            raise Changed from None
        if len(piece) != length:
            raise ServiceUnavailable(SERVICE, "a piece has another size than was asked for")
        return piece

    def put_stream(self, blob: str, blocks: Iterator[bytes]) -> None:
        """Writes a large blob from its blocks; where there is one already, that one stays."""
        try:
            # Its last call commits the list of blocks: nothing is there before all of it is.
            write_blocks(self._client.get_blob_client(blob), blocks)
        except ResourceNotFoundError:
            raise ContainerMissing(self.name, "it is being deleted") from None
        except ServiceRejected:
            # Else the other writer's commit has dropped the blocks of this one.
            if self.facts(blob) is None:
                raise

    def delete(self, blob: str) -> None:
        """Deletes the blob; one that isn't there is deleted."""
        try:
            with translated(ResourceNotFoundError):
                self._client.delete_blob(blob)
        except ResourceNotFoundError:
            log.debug("blob was not there")

    def list(self, prefix: str = "") -> Iterator[BlobFacts]:
        """Every blob whose name starts so, by name, with its metadata; a name that storage can't
        tell is left out and logged.
        """
        try:
            yield from every(Pages(self._client).page, prefix, self._hides_one)
        except ResourceNotFoundError:
            self._make()
        except Unreadable:
            raise ServiceUnavailable(SERVICE, "500 to a listing") from None

    def page(self, prefix: str, marker: str, most: int) -> BlobPage:
        """At most so many of these blobs, by one call, after the marker of the page before; and the
        marker of the next page. Where a name can't be told, all that is left comes as one page.
        """
        pages = Pages(self._client, most)
        try:
            return some(pages.page, prefix, marker, self._hides_one, most)
        except ResourceNotFoundError:
            self._make()
            return [], None
        except Unreadable:
            raise ServiceUnavailable(SERVICE, "500 to a listing") from None

    def _hides_one(self) -> None:
        log.warning("blob with a name that can't be listed", extra={"container": self.name})
