"""Ask how the deployment is."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared import resource_manager
from shared.answering import Deadline, answered, polled
from shared.errors import ServiceRejected
from shared.ledger import open_ledger
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended, wait
from shared.models.pace import Pace
from shared.models.record import Outcome, Step
from shared.resource_manager import DeploymentFacts

bp = df.Blueprint()
BAD = frozenset({"failed", "canceled", "disabled", "deleting"})


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
    record, name = read.record, read.record.made("deployment")
    if record.stopping or record.plan is None or name is None:
        return CANCELLED
    waited_s = (read.now - record.entered(Step.DEPLOY)).total_seconds()
    deadline = Deadline(ledger, wanted.run_id, "deployment_status", waited_s, wanted.pace.deployment_deadline_s)
    late = ServiceRejected("Azure Resource Manager", None, "deploymentDeadline", f"the deployment did not stand after {waited_s:.0f} s")
    account = resource_manager.for_deployment(record.plan)
    return polled(lambda: _verdict(account.deployment(name), waited_s, wanted.pace), wanted.pace, deadline, late)


def _verdict(found: DeploymentFacts | None, waited_s: float, pace: Pace) -> Answer:
    state = found.state.lower() if found else "gone"
    if state == "succeeded":
        return done()
    if state in BAD or state == "gone":
        return ended(
            Outcome.FAILED,
            ServiceRejected(
                "Azure Resource Manager", None, f"deployment {state}", f"the deployment ended {state} after {waited_s:.0f} s"
            ).problem,
        )
    return wait(pace.next_poll_s(waited_s))
