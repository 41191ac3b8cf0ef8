"""What crosses the durable engine is read as models: no orchestrator asks a dictionary by a key."""

import ast
from pathlib import Path

import pytest

from tests.unit.house.repository import modules, name_of, tree_of

LOOKUPS = {"get", "pop", "setdefault"}


def reads_by_key(tree: ast.AST) -> list[str]:
    """Each place that reads by a string, as its code."""
    return [ast.unparse(node) for node in ast.walk(tree) if _reads(node)]


def _reads(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(slice=ast.Constant(value=str()), ctx=ast.Load()):
            return True
        case ast.Call(func=ast.Attribute(attr=called), args=[ast.Constant(value=str()), *_]):
            return called in LOOKUPS
        case ast.match_case(pattern=ast.MatchMapping(keys=keys)):
            return bool(keys)
        case _:
            return False


@pytest.mark.parametrize("path", modules("orchestrators"), ids=name_of)
def test_orchestrator_reads_nothing_by_a_string_key(path: Path) -> None:
    """Every answer and every state that crosses continue-as-new is one of our models."""
    assert reads_by_key(tree_of(path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "plan = answer.value['files']",
        "passed = given.get('passed', 0)",
        "because = given.pop('because')",
        "match given:\n    case {'passed': passed}:\n        pass",
    ],
)
def test_read_by_a_string_key_is_noticed(source: str) -> None:
    """Each of these would be a name that no checker knows."""
    assert reads_by_key(ast.parse(source)) != []


def test_dictionary_that_is_written_is_none_that_is_read() -> None:
    """What continue_as_new is given may be spelled out."""
    assert reads_by_key(ast.parse("context.continue_as_new({**given, 'passed': passed})")) == []
