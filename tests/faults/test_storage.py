"""Storage that misbehaves, and clocks that differ. Rows B, and those of C and I that are about
storage.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from orchestrators.names import Activity
from shared.errors import RecordUnreadable, ServiceUnavailable
from shared.models.messages import RunStep
from shared.models.pace import Pace
from shared.models.record import RunRecord
from shared.runs.effects import Making
from shared.runs.ledger import Ledger
from shared.runs.marks import file_name
from shared.runs.unowned import delete_unowned_deployments, delete_unowned_files
from shared.services import azure_openai, resource_manager, storage
from shared.settings import Settings
from tests.builders import a_record
from tests.data import a_training_set
from tests.faults.proxy import Then
from tests.faults.rig import PACE, Rig
from tests.patience import until
from tests.runs.stack import ACCOUNT
from triggers.answers import served
from triggers.starting import schedule_anew
from triggers.sweep import readable

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def calm(rig: Rig) -> Iterator[None]:
    """No test leaves its trouble to the next one."""
    yield
    rig.proxy.end()
    rig.control("DELETE", "faults")


@pytest.mark.parametrize("then", ["drop_before", "drop_after", 503, 500])
def test_claim_whose_write_met_trouble_is_won_all_the_same(rig: Rig, then: Then) -> None:
    """Also where the client's retry meets its own first write: who holds the claim is read back."""
    record = a_record(f"claim-{then}".replace("_", "-"))
    rig.proxy.plan("PUT", record.id, then)
    assert rig.ledger.claim(record) is True
    assert (rig.proxy.met > 0, rig.ledger.claim(record)) == (True, False)


def test_change_whose_write_met_its_own_retry_is_made_once(rig: Rig) -> None:
    """The second write is refused by the ETag of the first, which is recognised."""
    record = a_record("change-once")
    rig.ledger.claim(record)
    rig.proxy.plan("PUT", record.id, "drop_after")

    def counting(current: RunRecord, _now: datetime) -> RunRecord:
        return current.model_copy(update={"smoke_attempts": current.smoke_attempts + 1})

    assert rig.ledger.change(record.id, counting).smoke_attempts == 1
    assert rig.ledger.get(record.id).record.smoke_attempts == 1


@pytest.mark.slow
def test_storage_that_stays_busy_is_asked_four_times_and_no_more(rig: Rig) -> None:
    """The client backs off, within bounds; what lasts longer is the run's own wait."""
    record = a_record("busy")
    met = rig.proxy.met
    rig.proxy.plan("*", record.id, 503, times=100)
    with pytest.raises(ServiceUnavailable):
        rig.ledger.claim(record)
    assert rig.proxy.met - met == 4


def test_role_that_has_not_arrived_yet_is_waited_for(rig: Rig) -> None:
    """403 passes within minutes of an assignment: the run goes on when it has."""
    drop = rig.put("norole", a_training_set("norole"))
    rig.proxy.plan("*", "/training/norole", 403, times=8)
    assert rig.ended(rig.start(drop)).outcome == "succeeded"


def test_role_that_never_arrives_ends_the_run_with_what_storage_said(rig: Rig) -> None:
    """A wait has an end, and the reason is told, not a guess."""
    drop = rig.put("neverrole", a_training_set("neverrole"))
    rig.proxy.plan("*", "/training/neverrole", 403, times=10_000)
    record = rig.ended(rig.start(drop, PACE.model_copy(update={"companion_s": 1.0})))
    assert record.ending is not None
    assert record.ending.problem is not None
    assert record.outcome == "expired"
    assert "403 ToldByTheTest" in record.ending.problem.message


@pytest.mark.slow
def test_run_goes_on_after_an_outage_that_outlasts_every_retry(rig: Rig) -> None:
    """No request about the run is served for longer than client and engine would try; then it ends
    as if nothing had been.
    """
    drop = rig.put("outage", a_training_set("outage"))
    rig.fault("job", "never", about=drop.run_id)
    run = rig.start(drop, PACE.model_copy(update={"job_deadline_s": 120.0}))
    [job] = until(lambda: rig.asked("fine_tuning.jobs.create", run), what="the job")
    met = rig.proxy.met
    # The client repeats no 403, so that the test need not wait for its backoff.
    rig.proxy.plan("*", run, 403, times=10_000)
    until(lambda: rig.proxy.met - met > 60, 120, "an outage")
    rig.proxy.end()
    rig.cancel(run)
    assert rig.ended(run, 90).outcome == "cancelled"
    assert [found["status"] for found in rig.jobs(run)] == ["cancelled"]
    assert len(rig.asked("fine_tuning.jobs.create", run)) == 1
    assert job["id"]


