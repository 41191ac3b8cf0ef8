"""Whether the app can do its work: GET /api/health, and what the sweep notes for it about
orchestrations.
"""

import logging

import azure.durable_functions as df
import azure.functions as func
from pydantic import ValidationError

from shared.errors import TuneDropError
from shared.models.api import Health, Missing
from shared.models.base import Frozen
from shared.services import storage
from shared.services.storage import Container, NotAllowed
from triggers.answers import answer

bp = df.Blueprint()
log = logging.getLogger("tunedrop")
# What asks for health, a load balancer say, waits some five seconds for an answer.
PATIENCE_S = 3.0
NOTE = "orchestrations.json"
# Sweeps in a row that saw a run which did not begin: one alone may only have come right after an
# outage.
ENOUGH = 2


# A Functions host that refuses the orchestrators says that it runs all the same: only runs that are
# claimed and never begin tell.
class Orchestrations(Frozen):
    """What the sweeps have seen of runs that do not begin; a blob beside the ledger's runs."""

    standing: int = 0
    """Sweeps in a row, counted up to `ENOUGH`."""


@bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200: the app can do its work; 503: it can't, with what is missing. Says nothing else: it
    needs no key.
    """
    try:
        missing = _missing()
    except TuneDropError as error:
        log.warning(
            "storage unavailable",
            extra={"code": error.problem.code, "error": error.problem.message},
        )
        # Nothing else is said: this address needs no key.
        return answer(503, Health(status="storage unavailable"))
    return (
        answer(503, Health(status="incomplete", missing=missing))
        if missing
        else answer(200, Health(status="ok"))
    )


def note_orchestrations(stand_still: bool) -> None:
    """Keeps for `health` whether this sweep saw runs that don't begin; writes only what is new."""
    ledger = storage.ledger()
    known = _noted(ledger)
    seen = Orchestrations(standing=min(ENOUGH, known.standing + 1) if stand_still else 0)
    if seen != known:
        ledger.put(NOTE, seen.model_dump_json().encode())
    if stand_still:
        log.error("runs are claimed but do not start: does this host know the orchestrators?")


def _missing() -> tuple[Missing, ...]:
    ledger = storage.ledger()
    lacking: list[Missing | None] = [
        _lacking(ledger, "ledger container", "ledger role"),
        _lacking(storage.training(), "training container", "training role"),
        _lacking(storage.reports(), "reports container", "reports role"),
    ]
    missing: list[Missing] = [what for what in lacking if what]
    if lacking[0] is None and _noted(ledger).standing >= ENOUGH:
        missing.append("orchestrators")
    return tuple(missing)


def _lacking(container: Container, itself: Missing, role: Missing) -> Missing | None:
    try:
        return None if container.reach(PATIENCE_S) else itself
    except NotAllowed:
        return role


def _noted(ledger: Container) -> Orchestrations:
    stored = ledger.read(NOTE)
    try:
        return Orchestrations.model_validate_json(stored.content) if stored else Orchestrations()
    except ValidationError:
        return Orchestrations()
