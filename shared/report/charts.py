"""The two charts of a report, as SVG: how long the examples are, and how the loss fell. Pure
functions from figures to markup.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from shared.report.display import number
from shared.report.model import Bin, CurvePoint, Tokens
from tunedrop_check.rules.wording import counted

_WIDTH, _HEIGHT = 640, 250
_LEFT, _RIGHT, _BOTTOM = 52, 12, 40
_ROWS = (12, 29, 46)  # baselines above the plot: one label each, so that none can cover another
_MAX_POINTS = 2 * _WIDTH
_LETTER = 8.5  # generous width of a letter, as the page sets the text larger on a phone


@dataclass(frozen=True)
class _Frame:
    """Maps values to the plot area."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    top: float

    def x(self, value: float) -> float:
        share = (value - self.x_low) / ((self.x_high - self.x_low) or 1)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 2)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / ((self.y_high - self.y_low) or 1)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - self.top - _BOTTOM), 2)


def token_distribution(bins: Sequence[Bin], tokens: Tokens, title: str) -> str:
    """Bars of examples per range of tokens, with marks at the median and the 95th percentile. No
    bins give no chart.
    """
    if not bins:
        return ""
    frame = _Frame(
        bins[0].low, bins[-1].high + 1, 0, _ceiling(max(b.count for b in bins)), top=_ROWS[2] + 6
    )
    svg = _svg(title, describe_distribution(bins, tokens))
    _axes(
        svg,
        frame,
        _ticks(frame.x_low, frame.x_high, 7),
        _whole_ticks(frame.y_high),
        ("tokens per example", "examples"),
    )
    for b in bins:
        left, right = frame.x(b.low), frame.x(b.high + 1)
        if b.count:
            # One example among thousands must still be seen.
            top = min(frame.y(b.count), _HEIGHT - _BOTTOM - 1)
            bar = _add(
                svg,
                "rect",
                x=left + 0.5,
                y=top,
                width=max(1, right - left - 1),
                height=_HEIGHT - _BOTTOM - top,
                class_="bar",
            )
            _add(
                bar, "title"
            ).text = f"{number(b.low)} to {number(b.high)} tokens: {counted(b.count, 'example')}"
    _mark(svg, frame.x(tokens.median), f"median {number(tokens.median)}", "mark", _ROWS[1])
    _mark(svg, frame.x(tokens.p95), f"p95 {number(tokens.p95)}", "mark dashed", _ROWS[2])
    return ET.tostring(svg, encoding="unicode")


def describe_distribution(bins: Sequence[Bin], tokens: Tokens) -> str:
    """The distribution as a sentence."""
    examples = counted(sum(b.count for b in bins), "example")
    return (
        f"{examples} of {number(tokens.min)} to {number(tokens.max)} tokens; half have at most "
        f"{number(tokens.median)}, "
        f"95 % at most {number(tokens.p95)}."
    )


def loss_curve(points: Sequence[CurvePoint], title: str) -> str:
    """Training and validation loss over the steps, with a legend. No loss at all gives no chart."""
    series = [(name, class_, values) for name, class_, values in _series(points) if values]
    if not series:
        return ""
    steps = [step for _, _, values in series for step, _ in values]
    losses = [loss for _, _, values in series for _, loss in values]
    low, high = -_ceiling(max(0, -min(losses))), _ceiling(max(0, *losses))
    frame = _Frame(min(steps), max(steps), low, high if high > low else 1, top=_ROWS[0] + 14)
    svg = _svg(title, describe_curve(points))
    _axes(svg, frame, _whole_steps(frame), _ticks(frame.y_low, frame.y_high, 5), ("step", "loss"))
    next_entry = float(_LEFT)
    for name, class_, values in series:
        placed = [(frame.x(step), frame.y(loss)) for step, loss in _thinned(values)]
        if len(placed) > 1:
            _add(
                svg,
                "polyline",
                points=" ".join(f"{x},{y}" for x, y in placed),
                class_=f"line {class_}",
                fill="none",
            )
        if len(placed) == 1 or (class_ != "train" and len(placed) <= 60):
            for x, y in placed:
                _add(svg, "circle", cx=x, cy=y, r=2.6, class_=f"dot {class_}")
        next_entry = _legend(svg, next_entry, name, class_)
    return ET.tostring(svg, encoding="unicode")


def describe_curve(points: Sequence[CurvePoint]) -> str:
    """The curve as a sentence or two; empty where nothing was measured."""
    return " ".join(_course(name, values) for name, _, values in _series(points) if values)


def _course(name: str, values: Sequence[tuple[int, float]]) -> str:
    (first, start), (last, end) = values[0], values[-1]
    if first == last:
        return f"{name} loss was {end:.3g} at step {last:,}."
    best, lowest = min(values, key=lambda value: value[1])
    lowest_text = "" if best == last else f", lowest {lowest:.3g} at step {best:,}"
    return (
        f"{name} loss went from {start:.3g} to {end:.3g} over steps {first:,} to "
        f"{last:,}{lowest_text}."
    )


