"""Scanning a file: span by span, each on its own, or whole.

A byte-order mark is skipped at the start of the file; line ends are LF or CRLF; a last line without
an end and blank lines at the end are accepted.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ..counting import counters
from ..reading import file_spans, lines
from ..reading.file_spans import (
    BLOCK_BYTES,
    MAX_LINE_BYTES,
    FileSource,
    Source,
    SourceTruncated,
    Span,
    content_hash_of,
    spans,
)
from . import workers
from .file_result import (
    FileScan,
    compared,
    file_scan_from_json,
    merge,
    span_scan_from_json,
    to_json,
)
from .span_result import COUNTING_VERSION, ScanOptions, SpanScan, SpansDontFit
from .span_scanner import SpanScanner

__all__ = [
    "BLOCK_BYTES",
    "COUNTING_VERSION",
    "MAX_LINE_BYTES",
    "FileScan",
    "FileSource",
    "ScanOptions",
    "Source",
    "SourceTruncated",
    "Span",
    "SpanScan",
    "SpansDontFit",
    "compared",
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


PROCESSES_PAY_BYTES = 2 * BLOCK_BYTES

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


def _kind(head: bytes) -> str:
    return next((kind for magic, kind in _KINDS.items() if head.startswith(magic)), "")


def scan_span(source: Source, span: Span, options: ScanOptions) -> SpanScan:
    """Scan the lines that begin in a span.

    Raises:
        SourceTruncated: The source changed while it was read.
        VocabularyDamaged: The package's vocabulary is damaged.
    """
    head = b"" if span.start else file_spans.head_of(source)
    result = SpanScan(span.start, span.stop, kind=_kind(head), counting_version=COUNTING_VERSION)
    digests = file_spans.BlockDigests(options.block_bytes)
    result.opens_array = lines.opens_array(head)
    scanner = SpanScanner(result, options)
    at_start = span.start == 0
    for window, block in file_spans.blocks_of(
        source, span, digests, options.max_line_bytes, options.window_bytes
    ):
        scanner.enter(window)
        # A mark alone is a blank line.
        scanner.take(
            (block.removeprefix(lines.BOM) or b"\n") if at_start and block is not None else block
        )
        at_start = False
    scanner.finish()
    result.block_digests = digests.finish()
    return result


def scan_source(
    source: Source, options: ScanOptions, span_bytes: int = BLOCK_BYTES, threads: int | None = None
) -> FileScan:
    """Scan a whole source, span by span, on so many threads, or one a processor.

    Raises:
        SourceTruncated: The source changed while it was read.
        VocabularyDamaged: The package's vocabulary is damaged.
    """
    wanted = spans(source.size, span_bytes)
    threads = min(threads or processors(), len(wanted))
    if threads == 1:
        return merge((scan_span(source, span, options) for span in wanted), options, source.size)
    # A line belongs to the span in which its first byte lies, so that spans can be scanned anywhere
    # and merged exactly.
    with ThreadPoolExecutor(threads, "scan") as pool:
        return merge(
            workers.in_order(pool, partial(scan_span, source, options=options), wanted, threads),
            options,
            source.size,
        )


def scan_file(path: Path | str, options: ScanOptions) -> FileScan:
    """Scan a file on disk, a big one in processes where that is safe.

    Raises:
        OSError: It can't be read, or changed while it was read.
        VocabularyDamaged: The package's vocabulary is damaged.
    """
    source = FileSource(path)
    processes = processors()
    wanted = _shares(source.size, processes)
    if processes == 1 or source.size < PROCESSES_PAY_BYTES or not workers.may_fork():
        return scan_source(source, options)
    counters.counter(options.model.encoding)  # so that the processes share one vocabulary
    parts = workers.by_forks(
        partial(scan_span, source, options=options), wanted, min(processes, len(wanted))
    )
    return merge(parts, options, source.size)


def _shares(size: int, processes: int) -> list[Span]:
    """Spans of two blocks, whose texts are counted in one go, and at the end of one, so that the
    processes are done at the same time.
    """
    blocks = -(-size // BLOCK_BYTES)
    shares: list[Span] = []
    while (begin := shares[-1].stop if shares else 0) < size:
        left = blocks - begin // BLOCK_BYTES
        shares.append(Span(begin, min(begin + (2 if left > processes else 1) * BLOCK_BYTES, size)))
    return shares


def processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
