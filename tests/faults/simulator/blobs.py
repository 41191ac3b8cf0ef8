"""Blob storage in memory, behind the real `shared.services.storage.Container`: conditional writes,
ETags, the service's clock, and faults.

Only what the app calls of azure-storage-blob's ContainerClient stands here, and it answers with
that library's errors.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceResponseError,
)

from shared.services.container import OWN_BLOB_BYTES, Container
from tests.faults.simulator.stage import Stage

ACCOUNT = "simulated"
# Storage always tells one of these refusals by its code; what has none is somebody else's.
CODES = {404: "BlobNotFound", 409: "BlobAlreadyExists", 412: "ConditionNotMet"}
TOO_LARGE_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Blob:
    """One blob as it stands."""

    content: bytes
    etag: str
    modified: datetime
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    kind: str = "BlockBlob"
    tier: str = "Hot"
    claims_bytes: int | None = None
    """The size that the service tells of a blob whose bytes nobody has to have."""

    @property
    def size(self) -> int:
        """What the service tells."""
        return len(self.content) if self.claims_bytes is None else self.claims_bytes

    @property
    def usable(self) -> bool:
        """Whether a run may read its bytes at all."""
        return self.kind == "BlockBlob" and self.tier == "Hot" and self.size < TOO_LARGE_BYTES


class Account:
    """All containers of one storage account."""

    def __init__(self, stage: Stage, fault_rate: float) -> None:
        self.stage = stage
        self.watchers: list[Callable[[str, str, Blob], None]] = []
        """Called after each write with container, blob and what stands there now."""
        self.fault_rate = fault_rate
        self.misread: Callable[[str, Blob], None] = lambda _name, _blob: None
        """Is told of each read of the bytes of a drop that no run can use."""
        self._containers: dict[str, dict[str, Blob]] = {}
        self._numbers = itertools.count(1)

    def container(self, name: str) -> Container:
        """The app's own adapter on this container."""
        client: Any = MemoryContainer(self, name)
        return Container(client)

    def blobs(self, container: str) -> dict[str, Blob]:
        """What stands in a container, by name."""
        return self._containers.setdefault(container, {})

    def write(
        self,
        container: str,
        name: str,
        content: bytes,
        metadata: dict[str, str] | None = None,
        **more: Any,
    ) -> Blob:
        """Writes at once and without faults, as an uploader outside the simulation does; `more` is
        what is unusual about the blob.
        """
        blob = Blob(
            content,
            f"0x8D{next(self._numbers):08X}",
            self.stage.now.replace(microsecond=0),
            metadata or {},
            **more,
        )
        self.blobs(container)[name] = blob
        for watcher in self.watchers:
            watcher(container, name, blob)
        return blob

    def call[T](self, act: Callable[[], T], *, freezes: bool = True) -> T:
        """One call over the network: both ways take time, and either can fail."""
        random = self.stage.random
        fate = (
            random.choice(("busy", "lost", "repeated"))
            if random.random() < self.fault_rate
            else "fine"
        )
        self.stage.pause(random.uniform(0.005, 0.1), freezes=freezes)
        if fate == "busy":
            raise _error(HttpResponseError, 503)
        result = act()
        self.stage.pause(random.uniform(0.005, 0.1), freezes=freezes)
        if fate == "lost":
            raise ServiceResponseError("reset")
        # The client's own retry meets what its first attempt did.
        return act() if fate == "repeated" else result


