"""The charts of a report."""

from xml.etree import ElementTree as ET

import pytest

from shared.report import charts
from shared.report.bins import bins_of
from shared.report.model import CurvePoint
from tests.unit.report.samples import a_curve, tokens

COUNTS = {40: 3, 55: 9, 61: 4, 220: 1}


def drawn(svg: str) -> ET.Element:
    """The chart as a tree."""
    return ET.fromstring(svg)  # noqa: S314 - our own output


def texts(svg: str) -> list[str]:
    """Every label of the chart."""
    return [element.text or "" for element in drawn(svg).iter("text")]


def distribution(counts: dict[int, int]) -> str:
    """The distribution of these counts."""
    return charts.token_distribution(bins_of(counts), tokens(counts), "Tokens per example")


@pytest.mark.parametrize(
    "svg",
    [distribution(COUNTS), charts.loss_curve(a_curve(), "Loss")],
    ids=["distribution", "curve"],
)
def test_a_chart_says_what_it_shows_without_being_seen(svg: str) -> None:
    """A chart is an image with a title and a description for those who can't see it."""
    root = drawn(svg)
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert all(child.text for child in list(root)[:2])


def test_a_distribution_has_a_bar_for_each_bin_that_holds_an_example() -> None:
    """Empty ranges have no bar, and each bar tells its range and count."""
    bars = list(drawn(distribution(COUNTS)).iter("rect"))
    assert len(bars) == sum(1 for b in bins_of(COUNTS) if b.count)
    assert "examples" in (bars[0].findtext("title") or "")


def test_a_distribution_marks_median_and_95th_percentile() -> None:
    """Both marks carry their figure."""
    assert {"median 55", "p95 220"} <= set(texts(distribution(COUNTS)))


def test_one_example_among_many_thousands_is_still_seen() -> None:
    """The smallest bar is at least a pixel high."""
    assert (
        min(
            float(bar.get("height", 0))
            for bar in drawn(distribution({50: 90_000, 5_000: 1})).iter("rect")
        )
        >= 1
    )


def test_a_distribution_of_one_value_stays_inside_the_picture() -> None:
    """A file whose examples are all of one length still has a chart."""
    assert all(
        0 <= float(line.get("x1", -1)) <= 640 for line in drawn(distribution({12: 30})).iter("line")
    )


def test_a_curve_draws_each_loss_that_was_measured() -> None:
    """Training and validation have a line and a legend each, and what was never measured
    has none.
    """
    svg = charts.loss_curve(a_curve(), "Loss")
    assert [line.get("class") for line in drawn(svg).iter("polyline")] == [
        "line train",
        "line valid",
    ]
    assert {"Training", "Validation"} <= set(texts(svg))
    assert "Full validation" not in texts(svg)


def test_a_curve_of_one_step_is_a_dot() -> None:
    """A single measurement is drawn, though it makes no line."""
    root = drawn(charts.loss_curve([CurvePoint(step=7, train_loss=0.5)], "Loss"))
    assert len(list(root.iter("circle"))) == 1
    assert not list(root.iter("polyline"))


@pytest.mark.parametrize("points", [[], [CurvePoint(step=1)]], ids=["no step", "no loss"])
def test_a_curve_without_losses_is_not_drawn(points: list[CurvePoint]) -> None:
    """Nothing measured gives no chart and no sentence."""
    assert charts.loss_curve(points, "Loss") == ""
    assert charts.describe_curve(points) == ""


def test_a_long_curve_is_thinned_and_keeps_its_spike() -> None:
    """A hundred thousand steps make a small chart in which the one high loss is still the highest
    point.
    """
    points = [CurvePoint(step=n, train_loss=9.0 if n == 50_000 else 1.0) for n in range(1, 100_001)]
    line = next(drawn(charts.loss_curve(points, "Loss")).iter("polyline")).get("points", "").split()
    assert len(line) <= 1_300
    heights = [float(point.split(",")[1]) for point in line]
    assert min(heights) < max(heights) / 2


def test_a_curve_is_told_as_a_sentence_with_its_lowest_loss() -> None:
    """Start, end and lowest loss stand in the description."""
    points = [
        CurvePoint(step=step, valid_loss=loss) for step, loss in ((1, 2.0), (2, 0.5), (3, 0.75))
    ]
    assert (
        charts.describe_curve(points)
        == "Validation loss went from 2 to 0.75 over steps 1 to 3, lowest 0.5 at step 2."
    )


@pytest.mark.parametrize(
    "losses",
    [(0.0, 0.0), (1e-9, 2e-9), (1e12, 3.0), (-0.5, 0.5)],
    ids=["zero", "tiny", "huge", "negative"],
)
def test_a_curve_of_odd_losses_stays_inside_the_picture(losses: tuple[float, float]) -> None:
    """Losses of any size are drawn within the frame."""
    points = [CurvePoint(step=n, train_loss=loss) for n, loss in enumerate(losses)]
    line = next(drawn(charts.loss_curve(points, "Loss")).iter("polyline")).get("points", "").split()
    assert all(0 <= float(y) <= 250 for _, y in (point.split(",") for point in line))
