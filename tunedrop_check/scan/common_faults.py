"""Faults that the lines of a file mostly have in common, such as a key that an export has put in
each: told once for all of them.
"""

import re

import msgspec

from ..formats import keys, recognition
from ..rules import format_rules
from ..rules.findings import Finding, finding
from ..rules.lines_seen import LinesSeen

_INDEX = re.compile(r"/[0-9]+")


def pattern_of(place: str) -> str:
    """A place without its indices: the same in all lines that have the fault."""
    return _INDEX.sub("", place)


class Gathered(msgspec.Struct):
    """By code: the lines that have the fault, and those that have it at each pattern of a place."""

    lines: dict[str, LinesSeen] = msgspec.field(default_factory=dict[str, LinesSeen])
    places: dict[str, dict[str, LinesSeen]] = msgspec.field(
        default_factory=dict[str, dict[str, LinesSeen]]
    )

    def add(self, line: int, places: set[tuple[str, str]]) -> None:
        """Take the next line with its codes and patterns."""
        for code in {code for code, _ in places}:
            self.lines.setdefault(code, LinesSeen()).add(line)
        for code, pattern in places:
            self.places.setdefault(code, {}).setdefault(pattern, LinesSeen()).add(line)

    def append(self, later: "Gathered", lines_before: int) -> None:
        """Add those of the part that follows after so many lines."""
        for code, seen in later.lines.items():
            self.lines.setdefault(code, LinesSeen()).append(seen, lines_before)
        for code, patterns in later.places.items():
            own = self.places.setdefault(code, {})
            for pattern, seen in patterns.items():
                own.setdefault(pattern, LinesSeen()).append(seen, lines_before)

    def findings(self) -> list[Finding]:
        """One finding for each fault, of keys one for each key."""
        found: list[Finding] = []
        for code, patterns in sorted(self.places.items()):
            if code == format_rules.NULL_KEY.code:
                found.append(
                    _of(
                        code,
                        keys.null_sentence(patterns, recognition.is_message),
                        "",
                        self.lines[code],
                    )
                )
            elif code in _SENTENCES:
                found += [
                    _of(code, _SENTENCES[code](pattern, recognition.is_message), pattern, seen)
                    for pattern, seen in sorted(patterns.items())
                ]
            else:
                found.append(_of(code, "", "", self.lines[code]))
        return found


_SENTENCES = {
    format_rules.UNKNOWN_KEY.code: keys.unknown_sentence,
    format_rules.KEY_CAPITALS.code: keys.capitals_sentence,
}


def _of(code: str, message: str, pattern: str, seen: LinesSeen) -> Finding:
    """`pattern` is a place only where it needs no index."""
    holder = pattern.rpartition("/")[0]
    field = "" if recognition.is_message(pattern) or recognition.is_message(holder) else pattern
    found = finding(format_rules.RULES[code], field, message, seen.lines[0])
    return msgspec.structs.replace(found, times=seen.count, lines=tuple(seen.lines))
