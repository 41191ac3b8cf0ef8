"""The blobs of a drop as they stand: which are there, and whether they can be read at all."""

from collections.abc import Mapping

from shared.errors import DataRejected, PlanRejected
from shared.models.drop import JOB_FILE, PACKED, VALIDATION_SET, Drop
from shared.models.job_file import JobFile
from shared.models.plan import Role
from shared.models.record import RunRecord
from shared.runs import planning
from shared.services import storage
from shared.services.storage import BlobFacts, Container

TRAINING = "training"
KEYS: dict[Role, str] = {"training": TRAINING, "validation": VALIDATION_SET}
# How a person calls what stands under these keys of `present`.
NAMES = {TRAINING: "The training file", VALIDATION_SET: "The validation file", JOB_FILE: "job.json"}


def present(container: Container, drop: Drop, *, with_job: bool) -> dict[str, BlobFacts]:
    """The blobs of this drop that are there, by role name; the starting blob under "training".

    Raises:
        DataRejected: the starting blob is gone.
        Changed: the starting blob was replaced, which is another run.
    """
    training = container.facts(drop.blob)
    if training is None:
        raise DataRejected(
            "TD-DROP-002",
            "The dropped file was deleted before the run could read it.",
            "Drop it again.",
        )
    if training.etag != drop.etag:
        raise storage.Changed
    validation, job = drop.companion(VALIDATION_SET), drop.companion(JOB_FILE) if with_job else None
    # Without `with_job` no job.json is looked for: what a request brought stands in its place.
    others = {
        # A packed validation file is taken where there is no plain one.
        VALIDATION_SET: (container.facts(validation) or container.facts(validation + PACKED))
        if validation
        else None,
        JOB_FILE: container.facts(job) if job else None,
    }
    return {TRAINING: training} | {name: facts for name, facts in others.items() if facts}


def begun_with(container: Container, record: RunRecord) -> JobFile | None:
    """The settings that a run was begun with, of its request or its job.json; None: unreadable."""
    if record.job_settings is not None:
        return JobFile.model_validate(record.job_settings)
    job_file = record.plan.job_file if record.plan else None
    blob = record.drop.companion(JOB_FILE)
    if blob is None or (record.plan and job_file is None):
        return JobFile()
    try:
        etag = job_file.etag if job_file else _usable(container, blob)
        stored = container.read(blob, planning.JOB_FILE_MAX_BYTES, etag) if etag else None
        if stored is None:
            return None if job_file else JobFile()
        return planning.parsed(stored.content)
    except (DataRejected, PlanRejected, storage.TooLarge):
        return None


def _usable(container: Container, job_file: str) -> str | None:
    """The ETag of a job.json that may be read; None where there is none.

    Raises:
        DataRejected: it is of a kind that no run can use.
        PlanRejected: it is too large.
    """
    facts = container.facts(job_file)
    if facts:
        readable({JOB_FILE: facts})
    return facts.etag if facts else None


# By the facts of a blob, without a byte of it: what is too large, of the wrong kind or archived is
# refused before anything is read or scanned.
def readable(blobs: Mapping[str, BlobFacts]) -> None:
    """Refuses blobs that no run can use.

    Raises:
        DataRejected: one is a page or an append blob, is archived, or is larger than the service
            takes.
        PlanRejected: job.json is too large.
    """
    for key, facts in blobs.items():
        _of_a_usable_kind(NAMES[key], facts)
    for key, facts in blobs.items():
        if key == JOB_FILE:
            planning.small_enough(facts.bytes)
        else:
            small_enough(NAMES[key], facts.bytes)


def _of_a_usable_kind(name: str, facts: BlobFacts) -> None:
    if facts.kind != "block":
        raise DataRejected(
            "TD-DROP-007",
            (
                f"{name} is {'an' if facts.kind == 'append' else 'a'} {facts.kind} blob; only "
                "block blobs are accepted."
            ),
            (
                "Upload it as a block blob: `tunedrop drop`, the Azure portal and `az storage "
                "blob upload --type block` do this."
            ),
        )
    if facts.archived:
        raise DataRejected(
            "TD-DROP-008",
            f"{name} is in the archive tier, where its bytes can't be read.",
            "Upload it again to the hot or cool tier, or copy it there: a new upload is a new run.",
        )


def small_enough(name: str, size: int) -> None:
    """Refuses a data file that the service would not take: `name` as it begins a sentence.

    Raises:
        DataRejected: it has 512 MB or more.
    """
    from tunedrop_check.scan.file_result import MAX_FILE_BYTES  # msgspec and numpy: not at import

    if size >= MAX_FILE_BYTES:
        raise DataRejected(
            "TD-DROP-009",
            (
                f"{name} has {size:,} bytes; Azure OpenAI accepts fewer than {MAX_FILE_BYTES:,} "
                f"({MAX_FILE_BYTES // 2**20} MiB)."
            ),
            "Remove examples until it is smaller.",
        )
