"""The keeper of one part of the local stack: the part ends as soon as the stack lets go of the keeper's standard input.

A killed stack can't clean up, but the operating system closes its end of the pipe: that works on every platform, and for parts
that know nothing of it, such as Azurite. Run as a script, with the part's command as arguments; standard library only.
"""

import os
import signal
import subprocess
import sys
import threading

GRACE_S = 5.0
"""How long the part may take to end by itself before it is killed."""


def keep(command: list[str]) -> int:
    """Runs the command until it ends, or has to; answers its exit code, 128 + n where signal n ended it."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda _number, _frame: child.terminate())
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_with_input(child: "subprocess.Popen[bytes]") -> None:
    while os.read(sys.stdin.fileno(), 1):  # a buffered read would keep the interpreter from ending
        pass
    child.terminate()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
