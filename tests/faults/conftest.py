"""One TuneDrop for the fault tests of a session, with an observer that strikes where a test says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.stack import PACE, Stack, running_stack

QUICK = PACE.model_copy(update={"brief_s": 0.3, "call_s": 4.0, "upload_s": 4.0, "list_lag_s": 1.0, "settle_s": 0.2, "poll_first_s": 0.3})


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/faults --record` writes the table of docs/reliability.md."""
    parser.addoption("--record", action="store_true", help="write the kill matrix into docs/reliability.md")


@pytest.fixture(scope="session")
def struck_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Started once a session; jobs don't wait for each other, and a deployment answers only after its first question."""
    folder = tmp_path_factory.mktemp("strikes")
    app = Path(__file__).parent / "app"
    with running_stack(app=app, TUNEDROP_TEST_STRIKES=str(folder), TUNEDROP_PACE=QUICK.model_dump_json()) as stack:
        stack.control("PUT", "limits", {"jobs_running_max": 1000, "jobs_queued_max": 1000})
        stack.control("PUT", "pace", {"job": {"after_seconds": 2}, "readiness": {"after_seconds": 2}})
        yield stack
