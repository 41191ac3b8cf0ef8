"""Packed drops (`.jsonl.gz`): unpacked once for the run, uploaded as plain text, and gone when it
ends; and folders of part files.
"""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from orchestrators.names import Activity
from shared.models.record import RunRecord
from shared.runs import checkpoints
from shared.services import storage
from tests.data import a_training_set
from tests.faults.rig import Rig
from tests.patience import until
from triggers.starting import new_record
from tunedrop_check.reading.file_spans import content_hash_of

pytestmark = pytest.mark.timeout(180)
LAYOUTS = ["{}.jsonl.gz", "{}/training_set.jsonl.gz"]


@pytest.fixture(autouse=True)
def calm(rig: Rig) -> Iterator[None]:
    """No test leaves its trouble to the next one."""
    yield
    checkpoints.observe(None)
    rig.control("DELETE", "faults")


def left(run_id: str) -> list[str]:
    """What stands of the run's unpacked files."""
    return [facts.name for facts in storage.ledger().list(f"unpacked/{run_id}/")]


def code(record: RunRecord) -> str | None:
    """Why it ended."""
    return record.ending.problem.code if record.ending and record.ending.problem else None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_packed_drop_is_trained_on_what_is_in_it(rig: Rig, layout: str) -> None:
    """The service gets the plain file, the report names the dropped one, the drop stays as it was,
    and nothing else is left.
    """
    name = f"packed{LAYOUTS.index(layout)}"
    plain = a_training_set(name)
    drop = rig.put(name, gzip.compress(plain), layout)
    record = rig.ended(rig.start(drop))
    [uploaded] = rig.asked("files.create", record.id)
    assert (record.outcome, uploaded["request"]["bytes"]) == ("succeeded", len(plain))
    assert record.files["training"].content_hash == content_hash_of([plain])
    assert f'"name": "{drop.blob}"' in rig.reported(record)
    assert "unpacked/" not in rig.reported(record)
    assert left(record.id) == []
    assert [facts.name for facts in storage.training().list(name)] == [drop.blob]


def test_validation_file_may_be_packed_and_the_plain_one_goes_first(rig: Rig) -> None:
    """Beside a plain training file; where both stand, nothing is unpacked."""
    for name, plain in (("packed2", False), ("packed3", True)):
        validation = a_training_set(f"{name}-v", 11)
        rig.upload(f"{name}/validation_set.jsonl.gz", gzip.compress(validation))
        if plain:
            rig.upload(f"{name}/validation_set.jsonl", a_training_set(f"{name}-p", 13))
        record = rig.ended(rig.start(rig.put(name, a_training_set(name), "{}/training_set.jsonl")))
        assert (record.outcome, record.files["validation"].examples) == (
            "succeeded",
            13 if plain else 11,
        )
        assert record.plan is not None
        assert (record.plan.validation_file is not None, left(record.id)) == (True, [])


@pytest.mark.parametrize(
    ("packed", "wanted"),
    [
        pytest.param(a_training_set("plain"), "TD-DROP-011", id="not-packed"),
        pytest.param(gzip.compress(a_training_set("cut"))[:-9], "TD-DROP-011", id="cut"),
        pytest.param(gzip.compress(b"{}\n" * 12), "TD-DROP-006", id="wrong-inside"),
    ],
)
def test_packed_drop_that_is_rejected_leaves_nothing_behind(
    rig: Rig, request: pytest.FixtureRequest, packed: bytes, wanted: str
) -> None:
    """Whatever it was rejected for."""
    drop = rig.put(f"packed-{request.node.callspec.id}", packed, "{}.jsonl.gz")
    record = rig.ended(rig.start(drop))
    assert (record.outcome, code(record), left(record.id)) == ("rejected", wanted, [])


def test_packed_drop_that_is_cancelled_leaves_nothing_behind(rig: Rig) -> None:
    """Also in the middle of its training."""
    drop = rig.put(
        "packed-cancelled", gzip.compress(a_training_set("packed-cancelled")), "{}.jsonl.gz"
    )
    rig.fault("job", "never", about=drop.run_id)
    run = rig.start(drop)
    until(lambda: rig.asked("fine_tuning.jobs.create", run), what="the job")
    rig.cancel(run)
    assert (rig.ended(run).outcome, left(run)) == ("cancelled", [])


def test_plan_that_is_made_ten_times_at_once_unpacks_to_one_blob(rig: Rig) -> None:
    """All pin the same bytes, so that no execution takes another's file away."""
    drop = rig.put("packed-ten", gzip.compress(a_training_set("packed-ten")), "{}.jsonl.gz")
    rig.ledger.claim(new_record(drop))
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(rig.execute, [Activity.MAKE_PLAN] * 10, [drop.run_id] * 10))
    assert {answer["kind"] for answer in answers} == {"done"}
    record = rig.ledger.get(drop.run_id).record
    assert record.plan is not None
    facts = storage.ledger().facts(record.plan.training_file.blob)
    assert facts is not None
    assert (record.plan.training_file.etag, left(drop.run_id)) == (facts.etag, [facts.name])


def test_plan_that_comes_after_the_end_of_the_run_leaves_nothing_behind(rig: Rig) -> None:
    """A late execution that has unpacked deletes it itself: nobody else would."""
    drop = rig.put("packed-late", gzip.compress(a_training_set("packed-late")), "{}.jsonl.gz")
    rig.ledger.claim(new_record(drop))

    def end(point: str) -> None:
        if point == "make_plan: after the unpacked files":
            assert left(drop.run_id) != []
            rig.ledger.change(
                drop.run_id, lambda record, now: record.model_copy(update={"ended_at": now})
            )

    checkpoints.observe(end)
    assert rig.execute(Activity.MAKE_PLAN, drop.run_id)["kind"] == "cancelled"
    assert (left(drop.run_id), rig.ledger.get(drop.run_id).record.plan) == ([], None)


def test_packed_drop_that_is_replaced_while_it_is_unpacked_ends_superseded(rig: Rig) -> None:
    """What was claimed is what is trained, or nothing is."""
    drop = rig.put("packed-new", gzip.compress(a_training_set("packed-new")), "{}.jsonl.gz")
    rig.ledger.claim(new_record(drop))
    rig.upload(drop.blob, gzip.compress(a_training_set("packed-newer")))
    answer = rig.execute(Activity.MAKE_PLAN, drop.run_id)
    assert (answer["kind"], answer["outcome"], left(drop.run_id)) == ("ended", "superseded", [])


def test_dropped_folder_of_part_files_is_one_finding_with_the_way_out(rig: Rig) -> None:
    """What was dropped, what the app takes, and the command that joins the parts."""
    rig.upload("spark/training/part-00000.json", a_training_set("spark"))
    record = rig.ended(rig.start(rig.put("spark", b"", "{}/training/_SUCCESS")))
    assert (record.outcome, code(record)) == ("rejected", "TD-DROP-005")
    assert record.ending is not None
    assert record.ending.problem is not None
    assert "folder of part files" in record.ending.problem.message
    assert "tunedrop drop FOLDER" in record.ending.problem.fix
