"""What the fault tests share: TuneDrops that can be struck, and the app in this process."""

from collections.abc import Iterator

import pytest

from tests.faults.rig import SERVICE, Rig, running_rig
from tests.faults.stacks import Stacks


def pytest_addoption(parser: pytest.Parser) -> None:
    """`pytest tests/faults --record` writes the table of docs/reliability.md."""
    parser.addoption(
        "--record", action="store_true", help="write the kill matrix into docs/reliability.md"
    )


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """The TuneDrops of the kill matrix, one after the other."""
    with Stacks(tmp_path_factory.mktemp("strikes")) as made:
        yield made


@pytest.fixture(scope="package")
def rig() -> Iterator[Rig]:
    """The app in this process, for the tests of this folder."""
    with running_rig() as made:
        made.control(
            "PUT", "pace", {kind: {"after_seconds": seconds} for kind, seconds in SERVICE.items()}
        )
        made.control("PUT", "limits", {"jobs_running_max": 1000, "jobs_queued_max": 1000})
        yield made
