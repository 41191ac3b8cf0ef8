"""What an orchestrator may not do, as a walk over its syntax tree.

A replay must take the branches that history took. So: no clock, randomness, environment, file or
network; no order that differs between processes; no log line that a replay repeats; no task that
nobody waits for.
"""

import ast
from collections.abc import Iterator

from tests.unit.house.repository import imported

MODULES = (
    "__future__",
    "azure.durable_functions",
    "collections",
    "dataclasses",
    "datetime",
    "durabletask.task",
    "enum",
    "functools",
    "itertools",
    "logging",
    "math",
    "operator",
    "orchestrators",
    "pydantic",
    "shared.errors",
    "shared.models",
    "typing",
)
FORBIDDEN_CALLS = frozenset(
    {
        *("monotonic", "now", "perf_counter", "sleep", "time_ns", "today", "utcnow"),
        *("choice", "getrandbits", "randint", "random", "sample", "shuffle"),
        *("token_bytes", "token_hex", "token_urlsafe", "urandom", "uuid1", "uuid4"),
        *("getenv", "urlopen"),
    }
)
FORBIDDEN_BUILTINS = frozenset(
    {"__import__", "breakpoint", "eval", "exec", "hash", "id", "input", "open", "print"}
)
LOG_CALLS = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})
TASKS = frozenset({"call_activity", "call_sub_orchestrator", "create_timer"})
ORDERLESS = frozenset({"frozenset", "set"})
ORDERED_USES = frozenset({"enumerate", "iter", "list", "tuple", "zip"})


def violations(source: str) -> list[str]:
    """What breaks determinism in this source, as `line: what`, in the order of lines."""
    tree = ast.parse(source)
    found = [*_imports(tree), *_names(tree), *_statements(tree), *_logs(tree), *_orders(tree)]
    return [f"{line}: {what}" for line, what in sorted(found)]


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in imported(tree):
        if not any(name == allowed or name.startswith(f"{allowed}.") for allowed in MODULES):
            yield line, f"import of {name}"


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    # `yield from story.sleep(…)` is a durable timer: a step of ours, which only the engine can wait
    # for.
    steps = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.YieldFrom)}
    for node in ast.walk(tree):
        if id(node) in steps:
            continue
        match node:
            case ast.Attribute(attr="environ") | ast.Name(id="environ"):
                yield node.lineno, "the environment"
            case ast.keyword(arg="retry_timeout") | ast.Attribute(attr="retry_timeout"):
                yield node.lineno, "retry_timeout reads the wall clock in replay"
            case ast.Call(func=ast.Attribute(attr=called)) if called in FORBIDDEN_CALLS:
                yield node.lineno, f"call of {called}"
            case ast.Call(func=ast.Name(id=called)) if (
                called in FORBIDDEN_CALLS | FORBIDDEN_BUILTINS
            ):
                yield node.lineno, f"call of {called}"
            case _:
                pass


def _statements(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield node.lineno, "async code in a generator of durable tasks"
            case ast.Global():
                yield node.lineno, "state that outlives the replay"
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=called))) if called in TASKS:
                yield node.lineno, f"{called} that nobody waits for"
            case _:
                pass


def _logs(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Log calls on anything but what create_replay_safe_logger gave."""
    unsafe = {"logging"} | {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_get_logger(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=called, value=ast.Name(id=owner))) if (
                called in LOG_CALLS and owner in unsafe
            ):
                yield node.lineno, "a log line that each replay repeats"
            case ast.Call(func=ast.Attribute(attr=called, value=owner)) if (
                called in LOG_CALLS and _is_get_logger(owner)
            ):
                yield node.lineno, "a log line that each replay repeats"
            case _:
                pass


def _is_get_logger(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="getLogger") | ast.Name(id="getLogger")):
            return True
        case _:
            return False


def _orders(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Uses of a set where its order shows."""
    sets = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_set(node.value, frozenset())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case (
                ast.For(iter=walked)
                | ast.comprehension(iter=walked)
                | ast.YieldFrom(value=walked)
                | ast.Starred(value=walked)
            ):
                ordered = [walked]
            case ast.Call(func=ast.Name(id=called), args=arguments) if called in ORDERED_USES:
                ordered = arguments
            case ast.Call(func=ast.Attribute(attr="join"), args=arguments):
                ordered = arguments
            case _:
                ordered = []
        yield from (
            (expression.lineno, "the order of a set")
            for expression in ordered
            if _is_set(expression, frozenset(sets))
        )


def _is_set(node: ast.expr, names: frozenset[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=called)):
            return called in ORDERLESS
        case ast.BinOp(left=left, right=right):
            return _is_set(left, names) or _is_set(right, names)
        case ast.Name(id=name):
            return name in names
        case _:
            return False
