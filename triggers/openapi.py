"""The description of the HTTP API (OpenAPI 3.1), written from the models that it takes and
answers.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from shared.json_input import DEPTH_MAX
from shared.models.api import (
    BODY_MAX_BYTES,
    CURSOR_MAX_CHARS,
    PAGE_MAX,
    RUNS_DEFAULT,
    RUNS_MAX,
    Cancelling,
    Health,
    Refusal,
    RunDetail,
    RunList,
    Started,
    StartRequest,
)
from shared.models.drop import RUN_ID_MAX_CHARS, RUN_NAME
from shared.models.job_file import DeployRequest
from triggers.answers import text
from triggers.reports import DEFAULT, TYPES

bp = df.Blueprint()
VERSION = "1"
JSON = "application/json"
ABOUT = f"""Starts runs for training files in the container, shows their state, and cancels
them.

Every error is JSON with a code, a sentence and a fix; codes are explained in docs/errors.md.
A body has at most {BODY_MAX_BYTES} bytes and is nested at most {DEPTH_MAX} deep; a field that
occurs twice, NaN and Infinity are refused. Any path may answer 404 or 405 if there is no such
operation, and 413 if the body is too large for the host. On Azure the platform's own 401 has
no body."""


@dataclass(frozen=True)
class Operation:
    """One method of one path: what it takes, and what it answers by status."""

    method: str
    path: str
    name: str
    summary: str
    answers: dict[int, tuple[str, type[BaseModel] | None]]
    takes: type[BaseModel] | None = None
    parameters: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keyed: bool = True
    kinds: tuple[str, ...] = (JSON,)
    """The media types of its answer 200."""


RUN_ID: dict[str, Any] = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The run's id, as in the list.",
    "schema": {"type": "string", "pattern": f"^{RUN_NAME.pattern}$", "maxLength": RUN_ID_MAX_CHARS},
}
LIMIT: dict[str, Any] = {
    "name": "limit",
    "in": "query",
    "description": f"The maximum number of runs; a page has no more than {PAGE_MAX}.",
    "schema": {"type": "integer", "minimum": 1, "maximum": RUNS_MAX, "default": RUNS_DEFAULT},
}
CURSOR: dict[str, Any] = {
    "name": "cursor",
    "in": "query",
    "description": "The `cursor` of the page before; left out for the newest runs.",
    "schema": {"type": "string", "maxLength": CURSOR_MAX_CHARS},
}
FILE: dict[str, Any] = {
    "name": "file",
    "in": "query",
    "description": "The file of the report.",
    "schema": {"type": "string", "enum": list(TYPES), "default": DEFAULT},
}
UNKNOWN = {404: ("There is no such run.", Refusal)}
KEYED = {401: ("No function key, or a wrong one.", Refusal)}
STORED = {
    500: ("TuneDrop failed because of its own fault.", Refusal),
    503: (
        (
            "The storage or the durable engine behind the app can't answer now; Retry-After "
            "says when to try again."
        ),
        Refusal,
    ),
}
OPERATIONS = (
    Operation(
        "post",
        "/runs",
        "start_run",
        "Start a run for blobs that are in the container.",
        {
            200: (
                "This upload already has a run; if `job` is given, with the same settings.",
                Started,
            ),
            202: ("The run is started.", Started),
            400: ("The body is wrong; each field is named.", Refusal),
            404: ("There is no training file for this run.", Refusal),
            409: (
                (
                    "This upload already has a run, which was started with other settings than "
                    "those of `job`."
                ),
                Refusal,
            ),
            413: ("The body is too large.", Refusal),
            415: ("The body is not declared as JSON.", Refusal),
            **KEYED,
            **STORED,
        },
        StartRequest,
    ),
    Operation(
        "get",
        "/runs",
        "list_runs",
        "List the runs, newest first, in pages.",
        {
            200: ("A page of runs; `cursor` asks for the next.", RunList),
            400: ("`limit` or `cursor` is wrong.", Refusal),
            **KEYED,
            **STORED,
        },
        parameters=[LIMIT, CURSOR],
    ),
    Operation(
        "get",
        "/runs/{id}",
        "show_run",
        "Show one run.",
        {200: ("The run.", RunDetail), **UNKNOWN, **KEYED, **STORED},
        parameters=[RUN_ID],
    ),
    Operation(
        "get",
        "/runs/{id}/report",
        "show_report",
        "Get a file of a run's report.",
        {
            200: ("The file.", None),
            400: ("`file` is wrong.", Refusal),
            404: ("There is no such run, or it has no such file.", Refusal),
            **KEYED,
            **STORED,
        },
        parameters=[RUN_ID, FILE],
        kinds=tuple(TYPES.values()),
    ),
    Operation(
        "post",
        "/runs/{id}/deploy",
        "deploy_run",
        "Deploy a run's model again, without training: this is a new run.",
        {
            200: ("This request already has a run.", Started),
            202: ("The run is started.", Started),
            400: ("The body is wrong, or asks for what this app does not allow.", Refusal),
            409: ("The run has not ended yet, or has trained no model.", Refusal),
            413: ("The body is too large.", Refusal),
            415: ("The body is not declared as JSON.", Refusal),
            **UNKNOWN,
            **KEYED,
            **STORED,
        },
        DeployRequest,
        parameters=[RUN_ID],
    ),
    Operation(
        "post",
        "/runs/{id}/cancel",
        "cancel_run",
        "Cancel a run; a second request changes nothing.",
        {
            202: ("The run will end.", Cancelling),
            409: ("The run is ending or has ended.", Refusal),
            413: ("The body is too large; this request needs no body.", Refusal),
            **UNKNOWN,
            **KEYED,
            **STORED,
        },
        parameters=[RUN_ID],
    ),
    Operation(
        "get",
        "/health",
        "health",
        "Whether the app can do its work, and if not, what is missing.",
        {200: ("It can.", Health), 503: ("It can't.", Health)},
        keyed=False,
    ),
    Operation(
        "get",
        "/openapi.json",
        "openapi",
        "This description.",
        {200: ("OpenAPI 3.1.", None), **KEYED},
    ),
)


@bp.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
def openapi(req: func.HttpRequest) -> func.HttpResponse:
    """200: the description of this API. It holds no secret, but it names what there is to try, so
    it needs the key too.
    """
    # It holds no secret, but it names what there is to try, so it needs the key too.
    return text(200, described())


@cache
def described() -> str:
    """The description as JSON."""
    # The same bytes as long as the app is the same.
    return json.dumps(description())


def description() -> dict[str, Any]:
    """The description."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TuneDrop",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "header": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "query": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "code",
                    "description": "Prefer the header: addresses get into logs.",
                },
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": [{"header": []}, {"query": []}] if operation.keyed else [],
        "responses": {
            str(status): _response(operation, status) for status in sorted(operation.answers)
        },
    }
    if operation.parameters:
        described["parameters"] = operation.parameters
    if operation.takes:
        described["requestBody"] = {"required": True, **_content(operation.takes)}
    return described


