"""Bins for the token distribution of a file, as the report holds them."""

from collections.abc import Mapping

from shared.report.model import Bin
from tunedrop_check.scan import bins


def bins_of(counts: Mapping[int, int]) -> list[Bin]:
    """At most 40 equal bins of a round width that cover every value."""
    return [
        Bin(low=found.low, high=found.high, count=found.number) for found in bins.bins_of(counts)
    ]
