"""Every fault of the catalogue has a test that exists."""

import ast
from functools import cache

import pytest

from tests.faults import points, test_creating, test_deploying, test_watching
from tests.faults.catalogue import ROWS
from tests.unit.house.repository import ROOT, tree_of

# How many faults each part of the catalogue has.
LETTERS = {"B": 10, "C": 6, "D": 8, "E": 10, "F": 8, "G": 8, "H": 8, "I": 6}


CASES = {
    "faults/test_creating.py": [*test_creating.CASES],
    "faults/test_watching.py": [*test_watching.CASES],
    "faults/test_deploying.py": [*test_deploying.CASES],
    "faults/test_kill_matrix.py": [*points.checkpoints()],
}


@cache
def functions(module: str) -> set[str]:
    """The tests of a module."""
    return {
        node.name
        for node in tree_of(ROOT / "tests" / module).body
        if isinstance(node, ast.FunctionDef)
    }


def test_no_row_is_left_out() -> None:
    """Each part is complete and numbered without a gap."""
    assert list(ROWS) == [
        f"{letter}{number}" for letter, count in LETTERS.items() for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("name", ROWS)
def test_row_has_a_test_that_exists(name: str) -> None:
    """A fault without a test says which part of TuneDrop isn't there yet."""
    row = ROWS[name]
    assert bool(row.tests) != bool(row.not_built)
    for test in row.tests:
        module, _, rest = test.partition("::")
        function, _, case = rest.rstrip("]").partition("[")
        assert function in functions(module), test
        assert not case or module not in CASES or case in CASES[module], test
