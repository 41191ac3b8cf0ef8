"""What a scan of a span finds out: small, and mergeable with that of the span which follows."""

from collections.abc import Iterable

import msgspec

from ..contents.content_findings import SpanFindings
from ..counting.image_tokens import ImageTokens
from ..models.base_models import KnownModel
from ..reading import file_spans
from ..reading.drop_names import Role
from ..rules import format_rules
from ..rules.findings import KEPT, Tally, finding
from ..rules.lines_seen import SHOWN
from ..rules.rule import Severity
from .common_faults import Gathered
from .statistics import Histogram

# What a count or a bound comes to. It rises whenever the same bytes would be counted otherwise:
# spans of two versions make no file.
COUNTING_VERSION = 1


class SpansDontFit(ValueError):
    """Spans that don't make one file: with gaps, out of order, or counted in different ways."""


class ScanOptions(msgspec.Struct, frozen=True):
    """What a file is checked for. `method` is the run's training method; None takes the file's own
    format for it.

    `grader_fields` are what a grader reads of each example for reinforcement.

    `watched`: whether what the texts hold is looked at, too (contents/), and `secrets`: whether a
    probable secret is an error. After `max_error_lines` lines with errors that begin in one window
    of the file, a piece of `window_bytes`, the rest of that window is not checked. These and the
    other sizes are the package's own; tests cut smaller pieces. Spans must be multiples of windows.
    """

    model: KnownModel
    role: Role = "training"
    block_bytes: int = file_spans.BLOCK_BYTES
    max_line_bytes: int = file_spans.MAX_LINE_BYTES
    method: str | None = None
    watched: bool = True
    secrets: Severity = "error"
    grader_fields: frozenset[str] = frozenset()
    window_bytes: int = file_spans.BLOCK_BYTES
    max_error_lines: int = 1000


class Place(msgspec.Struct):
    """How often something occurs, and on which line first."""

    line: int
    number: int


class Unchecked(msgspec.Struct):
    """Lines that were counted only: how many, in how many windows, and after which line first."""

    # Too many lines before them have errors.
    lines: int = 0
    windows: int = 0
    after: int = 0

    def merge(self, later: "Unchecked", lines_before: int) -> None:
        """Add those of the part that follows after so many lines."""
        self.after = self.after or (later.after and later.after + lines_before)
        self.lines += later.lines
        self.windows += later.windows


class SystemMessages(msgspec.Struct):
    """System messages of chat examples, as far as their sameness goes.

    `digest` is that of the first one, which stands on the line `first`; `other` is the first line
    with another one, 0 where none has. `without` are the first lines of examples without one.
    """

    examples: int = 0
    missing: int = 0
    digest: str = ""
    varies: bool = False
    first: int = 0
    other: int = 0
    without: list[int] = msgspec.field(default_factory=list[int])

    def add(self, digest: str, line: int, times: int = 1) -> None:
        """Take the next examples, the first on this line; "" where they have no system message."""
        self.examples += times
        if not digest:
            self.missing += times
        elif not self.digest:
            self.digest, self.first = digest, line
        elif digest != self.digest:
            self.varies = True
            self.other = self.other or line

    def merge(self, later: "SystemMessages", lines_before: int) -> None:
        """Add those of the part that follows after so many lines."""
        if self.digest and later.digest and self.digest != later.digest:
            self.varies, self.other = True, self.other or later.first + lines_before
        elif later.varies:
            self.varies, self.other = True, self.other or later.other + lines_before
        if not self.digest and later.digest:
            self.digest, self.first = later.digest, later.first + lines_before
        self.examples += later.examples
        self.missing += later.missing
        self.see_without(line + lines_before for line in later.without)

    def see_without(self, lines: Iterable[int]) -> None:
        """Keep the first lines without a system message."""
        if len(self.without) < SHOWN:
            self.without += list(lines)[: SHOWN - len(self.without)]


