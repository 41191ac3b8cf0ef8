"""`tunedrop runs` and `tunedrop cancel` against a fake API."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from rich.console import Console

from tunedrop.cli import cancel, report, runs
from tunedrop.cli.app import main
from tunedrop.cli.client import Api
from tunedrop_check import VERSION

ROW: dict[str, Any] = {
    "id": "desk-1a2b3c4d",
    "name": "desk",
    "step": "train",
    "percentage": 40,
    "outcome": None,
    "created_at": "2026-11-24T06:47:07.5Z",
    "deployment": None,
    "model": "gpt-4.1-mini-2025-04-14",
    "duplicate_of": None,
}
REJECTED: dict[str, Any] = ROW | {
    "step": "ended",
    "percentage": 100,
    "outcome": "rejected",
    "job": None,
    "answer": None,
    "report": "reports/desk/desk-1a2b3c4d/report.html",
    "problem": {
        "code": "TD-DROP-006",
        "message": "The file has 8 \x1b[31merrors.",
        "fix": "Correct [b]them[/b].",
    },
}
ANSWERS: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {
    ("GET", "/api/runs"): (200, {"runs": [ROW]}),
    ("GET", "/api/runs/desk-1a2b3c4d"): (200, REJECTED),
    ("POST", "/api/runs/desk-1a2b3c4d/cancel"): (
        202,
        {"id": "desk-1a2b3c4d", "cancel_requested_at": "2026-11-24T06:48:00+00:00"},
    ),
}
FACTS: dict[str, Any] = {
    "headline": "Nothing was bought: the drop was rejected.",
    "data": [
        {
            "name": "desk.jsonl",
            "errors": 8,
            "findings": [
                {
                    "line": 3,
                    "field": "/messages",
                    "code": "TD-DATA-206",
                    "severity": "error",
                    "message": "No \x1b[31manswer.",
                    "fix": "Add it.",
                },
                {
                    "line": 4,
                    "field": "",
                    "code": "TD-DATA-701",
                    "severity": "warning",
                    "message": "Repeated.",
                    "fix": "Keep one.",
                },
            ],
        }
    ],
}
REPORT = {"report.html": b"<!doctype html>", "report.json": json.dumps(FACTS).encode()}
NO_FILE = {"error": {"code": "TD-HTTP-009", "message": "The run has no such file.", "fix": "Look."}}
UNKNOWN = {
    "error": {
        "code": "TD-HTTP-004",
        "message": "There is no such run.",
        "fix": "GET /api/runs lists the runs.",
    }
}


def answer(request: httpx2.Request) -> httpx2.Response:
    """What the app would answer."""
    if request.url.path.endswith("/report"):
        content = REPORT.get(request.url.params["file"])
        return (
            httpx2.Response(404, json=NO_FILE)
            if content is None
            else httpx2.Response(200, content=content)
        )
    status, body = ANSWERS.get((request.method, request.url.path), (404, UNKNOWN))
    return httpx2.Response(status, json=body)


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands' API is the fake one."""

    def fake(*_options: object) -> Api:
        return Api("https://app.example/api", "k", httpx2.MockTransport(answer))

    monkeypatch.setattr(runs, "api_of", fake)
    monkeypatch.setattr(cancel, "api_of", fake)
    monkeypatch.setattr(report, "api_of", fake)