@pytest.mark.slow
def test_full_disk_is_waited_for(rig: Rig) -> None:
    """A storage that can't write answers 507: the scan is repeated when it can."""
    drop = rig.put("full", a_training_set("full"))
    rig.proxy.plan("PUT", f"/scans/{drop.run_id}", 507, times=5)
    assert rig.ended(rig.start(drop), 90).outcome == "succeeded"


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"id": 1}', b"\xff", b'{"id": "x", "step": "a later release\'s"}']
)
def test_damaged_record_hides_no_other_run_and_is_not_started_anew(
    rig: Rig, content: bytes
) -> None:
    """It is listed as failed under its code; the listing, the sweep and the other runs go on;
    nobody can claim the run again.
    """
    mark = hashlib.sha256(content).hexdigest()[:8]
    damaged, whole = a_record(f"damaged-{mark}"), a_record(f"whole-{mark}")
    rig.ledger.claim(damaged)
    rig.ledger.claim(whole)
    storage.ledger().put(f"runs/{damaged.id}.json", content)
    rows = {row.id: row for row in rig.ledger.summaries()}
    assert (rows[damaged.id].outcome, rows[damaged.id].code, rows[whole.id].outcome) == (
        "failed",
        "TD-LEDGER-001",
        None,
    )
    assert (readable(rig.ledger, damaged.id), readable(rig.ledger, whole.id) is None) == (
        None,
        False,
    )
    assert rig.ledger.claim(damaged) is False
    storage.ledger().put(f"runs/{whole.id}.json", b"")  # no living run is left behind


def test_row_without_its_summary_is_read_from_the_record(rig: Rig) -> None:
    """Only the copy in the metadata was lost: the run lives on."""
    record = a_record("nosummary")
    rig.ledger.claim(record)
    storage.ledger().put(f"runs/{record.id}.json", record.model_dump_json().encode())
    [row] = [row for row in rig.ledger.summaries() if row.id == record.id]
    assert (row.outcome, row.step) == (None, record.step)
    rig.ledger.change(record.id, lambda current, now: current.model_copy(update={"ended_at": now}))


def test_damaged_record_ends_its_orchestration_and_makes_no_loop(rig: Rig) -> None:
    """The story ends without having touched anything."""
    drop = rig.put("damagedrun", a_training_set("damagedrun"))
    rig.ledger.claim(
        RunRecord(
            id=drop.run_id, drop=drop, created_at=datetime.now(UTC), updated_at=datetime.now(UTC)
        )
    )
    storage.ledger().put(f"runs/{drop.run_id}.json", b"{")
    assert schedule_anew(rig.hub, drop.run_id)
    with pytest.raises(RecordUnreadable):
        rig.ended(drop.run_id)
    assert rig.asked("files.create", drop.run_id) == []


def test_damaged_record_is_a_503_with_its_fix_over_http(rig: Rig) -> None:
    """Whoever asks for the run is told what to do."""
    record = a_record("damagedhttp")
    rig.ledger.claim(record)
    storage.ledger().put(f"runs/{record.id}.json", b"{")

    def respond() -> object:
        return rig.ledger.get(record.id)

    answer = served(respond)  # pyright: ignore[reportArgumentType]  # it never comes to an answer
    assert (answer.status_code, b"TD-LEDGER-001" in answer.get_body()) == (503, True)


@pytest.mark.parametrize("skew_min", [-10, 10])
def test_intent_is_as_old_as_the_storage_says_whatever_the_clock_of_the_machine(
    rig: Rig, skew_min: int
) -> None:
    """A machine whose clock is ten minutes off neither repeats a young call nor waits for ever."""
    run = a_record(f"skew{skew_min + 10}")
    rig.ledger.claim(run)
    made: list[str] = []

    def act(_within_s: float) -> str:
        made.append("thing")
        # The machine dies while it calls.
        raise (ServiceUnavailable("S", "never answers") if len(made) > 1 else KeyboardInterrupt)

    pace = Pace(call_s=60, list_lag_s=60, brief_s=1)
    asked = RunStep(run_id=run.id, pace=pace)
    with pytest.raises(KeyboardInterrupt):
        Making(rig.ledger, asked, "job", lambda: None, act, 60).once()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=skew_min), tick=True):
        assert Making(rig.ledger, asked, "job", lambda: None, act, 60).once().kind == "wait"
    assert made == ["thing"]
    rig.ledger.change(run.id, lambda current, now: current.model_copy(update={"ended_at": now}))


