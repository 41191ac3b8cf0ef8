"""The table of the kill matrix in docs/reliability.md: written by the run itself, held against the
code by a test.
"""

from itertools import groupby

from tests.faults import points
from tests.faults.matrix import WAYS, Cell
from tests.unit.house.repository import ROOT

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- written by `pytest tests/faults --record`", "<!-- end of what the run writes -->"
NAMES = " · "


def written(results: dict[Cell, list[str]], minutes: float) -> str:
    """The two tables: of every checkpoint in three ways, and of every wait."""
    head = (
        f"| side effect | points | {' | '.join(WAYS.values())} |\n| --- | --- | "
        f"{' | '.join('---' for _ in WAYS)} |"
    )
    rows = [
        (
            f"| {subject} | {NAMES.join(places)} | "
            f"{' | '.join(_green(results, subject, places, way) for way in WAYS)} |"
        )
        for subject, places in _subjects()
    ]
    waits = [
        [name for name in points.waits() if name.startswith(kind) or name.endswith(kind)]
        for kind in ("begins", "sleep", "nap")
    ]
    killed = [f"| {NAMES.join(names)} | {_count(results, names, 'kill')} |" for names in waits]
    told = (
        f"{sum(not wrong for wrong in results.values())} of {len(results)} cells green, in "
        f"{minutes:.1f} minutes."
    )
    return "\n".join(
        [
            told,
            "",
            head,
            *rows,
            "",
            "| waits of the orchestrators | SIGKILL |\n| --- | --- |",
            *killed,
        ]
    )


def record(results: dict[Cell, list[str]], minutes: float) -> None:
    """Puts the tables into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    head, _, rest = rest.partition("\n")
    _, _, after = rest.partition(END)
    PAGE.write_text(
        f"{before}{BEGIN}{head}\n\n{written(results, minutes)}\n\n{END}{after}", encoding="utf-8"
    )


def told() -> tuple[set[str], set[str]]:
    """The checkpoints and the waits that the page lists."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    rows = [
        line.strip("| ").split(" | ")
        for line in rest.partition(END)[0].splitlines()
        if line.startswith("| ")
    ]
    marked = [
        row for row in rows if row[0] not in {"---", "side effect", "waits of the orchestrators"}
    ]
    checkpoints = {
        f"{row[0]}: {place}" for row in marked if len(row) > 2 for place in row[1].split(NAMES)
    }
    return checkpoints, {name for row in marked if len(row) == 2 for name in row[0].split(NAMES)}


def _subjects() -> list[tuple[str, list[str]]]:
    split = [name.rpartition(": ")[::2] for name in points.checkpoints()]
    return [
        (subject, [place for _, place in some])
        for subject, some in groupby(split, lambda pair: pair[0])
    ]


def _green(results: dict[Cell, list[str]], subject: str, places: list[str], way: str) -> str:
    return _count(results, [f"{subject}: {place}" for place in places], way)


def _count(results: dict[Cell, list[str]], names: list[str], way: str) -> str:
    cells = [wrong for cell, wrong in results.items() if cell.way == way and cell.point in names]
    return f"{sum(not wrong for wrong in cells)} of {len(cells)}"
