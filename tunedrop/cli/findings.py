"""Findings on the terminal: the place first, as compilers do, then what is wrong and how to
fix it.
"""

from collections.abc import Mapping
from typing import Any, cast

from tunedrop.cli.output import out, visible

COLOURS = {"error": "red", "warning": "yellow"}
SHOWN = 10


def finding_line(file: str, finding: Mapping[str, Any]) -> str:
    """`file:line field code message — fix`, with rich's markup; no line where the whole file is
    meant.
    """
    place = file if finding["line"] is None else f"{file}:{finding['line']}"
    field = f" {visible(finding['field'])}" if finding["field"] else ""
    colour = COLOURS.get(finding["severity"], "default")
    code, message, fix = (visible(finding[name]) for name in ("code", "message", "fix"))
    return f"[bold]{visible(place)}[/]{field} [{colour}]{code}[/] {message} — {fix}"


def tell_findings(report: Mapping[str, Any]) -> None:
    """The first errors that a report lists, on stdout, and how many there are."""
    files = cast("list[dict[str, Any]]", report.get("data") or [])
    found = [
        (file["name"], finding)
        for file in files
        for finding in file["findings"]
        if finding["severity"] == "error"
    ]
    for name, finding in found[:SHOWN]:
        out.print(finding_line(name, finding))
    counted = sum(file["errors"] for file in files)
    if counted > min(len(found), SHOWN):
        out.print(
            f"[dim]the first {min(len(found), SHOWN)} of {counted:,} errors; the report shows "
            "more[/]"
        )
