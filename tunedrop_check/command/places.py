"""The lines that one finding stands for, in words."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ..rules.visible_text import visible


def sentence(finding: Mapping[str, Any]) -> str:
    """` Lines 2, 3, 7 and 19 more.` for a finding of several lines, else nothing."""
    if finding["times"] < 2:
        return ""
    shown = [_in_file(file, lines, finding["file"]) for file, lines in finding["lines"].items()]
    rest = finding["times"] - sum(map(len, finding["lines"].values()))
    return f" Lines {'; '.join(shown)}" + (f" and {rest:,} more." if rest else ".")


def _in_file(file: str, lines: list[int], own: str) -> str:
    numbers = ", ".join(map(str, lines))
    return numbers if file == own else f"{numbers} of {visible(PurePath(file).name)}"
