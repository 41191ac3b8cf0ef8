"""One engine and one worker for all tests of the orchestrators: each test has a run of its own."""

from collections.abc import Iterator

import pytest

from tests.unit.ledger.conftest import azurite, container, ledger
from tests.unit.orchestrators.theatre import Theatre, opened

__all__ = ["azurite", "container", "ledger"]


@pytest.fixture(scope="session")
def theatre() -> Iterator[Theatre]:
    """The stage."""
    with opened() as made:
        yield made
