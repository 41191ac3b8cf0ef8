"""Pin the blobs of a settled drop and settle what the run will do with them."""

from datetime import datetime

import azure.durable_functions as df

from shared.models.answers import FileSize, PlanMade
from shared.models.drop import JOB_FILE, PACKED, VALIDATION_SET
from shared.models.job_file import JobFile
from shared.models.messages import CANCELLED, Answer, RunStep, done
from shared.models.plan import Pin, Plan, Role
from shared.models.record import RunRecord, Step
from shared.runs import planning, smoke_rows
from shared.runs.activity import activity_of_living_run
from shared.runs.checkpoints import checkpoint
from shared.runs.drop_blobs import KEYS, NAMES, TRAINING, present, readable
from shared.runs.ledger import Ledger, Read
from shared.runs.pinning import pinned
from shared.runs.reuse import reuses
from shared.runs.unpacking import delete_unpacked, unpacked
from shared.services import storage
from shared.services.storage import BlobFacts, Changed, Container, TooLarge
from shared.settings import settings

bp = df.Blueprint()


@activity_of_living_run(bp, RunStep, enters=Step.PLAN)
def make_plan(wanted: RunStep, ledger: Ledger, read: Read) -> Answer:
    """Writes the plan into the ledger and answers the files and sizes to scan.

    Second run: the plan of the first one stands; of two at once, one is written and both answer it.
    What is packed is unpacked
    once: both find the same blob.
    """
    record = read.record
    mine = record.plan or _made(record)

    def planning_it(current: RunRecord, _now: datetime) -> RunRecord | None:
        return (
            None if current.plan or current.ended_at else current.model_copy(update={"plan": mine})
        )

    checkpoint("make_plan: before the record")
    changed = ledger.change(wanted.run_id, planning_it)
    plan = changed.plan or mine
    checkpoint("make_plan: after the record")
    # A late execution: nobody else would delete what it has unpacked.
    if changed.ended_at:
        delete_unpacked(wanted.run_id)
        return CANCELLED
    files: dict[Role, FileSize] = {
        role: FileSize(bytes=pin.bytes) for role in plan.roles if (pin := plan.file(role))
    }
    return done(PlanMade(files=files, span_bytes=pinned(plan).span_bytes, reuse=reuses(changed)))


def _made(record: RunRecord) -> Plan:
    container = storage.named(record.drop.container)
    blobs = present(container, record.drop, with_job=record.job_settings is None)
    readable(blobs)
    job, job_pin = JobFile(), None
    if record.job_settings is not None:
        job = planning.checked(record.job_settings)
    elif facts := blobs.get(JOB_FILE):
        job, job_pin = planning.parsed(_content(container, facts)), _pin(container, facts)
    training, validation = _pin(container, blobs[TRAINING]), blobs.get(VALIDATION_SET)
    validation_pin = _pin(container, validation) if validation else None
    plan = _unpacked(
        record.id, planning.planned(record.drop, job, settings(), training, validation_pin, job_pin)
    )
    return (
        plan
        if job.smoke_test.messages
        else plan.model_copy(update={"smoke_test": smoke_rows.proof(plan)})
    )


def _unpacked(run_id: str, plan: Plan) -> Plan:
    """The plan with plain files."""
    # After the plan is made: a wrong job.json is told before anything is unpacked.
    packed: list[tuple[Role, Pin]] = [
        (role, pin) for role in plan.roles if (pin := plan.file(role)) and pin.blob.endswith(PACKED)
    ]
    if not packed:
        return plan
    checkpoint("make_plan: before the unpacked files")
    files = {f"{role}_file": unpacked(run_id, role, pin, NAMES[KEYS[role]]) for role, pin in packed}
    checkpoint("make_plan: after the unpacked files")
    return plan.model_copy(update=files)


def _content(container: Container, facts: BlobFacts) -> bytes:
    """The bytes of a small blob as these facts tell it.

    Raises:
        Changed: it is another one by now, or gone.
    """
    try:
        stored = container.read(facts.name, facts.bytes, facts.etag)
    except TooLarge:
        raise Changed from None
    if stored is None or stored.etag != facts.etag:
        raise Changed
    return stored.content


def _pin(container: Container, facts: BlobFacts) -> Pin:
    return Pin(blob=facts.name, etag=facts.etag, bytes=facts.bytes, container=container.name)
