"""Delete the deployment of a run that ends badly: it would cost money every hour."""

import azure.durable_functions as df

from activities.deploy import own_deployment
from shared.errors import ServiceLost, ServiceUnavailable
from shared.models.effect_kinds import DEPLOYMENT
from shared.models.messages import Answer, RunStep, done
from shared.runs import clients
from shared.runs.activity import activity
from shared.runs.answering import needed
from shared.runs.effects import Removing
from shared.runs.ledger import open_ledger
from shared.services.resource_manager import DeploymentFacts

bp = df.Blueprint()


@activity(bp, RunStep)
def delete_deployment(wanted: RunStep) -> Answer:
    """Deletes the deployment that the ledger says this run made, and no other; `wait` until it is
    gone.

    Second run: a deployment that isn't there is deleted.
    """
    ledger = open_ledger()
    record = ledger.get(wanted.run_id).record
    if not record.effects:
        return done()
    plan, model = needed(record.plan, "plan"), record.job.fine_tuned_model if record.job else None
    account = clients.for_deployment(plan)

    def own() -> DeploymentFacts | None:
        found = account.deployment(plan.deployment.name)
        try:
            return found if own_deployment(found, record, model) else None
        except ServiceLost:
            # Somebody else's: not ours to delete.
            return None

    def look() -> list[str]:
        found = own()
        return [found.name] if found else []

    def remove(name: str) -> bool:
        found = own()
        if found is None:
            return account.deployment(name) is None
        if found.state.lower() != "deleting":
            account.delete_deployment(found.name)
        # A delete is taken at once and may still fail: it is over when the deployment is gone, not
        # before.
        raise ServiceUnavailable("Azure Resource Manager", "the deployment is being deleted")

    return Removing(ledger, wanted, DEPLOYMENT.named(), look, remove, wanted.pace.call_s).once()