def _series(points: Sequence[CurvePoint]) -> Iterator[tuple[str, str, list[tuple[int, float]]]]:
    ordered = sorted(points, key=lambda point: point.step)
    pick: tuple[tuple[str, str, Callable[[CurvePoint], float | None]], ...] = (
        ("Training", "train", lambda point: point.train_loss),
        ("Validation", "valid", lambda point: point.valid_loss),
        ("Full validation", "full", lambda point: point.full_valid_loss),
    )
    for name, class_, value_of in pick:
        yield (
            name,
            class_,
            [(point.step, value) for point in ordered if (value := value_of(point)) is not None],
        )


def _thinned(values: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most about two points per pixel column."""
    if len(values) <= _MAX_POINTS:
        return values
    stretch = math.ceil(len(values) / (_MAX_POINTS // 2))
    kept: list[tuple[int, float]] = []
    for start in range(0, len(values), stretch):
        part = values[start : start + stretch]
        # The lowest and highest of each stretch, so that spikes stay.
        kept += sorted(
            {min(part, key=lambda value: value[1]), max(part, key=lambda value: value[1])}
        )
    return kept


# Built as an XML tree, so that text in it is escaped by construction. Colours and line styles come
# from classes in report.css; lines also differ in their dashes, so that they can be told apart in
# greyscale.
def _svg(title: str, description: str) -> ET.Element:
    svg = ET.Element(
        "svg",
        {
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "role": "img",
            "class": "chart",
            "aria-label": title,
        },
    )
    _add(svg, "title").text = title
    _add(svg, "desc").text = description
    return svg


def _add(parent: ET.Element, tag: str, **attributes: object) -> ET.Element:
    return ET.SubElement(
        parent,
        tag,
        {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items()},
    )


def _axes(
    svg: ET.Element,
    frame: _Frame,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    names: tuple[str, str],
) -> None:
    for tick in y_ticks:
        y = frame.y(tick)
        _add(
            svg,
            "line",
            x1=_LEFT,
            x2=_WIDTH - _RIGHT,
            y1=y,
            y2=y,
            class_="grid" if tick else "axis",
            stroke="currentColor",
        )
        _add(svg, "text", x=_LEFT - 8, y=y + 4, text_anchor="end").text = f"{tick:,g}"
    for tick in x_ticks:
        x = frame.x(tick)
        _add(
            svg,
            "line",
            x1=x,
            x2=x,
            y1=_HEIGHT - _BOTTOM,
            y2=_HEIGHT - _BOTTOM + 4,
            class_="axis",
            stroke="currentColor",
        )
        _add(
            svg, "text", x=x, y=_HEIGHT - _BOTTOM + 18, text_anchor="middle"
        ).text = f"{tick:,.10g}"
    _add(
        svg, "text", x=_WIDTH - _RIGHT, y=_HEIGHT - 4, text_anchor="end", class_="name"
    ).text = names[0]
    _add(svg, "text", x=0, y=_ROWS[0], class_="name").text = names[1]


def _mark(svg: ET.Element, x: float, label: str, class_: str, row: float) -> None:
    _add(
        svg,
        "line",
        x1=x,
        x2=x,
        y1=row - 10,
        y2=_HEIGHT - _BOTTOM,
        class_=class_,
        stroke="currentColor",
    )
    side, anchor = (6, "start") if x < _WIDTH / 2 else (-6, "end")
    _add(svg, "text", x=x + side, y=row, text_anchor=anchor, class_="label").text = label


def _legend(svg: ET.Element, left: float, name: str, class_: str) -> float:
    """Draws one entry and gives the place of the next."""
    _add(
        svg,
        "line",
        x1=left,
        x2=left + 24,
        y1=_ROWS[0] - 4,
        y2=_ROWS[0] - 4,
        class_=f"line {class_}",
        stroke="currentColor",
    )
    _add(svg, "text", x=left + 31, y=_ROWS[0], class_="label").text = name
    return left + 31 + _LETTER * len(name) + 24


def _ceiling(value: float) -> float:
    """The end of an axis that holds `value`: the tick at or above it."""
    step = _tick_step(value, 5)
    # A value that is a tick but for rounding gets no further one.
    return math.ceil(value / step - 1e-9) * step if value else 0


def _tick_step(span: float, at_most: int) -> float:
    if span <= 0:
        return 1
    raw = span / at_most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


def _ticks(low: float, high: float, at_most: int) -> list[float]:
    step = _tick_step(high - low, at_most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def _whole_ticks(high: float) -> list[float]:
    return [tick for tick in _ticks(0, high, 5) if float(tick).is_integer()]


def _whole_steps(frame: _Frame) -> list[float]:
    if frame.x_low == frame.x_high:
        return [frame.x_low]
    return [tick for tick in _ticks(frame.x_low, frame.x_high, 8) if float(tick).is_integer()]
