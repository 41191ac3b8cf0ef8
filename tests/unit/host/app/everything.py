"""The fixture app's functions, in the style of the product's: a blueprint, native durable names,
two-argument activities.
"""

import json
import os
import signal
import threading
from collections.abc import Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import azure.durable_functions as df
import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob  # pyright: ignore[reportMissingTypeStubs] - it ships none
import grpc
from durabletask import task

from tests.patience import patience

bp = df.Blueprint()
NOTES = Path(os.environ["HOST_TEST_NOTES"])


def note(**what: Any) -> None:
    """Append one line that the tests read."""
    with NOTES.open("a", encoding="utf-8") as notes:
        notes.write(json.dumps(what) + "\n")


@bp.activity_trigger(input_name="request")
def scan(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Tell what type the input arrived as."""
    return {"size": request["size"] + 1, "type": type(request).__name__}


@bp.activity_trigger(input_name="request")
def refuse(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Fail with the message given."""
    raise ValueError(request["message"])


@bp.activity_trigger(input_name="request")
def linger(_context: task.ActivityContext, request: dict[str, Any] | None) -> None:
    """Hold a thread for longer than any test runs."""
    note(activity="linger")
    threading.Event().wait(patience(60))


@bp.orchestration_trigger(context_name="context")
def lingering(
    context: task.OrchestrationContext, data: dict[str, Any]
) -> Generator[task.Task[Any], Any]:
    """Wait for an activity that doesn't end."""
    yield context.call_activity("linger")


@bp.orchestration_trigger(context_name="context")
def watch(context: task.OrchestrationContext, polls: int) -> Generator[task.Task[Any], Any, str]:
    """Poll with short timers, forgetting the history each time."""
    yield context.create_timer(timedelta(milliseconds=50))
    if polls:
        context.continue_as_new(polls - 1)
    return "settled"


@bp.orchestration_trigger(context_name="context")
def run(
    context: task.OrchestrationContext, data: dict[str, Any]
) -> Generator[task.Task[Any], Any, dict[str, Any]]:
    """An activity, a child, and an event if one is wanted."""
    first = yield context.call_activity("scan", input=data)
    child = yield context.call_sub_orchestrator("watch", input=2)
    approved = (yield context.wait_for_external_event("approval")) if data.get("wait") else None
    return {**first, "child": child, "approved": approved}


@bp.orchestration_trigger(context_name="context")
def failing(
    context: task.OrchestrationContext, data: dict[str, Any]
) -> Generator[task.Task[Any], Any, dict[str, Any]]:
    """Answer what a failed activity looks like from here."""
    try:
        yield context.call_activity("refuse", input=data)
    except task.TaskFailedError as error:
        return {
            "type": error.details.error_type,
            "message": error.details.message,
            "stack": error.details.stack_trace,
        }
    return {}


@bp.orchestration_trigger(context_name="context")
def raising(
    context: task.OrchestrationContext, data: dict[str, Any]
) -> Generator[task.Task[Any], Any]:
    """Fail after a step."""
    yield context.call_activity("scan", input={"size": 1})
    raise ValueError(data["message"])


@bp.orchestration_trigger(context_name="orchestration")
def calling(
    context: task.OrchestrationContext, data: dict[str, Any]
) -> Generator[task.Task[Any], Any]:
    """Call an activity of durabletask's package."""
    yield context.call_activity("BuiltIn__HttpActivity", input=data)


@bp.orchestration_trigger(context_name="orchestration")
def version(context: task.OrchestrationContext, data: None) -> str | None:
    """The version that this orchestration carries."""
    return context.version


@bp.orchestration_trigger(context_name="orchestration")
def versions(
    context: task.OrchestrationContext, data: dict[str, Any]
) -> Generator[task.Task[Any], Any, dict[str, Any]]:
    """The versions of an orchestration and of its child."""
    child = yield context.call_sub_orchestrator("version")
    return {"own": context.version, "child": child}


@bp.route(route="runs", methods=["POST"])
@bp.durable_client_input(client_name="client")
def start(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """Start a run from a plain `def`; tell how an id that exists is refused."""
    body = req.get_json()
    try:
        run_id = client.schedule_new_orchestration(
            body.get("name", "run"), input=body, instance_id=body.get("id")
        )
    except grpc.RpcError as error:
        known = {"code": error.code().name, "type": type(error).__name__}
        return func.HttpResponse(json.dumps(known), status_code=409, mimetype="application/json")
    return func.HttpResponse(
        json.dumps({"id": run_id}), status_code=202, mimetype="application/json"
    )


@bp.route(route="runs/{id}", methods=["GET"])
@bp.durable_client_input(client_name="client")
def status(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """State and output of a run, waiting for its end where asked to."""
    run_id = req.route_params["id"]
    if req.params.get("wait"):
        state = client.wait_for_orchestration_completion(run_id, timeout=patience(10))
    else:
        state = client.get_orchestration_state(run_id)
    if state is None:
        return func.HttpResponse(status_code=404)
    output = json.loads(state.serialized_output) if state.serialized_output else None
    details = state.failure_details
    failure = details and {
        "type": details.error_type,
        "message": details.message,
        "stack": details.stack_trace,
    }
    told = {"status": state.runtime_status.name, "output": output, "failure": failure}
    return func.HttpResponse(json.dumps(told), mimetype="application/json")


@bp.route(route="runs/{id}/approve", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def approve(req: func.HttpRequest, client: df.DurableFunctionsClient) -> func.HttpResponse:
    """Raise an event from an `async def`."""
    await client.raise_orchestration_event(req.route_params["id"], "approval", data="yes")
    return func.HttpResponse(status_code=202)


@bp.route(route="echo/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """What the function saw of the request."""
    seen = {
        "method": req.method,
        "rest": req.route_params.get("rest"),
        "query": dict(cast("Mapping[str, str]", req.params)),
        "body": req.get_body().decode(),
        "principal": cast("Mapping[str, str]", req.headers).get("x-ms-client-principal"),
    }
    return func.HttpResponse(
        json.dumps(seen), headers={"x-echo": "yes"}, mimetype="application/json"
    )


@bp.route(route="broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    """Fail."""
    raise RuntimeError("secret-cause")


@bp.route(route="interrupt", auth_level=func.AuthLevel.ANONYMOUS)
def interrupt(req: func.HttpRequest) -> func.HttpResponse:
    """Interrupt the process by a signal that this thread receives, not the main one."""
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    return func.HttpResponse("")


@bp.blob_trigger(arg_name="dropped", path="training/{name}", connection="DropStorage")  # pyright: ignore[reportUnknownMemberType]
@bp.durable_client_input(client_name="client")
def on_drop(dropped: blob.BlobClient, client: df.SyncDurableFunctionsClient) -> None:
    """Note the blob; one whose name starts with `poison` fails."""
    properties = dropped.get_blob_properties()
    note(
        blob=properties.name,
        size=properties.size,
        etag=properties.etag,
        client=type(client).__name__,
    )
    if str(properties.name).startswith("poison"):
        raise RuntimeError("poisoned")


@bp.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%")
def sweep(timer: func.TimerRequest) -> None:
    """Note that the timer fired."""
    note(timer="sweep", past_due=timer.past_due)
