"""One input, checked: what the engine found, with the file and the line in it that each finding
means.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from .. import CannotCheck
from ..counting import pricing
from ..counting.vocabulary import VocabularyDamaged
from ..models import base_models
from ..reading.file_spans import SourceTruncated
from ..rules.findings import Finding
from ..rules.rule import Severity
from ..scan import file_result, scanning
from . import grader_file, job_file, pairs, sources
from .inputs import Input
from .options import DEFAULT_MODEL


class Request(msgspec.Struct, frozen=True):
    """What inputs are checked for: the model, else that of the job.json beside them; what a
    probable secret is; the prices; how a job.json is read; and the grader, if they are for
    reinforcement and have one.
    """

    model: str | None = None
    secrets: Severity = "error"
    prices: pricing.PriceTable = msgspec.field(default_factory=pricing.prices)
    job_beside: Callable[[Path | None], job_file.Job] = job_file.beside
    grader: grader_file.Grader | None = None


class Placed(msgspec.Struct, frozen=True):
    """A finding and its file: the input itself, or one of its parts. `lines` are by their file."""

    file: str
    found: Finding
    lines: dict[str, list[int]] = msgspec.field(default_factory=dict[str, list[int]])


class Checked(msgspec.Struct, frozen=True):
    """An input and what was found; `scan` is None where it could not be brought to bytes."""

    input: Input
    job: job_file.Job
    model: base_models.KnownModel
    scan: file_result.FileScan | None
    findings: list[Placed]

    def number_of(self, severity: str) -> int:
        """All findings of this severity, also those that are not kept."""
        own = sum(placed.found.severity == severity for placed in self.findings)
        if self.scan is None:
            return own
        kept = sum(found.severity == severity for found in self.scan.findings)
        return own - kept + (self.scan.errors if severity == "error" else self.scan.warnings)

    @property
    def counts(self) -> dict[str, int]:
        """All findings by their code, also those of a folder, of a grader, or of what can't be
        scanned.
        """
        own = Counter(placed.found.code for placed in self.findings)
        if self.scan is not None:
            own -= Counter(found.code for found in self.scan.findings)
            own += Counter(self.scan.counts)
        return dict(sorted(own.items()))


def check_all(wanted: Sequence[Input], request: Request) -> Iterator[Checked]:
    """Check inputs in their order, and validation data against the training data that it belongs
    to, too.

    Raises:
        CannotCheck: The model isn't known, a file or job.json can't be read, or the package itself
            is damaged.
    """
    training = [pairs.training_of(one, wanted) for one in wanted]
    partners = {one.path: _check(one, request) for one in training if one is not None}
    grader = request.grader
    of_grader = [Placed(grader.file, found) for found in grader.findings] if grader else []
    for one, partner in zip(wanted, training, strict=True):
        if partner is not None:
            checked = _check(one, request, partners[partner.path].scan)
        else:
            checked = partners.get(one.path) or _check(one, request)
        yield msgspec.structs.replace(checked, findings=[*of_grader, *checked.findings])
        of_grader = []  # one grader for all: it is told of once


def _check(
    wanted: Input, request: Request, training: file_result.FileScan | None = None
) -> Checked:
    job = request.job_beside(wanted.home)
    model = _base(request.model or job.model or DEFAULT_MODEL)
    own = [Placed(wanted.path, found) for found in wanted.findings]
    try:
        with sources.opened(wanted) as source:
            options = scanning.ScanOptions(
                model=model, role=wanted.role, method=job.method, secrets=request.secrets
            )
            if request.grader is not None:
                options = msgspec.structs.replace(
                    options, method=base_models.REINFORCEMENT, grader_fields=request.grader.fields
                )
            found = _scanned(wanted, source, options)
            if training is not None:
                found = scanning.compared(found, training, options)
            return Checked(
                wanted, job, model, found, [*own, *_placed(wanted, source, found.findings)]
            )
    except sources.Refused as refused:
        file = wanted.path if refused.part is None else str(refused.part)
        return Checked(wanted, job, model, None, [*own, Placed(file, refused.finding)])


def _scanned(
    wanted: Input, source: scanning.Source, options: scanning.ScanOptions
) -> file_result.FileScan:
    try:
        if isinstance(source, scanning.FileSource):
            return scanning.scan_file(wanted.parts[0], options)
        return scanning.scan_source(source, options)
    except VocabularyDamaged as damaged:
        raise CannotCheck(str(damaged)) from None
    except SourceTruncated:
        raise CannotCheck(f"{wanted.path} changed while it was read. Check it again.") from None


def _base(name: str) -> base_models.KnownModel:
    try:
        return base_models.base_model(name)
    except base_models.UnknownModel as unknown:
        raise CannotCheck(str(unknown)) from None


def _placed(wanted: Input, source: scanning.Source, findings: list[Finding]) -> Iterator[Placed]:
    """Each finding with its file; of a folder, the lines in its parts."""
    lines = {line for found in findings for line in (found.line, *found.lines) if line}
    places = source.place_of(lines) if isinstance(source, sources.JoinedSource) else {}
    whole = str(wanted.parts[0]) if len(wanted.parts) == 1 else wanted.path
    for found in findings:
        part, line = places.get(found.line or 0, (None, found.line))
        file = str(wanted.parts[part]) if part is not None else whole if line else wanted.path
        by_file: dict[str, list[int]] = {}
        for number in found.lines:
            part, number_there = places.get(number, (None, number))
            by_file.setdefault(whole if part is None else str(wanted.parts[part]), []).append(
                number_there
            )
        yield Placed(file, msgspec.structs.replace(found, line=line), by_file)
