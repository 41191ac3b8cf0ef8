"""Bins for the token distribution of a file, as the report holds them."""

from collections.abc import Mapping

from shared.dataset import bins
from shared.report.model import Bin


def bins_of(counts: Mapping[int, int]) -> list[Bin]:
    """At most 40 equal bins of a round width that cover every value."""
    return [Bin(low=found.low, high=found.high, count=found.number) for found in bins.bins_of(counts)]
