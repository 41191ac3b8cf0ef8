"""What a scan finds out: of a span, small and mergeable, and of the whole file."""

from collections.abc import Sequence

import msgspec

from . import formats, reading, rules
from .findings import KEPT, Finding, Tally, finding
from .image_tokens import ImageTokens
from .models import BaseModel
from .names import Role
from .statistics import Histogram

MIN_EXAMPLES = 10
MAX_FILE_BYTES = 512 * 2**20
MAX_IMAGE_EXAMPLES = 50_000


class ScanOptions(msgspec.Struct, frozen=True):
    """What a file is checked for. `method` is the run's training method; None takes the file's own format for it.

    The two sizes are the package's own; tests cut smaller pieces.
    """

    model: BaseModel
    role: Role = "training"
    block_bytes: int = reading.BLOCK_BYTES
    max_line_bytes: int = reading.MAX_LINE_BYTES
    method: str | None = None


class Place(msgspec.Struct):
    """How often something occurs, and on which line first."""

    line: int
    number: int


class SystemMessages(msgspec.Struct):
    """System messages of chat examples, as far as their sameness goes: `digest` is that of the first one."""

    examples: int = 0
    missing: int = 0
    digest: str = ""
    varies: bool = False

    def add(self, digest: str) -> None:
        """Take the next example; "" where it has no system message."""
        self.merge(SystemMessages(1, 0 if digest else 1, digest))

    def merge(self, later: "SystemMessages") -> None:
        """Add those of a later part."""
        self.examples += later.examples
        self.missing += later.missing
        self.varies = self.varies or later.varies or bool(self.digest and later.digest and self.digest != later.digest)
        self.digest = self.digest or later.digest


