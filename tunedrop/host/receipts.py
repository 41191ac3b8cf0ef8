"""Receipts: which versions of which blobs a function has been given, kept in the host's own
container.
"""

import contextlib
import hashlib
from typing import Any, Protocol

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob import ContainerClient

from tunedrop.host.errors import HostError
from tunedrop.host.storage import cause

FOLDER = "receipts/"


class Receipts(Protocol):
    """What keeps the receipts."""

    def known(self, name: str, etag: str) -> bool:
        """Whether this version of a blob has one."""
        ...

    def write(self, name: str, etag: str) -> None:
        """Gives it one; raises AzureError where the storage does not."""
        ...


# As on Microsoft's host a version that was handled, or failed five times, is not heard again by the
# next host; one whose handling a death cut short has none, and comes again. Nobody takes a receipt
# away.
class StoredReceipts:
    """The receipts of one function, as empty blobs; read once, then written as they come."""

    def __init__(self, container: ContainerClient, function: str, watched: str) -> None:
        self._container = container
        self._folder = f"{FOLDER}{function}/"
        self._watched = watched
        try:
            self._known = {
                str(name) for name in container.list_blob_names(name_starts_with=self._folder)
            }
        except AzureError as error:
            msg = f"The receipts of {function} can't be read: {cause(error)}"
            raise HostError(msg) from error

    def known(self, name: str, etag: str) -> bool:
        """Whether this version of a blob has one."""
        return self._name(name, etag) in self._known

    def write(self, name: str, etag: str) -> None:
        """Gives it one, unless it has it; raises AzureError where the storage does not."""
        receipt: Any = self._name(name, etag)
        with contextlib.suppress(ResourceExistsError):
            self._container.upload_blob(receipt, b"", overwrite=False)
        self._known.add(receipt)

    def _name(self, name: str, etag: str) -> str:
        """Its own name tells nothing of the blob's, and fits whatever that is."""
        told = "\n".join((self._watched, name, etag.strip('"')))
        return self._folder + hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