def test_run_that_no_listing_shows_is_not_started_a_second_time(rig: Rig) -> None:
    """A claim is looked up by its key: a sweep that knows of no run starts none twice."""
    drop = rig.put("unlisted", a_training_set("unlisted"))
    run = rig.start(drop)
    rig.ended(run)
    assert rig.hear(drop) is False


def test_two_sweeps_at_once_start_a_drop_once(rig: Rig) -> None:
    """Whoever loses the claim does nothing."""
    drop = rig.put("sweeps", a_training_set("sweeps"))
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(rig.hear, [drop] * 8)) == 1
    assert rig.ended(drop.run_id).outcome == "succeeded"
    assert len(rig.jobs(drop.run_id)) == 1


def test_sweep_deletes_nothing_of_anybody(rig: Rig) -> None:
    """Of files it deletes one that an ended run of this ledger marked; the deployment of a run that
    succeeded, and its job, stay.
    """
    account = resource_manager.connect(rig.emulator, ACCOUNT, Settings().arm_api_version)
    # What the tests before this one left behind goes first.
    delete_unowned_files(rig.ledger, azure_openai.connect(rig.emulator))
    delete_unowned_deployments(rig.ledger, account)
    drop = rig.put("swept", a_training_set("swept"))
    record = rig.ended(rig.start(drop))
    mark = file_name(record, "training")
    for name in (mark, mark.replace(record.id, "swept-00000000"), "training_set.jsonl"):
        sent = {"file": (name, a_training_set("swept"), "application/jsonl")}
        rig.http.post(
            f"{rig.emulator}/openai/v1/files", files=sent, data={"purpose": "fine-tune"}
        ).raise_for_status()
    before = len(rig.control("GET", "state")["files"])
    assert len(delete_unowned_files(rig.ledger, azure_openai.connect(rig.emulator))) == 1
    assert len(rig.control("GET", "state")["files"]) == before - 1
    assert record.id in [found.owner for found in account.deployments()]
    assert delete_unowned_deployments(rig.ledger, account) == []
    assert not [left for left in rig.left(record.id) if mark in left]


def test_report_is_the_same_to_the_byte_when_it_is_written_again(rig: Rig) -> None:
    """The same facts in the same order: a second execution changes nothing."""
    drop = rig.put("samereport", a_training_set("samereport"))
    record = rig.ended(rig.start(drop))

    def written() -> str:
        assert rig.execute(Activity.WRITE_REPORT, record.id)["kind"] == "done"
        return rig.reported(record)

    first = written()
    assert (written(), "samereport" in first) == (first, True)


def test_same_bytes_of_two_runs_are_two_files_and_each_run_deletes_its_own(rig: Rig) -> None:
    """The first run's end takes nothing from the second, which trains on a copy of its own."""
    data = a_training_set("shared")
    first, second = rig.put("shared-a", data), rig.put("shared-b", data)
    rig.start(first)
    until(lambda: rig.asked("fine_tuning.jobs.create", first.run_id), what="the first job")
    rig.start(second, job={"retrain": True})
    assert [rig.ended(drop.run_id).outcome for drop in (first, second)] == [
        "succeeded",
        "succeeded",
    ]
    assert [len(rig.asked("files.create", drop.run_id)) for drop in (first, second)] == [1, 1]


@pytest.mark.slow
def test_report_that_could_not_be_written_is_written_by_the_next_sweep(rig: Rig) -> None:
    """The run ends all the same, the ledger knows that its report is missing, and the story that
    the sweep starts writes it.
    """
    drop = rig.put("noreport", a_training_set("noreport"))
    rig.proxy.plan("PUT", "/report.json", 403, times=10_000)
    record = rig.ended(rig.start(drop), 150)
    assert (record.outcome, record.report) == ("succeeded", None)
    since = datetime.now(UTC) - timedelta(days=1)
    assert record.id in rig.ledger.unreported(since)
    rig.proxy.end()
    assert schedule_anew(rig.hub, record.id)
    assert rig.ended(record.id).report is not None
    assert record.id not in rig.ledger.unreported(since)


def test_file_that_is_replaced_between_scan_and_upload_ends_superseded(rig: Rig) -> None:
    """What was scanned is what is uploaded, or nothing is."""
    drop = rig.put("replaced", a_training_set("replaced"))
    rig.fault("permissions.list_for_resource", {"delay_s": 1.5})
    run = rig.start(drop)

    def scanned() -> bool:
        return bool(Ledger.get(rig.ledger, run).record.files)

    until(scanned, what="the scan")
    rig.upload("replaced.jsonl", a_training_set("replaced-by-another"))
    assert rig.ended(run).outcome == "superseded"
    assert rig.asked("files.create", run) == []
