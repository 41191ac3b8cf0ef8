"""Keeps the last long run of the simulator in docs/reliability.md, between two marks."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.simulator.many import Total

ROOT = Path(__file__).parent.parent.parent.parent
PAGE = ROOT / "docs" / "reliability.md"
OPENS, CLOSES = (
    "<!-- simulator: written by python -m tests.faults.simulate --record -->",
    "<!-- end of simulator -->",
)


def write(total: Total, took_s: float) -> None:
    """Replaces what stands between the marks, or adds the section."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    section = "\n".join([OPENS, *_lines(total, took_s, commit.stdout.strip()), CLOSES])
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Reliability\n"
    before, opens, rest = page.partition(OPENS)
    added = f"{page.rstrip()}\n\n{section}\n"
    PAGE.write_text(
        before + section + rest.partition(CLOSES)[2] if opens else added, encoding="utf-8"
    )


def _lines(total: Total, took_s: float, commit: str) -> list[str]:
    ended = ", ".join(f"{count:,} {outcome}" for outcome, count in total.outcomes.most_common())
    rows = {
        "Seeds": f"{total.seeds:,}, from {total.first}",
        "Violations": f"{total.violations:,}",
        "Runs": f"{sum(total.outcomes.values()):,}: {ended}",
        "Commit": f"`{commit}`",
        "Trace": f"`{total.trace}`",
        "Took": f"{took_s / 60:.0f} min",
        "On": datetime.now(UTC).date().isoformat(),
    }
    return [
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in rows.items()),
        "",
    ]
