"""Bins for a distribution, from exact counts per value."""

from collections.abc import Mapping
from typing import NamedTuple

_WIDTHS = (1, 2, 5)


class Bin(NamedTuple):
    """How often a value from `low` to `high`, both included, occurs."""

    low: int
    high: int
    number: int


def bins_of(counts: Mapping[int, int], at_most: int = 40) -> list[Bin]:
    """Equal bins that cover every value, of a round width (1, 2 or 5 times a power of ten), as fine
    as `at_most` (2 or more) allows. `counts` tells how often each value occurs.
    """
    if not counts:
        return []
    low, high = min(counts), max(counts)
    width = _round_width(low, high, at_most)
    first = low // width
    totals = [0] * (high // width - first + 1)
    for value, number in counts.items():
        totals[value // width - first] += number
    return [
        Bin((first + i) * width, (first + i + 1) * width - 1, total)
        for i, total in enumerate(totals)
    ]


def _round_width(low: int, high: int, at_most: int) -> int:
    power = 1
    while True:
        for width in (factor * power for factor in _WIDTHS):
            if high // width - low // width + 1 <= at_most:
                return width
        power *= 10
