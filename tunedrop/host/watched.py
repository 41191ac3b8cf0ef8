"""The container that a blob trigger watches: what it holds, and what one of its blobs is like;
nothing in it is ever written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote
from xml.etree import ElementTree

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobProperties, ContainerClient

from shared.services.blob_listing import Unreadable, every
from tunedrop.host.logs import log

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class BlobEvent:
    """One version of one blob."""

    name: str
    etag: str


class Watched(Protocol):
    """What a trigger asks of the container that it watches."""

    def listed(self, prefix: str) -> list[BlobEvent]:
        """Every version that stands there now; raises AzureError."""
        ...

    def facts(self, name: str) -> BlobProperties | None:
        """What a blob is like now, None where it is gone; raises AzureError."""
        ...

    def uri(self, name: str) -> str:
        """The blob's address."""
        ...


class WatchedContainer:
    """A container of a storage account."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._hidden = False

    def listed(self, prefix: str) -> list[BlobEvent]:
        """Every version that stands there now; raises AzureError."""
        hidden: list[bool] = []
        try:
            found = list(every(self._page, prefix, lambda: hidden.append(True), PAGE))
        except Unreadable as unreadable:
            raise AzureError("500 to a listing") from unreadable
        # Logged once: a name that can't be told hides no other.
        if hidden and not self._hidden:
            log.warning(
                "blob with a name that can't be listed",
                extra={"container": self._container.container_name},
            )
        self._hidden = bool(hidden)
        return found

    def facts(self, name: str) -> BlobProperties | None:
        """What a blob is like now, None where it is gone; raises AzureError."""
        try:
            return self._container.get_blob_client(name).get_blob_properties()
        except ResourceNotFoundError:
            return None

    def uri(self, name: str) -> str:
        """The blob's address."""
        # Without the query: it may hold a shared access signature.
        return self._container.get_blob_client(name).url.partition("?")[0]

    def _page(self, prefix: str, marker: str, size: int) -> tuple[list[BlobEvent], str | None]:
        found: list[BlobEvent] = []

        def keep(answer: Any) -> None:
            if answer.http_response.status_code == 200:
                found.extend(_versions(answer.http_response.body()))

        try:
            # The names alone: what the client makes of all properties costs seven times as much.
            pages: Any = self._container.list_blob_names(
                name_starts_with=prefix or None, results_per_page=size, raw_response_hook=keep
            ).by_page(marker or None)
            next(pages)
        except HttpResponseError as error:
            # Azurite, where it can't write down a name.
            if error.status_code == 500 and not getattr(error, "error_code", None):
                raise Unreadable from error
            raise
        return found, pages.continuation_token


def _versions(body: bytes) -> Iterator[BlobEvent]:
    """Names and ETags of a page, as the service tells them."""
    told = ElementTree.fromstring(body)  # noqa: S314  # as the client itself reads these bytes
    for blob in told.iterfind("Blobs/Blob"):
        name, etag = blob.find("Name"), blob.findtext("Properties/Etag")
        if name is not None and name.text and etag:
            encoded = name.get("Encoded") == "true"
            yield BlobEvent(unquote(name.text) if encoded else name.text, etag)
