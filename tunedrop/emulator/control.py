"""The control surface /_tunedrop/, which no real service has: reset, clock, pace, faults, limits,
switches, ledger, costs, state.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tunedrop.emulator import limits, pace, switches
from tunedrop.emulator.openai import files, surface_bodies
from tunedrop.emulator.openai.requests import V1
from tunedrop.emulator.service import Service
from tunedrop.emulator.store import Doc

PREFIX = "/_tunedrop"
_JSON = "application/json"


# No key is asked for: `guard.py` keeps other sites away, and a body must be declared as JSON, which
# no page can do unasked.
class Control:
    """The control surface of one stand-in."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._world = service.world

    def routes(self) -> list[Route]:
        """Every control, with its methods."""
        table: list[tuple[str, str, Callable[[Any], Any]]] = [
            ("POST", "/reset", self._reset),
            ("POST", "/clock", self._clock),
            ("GET", "/pace", lambda _: self._world.pace.to_json()),
            ("PUT", "/pace", self._put_pace),
            ("GET", "/faults", self._faults),
            ("PUT", "/faults", self._put_faults),
            ("POST", "/faults", self._post_faults),
            ("DELETE", "/faults", lambda _: self._put_faults([])),
            ("GET", "/limits", lambda _: self._world.limits.to_json()),
            ("PUT", "/limits", self._put_limits),
            ("GET", "/switches", lambda _: self._world.switches.to_json()),
            ("PUT", "/switches", self._put_switches),
            ("GET", "/ledger", lambda _: {"entries": self._world.store.entries()}),
            ("GET", "/costs", lambda _: self._costs()),
            ("GET", "/state", lambda _: self._state()),
        ]
        return [
            Route(PREFIX + path, self._endpoint(act), methods=[method])
            for method, path, act in table
        ]

    def _endpoint(self, act: Callable[[Any], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            if (
                request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
                != _JSON
            ):
                return JSONResponse({"error": f"A body is declared as {_JSON}."}, 415)
            body = await request.body()
            try:
                value: Any = json.loads(body or b"{}")
                with self._world.store.transaction():
                    self._service.advance()
                    return JSONResponse(act(value))
            except ValueError as error:
                return JSONResponse({"error": str(error)}, 400)

        return serve

    def _reset(self, value: object) -> Doc:
        match value:
            case {"settings": bool() as settings}:
                pass
            case {}:
                settings = False
            case _:
                msg = 'The reset takes nothing or {"settings": true}.'
                raise ValueError(msg)
        self._world.store.reset()
        self._world.begin()
        self._world.plan.clear()
        self._world.save()
        if settings:
            self._world.restart()
        return {"reset": True}

    def _clock(self, value: object) -> Doc:
        match value:
            case {"advance_s": int() | float() as seconds}:
                self._world.clock.advance(seconds)
            case _:
                msg = 'The clock takes {"advance_s": seconds}.'
                raise ValueError(msg)
        self._world.save()
        self._service.advance()
        return {"now": self._world.now()}

    def _put_pace(self, value: object) -> Doc:
        self._world.pace = pace.parse(value, self._world.pace)
        return self._world.pace.to_json()

    def _faults(self, _: object) -> Doc:
        return {"faults": [fault.to_json() for fault in self._world.plan]}

    def _put_faults(self, value: object) -> Doc:
        former = self._world.plan[:]
        self._world.plan.clear()
        try:
            return self._post_faults(value)
        except ValueError:
            self._world.plan.extend(former)
            raise

    def _post_faults(self, value: object) -> Doc:
        given = cast("Doc", value).get("faults", [value]) if isinstance(value, dict) else value
        self._world.add_faults(cast("list[Any]", given if isinstance(given, list) else [given]))
        return self._faults(None)

    def _put_limits(self, value: object) -> Doc:
        self._world.limits = limits.changed(self._world.limits, _object(value))
        return self._world.limits.to_json()

    def _put_switches(self, value: object) -> Doc:
        self._world.switches = switches.changed(self._world.switches, _object(value))
        return self._world.switches.to_json()

    def _costs(self) -> Doc:
        training = _sum(entry["cost_usd"] for entry in self._world.store.entries())
        hosting = self._service.deployments.costs()
        total = _sum([training, *(part["cost_usd"] for part in hosting)])
        return {"training_usd": training, "deployments": hosting, "total_usd": total}

    def _state(self) -> Doc:
        service = self._service
        return {
            "now": self._world.now(),
            "region": self._world.region,
            "files": [files.shown(doc) for doc in service.files.all()],
            "jobs": [surface_bodies.job(self._world, doc, V1) for doc in service.jobs.all()],
            "deployments": [
                {key: doc[key] for key in ("name", "state", "model", "sku", "tags")}
                for doc in service.deployments.all()
            ],
            "models": [doc["id"] for doc in self._world.store.all("model")],
        }


def _sum(amounts: Iterable[float]) -> float:
    # In decimal: a binary sum of prices shows a rest.
    return float(sum((Decimal(str(one)) for one in amounts), Decimal()))


def _object(value: object) -> Doc:
    if not isinstance(value, dict):
        msg = "The body is a JSON object."
        raise ValueError(msg)
    return cast("Doc", value)
