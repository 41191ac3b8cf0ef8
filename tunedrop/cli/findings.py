"""Findings on the terminal: the place first, as compilers do, then what is wrong and how to mend it."""

from collections.abc import Mapping
from typing import Any

from tunedrop.cli.output import visible

COLOURS = {"error": "red", "warning": "yellow"}


def finding_line(file: str, finding: Mapping[str, Any]) -> str:
    """`file:line field code message — mend`, with rich's markup; without a line or a field where the whole file or line is meant."""
    place = file if finding["line"] is None else f"{file}:{finding['line']}"
    field = f" {visible(finding['field'])}" if finding["field"] else ""
    colour = COLOURS.get(finding["severity"], "default")
    code, message, mend = (visible(finding[name]) for name in ("code", "message", "mend"))
    return f"[bold]{visible(place)}[/]{field} [{colour}]{code}[/] {message} — {mend}"
