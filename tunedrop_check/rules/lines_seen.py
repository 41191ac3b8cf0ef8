"""Where in a file something was seen: how often, and on which lines first."""

from collections.abc import Iterable

import msgspec

from .findings import Finding, finding
from .rule import Rule

# How many line numbers are kept.
SHOWN = 20


class LinesSeen(msgspec.Struct):
    """All of them counted, the line numbers of the first SHOWN kept."""

    count: int = 0
    lines: list[int] = msgspec.field(default_factory=list[int])

    def add(self, line: int) -> None:
        """Count one on a line after the last one."""
        self.count += 1
        if len(self.lines) < SHOWN:
            self.lines.append(line)

    def append(self, later: "LinesSeen", lines_before: int) -> None:
        """Add those of the part that follows after so many lines."""
        self.count += later.count
        self.lines.extend(line + lines_before for line in later.lines[: SHOWN - len(self.lines)])

    def finding(self, rule: Rule, what: str) -> Finding:
        """The finding for all of them; `what`, in the plural, was seen: no text of the file."""
        first = self.lines[0] if self.lines else None
        found = finding(rule, message=f"{what}: {self.count:,}.", line=first)
        return msgspec.structs.replace(found, times=self.count, lines=tuple(self.lines))


def seen_on(lines: Iterable[int]) -> LinesSeen:
    """One sighting on each of these lines."""
    numbers = list(lines)
    return LinesSeen(len(numbers), numbers[:SHOWN])
