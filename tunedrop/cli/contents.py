"""The files of a drop before and while they are sent: whether they are JSON Lines at all, and their
bytes.
"""

import json
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunedrop.cli.naming import Layout, NotADrop, Upload
from tunedrop_check import CannotCheck

if TYPE_CHECKING:
    from tunedrop_check.command.inputs import Input
    from tunedrop_check.reading.drop_names import Role
    from tunedrop_check.reading.file_spans import Source
    from tunedrop_check.rules.findings import Finding

HEAD_BYTES = 2**20
MAGIC_BYTES = 8
LINES_LOOKED_AT = 100
# Any known one: what is looked at here is no matter of the model.
MODEL = "gpt-4.1-mini-2025-04-14"


@dataclass(frozen=True)
class Ready:
    """One upload that was looked into, with its bytes."""

    upload: Upload
    source: "Source"
    notes: tuple[str, ...] = ()
    """What should be known all the same, such as an unfinished folder."""


@contextmanager
def ready(layout: Layout) -> Generator[list[Ready]]:
    """Looks into every file of a drop, and keeps open what was unpacked or joined for it until all
    is sent.

    Raises:
        NotADrop: a file can't be read, is too large, or is no JSON Lines; the message says why.
    """
    with ExitStack() as kept:
        yield [_looked_into(upload, kept) for upload in layout.uploads]


def _looked_into(upload: Upload, kept: ExitStack) -> Ready:
    # msgspec and numpy, 0.3 s: only where something is dropped.
    from tunedrop_check.reading.file_spans import FileSource

    try:
        if upload.data is None:
            return Ready(upload, FileSource(upload.path))
        wrong = next((found for found in upload.data.findings if found.severity == "error"), None)
        if wrong is not None:
            raise NotADrop(_against(upload, wrong))
        source = kept.enter_context(_source(upload, upload.data))
        if reason := _reason(upload, upload.data, source):
            raise NotADrop(reason)
        notes = (
            *upload.data.notes,
            *(f"{upload.path}: {found.message}" for found in upload.data.findings),
        )
        return Ready(upload, FileSource(upload.path) if upload.as_it_is else source, notes)
    except OSError as error:
        raise NotADrop(
            f"{upload.path} can't be read: {error.strerror or type(error).__name__}."
        ) from None


@contextmanager
def _source(upload: Upload, data: "Input") -> Generator["Source"]:
    from tunedrop_check.command import sources  # as above

    try:
        with sources.opened(data) as source:
            yield source
    except CannotCheck as why:
        raise NotADrop(str(why)) from None
    except sources.Refused as refused:
        raise NotADrop(_against(upload, refused.finding)) from None


def _reason(upload: Upload, data: "Input", source: "Source") -> str | None:
    """Why this is no file to train on, whatever its examples are; None where its report tells."""
    from tunedrop_check.rules import format_rules  # as above
    from tunedrop_check.scan.file_result import MAX_FILE_BYTES

    if source.size >= MAX_FILE_BYTES:
        return (
            f"{upload.path}: {format_rules.FILE_TOO_LARGE.explanation} "
            f"{format_rules.FILE_TOO_LARGE.fix}"
        )
    head = b"".join(source.read(0, min(source.size, HEAD_BYTES)))
    whole = source.size <= HEAD_BYTES
    if _mostly_objects(head, whole=whole) and not _of_another_kind(head):
        return None
    return _told(upload, data, head if whole else head[: head.rfind(b"\n") + 1] or head)


def _of_another_kind(head: bytes) -> bool:
    """Whether the first bytes are those of an archive or a document."""
    from tunedrop_check.rules import format_rules  # as above

    # One that isn't compressed can hold whole lines of JSON.
    return any(
        found.code == format_rules.NOT_TEXT.code
        for found in _findings(head[:MAGIC_BYTES], "training")
    )


def _mostly_objects(head: bytes, *, whole: bool) -> bool:
    """Whether most of the first lines are JSON objects."""
    # Of a long file the last line that was read may be cut.
    lines = [
        line
        for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[: None if whole else -1]
        if line.strip()
    ][:LINES_LOOKED_AT]
    return sum(map(_is_object, lines)) * 2 > len(lines) if lines else not whole


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _told(upload: Upload, data: "Input", head: bytes) -> str | None:
    """The checker's own words for what the file is instead; None for faults of examples only."""
    errors = [
        one
        for one in _findings(head, data.role)
        if one.severity == "error" and one.code not in _told_by_the_report()
    ]
    first = next((one for one in errors if one.line is None), next(iter(errors), None))
    return _against(upload, first) if first else None


def _told_by_the_report() -> set[str]:
    """Errors of a whole file that don't speak of its form."""
    from tunedrop_check.rules import format_rules  # as above

    of_examples = (
        format_rules.TOO_FEW_EXAMPLES,
        format_rules.FORMAT_UNSUPPORTED,
        format_rules.FORMATS_MIXED,
    )
    of_the_model = (
        format_rules.TOO_MANY_IMAGE_EXAMPLES,
        format_rules.METHOD_NOT_OFFERED,
        format_rules.METHOD_MISMATCH,
    )
    # Such a file is JSON Lines, and its run's report tells the rest.
    return {rule.code for rule in (*of_examples, *of_the_model)}


def _findings(content: bytes, role: "Role") -> list["Finding"]:
    from tunedrop_check.models import base_models
    from tunedrop_check.scan import scanning  # as above

    return scanning.scan_source(
        _Bytes(content),
        scanning.ScanOptions(model=base_models.base_model(MODEL), role=role, watched=False),
    ).findings


def _against(upload: Upload, found: "Finding") -> str:
    what = (
        f"{upload.path}: "
        if found.line is None
        else f"{upload.path} is no JSON Lines. Line {found.line}: "
    )
    return f"{what}{found.message} {found.fix} Nothing was sent; `check` tells more."


class _Bytes:
    """Bytes as a source of the check engine."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop)."""
        yield self._content[start:stop]
