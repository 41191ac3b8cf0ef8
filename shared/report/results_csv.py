"""The service's results.csv: one row of metrics per training step. Source: the fine-tuning guide
for the columns.
"""

import base64
import binascii
import csv
import io
import math
import re
from collections.abc import Mapping

from shared.report.model import CurvePoint

_METRICS = {
    "train_loss": "train_loss",
    "valid_loss": "valid_loss",
    "full_valid_loss": "full_valid_loss",
    "train_mean_token_accuracy": "train_mean_token_accuracy",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
    "validation_mean_token_accuracy": "valid_mean_token_accuracy",
    "full_valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
}

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.ASCII | re.IGNORECASE
)


class ResultsUnreadable(ValueError):
    """The file is no table of training steps; names the row, from 1 after the header, if there is
    one.
    """

    def __init__(self, reason: str, row: int | None = None) -> None:
        self.row = row
        super().__init__(
            f"results.csv {reason}" if row is None else f"results.csv {reason} in row {row}"
        )


# The validation accuracy is `validation_mean_token_accuracy` in the guide and
# `valid_mean_token_accuracy` in the job's events, so either is read; cells of steps without a
# validation are empty. Azure sends plain text; OpenAI sends the same text in base64, which is tried
# second.
def parse_results(content: bytes) -> list[CurvePoint]:
    """The metrics of each step, in the order of the steps; unknown columns are left aside.

    Raises:
        ResultsUnreadable: neither the text nor its base64 decoding is a table with a `step` column,
            or a cell is no number.
    """
    lines = _table(content)
    try:
        rows = csv.DictReader(lines, skipinitialspace=True, strict=True)
        # A metric that is not finite (a diverged training) is absent from its point.
        points = [_point(row, number) for number, row in enumerate(rows, start=1)]
    except csv.Error:
        raise ResultsUnreadable("is not well-formed CSV") from None
    return sorted(points, key=lambda point: point.step)


def harmless(content: bytes) -> bytes:
    """The same table with an apostrophe before each cell that a spreadsheet would run."""
    text = content.decode("utf-8-sig", "replace")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        rows = [[line] for line in text.splitlines()]
    # Numbers keep their signs. Source of the first characters: OWASP, CSV injection, and their
    # full-width forms.
    inert = [[_inert(cell) for cell in row] for row in rows]
    # Without such a cell, the same bytes.
    if inert == rows:
        return content
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(inert)
    return written.getvalue().encode()


def _inert(cell: str) -> str:
    bare = cell.strip()
    runs = cell.startswith(("\t", "\r")) or (
        bare.startswith(RUN_BY_SPREADSHEETS) and not NUMBER.fullmatch(bare)
    )
    return f"'{cell}" if runs else cell


def _table(content: bytes) -> list[str]:
    for decode in (bytes, _from_base64):
        try:
            lines = decode(content).decode("utf-8-sig").splitlines()
        except (UnicodeDecodeError, binascii.Error):
            continue
        if lines and "step" in (name.strip() for name in lines[0].split(",")):
            return [",".join(name.strip() for name in lines[0].split(",")), *lines[1:]]
    raise ResultsUnreadable("has no header with a step column")


def _from_base64(content: bytes) -> bytes:
    return base64.b64decode(b"".join(content.split()), validate=True)


def _point(row: Mapping[str | None, str | list[str] | None], number: int) -> CurvePoint:
    step = _number(row.get("step"), number)
    if step is None or not step.is_integer():
        raise ResultsUnreadable("has no whole step", number)
    metrics: dict[str, float] = {}
    for column, field in _METRICS.items():
        value = _number(row.get(column), number)
        if value is not None:
            metrics[field] = value
    return CurvePoint(step=int(step), **metrics)


def _number(cell: str | list[str] | None, row: int) -> float | None:
    if cell is None or not isinstance(cell, str) or not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError:
        raise ResultsUnreadable("has a cell that is not a number", row) from None
    return value if math.isfinite(value) else None
