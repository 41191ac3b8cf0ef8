"""Every activity has one of the two heads, and those that take a run on have the one that stops."""

import ast
from pathlib import Path

import pytest

from shared.models.effect_kinds import EFFECTS
from tests.unit.house.repository import modules, name_of, tree_of

ACTIVITIES = [path for path in modules("activities") if path.stem != "__init__"]
# What the end of a run calls.
ALSO_FOR_A_RUN_THAT_STOPS = {
    "begin_ending",
    "collect_results",
    "end_run",
    "write_report",
    *(kind.taken_back_by for kind in EFFECTS),
}
# Activities that are given a client of the durable engine.
CALLS_OTHERS = {"give_back"}
# Activities that say more of a run that stops than that, or are tested with a ledger of their own.
LOOKS_ITSELF = {"claim_content", "open_run"}


def head_of(tree: ast.Module, name: str) -> list[str]:
    """The names of the decorators of the activity of this module."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    decorators = functions[name].decorator_list
    return [ast.unparse(one.func) for one in decorators if isinstance(one, ast.Call)]


@pytest.mark.parametrize("path", ACTIVITIES, ids=name_of)
def test_activity_has_the_head_of_its_kind(path: Path) -> None:
    """What takes a run on does nothing for one that stops, without a line of its own."""
    stops = path.stem not in ALSO_FOR_A_RUN_THAT_STOPS | LOOKS_ITSELF
    wanted = "activity_of_living_run" if stops else "activity"
    if path.stem in CALLS_OTHERS:
        wanted = "activity_that_calls"
    assert head_of(tree_of(path), path.stem) == [wanted]


@pytest.mark.parametrize("path", ACTIVITIES, ids=name_of)
def test_activity_reads_no_message_and_writes_no_answer_itself(path: Path) -> None:
    """The head does, in one place."""
    text = path.read_text(encoding="utf-8")
    assert "activity_trigger" not in text
    assert "ActivityContext" not in text
