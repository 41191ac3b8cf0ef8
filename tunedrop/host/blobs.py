"""Blob triggers: each blob version fires its function once, found by listing the container.

At least once, as on Azure: receipts are held in memory, so that all blobs fire again after a start, and the app's
ledger tells what is new. The user's container is only read. A listing that fails is repeated; an outage is logged once, and
so is a name that the listing can't tell, which hides no other.
"""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.blob import BlobServiceClient

from shared.listing import Unreadable, every
from tunedrop.host.errors import FunctionFailed, HostError
from tunedrop.host.functions import Function, resolve_settings
from tunedrop.host.logs import log, log_failure
from tunedrop.host.messages import Message
from tunedrop.host.storage import cause

AT_ONCE = 8
PAGE = 1_000
BACKOFF_S = (1.0, 2.0, 4.0, 8.0)  # five tries in all, as the Functions host's default before an event is poison

type Fire = Callable[[Function, dict[str, str], Message], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class BlobEvent:
    """One version of one blob."""

    name: str
    etag: str


@dataclass(frozen=True, slots=True)
class BlobPath:
    """A trigger's path: a container and a pattern of names, such as `training/{name}`; `{name}` spans slashes."""

    container: str
    prefix: str
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, path: str) -> "BlobPath":
        """Read a path of the app; raises HostError."""
        container, _, name = path.partition("/")
        parts = re.split(r"\{([A-Za-z_]\w*)\}", name)
        if not container or not name or any(char in "{}" for part in parts[::2] for char in part):
            msg = f"The blob path '{path}' can't be read: it needs a container and a name, such as training/{{name}}."
            raise HostError(msg)
        pattern = "".join(f"(?P<{part}>.+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
        return cls(container, parts[0], re.compile(pattern, re.DOTALL))

    def match(self, name: str) -> dict[str, str] | None:
        """The path's expressions for this blob, or None where it is not meant."""
        found = self.pattern.fullmatch(name)
        return found.groupdict() if found else None


class BlobTrigger:
    """One blob function and the container that it watches."""

    def __init__(
        self, function: Function, service: BlobServiceClient, fire: Fire, poll_every: float = 0.5, backoff: Sequence[float] = BACKOFF_S
    ) -> None:
        if not function.trigger.get("properties", {}).get("SupportsDeferredBinding"):
            msg = f"The blob function {function.name} must take a BlobClient: bytes of a whole blob are not handed over."
            raise HostError(msg)
        self.function = function
        self.path = BlobPath.parse(resolve_settings(str(function.trigger["path"])))
        self.connection = str(function.trigger["connection"])
        self._container = service.get_container_client(self.path.container)
        self._fire = fire
        self._poll_every = poll_every
        self._backoff = backoff
        self._receipts: dict[str, str] = {}
        self._hidden = False
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Watch for ever."""
        away = False
        while True:
            began = time.monotonic()
            try:
                found = await asyncio.to_thread(self._list)
            except AzureError as error:
                if not away:
                    log.warning("storage away", extra={"container": self.path.container, "error": cause(error)})
                away = True
            else:
                if away:
                    log.info("storage back", extra={"container": self.path.container})
                away = False
                self.see(found)
            await asyncio.sleep(pause(self._poll_every, time.monotonic() - began))

    def see(self, found: Iterable[BlobEvent]) -> None:
        """Start the function for each version without a receipt; `found` is the container's whole content."""
        versions = {event.name: event.etag for event in found}
        fresh = [BlobEvent(name, etag) for name, etag in versions.items() if self._receipts.get(name) != etag]
        self._receipts = versions
        for event in fresh:
            task = asyncio.create_task(self._process(event))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def settled(self) -> None:
        """Wait until every event seen so far has been handled."""
        while self._running:
            await asyncio.wait(self._running)

    async def deliver(self, event: BlobEvent) -> None:
        """Hand one event to the function, once, whatever the receipts say; raises FunctionFailed."""
        names = self.path.match(event.name) or {}
        uri = self._container.get_blob_client(event.name).url
        metadata = {
            "BlobTrigger": f"{self.path.container}/{event.name}",
            "Uri": json.dumps(uri),
            "Properties": json.dumps({"ETag": event.etag}),
            **names,
        }
        reference = {"Connection": self.connection, "ContainerName": self.path.container, "BlobName": event.name}
        content = Message(version="1.0", source="AzureStorageBlobs", content_type="application/json", content=json.dumps(reference))
        await self._fire(self.function, metadata, content)

    def _list(self) -> list[BlobEvent]:
        hidden: list[bool] = []
        try:
            found = list(every(self._page, self.path.prefix, lambda: hidden.append(True), PAGE))
        except Unreadable as unreadable:
            raise AzureError("500 to a listing") from unreadable
        if hidden and not self._hidden:
            log.warning("blob with a name that can't be listed", extra={"container": self.path.container})
        self._hidden = bool(hidden)
        return [event for event in found if self.path.match(event.name) is not None]

    def _page(self, prefix: str, marker: str, size: int) -> tuple[list[BlobEvent], str | None]:
        try:
            pages: Any = self._container.list_blobs(name_starts_with=prefix or None, results_per_page=size).by_page(marker or None)
            return [BlobEvent(blob.name, blob.etag) for blob in next(pages)], pages.continuation_token
        except HttpResponseError as error:
            if error.status_code == 500 and not getattr(error, "error_code", None):  # Azurite, where it can't write down a name
                raise Unreadable from error
            raise

    async def _process(self, event: BlobEvent) -> None:
        tries = len(self._backoff) + 1
        for number in range(1, tries + 1):
            try:
                async with self._slots:
                    return await self.deliver(event)
            except FunctionFailed as failure:
                log_failure(failure, number=number, tries=tries, etag=event.etag)
            if number < tries:
                await asyncio.sleep(self._backoff[number - 1])
        log.error("poison blob event", extra={"function": self.function.name, "tries": tries, "etag": event.etag})


def pause(poll_every: float, took: float) -> float:
    """The seconds until the next look: a listing costs 0.2 ms of CPU a blob (measured), and may take a fifth of the time."""
    return max(poll_every, 4 * took)
