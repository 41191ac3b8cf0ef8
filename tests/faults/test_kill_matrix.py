"""The kill matrix: a run that is killed, hit by an exception or executed twice at any point ends as
if nothing had been.
"""

import time
from collections.abc import Iterator

import pytest

from tests.faults import page, points
from tests.faults.matrix import QUICK, WAYS, Cell, wave, waves
from tests.faults.stacks import Stacks

pytestmark = pytest.mark.timeout(300)
QUICK_WAVES = [
    wave("kill", QUICK["kill"]),
    [*wave("raise", QUICK["raise"]), *wave("twice", QUICK["twice"])],
]
ALL = [cells for way in WAYS for cells in waves(way)]


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> Iterator[dict[Cell, list[str]]]:
    """What is wrong with each cell; put on the page at the end where `--record` asks for it and
    every cell was run.
    """
    found: dict[Cell, list[str]] = {}
    began = time.monotonic()
    yield found
    if request.config.getoption("--record", default=False):
        assert len(found) == sum(len(cells) for cells in (*QUICK_WAVES, *ALL)), (
            "the page is written by a run of all cells: pytest -n 0"
        )
        page.record(found, (time.monotonic() - began) / 60)


def strike(
    stacks: Stacks, cells: list[Cell], results: dict[Cell, list[str]]
) -> dict[str, list[str]]:
    """What is wrong after a wave, by point."""
    found = stacks.strike(cells)
    results.update(found)
    return {f"{cell.way} at {cell.point}": wrong for cell, wrong in found.items() if wrong}


@pytest.mark.parametrize("cells", QUICK_WAVES, ids=["kill", "exception-and-twice"])
def test_run_ends_right_when_struck_where_it_matters_most(
    stacks: Stacks, results: dict[Cell, list[str]], cells: list[Cell]
) -> None:
    """One job, one file of each kind, one deployment, one charge, one report: around the calls that
    cost money.
    """
    assert strike(stacks, cells, results) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "cells", ALL, ids=[f"{cells[0].way}-{cells[0].point.replace(' ', '_')}" for cells in ALL]
)
def test_run_ends_right_when_struck_anywhere(
    stacks: Stacks, results: dict[Cell, list[str]], cells: list[Cell]
) -> None:
    """The same at every checkpoint in every way, and at every wait of the orchestrators."""
    assert strike(stacks, cells, results) == {}


def test_matrix_has_a_cell_for_every_point_in_every_way() -> None:
    """No checkpoint and no wait is left out, and none stands twice."""
    cells = [(cell.point, cell.way) for some in (*QUICK_WAVES, *ALL) for cell in some]
    wanted = {(point, way) for point in points.checkpoints() for way in WAYS} | {
        (point, "kill") for point in points.waits()
    }
    assert sorted(cells) == sorted(wanted)
