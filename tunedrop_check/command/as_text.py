"""A check, a rule and a fixed copy as lines for people, with roles instead of colours: who prints
them decides how each looks.

Everything that comes from data or from a name is made visible here, once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..counting.money import amount
from ..rules import format_rules
from ..rules.findings import KEPT
from ..rules.visible_text import visible
from ..rules.wording import counted
from . import examples, explaining
from .fixing import CHANGES, MAX_REMEMBERED
from .places import sentence

Style = Literal["plain", "strong", "faint", "error", "warning", "good", "bar"]

# Findings of one rule that are listed; the rest is counted.
SHOWN = 10
DOCUMENTED = "docs/data-formats.md, section Rules"
MEANINGS = {
    "error": "a run with such data is rejected before anything is uploaded or paid",
    "warning": (
        "a run continues, and its report shows the warning; tunedrop check --strict ends with code "
        "1"
    ),
}
_FIGURES = ("sum", "min", "max", "mean", "median", "p5", "p95")
_BAR = 32
_EIGHTHS = " ▏▎▍▌▋▊▉"


class Span(NamedTuple):
    """A piece of a line, and how it is meant."""

    text: str
    style: Style = "plain"


Line = list[Span]


def report(files: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """Findings and figures of all files, each file apart; then a sum where there are several."""
    for number, file in enumerate(files):
        if number:
            yield []
        yield from _file(file)
    if len(files) > 1:
        yield []
        yield from _sum(files)


def _file(file: Mapping[str, Any]) -> Iterator[Line]:
    yield [Span(visible(file["path"]), "strong"), Span(_parts(file))]
    yield from _findings(file)
    for note in file["notes"]:
        yield [Span("  note        ", "faint"), Span(visible(note))]
    yield _fact("examples", f"{file['examples']:,}", f"  {file['format']}, for {file['model']}")
    if file["messages"]:
        yield _fact(
            "messages", ", ".join(f"{number:,} {role}" for role, number in file["messages"].items())
        )
    yield from _tokens(file)
    yield from _cost(file["cost"])
    yield _verdict(file["errors"], file["warnings"])


def _parts(file: Mapping[str, Any]) -> str:
    return f", {counted(file['parts'], 'part')}" if file["parts"] > 1 else ""


def _fact(name: str, value: str, more: str = "") -> Line:
    return [Span(f"  {name:<11} ", "faint"), Span(value), Span(more, "faint")]


# --- Findings


def _findings(file: Mapping[str, Any]) -> Iterator[Line]:
    """One heading a rule, errors first, and below it the places."""
    groups: dict[str, list[Mapping[str, Any]]] = {code: [] for code in file["counts"]}
    for finding in file["findings"]:
        groups.setdefault(finding["code"], []).append(finding)
    severities: dict[str, format_rules.Severity] = {
        code: found[0]["severity"] if found else format_rules.RULES[code].severity
        for code, found in groups.items()
    }
    for code in sorted(groups, key=lambda code: (severities[code], code)):
        # A heading stands alone where there are more findings than are kept.
        yield from _group(code, severities[code], groups[code], file["counts"].get(code, 0))


def _group(
    code: str, severity: format_rules.Severity, found: list[Mapping[str, Any]], times_counted: int
) -> Iterator[Line]:
    rule, number = format_rules.RULES[code], max(times_counted, len(found))
    times = f" ({number:,})" if number > 1 else ""
    yield [
        Span(f"  {severity} {code}", severity),
        Span(f" {rule.title}{times}", "strong"),
        Span(f" — {rule.fix}"),
    ]
    shown = found[:SHOWN]
    for finding in shown:
        yield _place(finding)
    if number > len(shown):
        rest = (
            f"and {number - len(shown):,} more"
            if shown
            else f"not listed: {KEPT} other {severity}s come before"
        )
        yield [Span(f"    {rest}", "faint")]


def _place(finding: Mapping[str, Any]) -> Line:
    place = visible(finding["file"]) + (f":{finding['line']}" if finding["line"] else "")
    field = f" {visible(finding['field'])}" if finding["field"] else ""
    return [
        Span(f"    {place}", "strong"),
        Span(f"{field}  {visible(finding['message'])}{sentence(finding)}"),
    ]


# --- Figures


def _tokens(file: Mapping[str, Any]) -> Iterator[Line]:
    known = {name: figures for name, figures in file["tokens"].items() if figures}
    if not known:
        return
    rows = {
        name: [_number(figures[figure]) for figure in _FIGURES] for name, figures in known.items()
    }
    widths = [
        max(len(text) for text in column) for column in zip(_FIGURES, *rows.values(), strict=True)
    ]
    yield [Span("  tokens      ", "faint"), Span(_row(_FIGURES, widths), "faint")]
    for name, row in rows.items():
        yield [Span(f"   {name:<11}"), Span(_row(row, widths))]
    by_estimate = (
        f", {file['over_by_estimate']:,} of them only by an estimate"
        if file["over_by_estimate"]
        else ""
    )
    yield _fact(
        "too long",
        f"{file['over_limit']:,}",
        f"  over {file['max_example_tokens']:,} tokens{by_estimate}",
    )
    yield from _images(file["images"])
    yield from _at_most(file["at_most"])
    yield from _histogram(known["total"]["histogram"])


def _images(images: Mapping[str, Any] | None) -> Iterator[Line]:
    if images is not None:
        assumed = f", {images['assumed']:,} of them of unknown size" if images["assumed"] else ""
        yield _fact(
            "images",
            f"{images['images']:,}{assumed}",
            f"  about {images['tokens']:,} tokens more, an estimate",
        )


_BEYOND = {
    "declared": "tools and formats",
    "other": "other fields",
    "images": "images",
    "uncounted": "lines that can't be counted",
}


def _at_most(bound: Mapping[str, int]) -> Iterator[Line]:
    """The upper bound: what is sure in it, and each part that is estimated."""
    estimated = ", ".join(
        f"{bound[part]:,} for {name}" for part, name in _BEYOND.items() if bound[part]
    )
    # Only where it is more than the count.
    if estimated:
        yield _fact(
            "at most",
            f"{bound['tokens']:,} tokens",
            f"  {bound['counted']:,} counted; an estimate: {estimated}",
        )


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _histogram(bins: Sequence[Mapping[str, int]]) -> Iterator[Line]:
    """Examples by their tokens, a bar each; a bin that isn't empty has at least a sliver."""
    most = max(found["count"] for found in bins)
    ranges = [
        f"{low:,}" if low == high else f"{low:,}-{high:,}"
        for low, high in ((found["low"], found["high"]) for found in bins)
    ]
    for name, found in zip(ranges, bins, strict=True):
        eighths = -(-found["count"] * _BAR * 8 // most)
        bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        yield [
            Span(f"   {name.rjust(max(map(len, ranges)))} ", "faint"),
            Span(bar, "bar"),
            Span(f" {found['count']:,}"),
        ]


def _cost(cost: Mapping[str, Any] | None) -> Iterator[Line]:
    if cost is None:
        return
    chosen = (
        "as in job.json"
        if cost["epochs_chosen_by"] == "job.json"
        else "the service is expected to choose this number"
    )
    yield _fact("epochs", f"{cost['epochs']}", f"  {chosen}")
    yield _fact("billed", f"{cost['billed_tokens']:,} tokens")
    dated = f"  {visible(cost['training_type'])}, prices of {cost['prices_as_of']}, an estimate"
    if cost["usd"] is None:
        yield _fact("price", "not known", dated)
    else:
        yield _fact(
            "price",
            f"{amount(cost['usd'])} USD",
            f" at {amount(cost['usd_per_million_tokens'])} a million;{dated[1:]}",
        )
        if cost["billed_tokens_at_most"] > cost["billed_tokens"]:
            most = f"at most {amount(cost['usd_at_most'])} USD"
            yield _fact(
                "",
                most,
                f"  for {cost['billed_tokens_at_most']:,} tokens, including all estimates",
            )


def _verdict(errors: int, warnings: int) -> Line:
    told: Line = [Span(counted(errors, "error"), "error")] if errors else []
    told += [Span(", ")] if errors and warnings else []
    told += [Span(counted(warnings, "warning"), "warning")] if warnings else []
    return [Span("  "), *told] if told else [Span("  no errors, no warnings", "good")]


def _sum(files: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    number, errors, warnings = (
        sum(file[name] for file in files) for name in ("examples", "errors", "warnings")
    )
    yield [Span(f"{counted(len(files), 'file')}, {counted(number, 'example')}", "strong")]
    yield _verdict(errors, warnings)


# --- Rules and fixed copies


def explained(rule: format_rules.Rule) -> Iterator[Line]:
    """One rule: what it is, why, its fix, an example broken and kept, its source and its page."""
    number = rule.code[-3:]
    broken, kept = examples.EXAMPLES[number]
    yield [Span(f"{rule.code} {rule.title}", "strong"), Span(f"  {rule.severity}", rule.severity)]
    yield _fact("why", rule.explanation)
    yield _fact("fix", rule.fix)
    yield _fact("means", MEANINGS[rule.severity])
    yield _fact("wrong", broken)
    yield _fact("right", kept)
    yield _fact("source", examples.source_of(number))
    yield _fact("more", DOCUMENTED)


def explained_code(code: explaining.RunCode) -> Iterator[Line]:
    """A code of a run: what its documentation says."""
    yield [Span(code.code, "strong"), Span("  of a run, not of data", "faint")]
    yield _fact("why", code.explanation)
    yield _fact("more", code.documented)


def fixed(told: Mapping[str, Any]) -> Iterator[Line]:
    """What a fixed copy has that its original hasn't."""
    yield [Span(visible(told["to"]), "strong"), Span(f", fixed from {visible(told['from'])}")]
    changes = {name: number for name, number in told["changes"].items() if number}
    for name, number in changes.items():
        yield _fact("changed", f"{CHANGES[name]}: {number:,}")
    if not changes:
        yield _fact("changed", "nothing")
    if not told["all_lines_remembered"]:
        yield _fact(
            "note",
            f"duplicates were searched only among the first {MAX_REMEMBERED:,} different objects",
        )
    yield []
