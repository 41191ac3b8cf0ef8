"""Every side effect of an activity stands between checkpoints, so that the kill matrix has cells
for it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import points
from tests.unit.house.repository import modules, name_of, tree_of

STORING = {"put", "put_new", "put_stream", "delete", "swap", "change", "hold"}
SERVICES = {
    "upload_file",
    "create_job",
    "upload",
    "put_deployment",
    "cancel_job",
    "delete_file",
    "delete_deployment",
}
SENDING = {"post", "put", "request", "send", "urlopen"}
WITH_POINTS_OF_THEIR_OWN = {"once"}
# These note what a run shows, which whatever comes next writes again, or how often it looked past a
# deadline: one look more or less; or they delete what nobody reads any more, once or twice; or the
# write can't succeed, and only its refusal is of interest.
HARMLESS = {"enter", "show_wait", "look_late", "delete_unpacked", "try_write"}


def writers() -> set[str]:
    """The functions of shared/ that write, by name: those that store or send, and those that call
    one of them.
    """
    bodies = {
        node.name: {_called(call) for call in ast.walk(node) if isinstance(call, ast.Call)}
        for path in modules("shared")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef)
    }
    found = STORING | SERVICES | SENDING
    while (
        more := {name for name, calls in bodies.items() if calls & (found - HARMLESS)}
        - found
        - HARMLESS
    ):
        found |= more
    return {
        name for name in found - WITH_POINTS_OF_THEIR_OWN - HARMLESS if not name.startswith("_")
    }


def bare_writes(tree: ast.Module, writing: set[str]) -> list[int]:
    """Lines of writes without a checkpoint between them and the write, or the end of the function,
    next to them.
    """
    return [line for function in _functions(tree) for line in _bare(function, writing)]


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Every function but those that shared/runs/effects.py calls, between points of its own, and
    those that a ledger's change calls.
    """
    given = {
        argument.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node) in {"Making", "Removing"}
        for argument in node.args
        if isinstance(argument, ast.Name)
    }
    yield from (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name not in given
    )


def _bare(function: ast.FunctionDef, writing: set[str]) -> list[int]:
    steps = sorted(
        (call.lineno, _called(call) == "checkpoint")
        for call in _own_calls(function)
        if _called(call) in writing | {"checkpoint"}
    )
    checked = [False, *(is_point for _, is_point in steps), False]
    return [
        line
        for (line, is_point), before, after in zip(steps, checked[:-2], checked[2:], strict=True)
        if not is_point and not (before and after)
    ]


def _own_calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """The calls of a function without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(ast.iter_child_nodes(node))


def _called(call: ast.Call) -> str:
    return (
        call.func.attr
        if isinstance(call.func, ast.Attribute)
        else call.func.id
        if isinstance(call.func, ast.Name)
        else ""
    )


WRITING = writers()


@pytest.mark.parametrize("path", modules("activities"), ids=name_of)
def test_every_write_stands_between_checkpoints_in_every_activity(path: Path) -> None:
    """Before the first write, between every two, and after the last, there is a point at which a
    crash test can strike.
    """
    assert bare_writes(tree_of(path), WRITING) == []


@pytest.mark.parametrize(
    "body",
    [
        "ledger.change(run, noting)",
        'checkpoint("x: before")\n    ledger.change(run, noting)',
        'ledger.change(run, noting)\n    checkpoint("x: after")',
        (
            'checkpoint("x: before")\n    ledger.change(run, noting)\n    storage.reports().put(a, '
            'b)\n    checkpoint("x: after")'
        ),
        "scans.scan_span(plan, wanted)",
        "service.upload(name, content)",
        "account.put_deployment(plan, model)",
    ],
)
def test_write_without_its_points_is_noticed(body: str) -> None:
    """Each of these activities would be missing from the kill matrix."""
    assert bare_writes(ast.parse(f"def _act(wanted):\n    {body}"), WRITING) != []


def test_write_that_an_effect_calls_has_the_points_of_the_effect() -> None:
    """What is handed to Making or Removing needs no points in the activity."""
    source = (
        "def _act(w):\n    def act():\n        return service.create_job(w)\n    return "
        "Making(l, w, 'job', look, act, 9).once()"
    )
    assert bare_writes(ast.parse(source), WRITING) == []


def test_checkpoint_under_a_name_that_is_not_literal_is_refused() -> None:
    """A list that can't be read from the code would have holes."""
    with pytest.raises(ValueError, match="literal"):
        points.named(ast.parse("checkpoint(name)"))


@pytest.mark.parametrize("effect", points.effects())
def test_effect_that_is_made_has_four_points(effect: str) -> None:
    """Before the intent, after it, after the call, after the record."""
    made = [
        name.partition(": ")[2]
        for name in points.checkpoints()
        if name.startswith(f"make {effect}:")
    ]
    assert sorted(made) == [
        "after the call",
        "after the intent",
        "after the record",
        "before the intent",
    ]
