"""The HTTP API of runs: start, list, look, cancel. Every answer is JSON; errors say how to fix."""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import azure.durable_functions as df
import azure.functions as func
from pydantic import ValidationError

from orchestrators.names import instances_of
from shared import json_input
from shared.errors import PlanRejected, ServiceRejected
from shared.json_input import NotJson, wrong_fields
from shared.models.api import (
    BODY_MAX_BYTES,
    PAGE_MAX,
    RUNS_DEFAULT,
    RUNS_MAX,
    Cancelling,
    Job,
    RunDetail,
    RunList,
    Started,
    StartRequest,
)
from shared.models.drop import PACKED, TRAINING_SET, Drop, drop_of
from shared.models.effect_kinds import JOB
from shared.models.job_file import DeployRequest
from shared.models.record import RunRecord, summary_of
from shared.runs.calling import wake
from shared.runs.checkpoints import checkpoint
from shared.runs.drop_blobs import begun_with
from shared.runs.ledger import open_ledger
from shared.runs.reuse import trained_model
from shared.services import storage
from triggers import cursors
from triggers.answers import answer, refused, served
from triggers.deploying import deploy_once
from triggers.run_lookup import record_of, unknown
from triggers.starting import start_once

bp = df.Blueprint()
log = logging.getLogger("tunedrop")
JSON_TYPE = re.compile(r'application/json(\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)
LIMIT = re.compile(r"[1-9][0-9]{0,4}")


# Durable's own management URLs are never given out: whoever has one can start any orchestrator with
# any input.
@bp.route(route="runs", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@bp.durable_client_input(client_name="client")
def start_run(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """202: started; 200: this upload has its run already; 409: with other settings; 400, 413, 415:
    the body; 404: no such blob.
    """
    return served(lambda: _start(req, client))


@bp.route(route="runs", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def list_runs(req: func.HttpRequest) -> func.HttpResponse:
    """200: a page of runs, newest first; `?limit=N` for at most N of them, `?cursor=…` for the page
    that follows the one that named it.
    """
    return served(lambda: _list(req))


@bp.route(route="runs/{id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def show_run(req: func.HttpRequest) -> func.HttpResponse:
    """200: all that the ledger knows of the run; 404: no such run."""
    return served(lambda: answer(200, shown(record)) if (record := record_of(req)) else unknown())


@bp.route(route="runs/{id}/cancel", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@bp.durable_client_input(client_name="client")
def cancel_run(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """202: the cancel is in the ledger, and the run will end by it; 409: the run is ending or has
    ended; 404: no such run.
    """
    return served(lambda: _cancel(req, client))


@bp.route(route="runs/{id}/deploy", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@bp.durable_client_input(client_name="client")
def deploy_run(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """202: a run that deploys this one's model began; 200: this request has one; 400, 413, 415: the
    body; 404: no run; 409: no model.
    """
    return served(lambda: _deploy(req, client))


def _deploy(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    source = record_of(req)
    if source is None:
        return unknown()
    body = _body(req)
    if isinstance(body, func.HttpResponse):
        return body
    try:
        wish = DeployRequest.model_validate(body)
    except ValidationError as error:
        return refused(
            400,
            "TD-HTTP-001",
            f"The body: {wrong_fields(error, DeployRequest)}.",
            "Send {} to deploy with the settings of that run.",
        )
    if source.ended_at is None or trained_model(source) is None:
        return refused(
            409,
            "TD-HTTP-011",
            "The run has not ended yet."
            if source.ended_at is None
            else "The run has trained no model.",
            (
                "Name a run that has ended and has trained a model: GET /api/runs/{id} shows "
                "the model in `job.fine_tuned_model`."
            ),
        )
    try:
        begun = deploy_once(client, open_ledger(), source, wish)
    except PlanRejected as error:
        return refused(400, error.problem.code, error.problem.message, error.problem.fix)
    return answer(
        202 if begun.started else 200,
        Started(id=begun.run_id, name=begun.name, started=begun.started),
    )


def _start(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    body = _body(req)
    if isinstance(body, func.HttpResponse):
        return body
    try:
        wanted = StartRequest.model_validate(body)
    except ValidationError as error:
        message = f"The body: {wrong_fields(error, StartRequest)}."
        return refused(
            400,
            "TD-HTTP-001",
            message,
            'Send {"run": "<name>"}; docs/settings.md lists the fields of `job`.',
        )
    drop = _dropped(wanted.run)
    if drop is None:
        return refused(
            404,
            "TD-HTTP-002",
            "There is no training file for this run.",
            (
                f"Put <run>.jsonl or <run>/{TRAINING_SET} into the container first, and name the "
                "run without the file extension."
            ),
        )
    ledger = open_ledger()
    started = start_once(client, ledger, drop, body["job"] if wanted.job is not None else None)
    if (
        not started
        and wanted.job is not None
        and begun_with(storage.training(), ledger.get(drop.run_id).record) != wanted.job
    ):
        return refused(
            409,
            "TD-HTTP-012",
            "This upload already has a run, which was started with other settings.",
            (
                "Upload the file again to start a run with these settings: a new upload is a "
                "new run. Or remove `job` to get the id of the existing run."
            ),
        )
    return answer(202 if started else 200, Started(id=drop.run_id, name=drop.name, started=started))


def _body(req: func.HttpRequest) -> Any:
    """The decoded body, or the refusal of it."""
    headers = cast("Mapping[str, str]", req.headers)
    if not JSON_TYPE.fullmatch(headers.get("Content-Type", "")):
        return refused(
            415,
            "TD-HTTP-006",
            "The body is not declared as JSON.",
            "Send it with Content-Type: application/json.",
        )
    content = req.get_body()
    if len(content) > BODY_MAX_BYTES:
        return refused(
            413,
            "TD-HTTP-007",
            f"A body has at most {BODY_MAX_BYTES} bytes.",
            "It should contain settings, not data.",
        )
    try:
        return json_input.decoded(content)
    except NotJson as error:
        return refused(
            400, "TD-HTTP-001", f"The body is not valid JSON: {error}.", 'Send {"run": "<name>"}.'
        )


def _list(req: func.HttpRequest) -> func.HttpResponse:
    limit = req.params.get("limit", str(RUNS_DEFAULT))
    if not LIMIT.fullmatch(limit) or int(limit) > RUNS_MAX:
        return refused(
            400,
            "TD-HTTP-003",
            f"`limit` is not a whole number from 1 to {RUNS_MAX}.",
            "Remove it, or correct it.",
        )
    given = req.params.get("cursor")
    try:
        page = open_ledger().page(min(int(limit), PAGE_MAX), cursors.read(given) if given else None)
    except (cursors.NotACursor, ServiceRejected) as error:
        if given is None or (isinstance(error, ServiceRejected) and error.status != 400):
            raise
        return refused(
            400,
            "TD-HTTP-013",
            "`cursor` is none that a page of runs has named.",
            "Leave it out for the newest runs; then take the `cursor` of each page for the next.",
        )
    following = cursors.written(page.following) if page.following else None
    return answer(200, RunList(runs=page.rows, cursor=following))


def _cancel(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    record = record_of(req)
    if record is None:
        return unknown()

    def cancelling(current: RunRecord, now: datetime) -> RunRecord | None:
        return None if current.stopping else current.model_copy(update={"cancel_requested_at": now})

    checkpoint("cancel_run: before the record")
    changed = open_ledger().change(record.id, cancelling)
    checkpoint("cancel_run: after the record")
    if changed.cancel_requested_at is None or changed.ended_at is not None:
        return refused(
            409,
            "TD-HTTP-005",
            "The run is ending or has ended, so it can't be cancelled.",
            "The run's outcome shows how it ended.",
        )
    for instance in instances_of(changed.id):
        wake(client, instance)
    return answer(202, Cancelling(id=changed.id, cancel_requested_at=changed.cancel_requested_at))


def shown(record: RunRecord) -> RunDetail:
    """A run as GET /api/runs/{id} tells it."""
    ending = record.ending if record.ended_at else None
    effect = record.effects.get(JOB.named())
    return RunDetail(
        **dict(summary_of(record)),
        timeline=list(record.timeline),
        files=record.files,
        estimate_usd=record.estimate_usd,
        worst_case_usd=record.worst_case.usd if record.worst_case else None,
        job=Job(id=effect.id if effect else None, **dict(record.job)) if record.job else None,
        answer=record.smoke.answer if record.smoke else None,
        smoke_test=record.smoke.verdict if record.smoke else None,
        problem=ending.problem if ending else None,
        report=record.report,
    )


def _dropped(run: str) -> Drop | None:
    container = storage.training()
    plain = f"{run}/{TRAINING_SET}", f"{run}.jsonl"
    for blob in (name + ending for name in plain for ending in ("", PACKED)):
        if facts := container.facts(blob):
            return drop_of(container.account, container.name, facts.name, facts.etag, at_once=True)
    return None
