"""The ASGI app: both surfaces of the data plane, the management plane and the control surface."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tunedrop.emulator.call import Operation
from tunedrop.emulator.connection import DropConnections
from tunedrop.emulator.control import Control
from tunedrop.emulator.dispatch import ARM, Dispatcher
from tunedrop.emulator.guard import OwnCallersOnly
from tunedrop.emulator.openai.requests import V1
from tunedrop.emulator.service import Service
from tunedrop.emulator.world import Config

_METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH"]


def create_app(config: Config | None = None) -> Starlette:
    """A stand-in of its own; its state is given back when the app's lifespan ends."""
    service = Service(config or Config())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        service.world.store.close()

    routes = [
        *Control(service).routes(),
        *_surface(
            service, V1, "/openai/v1", service.data_plane.operations(V1), "/openai/v1/{rest:path}"
        ),
        *_surface(
            service,
            "api-version",
            "/openai",
            service.data_plane.operations("api-version"),
            "/openai/{rest:path}",
        ),
        *_surface(
            service, ARM, "", service.management_plane.operations(), "/subscriptions/{rest:path}"
        ),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(OwnCallersOnly), Middleware(DropConnections)],
    )


def _surface(
    service: Service, name: str, root: str, operations: list[Operation], everything: str
) -> list[Route]:
    dispatcher = Dispatcher(service, name)
    known = [f"{operation.method} {operation.path}" for operation in operations]

    async def missing(request: Request) -> Response:
        return await dispatcher.missing(request, known)

    routes = [
        Route(root + operation.path, _endpoint(dispatcher, operation), methods=[operation.method])
        for operation in operations
    ]
    return [*routes, Route(everything, missing, methods=_METHODS)]


def _endpoint(
    dispatcher: Dispatcher, operation: Operation
) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return await dispatcher.serve(request, operation)

    return serve
