"""A report as a page and as a file. The page stands alone: style and charts are inside it, no
script, no link, no request to anywhere.
"""

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from shared.report import charts, display, explaining, words
from shared.report.model import DataPart, DeploymentPart, FindingPart, Outcome, Report
from shared.runs.hosting import capacity_unit
from tunedrop_check.counting.money import usd

_HERE = Path(__file__).parent

_LABELS: Final[dict[Outcome, tuple[str, str]]] = {
    "succeeded": ("Succeeded", "good"),
    "rejected": ("Rejected", "bad"),
    "not_better": ("Not better", "warn"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Cancelled", "calm"),
    "expired": ("Expired", "warn"),
    "superseded": ("Superseded", "calm"),
    "duplicate": ("Duplicate", "calm"),
}


def to_json(report: Report) -> bytes:
    """report.json: UTF-8, indented, as docs/schemas/report.schema.json describes it."""
    return report.model_dump_json(indent=2).encode() + b"\n"


# Its content security policy allows nothing but its own style. Everything that comes from a drop or
# a service is escaped and, through `visible`, cleared of characters that hide or reorder text.
def to_html(report: Report) -> str:
    """report.html: one self-contained page, verdict first."""
    label, tone = _LABELS[report.outcome]
    style = _style()
    return _template().render(
        report=report,
        label=label,
        tone=tone,
        billing=explaining.billing(report),
        from_data=explaining.question(report),
        prices=explaining.prices(report),
        trained=explaining.trained(report),
        worst_case=explaining.worst_case(report),
        verdicts=words.SMOKE_VERDICTS,
        style=Markup(style),  # noqa: S704 - our own file, no data in it
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        errors=_findings(report, "error"),
        warnings=_findings(report, "warning"),
        errors_caption=_caption(report, "error"),
        warnings_caption=_caption(report, "warning"),
        distribution=_distribution,
        curve=_curve(report),
        curve_text=charts.describe_curve(report.training.curve) if report.training else "",
    )


def _findings(report: Report, severity: str) -> list[tuple[DataPart, FindingPart]]:
    return [
        (part, finding)
        for part in report.data
        for finding in part.findings
        if finding.severity == severity
    ]


def _caption(report: Report, severity: str) -> str:
    """How many findings of this severity are listed, of how many there are."""
    total = sum(part.errors if severity == "error" else part.warnings for part in report.data)
    return display.shown_of(len(_findings(report, severity)), total, severity)


def _lines(finding: FindingPart) -> str:
    """lines 2, 3, 7 and 19 more."""
    rest = finding.times - len(finding.lines)
    return f"lines {', '.join(map(str, finding.lines))}" + (f" and {rest:,} more" if rest else "")


def _capacity(deployment: DeploymentPart) -> str:
    """50 thousand tokens a minute, or 2 provisioned throughput units."""
    unit, amount = capacity_unit(deployment.sku), deployment.capacity
    return (
        display.counted(amount, unit)
        if unit.endswith("unit")
        else f"{display.number(amount)} {unit}"
    )


def _distribution(part: DataPart) -> Markup:
    if part.total is None:
        return Markup()
    svg = charts.token_distribution(
        part.histogram, part.total, f"Tokens per example, {part.role} file"
    )
    return Markup(svg)  # noqa: S704 - serialized by ElementTree, which escapes


def _curve(report: Report) -> Markup:
    svg = (
        charts.loss_curve(report.training.curve, "Loss during training") if report.training else ""
    )
    return Markup(svg)  # noqa: S704 - serialized by ElementTree, which escapes


def _finalize(value: object) -> object:
    return (
        display.visible(value)
        if isinstance(value, str) and not isinstance(value, Markup)
        else value
    )


@cache
def _style() -> str:
    return (_HERE / "report.css").read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "capacity": _capacity,
        "clock": display.clock,
        "counted": display.counted,
        "duration": display.duration,
        "lines": _lines,
        "moment": display.moment,
        "number": display.number,
        "reading": words.reading,
        "setting": words.setting,
        "size": display.size,
        "step": words.step,
        "usd": usd,
    }
    environment.filters.update(filters)
    return environment.get_template("template.html.j2")
