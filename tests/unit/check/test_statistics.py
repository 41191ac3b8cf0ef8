"""Histograms: exact figures, whatever the order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.check.builders import LOADED
from tunedrop_check.scan.statistics import Histogram

VALUES = st.lists(st.integers(0, 2**40), min_size=1, max_size=60)


def a_histogram(values: list[int]) -> Histogram:
    """A histogram of these values."""
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@settings(LOADED)
@given(VALUES, st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_quantiles_are_numpys_to_the_last_bit(values: list[int], fractions: list[float]) -> None:
    """Any quantile of the counts is numpy's of the values."""
    assert a_histogram(values).quantiles(fractions) == [
        float(np.quantile(values, fraction)) for fraction in fractions
    ]


@settings(LOADED)
@given(VALUES)
def test_distribution_is_that_of_the_values(values: list[int]) -> None:
    """Every figure equals numpy's."""
    figures = a_histogram(values).distribution()
    assert figures is not None
    assert (figures.min, figures.max, figures.sum) == (min(values), max(values), sum(values))
    assert (figures.mean, figures.median) == (float(np.mean(values)), float(np.median(values)))
    assert (figures.p5, figures.p95) == (
        float(np.quantile(values, 0.05)),
        float(np.quantile(values, 0.95)),
    )


@settings(LOADED)
@given(VALUES, st.integers(0, 60))
def test_merge_is_exact_wherever_the_cut_falls(values: list[int], cut: int) -> None:
    """Two histograms merged are the histogram of all values."""
    merged = a_histogram(values[:cut])
    merged.merge(a_histogram(values[cut:]))
    assert merged == a_histogram(values)


def test_distribution_is_none_when_nothing_was_counted() -> None:
    """An empty histogram has no distribution."""
    assert Histogram().distribution() is None


@pytest.mark.parametrize("fraction", [-0.1, 1.1], ids=["below 0", "above 1"])
def test_quantiles_refuse_a_fraction_outside_0_to_1(fraction: float) -> None:
    """A fraction outside 0 to 1 is an error."""
    with pytest.raises(ValueError, match="from 0 to 1"):
        a_histogram([1]).quantiles([fraction])
