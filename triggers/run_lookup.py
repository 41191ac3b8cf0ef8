"""Which run a request is about."""

import azure.functions as func

from shared.models.drop import RUN_ID_MAX_CHARS, RUN_NAME
from shared.models.record import RunRecord
from shared.runs.ledger import open_ledger
from triggers.answers import refused


def record_of(req: func.HttpRequest) -> RunRecord | None:
    """The record of the run whose id stands in the route; None where there is none."""
    run_id = req.route_params.get("id", "")
    usable = len(run_id) <= RUN_ID_MAX_CHARS and RUN_NAME.fullmatch(run_id)
    found = open_ledger().read(run_id) if usable else None
    return found.record if found else None


def unknown() -> func.HttpResponse:
    """404: no such run."""
    return refused(404, "TD-HTTP-004", "There is no such run.", "GET /api/runs lists the runs.")