class SpanScan(msgspec.Struct):
    """The scan of one span; line numbers are relative to its first line.

    `kind` names the file's kind where its first bytes show that it isn't text. `open_blanks` are the blank lines at its end, of which
    only a later part tells whether they stand inside the file.
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
    messages_by_role: dict[str, int] = msgspec.field(default_factory=dict[str, int])

    def close_blanks(self) -> None:
        """Something follows the open blank lines: they stand inside the file."""
        first = self.lines - self.open_blanks + 1
        for line in range(first, first + min(self.open_blanks, KEPT)):
            self.tally.add(finding(rules.BLANK_LINE, line=line))
        if self.open_blanks > KEPT:
            self.tally.count(rules.BLANK_LINE.code, self.open_blanks - KEPT)
        self.open_blanks = 0

    def append(self, later: "SpanScan") -> None:
        """Add the span that follows.

        Raises:
            ValueError: It doesn't follow.
        """
        if later.start != self.stop:
            msg = f"A span from byte {later.start} can't follow one that ends at byte {self.stop}."
            raise ValueError(msg)
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
        self.system.merge(later.system)
        self.total.merge(later.total)
        self.assistant.merge(later.assistant)
        self.trained.merge(later.trained)
        self.images.merge(later.images)
        self.over_limit += later.over_limit
        self.block_digests.extend(later.block_digests)
        self.stop = later.stop
        self.lines += later.lines
        self.examples += later.examples
        self.image_examples += later.image_examples


class FileScan(msgspec.Struct):
    """The scan of a whole file.

    `findings` are the first 100 errors and the first 100 warnings in file order, those of the file itself ahead; `counts` has all of
    them by code. `examples` are the lines that hold a JSON object; `total`, `assistant` and `trained` the tokens of those that hold
    messages: all, those of answers, and those of the answers that are learnt. `over_limit` are the examples with more tokens than the
    model takes, `images` an estimate that `total` doesn't contain.
    """

    bytes: int
    content_hash: str
    format: str
    lines: int
    examples: int
    errors: int
    warnings: int
    findings: list[Finding]
    counts: dict[str, int]
    total: Histogram
    assistant: Histogram
    messages_by_role: dict[str, int]
    trained: Histogram = msgspec.field(default_factory=Histogram)
    over_limit: int = 0
    images: ImageTokens = msgspec.field(default_factory=ImageTokens)


def merge(parts: Sequence[SpanScan], options: ScanOptions) -> FileScan:
    """The scan of the file that these spans cover, in order and without a gap; it doesn't depend on where the cuts fall.

    Raises:
        ValueError: A span is missing or out of order.
    """
    whole = SpanScan(0, 0, kind=parts[0].kind if parts else "")
    for part in parts:
        whole.append(part)
    if whole.kind:
        whole = SpanScan(0, whole.stop, kind=whole.kind, block_digests=whole.block_digests, lines=whole.lines)
    tally = Tally()
    for found in _of_file(whole, options):
        tally.add(found)
    tally.merge(whole.tally, 0)
    severities = {code: rules.RULES[code].severity for code in tally.counts}
    return FileScan(
        bytes=whole.stop,
        content_hash=reading.content_hash(whole.block_digests),
        format=_format_of(whole),
        lines=whole.lines,
        examples=whole.examples,
        errors=sum(times for code, times in tally.counts.items() if severities[code] == "error"),
        warnings=sum(times for code, times in tally.counts.items() if severities[code] == "warning"),
        findings=sorted((*tally.errors, *tally.warnings), key=lambda found: found.line or 0),
        counts=dict(sorted(tally.counts.items())),
        total=whole.total,
        assistant=whole.assistant,
        messages_by_role=whole.messages_by_role,
        trained=whole.trained,
        over_limit=whole.over_limit,
        images=whole.images,
    )


def _format_of(whole: SpanScan) -> str:
    return next(iter(whole.formats), formats.UNKNOWN) if len(whole.formats) < 2 else formats.MIXED


def _of_file(whole: SpanScan, options: ScanOptions) -> list[Finding]:
    """What only the whole file tells."""
    found: list[Finding] = []
    if whole.stop >= MAX_FILE_BYTES:
        found.append(finding(rules.FILE_TOO_LARGE, message=f"The file has {whole.stop} bytes; it must have fewer than {MAX_FILE_BYTES}."))
    if whole.kind:
        return [*found, finding(rules.NOT_TEXT, message=f"The file is {whole.kind}, not UTF-8 text.")]
    if whole.lines == whole.open_blanks:
        return [*found, finding(rules.FILE_EMPTY)]
    if options.role == "training" and whole.examples < MIN_EXAMPLES:
        found.append(finding(rules.TOO_FEW_EXAMPLES, message=f"The file has {whole.examples} examples; training needs {MIN_EXAMPLES}."))
    if whole.image_examples > MAX_IMAGE_EXAMPLES:
        message = f"{whole.image_examples} examples have images; {MAX_IMAGE_EXAMPLES} are allowed."
        found.append(finding(rules.TOO_MANY_IMAGE_EXAMPLES, message=message))
    return [*found, *_of_formats(whole, options), *_of_system(whole.system)]


def _of_formats(whole: SpanScan, options: ScanOptions) -> list[Finding]:
    if len(whole.formats) > 1:
        names = ", ".join(f"{name} ({place.number})" for name, place in sorted(whole.formats.items()))
        second = sorted(place.line for place in whole.formats.values())[1]
        return [finding(rules.FORMATS_MIXED, message=f"The file mixes lines of these formats: {names}.", line=second)]
    for name, place in whole.formats.items():
        if name not in formats.CHECKS:
            return [finding(rules.FORMAT_UNSUPPORTED, message=f"The lines have the format {name}; it is not supported.", line=place.line)]
        if options.method is not None and name != options.method:
            message = f"The lines have the format {name}; the run trains by the method {options.method}."
            return [finding(rules.METHOD_MISMATCH, message=message, line=place.line)]
        if name not in options.model.methods:
            offered = ", ".join(sorted(options.model.methods))
            return [finding(rules.METHOD_NOT_OFFERED, message=f"The lines have the format {name}; the base model offers: {offered}.")]
    return []


def _of_system(system: SystemMessages) -> list[Finding]:
    found: list[Finding] = []
    if system.missing:
        found.append(finding(rules.SYSTEM_MISSING, message=f"{system.missing} of {system.examples} examples have no system message."))
    if system.varies:
        found.append(finding(rules.SYSTEM_VARIES))
    return found


def to_json(scan: SpanScan | FileScan) -> bytes:
    """A scan as JSON."""
    return msgspec.json.encode(scan)


def span_scan_from_json(data: bytes) -> SpanScan:
    """The span's scan that to_json wrote."""
    return msgspec.json.decode(data, type=SpanScan)


def file_scan_from_json(data: bytes) -> FileScan:
    """The file's scan that to_json wrote."""
    return msgspec.json.decode(data, type=FileScan)
