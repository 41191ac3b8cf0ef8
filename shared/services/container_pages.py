"""The pages of a listing of blobs, as `blob_listing.py` asks for them; they have an end."""

from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from shared.errors import ServiceUnavailable
from shared.services import call_limits
from shared.services.blob_listing import MOST, Unreadable
from shared.services.storage_answers import SERVICE, BlobFacts, code_of, facts_of, translated


class Pages:
    """The pages of one listing, which has an end."""

    def __init__(self, client: ContainerClient, most: int = MOST) -> None:
        self._client = client
        self._most = most
        self._asked_for = self._empty = 0

    def page(self, prefix: str, marker: str, size: int) -> tuple[list[BlobFacts], str | None]:
        """The blobs whose names begin so, after a marker, and the marker of the next page.

        Raises:
            ServiceUnavailable: page comes after page: the same again, with nothing on them, or more
                than there may be.
        """
        found, following = self._asked(prefix, marker, size)
        self._empty = 0 if found else self._empty + 1
        self._asked_for = self._asked_for + 1 if marker else 1
        many = (
            self._empty > call_limits.limits().pages
            or self._asked_for > call_limits.limits().listing_pages
        )
        if following and (following == marker or many):
            raise ServiceUnavailable(SERVICE, "its listing has no end")
        return found, following

    def _asked(self, prefix: str, marker: str, size: int) -> tuple[list[BlobFacts], str | None]:
        # A smaller page is asked for because a larger one failed: what can't be told fails again.
        impatient: dict[str, Any] = {} if size == self._most else {"retry_total": 0}
        with translated(ResourceNotFoundError):
            try:
                pages: Any = self._client.list_blobs(
                    name_starts_with=prefix,
                    include=["metadata"],
                    results_per_page=size,
                    **impatient,
                ).by_page(marker or None)
                return [facts_of(found) for found in next(pages)], pages.continuation_token
            except call_limits.Exceeded:
                # Much metadata: fewer blobs a page.
                raise Unreadable from None
            except HttpResponseError as error:
                # Azure Storage always has a code.
                if error.status_code == 500 and not code_of(error):
                    raise Unreadable from None
                raise
