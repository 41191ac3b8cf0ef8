"""Scanning a file: span by span, each on its own, or whole.

A line belongs to the span in which its first byte lies, so that spans can be scanned anywhere and merged exactly. A byte-order mark
is skipped at the start of the file; line ends are LF or CRLF; a last line without an end and blank lines at the end are accepted.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from . import formats, lines, messages, reading, rules, tokens
from .findings import finding
from .reading import BLOCK_BYTES, MAX_LINE_BYTES, FileSource, Source, SourceTruncated, Span, content_hash_of, spans
from .results import FileScan, Place, ScanOptions, SpanScan, file_scan_from_json, merge, span_scan_from_json, to_json
from .shapes import JsonObject
from .tokens import ExampleTokens

__all__ = [
    "BLOCK_BYTES",
    "MAX_LINE_BYTES",
    "FileScan",
    "FileSource",
    "ScanOptions",
    "Source",
    "SourceTruncated",
    "Span",
    "SpanScan",
    "content_hash_of",
    "file_scan_from_json",
    "merge",
    "scan_file",
    "scan_source",
    "scan_span",
    "span_scan_from_json",
    "spans",
    "to_json",
]

_BATCH_BYTES = 2**18
_KINDS = {
    b"\x1f\x8b": "a gzip archive",
    b"PK\x03\x04": "a zip archive or an office document",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Obj\x01": "an Avro file",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class _Read(msgspec.Struct):
    """A line that was read: its number in the span and what it holds."""

    number: int
    line: lines.Line


class _SpanScanner:
    """Takes the lines of one span in order; examples are counted in batches, and findings stay in the order of lines."""

    def __init__(self, result: SpanScan, options: ScanOptions) -> None:
        self._result = result
        self._options = options
        self._counter = tokens.counter(options.model.encoding)
        self._batch: list[_Read] = []
        self._batch_bytes = 0

    def take(self, raw: bytes | None) -> None:
        """Take the next line; None where it was too long to keep."""
        if raw is not None and lines.is_blank(raw):
            self._result.lines += 1
            self._result.open_blanks += 1
            return
        if self._result.open_blanks:
            self.flush()
            self._result.close_blanks()
        self._result.lines += 1
        line = lines.decode(raw) if raw is not None else lines.Line(None, [finding(rules.LINE_TOO_LONG)])
        self._batch.append(_Read(self._result.lines, line))
        self._batch_bytes += len(raw or b"")
        if self._batch_bytes >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Check and count what was taken."""
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        supported = [read.line.value for read in batch if read.line.value is not None and self._format(read.line.value) in formats.CHECKS]
        counted = iter(tokens.count_all(supported, self._counter))
        for read in batch:
            for found in read.line.findings:
                self._result.tally.add(found, read.number)
            if read.line.value is not None:
                self._example(read.number, read.line.value, counted)

    def _format(self, example: JsonObject) -> str:
        return formats.recognise(example, self._options.model)

    def _example(self, number: int, example: JsonObject, counted: Iterator[ExampleTokens | None]) -> None:
        name = self._format(example)
        self._result.examples += 1
        self._result.formats.setdefault(name, Place(number, 0)).number += 1
        if name not in formats.CHECKS:
            return
        for found in formats.CHECKS[name](example, self._options.model):
            self._result.tally.add(found, number)
        self._tokens(number, next(counted), has_messages=messages.messages_of(example) != [])
        self._conversation(example)

    def _tokens(self, number: int, counted: ExampleTokens | None, has_messages: bool) -> None:
        limit = self._options.model.max_example_tokens
        if counted is None:
            self._result.tally.add(finding(rules.UNCOUNTABLE), number)
        elif has_messages:
            self._result.total.add(counted.total)
            self._result.assistant.add(counted.assistant)
            self._result.trained.add(counted.trained)
            if counted.total > limit:
                self._result.over_limit += 1
                message = f"The example has {counted.total} tokens; the model takes {limit}."
                self._result.tally.add(finding(rules.TOKEN_LIMIT, message=message), number)

    def _conversation(self, example: JsonObject) -> None:
        given = messages.messages_of(example)
        for role in filter(None, map(messages.role_of, given)):
            self._result.messages_by_role[role] = self._result.messages_by_role.get(role, 0) + 1
        if given:
            prompts = (message.get("content") for message in given if messages.role_of(message) in messages.PROMPTS)
            system = next(prompts, None)
            self._result.system.add(_digest(system) if isinstance(system, str) else "")
            self._result.image_examples += self._result.images.add(given)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _kind(head: bytes) -> str:
    return next((kind for magic, kind in _KINDS.items() if head.startswith(magic)), "")


def scan_span(source: Source, span: Span, options: ScanOptions) -> SpanScan:
    """Scan the lines that begin in a span.

    Raises:
        SourceTruncated: The source changed while it was read.
        VocabularyDamaged: The package's vocabulary is damaged.
    """
    result = SpanScan(span.start, span.stop, kind="" if span.start else _kind(reading.head_of(source)))
    digests = reading.BlockDigests(options.block_bytes)
    scanner = _SpanScanner(result, options)
    for raw in reading.lines_of(source, span, digests, options.max_line_bytes):
        at_start = span.start == 0 and result.lines == 0
        scanner.take(raw.removeprefix(lines.BOM) if at_start and raw is not None else raw)
    scanner.flush()
    result.block_digests = digests.finish()
    return result


def scan_source(source: Source, options: ScanOptions, span_bytes: int = BLOCK_BYTES) -> FileScan:
    """Scan a whole file, span by span.

    Raises:
        SourceTruncated: The source changed while it was read.
        VocabularyDamaged: The package's vocabulary is damaged.
    """
    return merge([scan_span(source, span, options) for span in spans(source.size, span_bytes)], options)


def scan_file(path: Path | str, options: ScanOptions) -> FileScan:
    """Scan a file on disk.

    Raises:
        OSError: It can't be read, or changed while it was read.
        VocabularyDamaged: The package's vocabulary is damaged.
    """
    return scan_source(FileSource(path), options)
