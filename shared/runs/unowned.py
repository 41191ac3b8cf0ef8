"""What bears the mark of a run that has ended without it: nobody owns it any more, and it is
deleted.
"""

import logging

from shared.errors import RecordUnreadable, ServiceRejected, ServiceUnavailable
from shared.models.drop import RUN_ID_MAX_CHARS, RUN_NAME
from shared.models.record import Outcome, RunRecord
from shared.runs.ledger import Ledger
from shared.runs.marks import file_name, run_of_file
from shared.services.azure_openai import AzureOpenAI
from shared.services.resource_manager import DeploymentFacts, ResourceManager

log = logging.getLogger("tunedrop")


# The end of a run takes back its files and its deployment itself. What appears after that was sent
# by an execution that stood still meanwhile, for example on a machine that was paused in the middle
# of a call; or the service would not let it go in time.
def delete_unowned_files(ledger: Ledger, service: AzureOpenAI) -> list[str]:
    """The ids of the files that were deleted: none of a run that lives, or of no run at all."""
    deleted: list[str] = []
    try:
        for found in service.files():
            run_id = run_of_file(found.name)
            if run_id and _has_ended(ledger, run_id, found.name):
                service.delete_file(found.id)
                log.warning(
                    "file without an owner deleted", extra={"run": run_id, "file": found.id}
                )
                deleted.append(found.id)
    except (ServiceUnavailable, ServiceRejected) as error:
        # Where the service can't be asked, the next call asks it.
        log.info("files can't be looked through", extra={"error": error.problem.message})
    return deleted


def delete_unowned_deployments(ledger: Ledger, account: ResourceManager) -> list[str]:
    """The names of the deployments whose deletion was begun."""
    deleted: list[str] = []
    try:
        for found in account.deployments():
            # By tag, name and model it must be of a run that has ended and did not succeed.
            if (
                found.owner
                and found.state.lower() != "deleting"
                and _was_of_an_ended_run(ledger, found.owner, found)
            ):
                account.delete_deployment(found.name)
                log.warning("deployment without an owner deleted", extra={"run": found.owner})
                deleted.append(found.name)
    except (ServiceUnavailable, ServiceRejected) as error:
        log.info("deployments can't be looked through", extra={"error": error.problem.message})
    return deleted


def _was_of_an_ended_run(ledger: Ledger, run_id: str, found: DeploymentFacts) -> bool:
    record = _known(ledger, run_id)
    if record is None or record.plan is None or record.outcome in {None, Outcome.SUCCEEDED}:
        return False
    own = record.job is not None and found.model == record.job.fine_tuned_model
    return own and found.name.lower() == record.plan.deployment.name.lower()


def _known(ledger: Ledger, run_id: str) -> RunRecord | None:
    """The record of the run that a mark names."""
    # Whoever may write a tag can write anything there.
    if not RUN_NAME.fullmatch(run_id) or len(run_id) > RUN_ID_MAX_CHARS:
        return None
    try:
        found = ledger.read(run_id)
    except RecordUnreadable:
        return None
    return found.record if found else None


def _has_ended(ledger: Ledger, run_id: str, name: str) -> bool:
    record = _known(ledger, run_id)
    return bool(
        record and record.ended_at and any(name == file_name(record, role) for role in record.files)
    )
