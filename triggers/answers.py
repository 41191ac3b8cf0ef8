"""How HTTP is answered: JSON that no cache keeps, and refusals that say how to mend them."""

from collections.abc import Callable

import azure.functions as func
from pydantic import BaseModel

from shared.errors import Problem, RecordUnreadable, ServiceUnavailable
from shared.models.api import Fault, Refusal

type Respond = Callable[[], func.HttpResponse]
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
STORAGE_RETRY_S = 5


def answer(status: int, body: BaseModel) -> func.HttpResponse:
    """A JSON answer."""
    return _json(status, body.model_dump_json())


def text(status: int, json: str) -> func.HttpResponse:
    """A JSON answer that is written already."""
    return _json(status, json)


def refused(status: int, code: str, message: str, mend: str, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """An error answer: what, and how to mend it; never what was sent."""
    return _json(status, Refusal(error=Fault(code=code, message=message, mend=mend)).model_dump_json(), headers)


def served(respond: Respond) -> func.HttpResponse:
    """What this function answers; 503 where the storage behind it can't answer now, or a record can't be read."""
    try:
        return respond()
    except ServiceUnavailable as error:
        problem: Problem = error.problem
        wait_s = error.retry_after_s or STORAGE_RETRY_S
        return refused(503, problem.code, problem.message, "Ask again in some seconds.", {"Retry-After": f"{wait_s:.0f}"})
    except RecordUnreadable as error:
        return refused(503, error.problem.code, error.problem.message, error.problem.mend)


def _json(status: int, body: str, more: dict[str, str] | None = None) -> func.HttpResponse:
    return func.HttpResponse(body, status_code=status, mimetype="application/json", headers={**HEADERS, **(more or {})})
