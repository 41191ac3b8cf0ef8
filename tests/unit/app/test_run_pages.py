"""GET /api/runs: pages, and cursors that a caller made up."""

import base64
import json
from typing import Any

import azure.functions as func
import pytest
from azure.storage.blob import BlobServiceClient

from shared.models.api import CURSOR_MAX_CHARS
from shared.models.record import Outcome
from shared.runs.ledger import open_ledger
from shared.runs.run_index import Cursor
from tests.azurite import azurite
from tests.builders import a_record
from tests.unit.app.test_health import account
from triggers import cursors
from triggers.runs import list_runs

__all__ = ["account", "azurite"]


def asked(**query: str) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to this query."""
    request = func.HttpRequest(method="GET", url="/api/runs", params=query, body=b"")
    answer: func.HttpResponse = list_runs(request)
    return answer.status_code, json.loads(answer.get_body())


def encoded(told: object) -> str:
    """A cursor as somebody could make it up."""
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def test_pages_follow_each_other_by_their_cursors(account: BlobServiceClient) -> None:
    """Each run stands on one of them, and the last page has no cursor."""
    ledger = open_ledger()
    for number in range(7):
        ended = Outcome.FAILED if number % 2 else None
        ledger.claim(a_record(f"run{number}", outcome=ended, report="reports/x" if ended else None))
    ledger.index_older()
    names: list[str] = []
    status, page = asked(limit="3")
    while page["cursor"] is not None:
        names += [row["name"] for row in page["runs"]]
        status, page = asked(limit="3", cursor=page["cursor"])
    names += [row["name"] for row in page["runs"]]
    assert (status, sorted(names)) == (200, [f"run{number}" for number in range(7)])


def test_caller_without_a_cursor_gets_the_newest_runs(account: BlobServiceClient) -> None:
    """As before there were pages."""
    open_ledger().claim(a_record("only"))
    status, page = asked()
    assert (status, [row["name"] for row in page["runs"]], page["cursor"]) == (200, ["only"], None)


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("nonsense", id="no JSON"),
        pytest.param("%%%", id="no base64"),
        pytest.param(encoded({}), id="an object"),
        pytest.param(encoded(["a"]), id="too short"),
        pytest.param(encoded(["a", 1]), id="a number"),
        pytest.param(encoded(["a", "\n"]), id="a line break"),
        pytest.param(encoded(["a", "\u0431"]), id="a letter outside ASCII"),
        pytest.param(encoded([["a"], "b"]), id="nested"),
        pytest.param("[" * CURSOR_MAX_CHARS, id="nested deep"),
        pytest.param("a" * (CURSOR_MAX_CHARS + 1), id="too long"),
        pytest.param("\u0431", id="outside ASCII"),
    ],
)
def test_cursor_that_is_none_is_refused(account: BlobServiceClient, cursor: str) -> None:
    """With its code, and without a word of what was sent."""
    status, body = asked(cursor=cursor)
    assert (status, body["error"]["code"]) == (400, "TD-HTTP-013")
    assert cursor not in json.dumps(body["error"])


def test_cursor_is_read_as_it_was_written() -> None:
    """It fits into an address as it is."""
    cursor = Cursor("797388-2026-11/1-desk", "2!92!MDAwMDI0IXJ1bnMvx+/=")
    written = cursors.written(cursor)
    assert cursors.read(written) == cursor
    assert set(written) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
