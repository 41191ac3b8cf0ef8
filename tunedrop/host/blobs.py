"""Blob triggers: each blob version fires its function once, found by listing the container. The
user's container is only read.

At least once, as on Azure: a version that was handled has a receipt and is not heard again, one
whose handling a death cut short comes again with the next host.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from azure.core.exceptions import AzureError

from tunedrop.host.blob_data import reference, trigger_data
from tunedrop.host.errors import FunctionFailed, HostError
from tunedrop.host.functions import Function, resolve_settings
from tunedrop.host.logs import log, log_failure
from tunedrop.host.messages import Message, TriggerData
from tunedrop.host.receipts import Receipts
from tunedrop.host.storage import cause
from tunedrop.host.watched import BlobEvent, Watched

AT_ONCE = 8
# Five tries within 40 s, then the event is poison: seen on Microsoft's host.
BACKOFF_S = (
    10.0,
    10.0,
    10.0,
    10.0,
)
SCANNED = "LogsAndContainerScan"

type Fire = Callable[[Function, TriggerData, Message], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class BlobPath:
    """A trigger's path: a container and a pattern of names, such as `training/{name}`."""

    container: str
    prefix: str
    pattern: re.Pattern[str]

    @classmethod
    def parse(cls, path: str) -> "BlobPath":
        """Read a path of the app; raises HostError."""
        container, _, name = path.partition("/")
        parts = re.split(r"\{([A-Za-z_]\w*)\}", name)
        if not container or not name or any(char in "{}" for part in parts[::2] for char in part):
            msg = (
                f"The blob path '{path}' can't be read: it needs a container and a name, such as "
                f"training/{{name}}."
            )
            raise HostError(msg)
        # As on Azure, `{name}` spans slashes.
        pattern = "".join(
            f"(?P<{part}>.+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)
        )
        return cls(container, parts[0], re.compile(pattern, re.DOTALL))

    def match(self, name: str) -> dict[str, str] | None:
        """The path's expressions for this blob, or None where it is not meant."""
        found = self.pattern.fullmatch(name)
        return found.groupdict() if found else None


class BlobTrigger:
    """One blob function and the container that it watches."""

    def __init__(
        self,
        function: Function,
        watched: Watched,
        receipts: Receipts,
        fire: Fire,
        poll_every: float = 0.5,
        backoff: Sequence[float] = BACKOFF_S,
    ) -> None:
        self.function = function
        self.path = path_of(function)
        self._watched = watched
        self._receipts = receipts
        self._fire = fire
        self._poll_every = poll_every
        self._backoff = backoff
        self._seen: dict[str, str] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Watch for ever."""
        away = False
        while True:
            took_s = 0.0
            try:
                found, took_s = await asyncio.to_thread(self._look)
            except AzureError as error:
                if not away:
                    log.warning(
                        "storage away",
                        extra={"container": self.path.container, "error": cause(error)},
                    )
                away = True
            else:
                if away:
                    log.info("storage back", extra={"container": self.path.container})
                away = False
                self.see(found)
            await asyncio.sleep(pause(self._poll_every, took_s))

    def _look(self) -> tuple[list[BlobEvent], float]:
        """What stands there, and the processor time that the look has taken."""
        began = time.thread_time()
        found = self._watched.listed(self.path.prefix)
        return found, time.thread_time() - began

    def see(self, found: Iterable[BlobEvent]) -> None:
        """Start the function for each version without a receipt; `found` is all that the container
        has.
        """
        versions = {
            event.name: event.etag for event in found if self.path.match(event.name) is not None
        }
        fresh = [
            BlobEvent(name, etag) for name, etag in versions.items() if self._seen.get(name) != etag
        ]
        self._seen = versions
        for event in fresh:
            if self._receipts.known(event.name, event.etag):
                continue
            task = asyncio.create_task(self._process(event))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def settled(self) -> None:
        """Wait until every event seen so far has been handled."""
        while self._running:
            await asyncio.wait(self._running)

    async def deliver(self, event: BlobEvent) -> None:
        """Hand one event to the function once, whatever the receipts say; raises FunctionFailed."""
        try:
            facts = await asyncio.to_thread(self._watched.facts, event.name)
        except AzureError as error:
            raise FunctionFailed(self.function.name, "StorageAway", cause(error)) from error
        # As on Microsoft's host, the event of a blob that is gone does nothing, and so does that of
        # a version which was replaced, unless the events come from Event Grid: the newer version
        # has an event of its own.
        if facts is None:
            return
        if (
            self.function.trigger.get("source", SCANNED) == SCANNED
            and event.etag
            and event.etag.strip('"') != str(facts.etag).strip('"')
        ):
            return
        told = trigger_data(
            self.path.container,
            self._watched.uri(event.name),
            facts,
            self.path.match(event.name) or {},
        )
        content = reference(
            str(self.function.trigger["connection"]), self.path.container, event.name
        )
        await self._fire(self.function, told, content)

    async def _process(self, event: BlobEvent) -> None:
        tries = len(self._backoff) + 1
        for number in range(1, tries + 1):
            try:
                async with self._slots:
                    await self.deliver(event)
                return await self._give_receipt(event)
            except FunctionFailed as failure:
                log_failure(failure, number=number, tries=tries, etag=event.etag)
            if number < tries:
                await asyncio.sleep(self._backoff[number - 1])
        log.error(
            "poison blob event",
            extra={"function": self.function.name, "tries": tries, "etag": event.etag},
        )
        await self._give_receipt(event)

    async def _give_receipt(self, event: BlobEvent) -> None:
        try:
            await asyncio.to_thread(self._receipts.write, event.name, event.etag)
        except AzureError as error:
            log.warning(
                "no receipt: the event comes again with the next host",
                extra={"etag": event.etag, "error": cause(error)},
            )


def path_of(function: Function) -> BlobPath:
    """The path that a blob function watches; raises HostError where it can't be read, or where the
    function wants the blob's bytes.
    """
    if not function.trigger.get("properties", {}).get("SupportsDeferredBinding"):
        msg = (
            f"The blob function {function.name} must take a BlobClient: bytes of a whole blob are "
            "not handed over."
        )
        raise HostError(msg)
    return BlobPath.parse(resolve_settings(str(function.trigger["path"])))


def pause(poll_every: float, took_s: float) -> float:
    """The seconds until the next look, by the processor time of the last one."""
    # A listing costs 0.04 ms of CPU a blob (measured); all looks may take a thirtieth of a core.
    return max(poll_every, 29 * took_s)
