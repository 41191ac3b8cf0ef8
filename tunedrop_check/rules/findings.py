"""A finding: which rule a place of the file breaks, never what stands there."""

import msgspec

from .format_rules import Rule, Severity

# How many findings of each severity are kept; all are counted.
KEPT = 100


class Finding(msgspec.Struct, frozen=True):
    """One broken rule at one place.

    `line` counts from 1 and is None where the whole file is meant; `field` is a JSON pointer of
    known keys and indices, "" for the whole line. A finding may stand for `times` lines: then
    `line` is the first of them, and `lines` are the first 20.
    """

    line: int | None
    field: str
    code: str
    severity: Severity
    message: str
    fix: str
    times: int = 1
    lines: tuple[int, ...] = ()


def finding(rule: Rule, field: str = "", message: str = "", line: int | None = None) -> Finding:
    """The finding for a rule; `message` replaces its explanation where numbers make it clearer."""
    return Finding(line, field, rule.code, rule.severity, message or rule.explanation, rule.fix)


class Tally(msgspec.Struct):
    """All findings counted, the first KEPT of each severity kept, in the order in which they were
    added.
    """

    counts: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    errors: list[Finding] = msgspec.field(default_factory=list[Finding])
    warnings: list[Finding] = msgspec.field(default_factory=list[Finding])

    def add(self, found: Finding, line: int | None = None) -> None:
        """Count a finding, keep it if there is room; `line` replaces its own."""
        self.counts[found.code] = self.counts.get(found.code, 0) + 1
        self._keep(found if line is None else msgspec.structs.replace(found, line=line))

    def count(self, code: str, times: int) -> None:
        """Count findings that are not kept."""
        self.counts[code] = self.counts.get(code, 0) + times

    def merge(self, later: "Tally", lines_before: int) -> None:
        """Add the findings of a later part of the file, whose line numbers begin anew."""
        for code, times in later.counts.items():
            self.count(code, times)
        for found in (*later.errors, *later.warnings):
            self._keep(
                found
                if found.line is None
                else msgspec.structs.replace(found, line=found.line + lines_before)
            )

    def _keep(self, found: Finding) -> None:
        kept = self.errors if found.severity == "error" else self.warnings
        if len(kept) < KEPT:
            kept.append(found)
