"""How HTTP is answered: JSON that no cache keeps, and refusals that say how to fix them."""

import logging
from collections.abc import Callable

import azure.functions as func
import grpc
from pydantic import BaseModel

from shared.errors import InternalError, ServiceUnavailable, TuneDropError
from shared.models.api import Fault, Refusal

log = logging.getLogger("tunedrop")

type Respond = Callable[[], func.HttpResponse]
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
STORAGE_RETRY_S = 5


def answer(status: int, body: BaseModel) -> func.HttpResponse:
    """A JSON answer."""
    return _json(status, body.model_dump_json())


def text(status: int, json: str) -> func.HttpResponse:
    """A JSON answer that is written already."""
    return _json(status, json)


def refused(
    status: int, code: str, message: str, fix: str, headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """An error answer: what, and how to fix it; never what was sent."""
    return _json(
        status, Refusal(error=Fault(code=code, message=message, fix=fix)).model_dump_json(), headers
    )


def served(respond: Respond) -> func.HttpResponse:
    """What this function answers; 503 where what stands behind it can't answer now or can't be
    read; 500 where nobody thought of it.
    """
    try:
        return respond()
    except TuneDropError as error:
        return unable(error)
    except grpc.RpcError as error:
        code = getattr(error, "code", lambda: grpc.StatusCode.UNKNOWN)()
        return unable(ServiceUnavailable("The durable engine", code.name))
    except Exception as error:
        # Its type alone is told: the text of an exception may quote a drop or a secret.
        log.error("request failed", extra={"error_type": type(error).__name__})
        problem = InternalError(type(error).__name__).problem
        return refused(500, problem.code, problem.message, problem.fix)


def unable(error: TuneDropError) -> func.HttpResponse:
    """503: the error as JSON; with Retry-After where asking again helps."""
    problem = error.problem
    if not isinstance(error, ServiceUnavailable):
        return refused(503, problem.code, problem.message, problem.fix)
    fix = "Try again in some seconds." if type(error) is ServiceUnavailable else problem.fix
    return refused(
        503,
        problem.code,
        problem.message,
        fix,
        {"Retry-After": f"{error.retry_after_s or STORAGE_RETRY_S:.0f}"},
    )


def _json(status: int, body: str, more: dict[str, str] | None = None) -> func.HttpResponse:
    return func.HttpResponse(
        body, status_code=status, mimetype="application/json", headers={**HEADERS, **(more or {})}
    )
