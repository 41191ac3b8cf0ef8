"""`tunedrop runs` and `tunedrop cancel` against a fake API."""

import json
from typing import Any

import httpx2
import pytest

from tunedrop.cli import cancel, runs
from tunedrop.cli.app import main
from tunedrop.cli.client import Api

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
    "problem": {"code": "TD-DROP-006", "message": "The file has 8 \x1b[31merrors.", "mend": "Correct [b]them[/b]."},
}
ANSWERS: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {
    ("GET", "/api/runs"): (200, {"runs": [ROW]}),
    ("GET", "/api/runs/desk-1a2b3c4d"): (200, REJECTED),
    ("POST", "/api/runs/desk-1a2b3c4d/cancel"): (202, {"id": "desk-1a2b3c4d", "cancel_requested_at": "2026-11-24T06:48:00+00:00"}),
}
UNKNOWN = {"error": {"code": "TD-HTTP-004", "message": "There is no such run.", "mend": "GET /api/runs lists the runs."}}


def answer(request: httpx2.Request) -> httpx2.Response:
    """What the app would answer."""
    status, body = ANSWERS.get((request.method, request.url.path), (404, UNKNOWN))
    return httpx2.Response(status, json=body)


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands' API is the fake one."""

    def fake(*_options: object) -> Api:
        return Api("https://app.example/api", "k", httpx2.MockTransport(answer))

    monkeypatch.setattr(runs, "api_of", fake)
    monkeypatch.setattr(cancel, "api_of", fake)


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
        pytest.param(["cancel", "desk-1a2b3c4d"], ANSWERS["POST", "/api/runs/desk-1a2b3c4d/cancel"][1], id="cancel"),
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
    assert out.splitlines()[1].split() == ["desk-1a2b3c4d", "train", "40", "…", "2026-11-24", "06:47:07"]


def test_run_that_is_shown_was_no_failure_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A rejected run is shown with exit code 0; its problem's text is text."""
    code, out, _ = ended(["runs", "desk-1a2b3c4d"], capsys)
    assert code == 0
    assert "    outcome  rejected\n" in out
    assert "    problem  TD-DROP-006: The file has 8 ⟦U+001B⟧[31merrors.\n" in out
    assert "       mend  Correct [b]them[/b].\n" in out


@pytest.mark.parametrize("command", ["runs", "cancel"])
def test_unknown_run_is_an_error_of_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The API's own words, exit code 2."""
    assert ended([command, "nope"], capsys) == (2, "", "error: TD-HTTP-004: There is no such run. GET /api/runs lists the runs.\n")
