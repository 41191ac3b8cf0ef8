"""The waits of the tests: safety nets that hang lower on a slower machine, each from one home."""

import ast
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import patience
from tests.runs.stack import HostEnded, Stack
from tests.unit.house.repository import ROOT

# Its clock is its own: it waits for nothing.
OWN_TIME = ROOT / "tests" / "faults" / "simulator"
# Who waits so long doesn't measure how quick a thing is: it is a net.
A_NET_S = 2
WAITS = {"wait", "settimeout", "join"}


@contextmanager
def others_at_work() -> Generator[None]:
    """Four more that want this process's turn."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            sum(range(1_000))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_net_hangs_lower_where_others_work() -> None:
    """The clock tells it; the processor's own time hardly grows, so that a bound on it
    stays one.
    """
    with others_at_work():
        machine = patience.Machine().measure()
    assert machine.by_the_clock > 1.5 * machine.by_its_processor


def test_limit_of_every_test_is_scaled(request: pytest.FixtureRequest) -> None:
    """This one's has twice the seconds of pyproject.toml at least, by a measure that was just
    taken.
    """
    limit = request.node.get_closest_marker("timeout").args[0]
    assert limit >= patience.ROOM * float(request.config.getini("timeout"))


def test_wait_that_ends_at_once_takes_no_pause() -> None:
    """The first look is taken at once, and what it saw is the answer."""
    assert patience.until(lambda: "seen", every_s=3600) == "seen"


def test_wait_for_what_never_comes_ends_and_says_for_what() -> None:
    """The net holds."""
    with pytest.raises(TimeoutError, match="rain did not come"):
        patience.until(lambda: None, 0.01, "rain")


def test_wait_for_a_host_that_is_gone_ends_at_once_with_what_it_said_last(tmp_path: Path) -> None:
    """No net is waited out for what has ended."""
    stack = Stack("", "", 0, "", tmp_path)
    stack.log.write_text("the lease is gone")
    stack.host = subprocess.Popen([sys.executable, "-c", "raise SystemExit(4)"])
    stack.host.wait(patience.patience(10))
    with (
        patience.while_it_lives(stack.check),
        pytest.raises(HostEnded, match="ended with 4; its log:\nthe lease is gone"),
    ):
        patience.until(lambda: None, 3600)


def test_no_net_has_seconds_of_its_own() -> None:
    """A number of seconds that is given to a wait goes through `patience`."""
    files = [
        file for file in sorted((ROOT / "tests").rglob("*.py")) if OWN_TIME not in file.parents
    ]
    assert [
        f"{file.relative_to(ROOT)}:{line}"
        for file in files
        for line in bare_nets(ast.parse(file.read_text("utf-8")))
    ] == []


FOUND = {"a.get(timeout=30)": [1], "a.wait(20)": [1], "a.wait(patience(20))": [], "a.wait(0.1)": []}


@pytest.mark.parametrize(("code", "found"), FOUND.items())
def test_net_with_seconds_of_its_own_is_found(code: str, found: list[int]) -> None:
    """The rule above can fail."""
    assert list(bare_nets(ast.parse(code))) == found


def bare_nets(tree: ast.Module) -> Iterator[int]:
    """The lines on which a call is given its longest wait as a number; an app under test may wait
    as it likes.
    """
    for node in ast.walk(tree):
        match node:
            case ast.keyword(
                arg="timeout", value=ast.Constant(value=int() | float() as seconds)
            ) if seconds >= A_NET_S:
                yield node.lineno
            case ast.Call(
                func=ast.Attribute(attr=name), args=[ast.Constant(value=int() | float() as seconds)]
            ) if name in WAITS and seconds >= A_NET_S:
                yield node.lineno
            case _:
                pass