def ended(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    told = capsys.readouterr()
    return end.value.code, told.out, told.err


@pytest.mark.parametrize(
    ("arguments", "document"),
    [
        pytest.param(["runs"], {"runs": [ROW]}, id="all runs"),
        pytest.param(["runs", "desk-1a2b3c4d"], REJECTED, id="one run"),
        pytest.param(
            ["cancel", "desk-1a2b3c4d"],
            ANSWERS["POST", "/api/runs/desk-1a2b3c4d/cancel"][1],
            id="cancel",
        ),
    ],
)
def test_json_is_one_document_as_the_api_gives_it(
    arguments: list[str], document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on stdout, nothing on stderr, exit code 0."""
    code, out, err = ended([*arguments, "--json"], capsys)
    assert (code, err, out.count("\n"), json.loads(out)) == (0, "", 1, document)


def test_list_has_a_line_for_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Id, step, percentage, outcome and beginning, without a wrap that cuts the id."""
    code, out, _ = ended(["runs"], capsys)
    assert code == 0
    assert out.splitlines()[1].split() == [
        "desk-1a2b3c4d",
        "train",
        "40",
        "…",
        "2026-11-24",
        "06:47:07",
    ]


def test_run_that_is_shown_was_no_failure_of_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A rejected run is shown with exit code 0; its problem's text is text."""
    code, out, _ = ended(["runs", "desk-1a2b3c4d"], capsys)
    assert code == 0
    assert "    outcome  rejected\n" in out
    assert "    problem  TD-DROP-006: The file has 8 ⟦U+001B⟧[31merrors.\n" in out
    assert "       fix  Correct [b]them[/b].\n" in out


@pytest.mark.parametrize("command", ["runs", "cancel"])
def test_unknown_run_is_an_error_of_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The API's own words, exit code 2."""
    assert ended([command, "nope"], capsys) == (
        2,
        "",
        "error: TD-HTTP-004: There is no such run. GET /api/runs lists the runs.\n",
    )


@pytest.mark.parametrize(
    ("outcome", "code"), [("succeeded", 0), ("duplicate", 0), ("cancelled", 1)]
)
def test_watch_of_one_run_ends_with_its_outcome(
    outcome: str, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `drop --follow` does: 1 where the run ended otherwise than wanted."""
    monkeypatch.setitem(
        ANSWERS,
        ("GET", "/api/runs/desk-1a2b3c4d"),
        (200, REJECTED | {"outcome": outcome, "problem": None, "timeline": []}),
    )
    assert ended(["runs", "desk-1a2b3c4d", "--watch"], capsys)[0] == code


def test_watch_of_all_runs_ends_properly_by_an_interrupt(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no other end: exit code 0, and no complaint."""

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs.time, "sleep", interrupt)
    code, out, err = ended(["runs", "--watch"], capsys)
    assert (code, err, "desk-1a2b3c4d" in out) == (0, "", True)


@pytest.mark.parametrize("width", [60, 80, 240])
def test_id_stays_whole_in_a_narrow_terminal(width: int) -> None:
    """It is what one copies; other columns give way."""
    row = ROW | {
        "id": f"{'a' * 31}-1a2b3c4d",
        "deployment": f"{'a' * 31}-1a2b3c4d",
        "blob": "b" * 100,
        "waits_because": "Long. " * 20,
    }
    console = Console(width=width)
    with console.capture() as shown:
        console.print(runs.table([row]))
    assert row["id"] in shown.get()


def test_row_tells_the_blob_and_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rejected name is told by its blob, with what steers a terminal shown as code points; a
    waiting run by its reason.
    """
    rejected = ROW | {
        "id": "invalid-name-1a2b3c4d",
        "blob": "Bad\x1b[31m.jsonl",
        "outcome": "rejected",
        "code": "TD-DROP-001",
    }
    waiting = ROW | {"waits_because": "The limit of runs at the same time is reached: 4."}
    monkeypatch.setitem(ANSWERS, ("GET", "/api/runs"), (200, {"runs": [rejected, waiting]}))
    _, out, _ = ended(["runs"], capsys)
    assert "Bad⟦U+001B⟧[31m.jsonl" in out
    assert "TD-DROP-001" in out
    assert "The limit of runs at the same time is reached: 4." in out


def test_route_that_is_not_there_is_told_in_whole_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host's own refusals have nothing to add, and nothing is added for them."""
    told = {"error": {"code": "NotFound", "message": "There is no such route.", "fix": None}}
    monkeypatch.setitem(ANSWERS, ("GET", "/api/runs"), (404, told))
    assert ended(["runs"], capsys) == (2, "", "error: NotFound: There is no such route.\n")


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """As every tool does."""
    assert ended(["--version"], capsys) == (0, f"tunedrop {VERSION}\n", "")


def test_run_is_shown_with_the_first_errors_of_its_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Place, code and what to do, warnings left out, and how many errors there are."""
    _, out, _ = ended(["runs", "desk-1a2b3c4d"], capsys)
    assert "desk.jsonl:3 /messages TD-DATA-206 No ⟦U+001B⟧[31manswer. — Add it.\n" in out
    assert "TD-DATA-701" not in out
    assert "the first 1 of 8 errors; the report shows more\n" in out


def test_run_is_shown_with_its_prices(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimate and the worst case, rounded as everywhere; what isn't known is left out."""
    priced = ROW | {
        "job": None,
        "answer": None,
        "report": None,
        "estimate_usd": 0.105,
        "worst_case_usd": 4.205,
    }
    monkeypatch.setitem(ANSWERS, ("GET", "/api/runs/desk-1a2b3c4d"), (200, priced))
    _, out, _ = ended(["runs", "desk-1a2b3c4d"], capsys)
    assert "   estimate  $0.11 for the training\n" in out
    assert "    at most  $4.21 until the run ends\n" in out


@pytest.mark.parametrize(
    ("by_service", "said"),
    [
        (True, "$0.06 as billed, by the price table"),
        (False, "$0.06 by the price table if the job ran to its end; the service told no bill"),
    ],
)
def test_training_is_called_billed_only_if_the_service_told_a_bill(
    capsys: pytest.CaptureFixture[str],
    *,
    by_service: bool,
    said: str,
) -> None:
    """A cancelled job has told none."""
    runs.tell(
        ROW | {"job": {"status": "cancelled"}, "answer": None, "report": None},
        {"money": {"training_usd": 0.055, "billed_by_service": by_service}},
    )
    assert said in " ".join(capsys.readouterr().out.split())


def test_duplicate_is_shown_with_what_the_first_run_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its model, its deployment, and how to deploy that model once more."""
    first = {
        "run_id": "first-1a2b3c4d",
        "model": "m.ft-1",
        "deployment": "first-1a2b3c4d",
        "stands": False,
    }
    monkeypatch.setitem(
        ANSWERS,
        ("GET", "/api/runs/desk-1a2b3c4d"),
        (200, REJECTED | {"outcome": "duplicate", "duplicate_of": first["run_id"]}),
    )
    monkeypatch.setitem(REPORT, "report.json", json.dumps({"duplicate": first}).encode())
    _, out, _ = ended(["runs", "desk-1a2b3c4d"], capsys)
    for line in (
        "once more",
        "same as  first-1a2b3c4d",
        "its model  m.ft-1",
        "deployed as  first-1a2b3c4d (deleted)",
        "deploy first-1a2b3c4d",
    ):
        assert line in out


def test_report_is_fetched_with_its_known_files_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Page and facts where there are no more; the folder of the id, or the one that is named."""
    code, out, _ = ended(["report", "desk-1a2b3c4d", "--data", str(tmp_path)], capsys)
    folder = tmp_path / "reports" / "desk-1a2b3c4d"
    assert (code, {path.name: path.read_bytes() for path in folder.iterdir()}) == (0, REPORT)
    assert "    verdict  Nothing was bought: the drop was rejected.\n" in out
    ended(["report", "desk-1a2b3c4d", "--out", str(tmp_path / "mine")], capsys)
    assert (tmp_path / "mine" / "report.html").exists()


def test_report_as_json_is_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One document on one line."""
    _, out, _ = ended(["report", "desk-1a2b3c4d", "--json", "--data", str(tmp_path)], capsys)
    assert (json.loads(out), out.count("\n")) == (FACTS, 1)


def test_run_id_of_a_service_leads_to_no_other_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id with a path in it stays one name below the folder of reports."""
    monkeypatch.setitem(
        ANSWERS, ("GET", "/api/runs/desk-1a2b3c4d"), (200, REJECTED | {"id": "../../../evil"})
    )
    ended(["report", "desk-1a2b3c4d", "--data", str(tmp_path)], capsys)
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["evil"]


def test_report_that_is_not_written_yet_is_no_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and where the run is."""
    monkeypatch.setitem(
        ANSWERS,
        ("GET", "/api/runs/desk-1a2b3c4d"),
        (200, ROW | {"step": "smoke_test", "report": None}),
    )
    assert ended(["report", "desk-1a2b3c4d"], capsys) == (
        2,
        "",
        "error: The run has no report yet; it is at the step smoke test.\n",
    )


def test_run_is_shown_where_an_older_app_gives_no_reports(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is told all the same, and stderr says what is missing."""
    monkeypatch.setitem(NO_FILE["error"], "code", "NotFound")
    monkeypatch.delitem(REPORT, "report.json")
    code, out, err = ended(["runs", "desk-1a2b3c4d"], capsys)
    assert (code, "rejected" in out, "the report can't be fetched" in err) == (0, True, True)


def test_verdict_of_the_report_is_told_and_that_nothing_was_real(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside prices of Azure; what the report says to do stands in place of what sends its reader
    to the report.
    """
    told = FACTS | {
        "stand_in": True,
        "problem": {"fix": "Correct the errors that this report lists."},
    }
    monkeypatch.setitem(REPORT, "report.json", json.dumps(told).encode())
    _, out, _ = ended(["runs", "desk-1a2b3c4d"], capsys)
    for line in (
        "verdict  Nothing was bought",
        "real  no: a stand-in",
        "fix  Correct the errors that this report lists.",
    ):
        assert line in out
