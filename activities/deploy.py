"""Deploy the fine-tuned model through Azure Resource Manager."""

import azure.durable_functions as df

from shared.errors import DeadlinePassed, ServiceLost
from shared.models.effect_kinds import DEPLOYMENT
from shared.models.messages import Answer, RunStep
from shared.models.record import RunRecord, Step
from shared.runs import clients
from shared.runs.activity import activity_of_living_run
from shared.runs.answering import Deadline, needed, tried
from shared.runs.effects import Making
from shared.runs.ledger import Ledger, Read
from shared.services.resource_manager import DeploymentFacts

bp = df.Blueprint()


@activity_of_living_run(bp, RunStep, enters=Step.DEPLOY)
def deploy(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Puts the deployment and answers its name; `wait` while another write is under way on the
    account.

    Second run: a deployment of that name that serves this run's model is adopted; any other is
    never touched.
    """
    plan, job = needed(read.record.plan, "plan"), needed(read.record.job, "job")
    account, model = (
        clients.for_deployment(plan),
        needed(job.fine_tuned_model, "trained model"),
    )

    def look() -> str | None:
        return own_deployment(account.deployment(plan.deployment.name), read.record, model)

    def act(within_s: float) -> str:
        return account.put_deployment(plan.deployment, model, wanted.run_id, within_s)

    waited_s = (read.now - read.record.entered(Step.DEPLOY)).total_seconds()
    deadline = Deadline(
        ledger, wanted.run_id, "deploy", waited_s, wanted.pace.deployment_deadline_s
    )
    late = DeadlinePassed(
        "TD-DEADLINE-006",
        f"The deployment could not be written within {waited_s:.0f} s.",
        "deployment_deadline_s",
    )
    making = Making(ledger, wanted, DEPLOYMENT.named(), look, act, wanted.pace.call_s)
    return tried(making.once, wanted.pace, deadline, late)


def own_deployment(
    found: DeploymentFacts | None, record: RunRecord, model: str | None
) -> str | None:
    """The name of the deployment if it is this run's; None where there is none.

    Raises:
        ServiceLost: the name belongs to somebody else by now.
    """
    if found is None:
        return None
    # Its tag tells whose it is. Where the api-version keeps no tags, a model that this run has
    # trained is its own, so a deployment that serves it is too; a model that is deployed again is
    # others' as well, so then only one that this run has meant to make is its own.
    known = record.reuse_of is None or DEPLOYMENT.named() in record.effects
    if (
        found.model != model
        or (found.owner or record.id) != record.id
        or (found.owner is None and not known)
    ):
        raise ServiceLost(
            "TD-DEPLOYMENT-003",
            (
                f"The deployment name {found.name} was used by somebody else while the model was "
                "trained."
            ),
            (
                "Deploy the fine-tuned model under another name; this report names the model, "
                "and it costs nothing while it isn't deployed."
            ),
        )
    return found.name
