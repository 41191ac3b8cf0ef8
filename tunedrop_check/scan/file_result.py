"""What a scan finds out of a whole file, and of two files together."""

from collections.abc import Iterable

import msgspec

from ..contents import content_findings, duplicates
from ..contents.duplicates import Fingerprints
from ..counting import image_tokens
from ..counting.image_tokens import ImageTokens
from ..formats import recognition
from ..reading import file_spans
from ..rules import format_rules
from ..rules.findings import Finding, Tally, finding
from ..rules.wording import counted
from .span_result import COUNTING_VERSION, ScanOptions, SpanScan, SpansDontFit, SystemMessages
from .statistics import Histogram

# Limits of the service: fine-tuning guide, and for images the guide on fine-tuning with vision.
MIN_EXAMPLES = 10
MAX_FILE_BYTES = 512 * 2**20
MAX_IMAGE_EXAMPLES = 50_000


class FileScan(msgspec.Struct):
    """The scan of a whole file.

    `findings` are the first 100 errors and the first 100 warnings in file order, those of the file
    itself and those of many lines ahead; `counts` has all of them by code. `examples` are the lines
    that hold a JSON object; `total`, `assistant` and `trained` the tokens of those that hold
    messages: all, those of answers, and those of the answers that are learnt. `fingerprints` are
    not part of its JSON: they serve to compare files.

    `total` is what is sure, by the published recipe. What it doesn't contain is estimated:
    `declared_tokens` of tools and formats, `other_tokens` of further fields, `images`, and
    `uncounted_bytes`, those of lines whose tokens can't be counted. `at_most_tokens` is all of it;
    `longest_at_most` the most that one example comes to. `over_limit` are the examples that may
    have more than the model takes, `over_by_estimate` those among them that have so only by what is
    estimated. A scan of 0.1.0 has `counting_version` 0 and none of these.
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
    fingerprints: Fingerprints = msgspec.field(default_factory=Fingerprints)
    declared_tokens: int = 0
    other_tokens: int = 0
    uncounted_bytes: int = 0
    longest_at_most: int = 0
    over_by_estimate: int = 0
    counting_version: int = 0

    @property
    def at_most_tokens(self) -> int:
        """The upper bound of the file's tokens: never below what the service could bill for one
        pass over it, never below `total`.

        Of a scan that kept no bound, each byte is taken for a token and each image for the largest.
        """
        if not self.counting_version:
            return max(self.bytes, self.total.sum) + self.images.images * image_tokens.MOST
        return (
            self.total.sum
            + self.declared_tokens
            + self.other_tokens
            + self.images.at_most
            + self.uncounted_bytes
        )


def merge(parts: Iterable[SpanScan], options: ScanOptions, size: int | None = None) -> FileScan:
    """The scan of the file that these spans cover, in order and without a gap; it doesn't depend on
    where the cuts fall.

    `size` is that of the file, in bytes, wherever it is known: with it, spans that end too early or
    too late are refused, too.

    Raises:
        SpansDontFit: A span is missing, out of order or there twice, the last one doesn't end where
            the file does, or one was counted by another version than COUNTING_VERSION: the file
            must be scanned again.
    """
    whole = SpanScan(0, 0, counting_version=COUNTING_VERSION)
    for part in parts:
        whole.append(part)
        whole.kind = whole.kind or part.kind
        whole.opens_array = whole.opens_array or part.opens_array
    if size is not None and whole.stop != size:
        msg = f"The spans end at byte {whole.stop}, the file at byte {size}."
        raise SpansDontFit(msg)
    if whole.kind or _is_array(whole):
        whole = SpanScan(
            0, whole.stop, whole.kind, whole.block_digests, whole.lines, opens_array=not whole.kind
        )
    if (
        whole.kind
        or _is_array(whole)
        or whole.unchecked.lines
        or format_rules.LINE_TOO_LONG.code in whole.tally.counts
    ):
        # How much of it the lines have that were not read or checked is not known: all counts.
        whole.uncounted_bytes += whole.stop
    tally = Tally()
    for found in _of_file(whole, options):
        tally.add(found)
    watched = _watched(whole, options) if options.watched else Tally()
    # Warnings that stand for many lines come first, or a hundred blank lines would hide them.
    tally.merge(Tally(watched.counts, warnings=watched.warnings), 0)
    for found in whole.gathered.findings():
        tally.add(found)
    tally.merge(whole.tally, 0)
    tally.merge(Tally(errors=watched.errors), 0)
    return _told(
        FileScan(
            bytes=whole.stop,
            content_hash=file_spans.content_hash(whole.block_digests),
            format=_format_of(whole),
            lines=whole.lines,
            examples=whole.examples,
            errors=0,
            warnings=0,
            findings=[],
            counts={},
            total=whole.total.sorted(),
            assistant=whole.assistant.sorted(),
            messages_by_role=whole.messages_by_role,
            trained=whole.trained.sorted(),
            over_limit=whole.over_limit,
            images=whole.images,
            fingerprints=whole.contents.fingerprints,
            declared_tokens=whole.declared_tokens,
            other_tokens=whole.other_tokens,
            uncounted_bytes=whole.uncounted_bytes,
            longest_at_most=whole.longest_at_most,
            over_by_estimate=whole.over_by_estimate,
            counting_version=COUNTING_VERSION,
        ),
        tally,
        options,
    )


def compared(validation: FileScan, training: FileScan, options: ScanOptions) -> FileScan:
    """The scan of a validation file with what it repeats of the training file."""
    tally, own = Tally(), Tally(dict(validation.counts))
    for found in duplicates.contamination(training.fingerprints, validation.fingerprints):
        tally.add(found)
    for found in validation.findings:
        (own.errors if found.severity == "error" else own.warnings).append(found)
    tally.merge(own, 0)
    return _told(validation, tally, options)


def _told(scan: FileScan, tally: Tally, options: ScanOptions) -> FileScan:
    """The scan with these findings."""
    number: dict[str, int] = {"error": 0, "warning": 0}
    for code, times in tally.counts.items():
        number[
            options.secrets
            if code in content_findings.SECRET_CODES
            else format_rules.RULES[code].severity
        ] += times
    return msgspec.structs.replace(
        scan,
        errors=number["error"],
        warnings=number["warning"],
        findings=sorted((*tally.errors, *tally.warnings), key=lambda found: found.line or 0),
        counts=dict(sorted(tally.counts.items())),
    )


def _watched(whole: SpanScan, options: ScanOptions) -> Tally:
    """What the texts hold."""
    known = recognition.FORMATS.get(_format_of(whole))
    conflicts = known is None or known.conflicts
    settings = content_findings.WatchOptions(options.secrets, with_conflicts=conflicts)
    tally = Tally()
    for found in content_findings.of_figures(whole.total, whole.assistant):
        tally.add(found)
    tally.merge(content_findings.of_file(whole.contents, settings), 0)
    return tally


def _is_array(whole: SpanScan) -> bool:
    """Whether the file is one array."""
    # It opens one, and its first line holds a whole one only where nothing follows.
    return whole.opens_array and whole.whole_array in (0, whole.lines - whole.open_blanks)


def _format_of(whole: SpanScan) -> str:
    return (
        next(iter(whole.formats), recognition.UNKNOWN)
        if len(whole.formats) < 2
        else recognition.MIXED
    )


def _of_file(whole: SpanScan, options: ScanOptions) -> list[Finding]:
    """What only the whole file tells."""
    found: list[Finding] = []
    if whole.stop >= MAX_FILE_BYTES:
        found.append(
            finding(
                format_rules.FILE_TOO_LARGE,
                message=(
                    f"The file has {whole.stop} bytes; it must have fewer than {MAX_FILE_BYTES}."
                ),
            )
        )
    if whole.kind:
        return [
            *found,
            finding(format_rules.NOT_TEXT, message=f"The file is {whole.kind}, not UTF-8 text."),
        ]
    if _is_array(whole):
        return [*found, finding(format_rules.JSON_ARRAY)]
    if whole.lines == whole.open_blanks:
        return [*found, finding(format_rules.FILE_EMPTY)]
    # What a line holds that can't be read is not known: it may be the example that seems to be
    # missing.
    unread = whole.unchecked.lines + sum(
        whole.tally.counts.get(rule.code, 0) for rule in format_rules.UNREAD
    )
    are_few = whole.examples + unread < MIN_EXAMPLES and (whole.examples > 0 or not unread)
    if options.role == "training" and are_few:
        found.append(
            finding(
                format_rules.TOO_FEW_EXAMPLES,
                message=(
                    f"The file has {counted(whole.examples, 'example')}; training needs at least "
                    f"{MIN_EXAMPLES}."
                ),
            )
        )
    if whole.image_examples > MAX_IMAGE_EXAMPLES:
        message = (
            f"{whole.image_examples:,} examples have images; at most {MAX_IMAGE_EXAMPLES:,} "
            "are allowed."
        )
        found.append(finding(format_rules.TOO_MANY_IMAGE_EXAMPLES, message=message))
    return [
        *found,
        *_of_unchecked(whole, options),
        *_of_formats(whole, options),
        *_of_system(whole.system),
    ]


def _of_unchecked(whole: SpanScan, options: ScanOptions) -> list[Finding]:
    unchecked = whole.unchecked
    if not unchecked.lines:
        return []
    pieces = (
        f" The same happened in {unchecked.windows:,} pieces of the file."
        if unchecked.windows > 1
        else ""
    )
    message = (
        "Checking stopped after this line: too many lines have errors, "
        f"{options.max_error_lines:,} or more in a piece of "
        f"{options.window_bytes:,} bytes. {unchecked.lines:,} lines were not checked.{pieces}"
    )
    return [finding(format_rules.NOT_CHECKED, message=message, line=unchecked.after)]


def _of_formats(whole: SpanScan, options: ScanOptions) -> list[Finding]:
    if len(whole.formats) > 1:
        names = ", ".join(
            f"{name} ({place.number})" for name, place in sorted(whole.formats.items())
        )
        second = sorted(place.line for place in whole.formats.values())[1]
        return [
            finding(
                format_rules.FORMATS_MIXED,
                message=f"The file mixes lines of these formats: {names}.",
                line=second,
            )
        ]
    for name, place in whole.formats.items():
        known = recognition.FORMATS.get(name)
        if known is None:
            return [
                finding(
                    format_rules.FORMAT_UNSUPPORTED,
                    message=f"The lines have the format {name}; it is not supported.",
                    line=place.line,
                )
            ]
        if options.method is not None and known.method != options.method:
            message = (
                f"The lines have the format {name}; the method of the run is {options.method}."
            )
            return [finding(format_rules.METHOD_MISMATCH, message=message, line=place.line)]
        if known.method not in options.model.methods:
            offered = ", ".join(sorted(options.model.methods))
            return [
                finding(
                    format_rules.METHOD_NOT_OFFERED,
                    message=f"The lines have the format {name}; the base model offers: {offered}.",
                )
            ]
    return []


def _of_system(system: SystemMessages) -> list[Finding]:
    found: list[Finding] = []
    if system.missing:
        message = (
            f"{system.missing:,} of {counted(system.examples, 'example')} have no system message."
        )
        lines = system.without
        missing = finding(format_rules.SYSTEM_MISSING, message=message, line=lines[0])
        found.append(msgspec.structs.replace(missing, times=system.missing, lines=tuple(lines)))
    if system.varies:
        found.append(finding(format_rules.SYSTEM_VARIES, line=system.other))
    return found


def to_json(scan: SpanScan | FileScan) -> bytes:
    """A scan as JSON."""
    return msgspec.json.encode(
        msgspec.structs.replace(scan, fingerprints=Fingerprints())
        if isinstance(scan, FileScan)
        else scan
    )


def span_scan_from_json(data: bytes) -> SpanScan:
    """The span's scan that to_json wrote."""
    return msgspec.json.decode(_of_today(data), type=SpanScan)


def file_scan_from_json(data: bytes) -> FileScan:
    """The file's scan that to_json wrote."""
    return msgspec.json.decode(_of_today(data), type=FileScan)


def _of_today(data: bytes) -> bytes:
    """A scan that an earlier release wrote, where a finding's fix was called `mend`."""
    # In a text the quotes of such a key are escaped.
    return data.replace(b',"mend":', b',"fix":')
