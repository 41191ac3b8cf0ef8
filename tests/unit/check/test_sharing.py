"""Big files are scanned in processes where a fork is safe, with the result that threads give."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.unit.check.builders import a_file, a_message, an_example
from tunedrop_check.models import base_models
from tunedrop_check.scan import scanning, workers

DYING = """
help = workers._help
workers._help = lambda tickets, work, *rest: help(tickets, lambda part: os._exit(1), *rest)
"""
ROOT = Path(__file__).parents[3]
MODEL = "gpt-4.1-mini-2025-04-14"
PROGRAM = f"""
import os, resource, sys
from tunedrop_check.models import base_models
from tunedrop_check.scan import scanning, workers
exec(sys.argv[2])
found = scanning.scan_file(sys.argv[1], scanning.ScanOptions(base_models.base_model({MODEL!r})))
assert sys.argv[2] or resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > 0, "no process helped"
sys.stdout.buffer.write(scanning.to_json(found))
"""


SHARING = """
import gc, multiprocessing, os, signal, threading
from tunedrop_check.scan import workers
here = os.getpid()
done, begun = os.pipe()
def square(number):
    os.write(begun, b".")
    is_long = number == 0 or (number > 57 and os.getpid() != here)
    sum(range(10**6 if is_long else 10**4))
    return number**2, os.getpid()
def refused(number):
    raise OSError(f"part {number} changed")
def killed(number):
    if number == 5 and os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return number
results = list(workers.by_forks(square, range(60), 3))
assert [result for result, _ in results] == [number**2 for number in range(60)]
assert os.getpid() in {process for _, process in results}, "this process has no turn"
assert len({process for _, process in results}) > 1, "no fork has a turn"
what = "a fork that has gone is taken for lost, and what another still does is done again"
assert len(os.read(done, 1000)) == 60, what
assert list(workers.by_forks(killed, range(60), 3)) == list(range(60))
try:
    list(workers.by_forks(refused, range(60), 3))
except OSError as error:
    print(error, gc.isenabled(), multiprocessing.active_children(), threading.active_count())
"""


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file of 20 MB with a bad line now and then."""
    path = tmp_path / "training_set.jsonl"
    examples = [
        an_example(
            a_message("user", f"{number} " + "word " * 1000), a_message("assistant", f"{number}.")
        )
        for number in range(250)
    ]
    path.write_bytes((a_file(*examples) + b'{"messages": []}\n') * 16)
    return path


@pytest.mark.skipif(scanning.processors() == 1, reason="one processor shares nothing")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")
@pytest.mark.parametrize("first", ["", DYING], ids=["helped", "helpers that die"])
def test_processes_find_what_threads_find(big: Path, first: str) -> None:
    """A fresh process forks; this one, which has threads, doesn't, and finds the same. So does one
    whose helpers are killed.
    """
    command = [sys.executable, "-c", PROGRAM, str(big), first]
    by_processes = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    by_threads = scanning.scan_source(
        scanning.FileSource(big), scanning.ScanOptions(base_models.base_model(MODEL))
    )
    assert json.loads(by_processes) == json.loads(scanning.to_json(by_threads))
    assert by_threads.errors == 16


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")
def test_forks_and_their_parent_take_turns() -> None:
    """Results keep their order though the first takes longest; what one part raises ends all, and
    nothing stays behind.
    """
    said = subprocess.run(
        [sys.executable, "-c", SHARING], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    assert re.fullmatch(r"part \d+ changed True \[\] 1\n", said)


def test_nothing_is_forked_beside_another_thread() -> None:
    """It could hold a lock that its copy would never release."""
    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(workers.may_fork).result()


def test_results_come_in_the_order_of_the_parts_and_not_many_at_a_time() -> None:
    """No more parts are under way than there are workers, and one."""
    taken: list[int] = []

    def parts() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        for number, result in enumerate(workers.in_order(pool, str, parts(), 2)):
            assert result == str(number)
            assert len(taken) <= number + 3
