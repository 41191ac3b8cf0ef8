"""What can't be used is refused by its facts alone: the kind, the tier and the size of each blob of
a drop.
"""

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, BlobType, ContainerClient

from shared.errors import Problem, TuneDropError
from shared.models.drop import Drop, drop_of
from shared.models.job_file import JobFile
from shared.models.plan import Pin
from shared.runs.drop_blobs import begun_with, present, readable
from shared.services.storage import BlobFacts, Container
from tests.azurite import azurite
from tests.builders import NOW, a_plan, a_record

__all__ = ["azurite"]

GIB = 2**30
TOO_LARGE = 512 * 2**20
TRAINING, VALIDATION, JOB = "training", "validation_set.jsonl", "job.json"


@dataclass
class Watched:
    """A container, and the HTTP methods by which it was asked."""

    client: ContainerClient
    methods: list[str] = field(default_factory=list[str])

    def note(self, request: Any) -> None:
        """Called by the client before each request."""
        self.methods.append(request.http_request.method)


@pytest.fixture
def watched(azurite: str) -> Watched:
    """An empty container on Azurite."""
    name = f"t{secrets.token_hex(6)}"
    seen = Watched(BlobServiceClient.from_connection_string(azurite).get_container_client(name))
    seen.client.create_container()
    seen.client = BlobServiceClient.from_connection_string(
        azurite, raw_request_hook=seen.note
    ).get_container_client(name)
    return seen


def facts(**changes: Any) -> BlobFacts:
    """A small block blob."""
    return replace(BlobFacts(name="x", etag="0x1", bytes=10, modified=NOW, metadata={}), **changes)


def refused(blobs: dict[str, BlobFacts]) -> Problem:
    """Why these blobs make no run."""
    with pytest.raises(TuneDropError) as caught:
        readable(blobs)
    return caught.value.problem


@pytest.mark.parametrize(
    ("key", "changes", "code", "told"),
    [
        (
            TRAINING,
            {"kind": "page", "bytes": 64 * GIB},
            "TD-DROP-007",
            "The training file is a page blob",
        ),
        (VALIDATION, {"kind": "append"}, "TD-DROP-007", "The validation file is an append blob"),
        (JOB, {"kind": "page"}, "TD-DROP-007", "job.json is a page blob"),
        (TRAINING, {"archived": True}, "TD-DROP-008", "The training file is in the archive tier"),
        (
            VALIDATION,
            {"archived": True},
            "TD-DROP-008",
            "The validation file is in the archive tier",
        ),
        (JOB, {"archived": True}, "TD-DROP-008", "job.json is in the archive tier"),
        (TRAINING, {"bytes": TOO_LARGE}, "TD-DROP-009", "The training file has 536,870,912 bytes"),
        (
            VALIDATION,
            {"bytes": 8 * 1024 * GIB},
            "TD-DROP-009",
            "The validation file has 8,796,093,022,208 bytes",
        ),
        (JOB, {"bytes": 400 * 2**20}, "TD-PLAN-001", "job.json is larger than 256 KB"),
    ],
)
def test_blob_that_no_run_can_use_is_named(
    key: str, changes: dict[str, Any], code: str, told: str
) -> None:
    """Which file, what is wrong with it, and the limit."""
    problem = refused({TRAINING: facts(), key: facts(**changes)})
    assert (problem.code, problem.message.startswith(told)) == (code, True)


def test_largest_file_that_the_service_takes_is_let_through() -> None:
    """Fewer than 512 MiB, each."""
    readable(
        {
            TRAINING: facts(bytes=TOO_LARGE - 1),
            VALIDATION: facts(bytes=TOO_LARGE - 1),
            JOB: facts(bytes=256 * 1024),
        }
    )


def test_page_blob_of_64_gib_is_refused_without_a_byte_of_it(watched: Watched) -> None:
    """Sparse, it costs its uploader nothing; the storage is asked for its facts only."""
    watched.client.get_blob_client("travel/training_set.jsonl").create_page_blob(64 * GIB)
    drop = dropped(watched, "travel/training_set.jsonl")
    watched.methods.clear()
    assert refused(present(Container(watched.client), drop, with_job=True)).code == "TD-DROP-007"
    assert set(watched.methods) == {"HEAD"}


def test_large_job_file_is_refused_without_a_byte_of_it(watched: Watched) -> None:
    """Its size is known before it is read."""
    watched.client.upload_blob("travel/job.json", b" " * (256 * 1024 + 1))
    watched.client.upload_blob("travel/training_set.jsonl", b"{}\n", blob_type=BlobType.BLOCKBLOB)
    drop = dropped(watched, "travel/training_set.jsonl")
    watched.methods.clear()
    assert refused(present(Container(watched.client), drop, with_job=True)).code == "TD-PLAN-001"
    assert set(watched.methods) == {"HEAD"}


def test_job_file_is_not_looked_at_where_the_request_brought_its_own_settings(
    watched: Watched,
) -> None:
    """`POST /api/runs` with a `job` stands in its place."""
    watched.client.upload_blob("travel/job.json", b" " * (256 * 1024 + 1))
    watched.client.upload_blob("travel/training_set.jsonl", b"{}\n")
    blobs = present(
        Container(watched.client), dropped(watched, "travel/training_set.jsonl"), with_job=False
    )
    assert set(blobs) == {TRAINING}


@pytest.mark.parametrize(
    ("asked", "job", "planned", "told"),
    [
        pytest.param({"seed": 1}, b'{"seed": 2}', False, 1, id="of the request"),
        pytest.param(None, b'{"seed": 2}', False, 2, id="of job.json, before the plan"),
        pytest.param(None, b'{"seed": 2}', True, 2, id="of job.json, as it was planned"),
        pytest.param(None, None, False, None, id="none"),
        pytest.param(None, b"{", False, "lost", id="of a job.json that is none"),
    ],
)
def test_settings_that_a_run_was_begun_with_are_told(
    watched: Watched,
    asked: dict[str, object] | None,
    job: bytes | None,
    planned: bool,
    told: int | str | None,
) -> None:
    """Those of the request stand in place of job.json; a file that can't be read tells nothing."""
    container = Container(watched.client)
    watched.client.upload_blob("travel/training_set.jsonl", b"{}\n")
    if job:
        watched.client.upload_blob("travel/job.json", job)
    pin = container.facts("travel/job.json") if planned else None
    plan = a_plan(job_file=Pin(blob=pin.name, etag=pin.etag, bytes=pin.bytes)) if pin else None
    record = a_record(
        drop=dropped(watched, "travel/training_set.jsonl"), job_settings=asked, plan=plan
    )
    found = begun_with(container, record)
    assert (found.seed if found else "lost") == told


def test_settings_of_a_job_file_that_was_replaced_or_came_later_are_not_told(
    watched: Watched,
) -> None:
    """The plan has pinned another, or none."""
    container = Container(watched.client)
    watched.client.upload_blob("travel/training_set.jsonl", b"{}\n")
    watched.client.upload_blob("travel/job.json", b'{"seed": 2}')
    drop = dropped(watched, "travel/training_set.jsonl")
    replaced = a_plan(job_file=Pin(blob="travel/job.json", etag="0xOLD", bytes=11))
    assert begun_with(container, a_record(drop=drop, plan=replaced)) is None
    assert begun_with(container, a_record(drop=drop, plan=a_plan())) == JobFile()


def dropped(watched: Watched, blob: str) -> Drop:
    """The drop that this blob starts as it stands."""
    found = Container(watched.client).facts(blob)
    drop = drop_of("account", "training", blob, found.etag) if found else None
    assert drop is not None
    return drop
