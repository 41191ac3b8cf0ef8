"""Child processes that never outlive their parent."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tunedrop.local import keeper

LOG_LINES_SHOWN = 12


class ChildEnded(Exception):
    """A part of the stack ended by itself; the message names it and holds the last lines of its
    log.
    """

    def __init__(self, name: str, code: int, log: Path) -> None:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        told = "\n".join(f"  {line}" for line in lines) or "  (it is empty)"
        super().__init__(f"{name} ended with code {code}. The last lines of {log}:\n{told}")


class Child:
    """One part of the stack, with all that it starts, under a keeper; ended on leaving its `with`
    block, after `grace_s` by force.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        grace_s: float = keeper.GRACE_S,
    ) -> None:
        self.name = name
        self.log = log
        self._grace_s = grace_s
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", keeper.__file__, str(grace_s), *command],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env=dict(env),
                cwd=cwd,
                # Ctrl-C in the terminal then reaches it through its parent only, in the right
                # order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id of the part's keeper, whose child the part is."""
        return self._keeper.pid

    def check(self) -> None:
        """Raises ChildEnded where it has."""
        if (code := self._keeper.poll()) is not None:
            raise ChildEnded(self.name, code, self.log)

    def end(self) -> None:
        """Has the part end, and waits for it: a few seconds at most."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(self._grace_s + keeper.GRACE_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
