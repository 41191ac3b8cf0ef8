"""Ask how the deployment is."""

import azure.durable_functions as df

from shared.errors import DeadlinePassed, ServiceLost
from shared.models.effect_kinds import DEPLOYMENT
from shared.models.messages import Answer, RunStep, done, wait
from shared.models.pace import Pace
from shared.models.record import Step
from shared.runs import clients
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, polled
from shared.runs.ledger import Ledger, Read
from shared.services.resource_manager import DeploymentFacts

bp = df.Blueprint()
BAD = frozenset({"failed", "canceled", "disabled"})
LOST = frozenset({"gone", "deleting"})


@activity_of_living_run(bp, RunStep)
def deployment_status(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Says whether the deployment stands, has failed, or how long to wait.

    Second run: it only reads.
    """
    record = read.record
    plan, name = needed(record.plan, "plan"), needed(record.made(DEPLOYMENT.named()), "deployment")
    waited_s = (read.now - record.entered(Step.DEPLOY)).total_seconds()
    deadline = Deadline(
        ledger, wanted.run_id, "deployment_status", waited_s, wanted.pace.deployment_deadline_s
    )
    late = DeadlinePassed(
        "TD-DEADLINE-007",
        f"The deployment was not ready after {waited_s:.0f} s.",
        "deployment_deadline_s",
    )
    account = clients.for_deployment(plan)
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
                "Check the account's activity log; Azure may have no capacity for this SKU in "
                "this region."
            ),
        )
    return wait(pace.next_poll_s(waited_s))


def deployment_gone() -> ServiceLost:
    """The run's deployment isn't there any more, and it was not the run that deleted it."""
    return ServiceLost(
        "TD-DEPLOYMENT-002",
        "The deployment is gone: somebody deleted it.",
        "Find out who deletes deployments on this account.",
    )