def _response(operation: Operation, status: int) -> dict[str, Any]:
    about, model = operation.answers[status]
    if status == 200 and operation.kinds != (JSON,):
        kinds: dict[str, Any] = {kind: {} for kind in operation.kinds}
        return {"description": about, "content": kinds}
    return {"description": about, **_content(model)}


def _content(model: type[BaseModel] | None) -> dict[str, Any]:
    schema: dict[str, Any] = (
        {"$ref": f"#/components/schemas/{model.__name__}"} if model else {"type": "object"}
    )
    return {"content": {JSON: {"schema": schema}}}


class _WholeAnswers(GenerateJsonSchema):
    """An answer always has all of its fields, null where there is nothing to tell."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)


def _schemas() -> dict[str, Any]:
    taken = {operation.takes for operation in OPERATIONS if operation.takes}
    given = {model for operation in OPERATIONS for _, model in operation.answers.values() if model}
    _, whole = models_json_schema(
        [
            *((model, "validation") for model in _sorted(taken)),
            *((model, "serialization") for model in _sorted(given)),
        ],
        ref_template="#/components/schemas/{model}",
        schema_generator=_WholeAnswers,
    )
    schemas: dict[str, Any] = whole["$defs"]
    return schemas


def _sorted(models: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    return sorted(models, key=lambda model: model.__name__)
