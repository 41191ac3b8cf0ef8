"""Ask how the deployment is."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from shared import resource_manager
from shared.answering import answered
from shared.errors import ServiceRejected
from shared.ledger import open_ledger
from shared.models.messages import CANCELLED, Answer, RunStep, done, ended, wait
from shared.models.record import Outcome, Step

bp = df.Blueprint()
BAD = frozenset({"failed", "canceled", "disabled", "deleting"})


@bp.activity_trigger(input_name="request")
def deployment_status(_context: task.ActivityContext, request: dict[str, Any]) -> dict[str, Any]:
    """Says whether the deployment stands, has failed, or how long to wait.

    Second run: it only reads.
    """
    wanted = RunStep.model_validate(request)
    return answered(lambda: _status(wanted))


def _status(wanted: RunStep) -> Answer:
    read = open_ledger().get(wanted.run_id)
    record, name = read.record, read.record.made("deployment")
    if record.stopping or record.plan is None or name is None:
        return CANCELLED
    found = resource_manager.connect(record.plan.api_versions.deployment).deployment(name)
    state = found.state.lower() if found else "gone"
    if state == "succeeded":
        return done()
    waited_s = (read.now - record.entered(Step.DEPLOY)).total_seconds()
    if state in BAD or state == "gone":
        return ended(
            Outcome.FAILED,
            ServiceRejected(
                "Azure Resource Manager", None, f"deployment {state}", f"the deployment ended {state} after {waited_s:.0f} s"
            ).problem,
        )
    if waited_s > wanted.pace.deployment_deadline_s:
        return ended(
            Outcome.EXPIRED,
            ServiceRejected(
                "Azure Resource Manager", None, "deploymentDeadline", f"the deployment was still {state} after {waited_s:.0f} s"
            ).problem,
        )
    return wait(wanted.pace.next_poll_s(waited_s))
