"""The embedded host: lease, engine, runtime, worker, HTTP, blob events and timers, started and
ended in order.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import sys
import threading
from collections.abc import Awaitable
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from tunedrop.host import http
from tunedrop.host.blobs import BlobTrigger, Fire, path_of
from tunedrop.host.engine import Engine
from tunedrop.host.errors import FunctionFailed, HostError, LeaseLost, PortTaken
from tunedrop.host.functions import Function
from tunedrop.host.host_json import durable_task, route_prefix
from tunedrop.host.lease import RENEW_EVERY_S, Lease
from tunedrop.host.logs import log, log_failure
from tunedrop.host.messages import Message, TriggerData, TypedData
from tunedrop.host.receipts import StoredReceipts
from tunedrop.host.routes import routes
from tunedrop.host.runtime import Runtime
from tunedrop.host.storage import connect, create_containers
from tunedrop.host.timers import timers
from tunedrop.host.watched import BlobEvent, WatchedContainer
from tunedrop.host.worker import Invoke, Worker

# A signal that comes between the interpreter's last look and a wait without end is handled only
# after the wait: so waits end.
SIGNALS_WITHIN_S = 0.25
GRACE_S = 0.7  # what running invocations get at the end; what is lost the ledger brings back
CONTAINERS = ("training", "reports", "tunedrop")


@dataclass(frozen=True, slots=True)
class Options:
    """How to run one host; a port of 0 means any free one."""

    app: Path
    port: int = 7071
    engine_port: int = 0
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    connection: str = "DropStorage"
    lease_container: str = "tunedrop"
    lease_renew_every: float = RENEW_EVERY_S
    wait_for_lease: bool = False
    create_containers: bool = False
    sweep_at_start: bool = False
    poll_every: float = 0.5


# Only one per process: the worker runtime is global.
class Host:
    """One embedded host; start it, use `url` and `key`, stop it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.url = ""
        self.engine_address = ""
        self.hub = ""
        self.failure: HostError | None = None
        self.ended = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._ready: Future[None] = Future()
        self._lease: Lease | None = None
        self._blobs: list[BlobTrigger] = []

    def start(self) -> None:
        """Run the host in its own thread and return once it answers; raises HostError if it can't
        run.
        """
        threading.Thread(target=self._run, name="host", daemon=True).start()
        while not self._ready.done():
            futures.wait([self._ready], SIGNALS_WITHIN_S)
        self._ready.result()

    def stop(self) -> None:
        """End the host and wait for it; harmless if it has ended."""
        self.ask_to_stop()
        self.ended.wait()

    def ask_to_stop(self) -> None:
        """Have the host end soon; may be called from any thread or signal handler."""
        lease = self._lease
        if lease and not self._ready.done():
            lease.give_up()
        # The loop is closed: the host has ended.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._closing.set)

    def wait(self) -> None:
        """Block until the host has ended; raises the HostError that ended it, if one did."""
        while not self.ended.wait(SIGNALS_WITHIN_S):
            pass
        if self.failure:
            raise self.failure

    def deliver(self, name: str, etag: str = "", times: int = 1) -> dict[str, int]:
        """Hand one blob event to the app, `times` times at once; counts done and failed ones."""
        return asyncio.run_coroutine_threadsafe(
            self._deliver(name, etag, times), self._loop
        ).result()

    def __enter__(self) -> "Host":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:
            self.failure = (
                error
                if isinstance(error, HostError)
                else HostError(f"The host failed: {type(error).__name__}: {error}")
            )
            log.debug("host failed", exc_info=error)
        finally:
            if not self._ready.done():
                self._ready.set_exception(
                    self.failure or HostError("The host was stopped while it started.")
                )
            self._loop.close()
            self.ended.set()

    async def _serve(self) -> None:
        service = connect(self.options.connection)
        self._lease = Lease(
            service, self.options.lease_container, self._lose, self.options.lease_renew_every
        )
        try:
            await asyncio.to_thread(self._lease.acquire, self.options.wait_for_lease)
            if self.options.create_containers:
                await asyncio.to_thread(create_containers, service, *CONTAINERS)
            with _listen(self.options.port) as listener:
                await self._serve_app(listener)
        finally:
            await asyncio.to_thread(self._lease.release)
            service.close()

    async def _serve_app(self, listener: socket.socket) -> None:
        port = int(listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{port}"
        engine = Engine(self.options.engine_port, durable_task(self.options.app))
        self.engine_address, self.hub = engine.start(), engine.hub
        try:
            runtime = await Runtime.start(
                self.options.app.resolve(), self.engine_address, engine.hub, self.url
            )
            worker = Worker(engine, runtime, self._blocking(runtime))
            await self._work(runtime, worker, listener, port)
        finally:
            await asyncio.to_thread(engine.stop, 0)

    async def _work(
        self, runtime: Runtime, worker: Worker, listener: socket.socket, port: int
    ) -> None:
        self._blobs = [
            await asyncio.to_thread(self._blob_trigger, function, runtime)
            for function in runtime.functions
            if function.kind == "blobTrigger"
        ]
        clocks = timers(
            runtime.functions, lambda function, info: runtime.invoke(function, json=info)
        )
        app = http.application(
            routes(runtime.functions, route_prefix(self.options.app)),
            lambda function, request, told: runtime.invoke(function, told, http=request),
            self._deliver,
            self.options.key,
            port,
        )
        server = uvicorn.Server(_config(app))
        worker.start()
        tasks = [
            asyncio.create_task(server.serve([listener])),
            *(asyncio.create_task(trigger.run()) for trigger in self._blobs),
            *(asyncio.create_task(clock.run(self.options.sweep_at_start)) for clock in clocks),
        ]
        closing = asyncio.create_task(self._closing.wait())
        self._ready.set_result(None)
        log.info("host ready", extra={"url": self.url, "functions": len(runtime.functions)})
        try:
            done, _ = await asyncio.wait([closing, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {closing}:
                task.result()
        finally:
            await _end(worker, server)

    def _blob_trigger(self, function: Function, runtime: Runtime) -> BlobTrigger:
        path = path_of(function)
        watched = connect(str(function.trigger["connection"])).get_container_client(path.container)
        own = connect(self.options.connection).get_container_client(self.options.lease_container)
        receipts = StoredReceipts(
            own, function.name, f"{watched.account_name}/{watched.container_name}"
        )
        return BlobTrigger(
            function,
            WatchedContainer(watched),
            receipts,
            _fire_blob(runtime),
            self.options.poll_every,
        )

    def _blocking(self, runtime: Runtime) -> Invoke:
        def invoke(
            function: Function, value: dict[str, str], told: TriggerData
        ) -> TypedData | None:
            return asyncio.run_coroutine_threadsafe(
                runtime.invoke(function, told, **value), self._loop
            ).result()

        return invoke

    async def _deliver(self, name: str, etag: str, times: int) -> dict[str, int]:
        meant = [trigger for trigger in self._blobs if trigger.path.match(name) is not None]
        ends = await asyncio.gather(
            *(_once(trigger, BlobEvent(name, etag)) for trigger in meant for _ in range(times))
        )
        return {"delivered": sum(ends), "failed": len(ends) - sum(ends)}

    def _lose(self, lost: LeaseLost) -> None:
        self.failure = lost
        self.ask_to_stop()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Windows' SO_REUSEADDR would let two hosts share the port; elsewhere it only shortens the wait
    # after a restart.
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PortTaken(port, "--port") from error
    return listener


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


def _fire_blob(runtime: Runtime) -> Fire:
    def fire(function: Function, metadata: TriggerData, content: Message) -> Awaitable[object]:
        return runtime.invoke(function, metadata, model_binding_data=content)

    return fire


async def _once(trigger: BlobTrigger, event: BlobEvent) -> bool:
    try:
        await trigger.deliver(event)
    except FunctionFailed as failure:
        log_failure(failure, etag=event.etag)
        return False
    return True


async def _end(worker: Worker, server: uvicorn.Server) -> None:
    """Stop taking work, give what runs a moment, then let go of it."""
    # How it loses its last work items is no news.
    logging.getLogger("durabletask").setLevel(logging.CRITICAL)
    server.should_exit = True
    stopping = threading.Thread(target=worker.stop, daemon=True)
    stopping.start()
    await asyncio.to_thread(stopping.join, GRACE_S)
    late = asyncio.all_tasks() - {asyncio.current_task()}
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    await asyncio.to_thread(stopping.join, GRACE_S)
