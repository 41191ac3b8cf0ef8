"""The HTTP API of runs: start, list, look, cancel, health. Every answer is JSON; errors say how to mend.

Durable's own management URLs are never given out: whoever has one can start any orchestrator with any input.
"""

import json
import logging
from datetime import datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import grpc
from pydantic import ValidationError

from orchestrators.names import WAKE
from shared import planning, storage
from shared.errors import PlanRejected, Problem, ServiceUnavailable
from shared.ledger import open_ledger
from shared.models.base import Frozen, wire
from shared.models.drop import RUN_NAME, TRAINING_SET, Drop, drop_of
from shared.models.record import PERCENTAGES, RunRecord, summary_of
from triggers.starting import PARTS, start_once

bp = df.Blueprint()
log = logging.getLogger("tunedrop")
BODY_MAX_BYTES = 256 * 1024


class StartRequest(Frozen):
    """Body of POST /api/runs: the run's name, and job settings in place of job.json."""

    run: str
    job: dict[str, Any] | None = None


@bp.route(route="runs", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@bp.durable_client_input(client_name="client")
def start_run(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """202: started; 200: this upload has its run already; 400: the body; 404: no such blob."""
    try:
        body = StartRequest.model_validate(_json(req.get_body()))
        if body.job is not None:
            planning.checked(body.job)
    except (ValueError, ValidationError):
        return refused(400, "TD-HTTP-001", "The body is not a JSON object with `run` and, if wanted, `job`.", 'Send {"run": "<name>"}.')
    except PlanRejected as rejected:
        return refused_as(400, rejected.problem)
    drop = _dropped(body.run)
    if drop is None:
        return refused(
            404,
            "TD-HTTP-002",
            "There is no training file for this run.",
            f"Put <run>.jsonl or <run>/{TRAINING_SET} into the container first, and name the run without the ending.",
        )
    started = start_once(client, open_ledger(), drop, dict(body.job) if body.job is not None else None)
    return answer(202 if started else 200, {"id": drop.run_id, "name": drop.name, "started": started})


@bp.route(route="runs", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def list_runs(req: func.HttpRequest) -> func.HttpResponse:
    """200: all runs, newest first; `?limit=N` for the first N of them."""
    limit = req.params.get("limit", "1000")
    if not (limit.isascii() and limit.isdigit() and 0 < int(limit[:6]) <= 10_000):
        return refused(400, "TD-HTTP-003", "`limit` is not a whole number from 1 to 10000.", "Leave it out, or correct it.")
    rows = sorted(open_ledger().summaries(), key=lambda row: row.created_at, reverse=True)[: int(limit)]
    return answer(200, {"runs": [row.model_dump(mode="json") for row in rows]})


@bp.route(route="runs/{id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def show_run(req: func.HttpRequest) -> func.HttpResponse:
    """200: all that the ledger knows of the run; 404: no such run."""
    record = _record(req)
    return answer(200, shown(record)) if record else _unknown()


@bp.route(route="runs/{id}/cancel", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@bp.durable_client_input(client_name="client")
def cancel_run(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """202: the cancel is in the ledger, and the run will end by it; 409: the run is ending or has ended; 404: no such run."""
    record = _record(req)
    if record is None:
        return _unknown()

    def cancelling(current: RunRecord, now: datetime) -> RunRecord | None:
        return None if current.stopping else current.model_copy(update={"cancel_requested_at": now})

    changed = open_ledger().change(record.id, cancelling)
    if changed.cancel_requested_at is None or changed.ended_at is not None:
        return refused(409, "TD-HTTP-005", "The run is ending or has ended; a cancel can't change that.", "Look at its outcome.")
    for instance in (changed.id + part for part in PARTS):
        _wake(client, instance)
    return answer(202, {"id": changed.id, "cancel_requested_at": changed.cancel_requested_at.isoformat()})


@bp.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """200: the app answers and reaches its storage; 503: it doesn't. Says nothing else: it needs no key."""
    try:
        open_ledger().read("health")
    except ServiceUnavailable:
        return answer(503, {"status": "storage unavailable"})
    return answer(200, {"status": "ok"})


def shown(record: RunRecord) -> dict[str, Any]:
    """A run as GET /api/runs/{id} tells it: its row, and what the row has no room for."""
    row = summary_of(record).model_dump(mode="json")
    ending = record.ending if record.ended_at else None
    return row | {
        "percentage": PERCENTAGES[record.step],
        "timeline": [wire(entered) for entered in record.timeline],
        "files": {role: wire(summary) for role, summary in record.files.items()},
        "estimate_usd": record.estimate_usd,
        "job": {"id": effect.id if (effect := record.effects.get("job")) else None, **wire(record.job)} if record.job else None,
        "answer": record.smoke.answer if record.smoke else None,
        "smoke_test": record.smoke.verdict if record.smoke else None,
        "problem": wire(ending.problem) if ending and ending.problem else None,
        "report": record.report,
    }


def answer(status: int, body: dict[str, Any]) -> func.HttpResponse:
    """A JSON answer that no cache keeps."""
    return func.HttpResponse(
        json.dumps(body),
        status_code=status,
        mimetype="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def refused(status: int, code: str, message: str, mend: str) -> func.HttpResponse:
    """An error answer: what, and how to mend it; never what was sent."""
    return answer(status, {"error": {"code": code, "message": message, "mend": mend}})


def refused_as(status: int, problem: Problem) -> func.HttpResponse:
    """A problem as an error answer."""
    return refused(status, problem.code, problem.message, problem.mend)


def _json(body: bytes) -> Any:
    if len(body) > BODY_MAX_BYTES:
        msg = "the body is too large"
        raise ValueError(msg)
    return json.loads(body)


def _dropped(run: str) -> Drop | None:
    container = storage.training()
    if not RUN_NAME.fullmatch(run[:100]):
        return None
    for blob in (f"{run}/{TRAINING_SET}", f"{run}.jsonl"):
        if facts := container.facts(blob):
            return drop_of(container.account, container.name, facts.name, facts.etag, at_once=True)
    return None


def _record(req: func.HttpRequest) -> RunRecord | None:
    run_id = req.route_params.get("id", "")
    usable = len(run_id) <= 40 and RUN_NAME.fullmatch(run_id)
    found = open_ledger().read(run_id) if usable else None
    return found.record if found else None


def _unknown() -> func.HttpResponse:
    return refused(404, "TD-HTTP-004", "There is no such run.", "GET /api/runs lists the runs.")


def _wake(client: df.SyncDurableFunctionsClient, instance: str) -> None:
    try:
        client.raise_orchestration_event(instance, WAKE)
    except grpc.RpcError:  # only a hint: the cancel stands in the ledger, and the next poll reads it
        log.info("no instance to wake", extra={"run": instance})