class MemoryContainer:
    """What the app uses of a ContainerClient."""

    def __init__(self, account: Account, name: str) -> None:
        self.account_name = ACCOUNT
        self.container_name = name
        self._account = account
        self._name = name

    def _there(self, blob: str, etag: str | None = None) -> Blob:
        found = self._account.blobs(self._name).get(blob)
        if found is None:
            raise _error(ResourceNotFoundError, 404)
        if etag is not None and found.etag != etag:
            raise _error(ResourceModifiedError, 412)
        return found

    def _readable(self, blob: str, etag: str | None) -> Blob:
        found = self._there(blob, etag)
        if found.tier == "Archive":
            raise _error(ResourceExistsError, 409, "BlobArchived")
        return found

    def download_blob(
        self,
        blob: str,
        offset: int = 0,
        length: int | None = None,
        *,
        etag: str | None = None,
        raw_response_hook: Any = None,
        **_: Any,
    ) -> SimpleNamespace:
        """The content, or the part of it, that readall gives."""
        # A range is read while a file is being uploaded: who freezes in the middle of a call leaves
        # the window that reliability.md names.
        found = self._account.call(lambda: self._readable(blob, etag), freezes=length is None)
        if raw_response_hook:
            headers = {
                "Date": format_datetime(self._account.stage.now, usegmt=True),
                "Content-Length": str(found.size),
            }
            raw_response_hook(
                SimpleNamespace(
                    http_response=SimpleNamespace(
                        status_code=200, headers=headers, close=lambda: None
                    )
                )
            )
        content = found.content[offset : None if length is None else offset + length]

        def readall() -> bytes:
            # A small one that was just replaced is no harm.
            if not found.usable and (length is not None or found.size > OWN_BLOB_BYTES):
                self._account.misread(blob, found)
            return content

        return SimpleNamespace(readall=readall, properties=SimpleNamespace(etag=f'"{found.etag}"'))

    def get_blob_client(self, blob: str) -> SimpleNamespace:
        """A client that tells a blob's properties."""
        return SimpleNamespace(
            get_blob_properties=lambda: _properties(
                blob, self._account.call(lambda: self._there(blob))
            )
        )

    def upload_blob(
        self,
        name: str,
        data: bytes,
        *,
        overwrite: bool,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
        metadata: dict[str, str] | None = None,
        raw_response_hook: Any = None,
        **_: Any,
    ) -> None:
        """A conditional write."""

        def write() -> Blob:
            if not overwrite and name in self._account.blobs(self._name):
                raise _error(ResourceExistsError, 409)
            if etag is not None:
                self._there(name, etag)
            if match_condition is MatchConditions.IfPresent and name not in self._account.blobs(
                self._name
            ):
                raise _error(ResourceModifiedError, 412)
            return self._account.write(self._name, name, data, metadata)

        written = self._account.call(write)
        if raw_response_hook:
            now = format_datetime(self._account.stage.now, usegmt=True)
            headers = {"ETag": f'"{written.etag}"', "Date": now}
            raw_response_hook(SimpleNamespace(http_response=SimpleNamespace(headers=headers)))

    def delete_blob(self, blob: str) -> None:
        """Takes a blob away."""

        def delete() -> None:
            self._there(blob)
            self._account.blobs(self._name).pop(blob)

        self._account.call(delete)

    def get_container_properties(self, **_: Any) -> None:
        """Every container is there."""
        self._account.call(lambda: None)

    def list_blobs(self, name_starts_with: str = "", **_: Any) -> SimpleNamespace:
        """All blobs of a prefix on one page, by name, as they stood when the call was answered."""

        def by_page(_marker: str | None) -> OnePage:
            return OnePage(self._listed(name_starts_with))

        return SimpleNamespace(by_page=by_page)

    def _listed(self, prefix: str) -> list[SimpleNamespace]:
        found = self._account.call(lambda: sorted(self._account.blobs(self._name).items()))
        return [_properties(name, blob) for name, blob in found if name.startswith(prefix)]


@dataclass
class OnePage:
    """The only page of a listing."""

    blobs: list[SimpleNamespace]
    continuation_token: str | None = None

    def __next__(self) -> list[SimpleNamespace]:
        return self.blobs


def _properties(name: str, blob: Blob) -> SimpleNamespace:
    return SimpleNamespace(
        name=name,
        etag=f'"{blob.etag}"',
        size=blob.size,
        last_modified=blob.modified,
        metadata=dict(blob.metadata),
        blob_type=blob.kind,
        blob_tier=blob.tier,
    )


def _error[E: HttpResponseError](kind: type[E], status: int, code: str | None = None) -> E:
    error = kind(str(status))
    error.status_code, error.reason = status, "simulated"
    vars(error)["error_code"] = code or CODES.get(status)  # as the client sets it
    return error
