"""The points at which a run can be struck, read from the code: checkpoints around side effects, and
waits of orchestrators.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import cast, get_args

from shared.models import effect_kinds
from shared.models.plan import Role
from tests.unit.house.repository import ROOT, modules, tree_of

# How the waits are called: for an activity or a sub-orchestration that has just begun; in the timer
# after an activity that said "wait"; in a timer of the story's own, called by the activity before
# it.
BEGINS, SLEEPS, NAPS = "{} begins", "sleep after {}", "nap after {}"


@cache
def checkpoints() -> tuple[str, ...]:
    """The name of every checkpoint in the app, those of shared/runs/effects.py once for each effect
    that is made or removed.
    """
    found = [
        name
        for path in modules("activities", "shared", "triggers")
        for name in named(tree_of(path))
    ]
    return tuple(sorted(set(found)))


@cache
def waits() -> tuple[str, ...]:
    """Every wait of the orchestrators: for each activity and sub-orchestration that they call, and
    in each of their timers.
    """
    stories = [tree_of(path) for path in modules("orchestrators") if path.stem != "names"]
    mentioned = {name for tree in stories for name in _mentioned(tree, "Activity")}
    called = sorted(mentioned | {kind.taken_back_by for kind in effect_kinds.EFFECTS})
    patient = {path.stem for path in modules("activities") if _can_say_wait(tree_of(path))}
    slept = [NAPS.format(after) for tree in stories for after in _naps(tree)]
    return (
        *(BEGINS.format(name) for name in (*called, *parts())),
        *(SLEEPS.format(name) for name in called if name in patient),
        *slept,
    )


@cache
def parts() -> tuple[str, ...]:
    """The sub-orchestrations of a run."""
    return tuple(
        sorted(
            {
                name
                for path in modules("orchestrators")
                if path.stem != "names"
                for name in _mentioned(tree_of(path), "Orchestrator")
            }
        )
    )


def part_of(activity: str) -> str:
    """The orchestrator that calls an activity; what takes an effect back, the run's own calls."""
    if activity in {kind.taken_back_by for kind in effect_kinds.EFFECTS}:
        return "run"
    return next(
        path.stem
        for path in modules("orchestrators")
        if path.stem != "names" and activity in _mentioned(tree_of(path), "Activity")
    )


def first_activity(orchestrator: str) -> str:
    """The activity that a sub-orchestration calls first: while it runs, the story waits for the
    sub-orchestration.
    """
    return next(_mentioned(tree_of(ROOT / "orchestrators" / f"{orchestrator}.py"), "Activity"))


def effects() -> list[str]:
    """The effects that a run may have, by the table."""
    return sorted(name for kind in effect_kinds.EFFECTS for name in kind.names(get_args(Role)))


def named(tree: ast.Module) -> list[str]:
    """The names of a module's checkpoints; raises ValueError for one that can't be read from the
    code.
    """
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        name
        for call in calls
        if ast.unparse(call.func) == "checkpoint"
        for name in _spelled(call.args[0])
    ]


def _spelled(name: ast.expr) -> list[str]:
    """The values of a name: itself where it is a literal, one for each effect or role where it
    holds one.
    """
    if isinstance(name, ast.Constant) and isinstance(name.value, str):
        return [name.value]
    if isinstance(name, ast.JoinedStr):
        pieces = [_values(part) for part in name.values]
        spelled = [""]
        for piece in pieces:
            spelled = [before + value for before in spelled for value in piece]
        return spelled
    raise ValueError(f"line {name.lineno}: a checkpoint's name is a literal")


def _values(part: ast.expr) -> list[str]:
    if isinstance(part, ast.Constant):
        return [str(part.value)]
    match ast.unparse(part):
        case "{self.effect}":
            return effects()
        case "{wanted.role}":
            return list(get_args(Role))
        case other:
            raise ValueError(f"line {part.lineno}: the tests can't tell what {other} holds")


def _mentioned(tree: ast.Module, enum: str) -> Iterator[str]:
    """The members of an enum that a module names, in its order."""
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    for node in sorted(found, key=lambda node: node.lineno):
        if cast("ast.Name", node.value).id == enum and node.attr.isupper():
            yield node.attr.lower()


def _can_say_wait(tree: ast.Module) -> bool:
    """Whether the activity answers `wait`, itself or through shared/runs/effects.py."""
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return bool(called & {"wait", "Making", "Removing"})


def _naps(tree: ast.Module) -> Iterator[str]:
    """The activities before sleeps that are not those of an activity's "wait"."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        before = ""
        for line in function.body:
            said = ast.unparse(line)
            if "story.sleep(" in said and "answer.wait_s" not in said and before:
                yield before
            before = next(_mentioned(ast.Module([line], []), "Activity"), before)