class SpanScan(msgspec.Struct):
    """The scan of one span; line numbers are relative to its first line.

    `kind` names the file's kind where its first bytes show that it isn't text; `opens_array`: they
    open an array, and `whole_array` is the line that holds a whole one, where that is the first
    line with content. `open_blanks` are the blank lines at its end, of which only a later part
    tells whether they stand inside the file.
    """

    start: int
    stop: int
    kind: str = ""
    block_digests: list[str] = msgspec.field(default_factory=list[str])
    lines: int = 0
    open_blanks: int = 0
    examples: int = 0
    image_examples: int = 0
    formats: dict[str, Place] = msgspec.field(default_factory=dict[str, Place])
    system: SystemMessages = msgspec.field(default_factory=SystemMessages)
    tally: Tally = msgspec.field(default_factory=Tally)
    total: Histogram = msgspec.field(default_factory=Histogram)
    assistant: Histogram = msgspec.field(default_factory=Histogram)
    trained: Histogram = msgspec.field(default_factory=Histogram)
    over_limit: int = 0
    images: ImageTokens = msgspec.field(default_factory=ImageTokens)
    contents: SpanFindings = msgspec.field(default_factory=SpanFindings, name="watch")
    messages_by_role: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    declared_tokens: int = 0
    other_tokens: int = 0
    uncounted_bytes: int = 0
    longest_at_most: int = 0
    over_by_estimate: int = 0
    counting_version: int = 0
    unchecked: Unchecked = msgspec.field(default_factory=Unchecked)
    gathered: Gathered = msgspec.field(default_factory=Gathered)
    opens_array: bool = False
    whole_array: int = 0

    def close_blanks(self) -> None:
        """Something follows the open blank lines: they stand inside the file."""
        first = self.lines - self.open_blanks + 1
        for line in range(first, first + min(self.open_blanks, KEPT)):
            self.tally.add(finding(format_rules.BLANK_LINE, line=line))
        if self.open_blanks > KEPT:
            self.tally.count(format_rules.BLANK_LINE.code, self.open_blanks - KEPT)
        self.open_blanks = 0

    def see_format(self, name: str, times: int = 1) -> None:
        """Count the current line, and those after it, to a format."""
        place = self.formats.get(name)
        if place is None:
            place = self.formats[name] = Place(self.lines, 0)
        place.number += times

    def append(self, later: "SpanScan") -> None:
        """Add the span that follows.

        Raises:
            SpansDontFit: It doesn't follow, or was counted in another way.
        """
        if later.start != self.stop or later.stop < later.start:
            msg = (
                f"A span from byte {later.start} to {later.stop} can't follow one that ends at "
                f"byte {self.stop}."
            )
            raise SpansDontFit(msg)
        if later.counting_version != self.counting_version:
            msg = (
                f"A span of counting version {later.counting_version} can't follow one of "
                f"{self.counting_version}."
            )
            raise SpansDontFit(msg)
        if self.lines == self.open_blanks and later.whole_array:
            self.whole_array = later.whole_array + self.lines
        if later.lines > later.open_blanks:
            self.close_blanks()
            self.open_blanks = later.open_blanks
        else:
            self.open_blanks += later.open_blanks
        self.tally.merge(later.tally, self.lines)
        for name, place in later.formats.items():
            known = self.formats.setdefault(name, Place(place.line + self.lines, 0))
            known.number += place.number
        for role, number in later.messages_by_role.items():
            self.messages_by_role[role] = self.messages_by_role.get(role, 0) + number
        self.system.merge(later.system, self.lines)
        self.gathered.append(later.gathered, self.lines)
        self.total.merge(later.total)
        self.assistant.merge(later.assistant)
        self.trained.merge(later.trained)
        self.images.merge(later.images)
        self.unchecked.merge(later.unchecked, self.lines)
        self.contents.append(later.contents, self.lines)
        self.over_limit += later.over_limit
        self.over_by_estimate += later.over_by_estimate
        self.declared_tokens += later.declared_tokens
        self.other_tokens += later.other_tokens
        self.uncounted_bytes += later.uncounted_bytes
        self.longest_at_most = max(self.longest_at_most, later.longest_at_most)
        self.block_digests.extend(later.block_digests)
        self.stop = later.stop
        self.lines += later.lines
        self.examples += later.examples
        self.image_examples += later.image_examples
