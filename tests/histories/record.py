"""Record the history of every path of a run: `python -m tests.histories.record`.

Deterministic: the same orchestrators give the same files. A released version's histories stay as
they are, and so do those of an earlier version of the orchestrators: a folder is named after the
release and the version that new instances begin with; `0.1.0` holds the first.
"""

import re
import tomllib

from orchestrators.names import VERSION
from tests.histories import saved
from tests.histories.paths import PATHS, RUN_ID, Path
from tests.histories.saved import History
from tests.histories.stage import Stage
from tests.unit.orchestrators.theatre import Play

ROOT = saved.FOLDER.parent.parent


def version() -> str:
    """The version of this code."""
    return str(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    )


def folder() -> str:
    """Where the histories of this code stand."""
    return f"{version()}-{VERSION}"


def is_released(number: str) -> bool:
    """Whether the changelog has a heading of this version."""
    return bool(
        re.search(
            rf"^## \[{re.escape(number)}\]",
            (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )


def recorded(name: str, path: Path) -> History:
    """One path, played on today's code."""
    stage = Stage(
        Play({activity: list(lines) for activity, lines in path.lines.items()}, run_id=RUN_ID)
    )
    if path.woken_after_s is not None:
        stage.wake_after(path.woken_after_s)
    return History(name, folder(), stage.tell(), stage.generations)


def main() -> None:
    """Writes the histories that the folder of this code lacks; one that stands there is never
    written again.
    """
    if is_released(version()):
        raise SystemExit(
            f"{version()} is released: raise the version in pyproject.toml, then record."
        )
    standing = {file.stem for file in (saved.FOLDER / folder()).glob("*.json")}
    for name, path in PATHS.items():
        if name not in standing:
            print(saved.write(recorded(name, path)).relative_to(ROOT))


if __name__ == "__main__":
    main()
