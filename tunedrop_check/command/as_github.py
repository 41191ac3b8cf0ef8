"""Findings as GitHub's workflow commands, which a job's log turns into annotations on the lines of
a pull request.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from ..rules import format_rules
from ..rules.visible_text import visible
from ..rules.wording import counted
from .inputs import STANDARD_INPUT
from .places import sentence


def lines(files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One command a finding, then a notice that sums up each file."""
    for file in files:
        yield from (_annotation(finding) for finding in file["findings"])
    for file in files:
        total = file["tokens"]["total"]
        sums = {
            "example": file["examples"],
            "token": total["sum"] if total else 0,
            "error": file["errors"],
            "warning": file["warnings"],
        }
        text = ", ".join(counted(number, what) for what, number in sums.items())
        yield f"::notice title={_property(_file(file['path']) or 'standard input')}::{_data(text)}"


def _annotation(finding: Mapping[str, Any]) -> str:
    properties = {
        "file": _file(finding["file"]),
        "line": finding["line"],
        "title": f"{finding['code']} {_title(finding['code'])}",
    }
    told = ",".join(
        f"{name}={_property(str(value))}" for name, value in properties.items() if value
    )
    place = f"{finding['field']}: " if finding["field"] else ""
    return f"::{finding['severity']} {told}::" + _data(
        visible(f"{place}{finding['message']}{sentence(finding)} {finding['fix']}")
    )


def _title(code: str) -> str:
    return format_rules.RULES[code].title


def _file(path: str) -> str:
    """The path as the runner matches it with the repository's files; "" for standard input."""
    return "" if path == STANDARD_INPUT else visible(PurePath(path).as_posix())


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
