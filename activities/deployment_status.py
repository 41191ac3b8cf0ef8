"""Ask how the deployment is."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared.errors import DeadlinePassed, ServiceLost
from shared.models.messages import CANCELLED, Answer, RunStep, done, wait
from shared.models.pace import Pace
from shared.models.record import Step
from shared.runs.answering import Deadline, answered, needed, polled
from shared.runs.ledger import open_ledger
from shared.services import resource_manager
from shared.services.resource_manager import DeploymentFacts

bp = df.Blueprint()
BAD = frozenset({"failed", "canceled", "disabled"})
LOST = frozenset({"gone", "deleting"})


@bp.activity_trigger(input_name="request")
def deployment_status(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Says whether the deployment stands, has failed, or how long to wait.

    Second run: it only reads.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _status(wanted), wanted.pace)


def _status(wanted: RunStep) -> Answer:
    ledger = open_ledger()
    read = ledger.get(wanted.run_id)
    record = read.record
    if record.stopping:
        return CANCELLED
    plan, name = needed(record.plan, "plan"), needed(record.made("deployment"), "deployment")
    waited_s = (read.now - record.entered(Step.DEPLOY)).total_seconds()
    deadline = Deadline(
        ledger, wanted.run_id, "deployment_status", waited_s, wanted.pace.deployment_deadline_s
    )
    late = DeadlinePassed(
        "TD-DEADLINE-007",
        f"The deployment did not stand after {waited_s:.0f} s.",
        "deployment_deadline_s",
    )
    account = resource_manager.for_deployment(plan)
    return polled(
        lambda: _verdict(account.deployment(name), waited_s, wanted.pace),
        wanted.pace,
        deadline,
        late,
    )


def _verdict(found: DeploymentFacts | None, waited_s: float, pace: Pace) -> Answer:
    state = found.state.lower() if found else "gone"
    if state == "succeeded":
        return done()
    if state in LOST:
        raise deployment_gone()
    if state in BAD:
        raise ServiceLost(
            "TD-DEPLOYMENT-001",
            f"The deployment ended {state} after {waited_s:.0f} s, and Azure gives no reason.",
            (
                "Look into the account's activity log; Azure may have no capacity for this SKU in "
                "this region."
            ),
        )
    return wait(pace.next_poll_s(waited_s))


def deployment_gone() -> ServiceLost:
    """The run's deployment isn't there any more, and it was not the run that deleted it."""
    return ServiceLost(
        "TD-DEPLOYMENT-002",
        "The deployment is gone: somebody deleted it.",
        "Look who deletes deployments on this account.",
    )
