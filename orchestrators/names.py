"""The names by which orchestrators call: a test compares them with what the app has registered."""

from enum import StrEnum

from shared.models.messages import WAKE as WAKE


class Activity(StrEnum):
    """Every activity."""

    BEGIN_ENDING = "begin_ending"
    CANCEL_JOB = "cancel_job"
    CLAIM_CONTENT = "claim_content"
    COLLECT_RESULTS = "collect_results"
    CREATE_JOB = "create_job"
    DELETE_DEPLOYMENT = "delete_deployment"
    DELETE_FILE = "delete_file"
    DEPLOY = "deploy"
    DEPLOYMENT_STATUS = "deployment_status"
    END_RUN = "end_run"
    FILE_STATUS = "file_status"
    GIVE_BACK = "give_back"
    JOB_STATUS = "job_status"
    MAKE_PLAN = "make_plan"
    MERGE_SCAN = "merge_scan"
    OPEN_RUN = "open_run"
    PREFLIGHT = "preflight"
    RESERVE = "reserve"
    SCAN_RANGE = "scan_range"
    SETTLE_DROP = "settle_drop"
    SMOKE_TEST = "smoke_test"
    UPLOAD_FILE = "upload_file"
    WRITE_REPORT = "write_report"


class Orchestrator(StrEnum):
    """Every orchestrator: that of a run, then those of its parts."""

    RUN = "run"
    SCAN = "scan"
    GATE = "gate"
    TRAIN = "train"


def instance_of(run_id: str, orchestrator: Orchestrator) -> str:
    """The id of the instance of this orchestrator in a run; the run's own is the run's id."""
    return run_id if orchestrator is Orchestrator.RUN else f"{run_id}-{orchestrator}"


def instances_of(run_id: str) -> tuple[str, ...]:
    """The ids of all instances that a run may have, its own first."""
    return tuple(instance_of(run_id, orchestrator) for orchestrator in Orchestrator)


# The version that new instances begin with; where the steps of an older one differ, the
# orchestrators branch by it.
VERSION = 3

# The binding name of every orchestration trigger, and nothing that code sees: letters only, because
# hosts before 4.1038 refuse others, and not `context`, for which azure-functions-durable registers
# `_durable_input`.
TRIGGER = "orchestration"
