"""The head of every activity: what comes is read as its message, what is said goes as JSON."""

from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
from azure.functions.decorators.function_app import FunctionBuilder
from durabletask import task
from durabletask.client import TaskHubGrpcClient

from shared.models.messages import CANCELLED, Answer, RunStep
from shared.models.record import Step
from shared.runs.answering import answered
from shared.runs.ledger import Ledger, Read, open_ledger


def activity[M: RunStep](
    bp: df.Blueprint, message: type[M], *, waits: bool = True
) -> Callable[[Callable[[M], Answer]], FunctionBuilder]:
    """Registers the decorated function as the activity of its name, which is given this message.
    Where a service can't answer now, it says `wait`; with `waits=False` it raises.
    """

    def register(work: Callable[[M], Answer]) -> FunctionBuilder:
        def act(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
            wanted = message.model_validate(request)
            # What is raised, the story tries again a counted number of times.
            return answered(lambda: work(wanted), wanted.pace if waits else None)

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(act, name, getattr(work, name))
        return bp.activity_trigger(input_name="request")(act)

    return register


def activity_that_calls[M: RunStep](
    bp: df.Blueprint, message: type[M]
) -> Callable[[Callable[[M, TaskHubGrpcClient], Answer]], FunctionBuilder]:
    """As `activity`, for one that wakes other runs: it is given a client of the durable engine."""

    def register(work: Callable[[M, TaskHubGrpcClient], Answer]) -> FunctionBuilder:
        def act(request: dict[str, Any], client: df.SyncDurableFunctionsClient) -> dict[str, Any]:
            wanted = message.model_validate(request)
            return answered(lambda: work(wanted, client))

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(act, name, getattr(work, name))
        # The worker's index takes plain classes only.
        client = df.SyncDurableFunctionsClient
        act.__annotations__ = {"request": dict, "client": client, "return": dict}
        return bp.durable_client_input(client_name="client")(
            bp.activity_trigger(input_name="request")(act)
        )

    return register


def activity_of_living_run[M: RunStep](
    bp: df.Blueprint, message: type[M], *, enters: Step | None = None, waits: bool = True
) -> Callable[[Callable[[M, Ledger, Read], Answer]], FunctionBuilder]:
    """As `activity`, for one that takes the run on: it is given the ledger and the record, too.

    A run that is stopping is answered `cancelled` before anything is done. `enters` is the step
    that the ledger notes.
    """

    def register(work: Callable[[M, Ledger, Read], Answer]) -> FunctionBuilder:
        def unless_stopping(wanted: M) -> Answer:
            ledger = open_ledger()
            read = ledger.enter(wanted.run_id, enters) if enters else ledger.get(wanted.run_id)
            return CANCELLED if read.record.stopping else work(wanted, ledger, read)

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(unless_stopping, name, getattr(work, name))
        return activity(bp, message, waits=waits)(unless_stopping)

    return register
