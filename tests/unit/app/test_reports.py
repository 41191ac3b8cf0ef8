"""GET /api/runs/{id}/report: the files of a report, and nothing else."""

import json
import secrets
from collections.abc import Iterator

import azure.functions as func
import pytest

from shared import settings
from shared.models.record import Outcome, RunRecord
from shared.runs.ledger import open_ledger
from shared.runs.result_files import report_path
from shared.services import storage
from tests.azurite import azurite
from tests.builders import a_record
from tests.unit.app.test_health import undecorated
from triggers import reports

__all__ = ["azurite"]


@pytest.fixture
def ended(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunRecord]:
    """A run with a report and no results, in a storage of its own."""
    monkeypatch.setenv("DropStorage", azurite)
    for kind in ("TRAINING", "REPORTS", "LEDGER"):
        monkeypatch.setenv(f"TUNEDROP_{kind}_CONTAINER", f"{kind.lower()}-{secrets.token_hex(6)}")
    forget()
    record = a_record(outcome=Outcome.SUCCEEDED, report="reports/travel/x/report.html")
    storage.ledger().create()
    storage.reports().create()
    open_ledger().claim(record)
    for file in ("report.json", "report.html", "other.txt"):
        storage.reports().put(report_path(record, file), json.dumps(file).encode())
    yield record
    forget()


def forget() -> None:
    """What the app caches of its settings is read anew."""
    for cached in (settings.settings, settings.storage_connection, vars(storage)["_service"]):
        cached.cache_clear()


def asked(run_id: str, file: str | None = None) -> func.HttpResponse:
    """What the function answers."""
    request = func.HttpRequest(
        "GET", "/", body=b"", params={"file": file} if file else {}, route_params={"id": run_id}
    )
    answer: func.HttpResponse = undecorated(reports.show_report)(request)
    return answer


@pytest.mark.parametrize(
    ("file", "kind"),
    [(None, "application/json"), ("report.json", "application/json"), ("report.html", "text/html")],
)
def test_file_of_a_report_is_given(ended: RunRecord, file: str | None, kind: str) -> None:
    """report.json unless another is named; a page comes as a file to keep, in a sandbox."""
    answer = asked(ended.id, file)
    assert (answer.status_code, answer.mimetype, json.loads(answer.get_body())) == (
        200,
        kind,
        file or "report.json",
    )
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("run_id", "file", "status", "code"),
    [
        pytest.param(None, "other.txt", 400, "TD-HTTP-008", id="another blob that lies there"),
        pytest.param(None, "../../../ledger/wallet.json", 400, "TD-HTTP-008", id="a path"),
        pytest.param(None, "results.csv", 404, "TD-HTTP-009", id="a file that this run has not"),
        pytest.param("nobody-00000000", None, 404, "TD-HTTP-004", id="no such run"),
        pytest.param("../wallet", None, 404, "TD-HTTP-004", id="an id that leads elsewhere"),
    ],
)
def test_nothing_else_is_given(
    ended: RunRecord, run_id: str | None, file: str | None, status: int, code: str
) -> None:
    """Only the files that a report has, of runs that there are."""
    answer = asked(run_id or ended.id, file)
    assert (answer.status_code, json.loads(answer.get_body())["error"]["code"]) == (status, code)


def test_run_that_goes_on_has_no_report_yet(ended: RunRecord) -> None:
    """What lies there of an earlier try is not given out as its report."""
    going_on = a_record("desk")
    open_ledger().claim(going_on)
    storage.reports().put(report_path(going_on, "report.json"), b"{}")
    assert (asked(going_on.id).status_code, ended.report is not None) == (404, True)
