"""Statistics that merge exactly: how often each value occurs, and the figures from it."""

import math
from collections.abc import Iterable, Iterator

import msgspec


class Distribution(msgspec.Struct, frozen=True):
    """The figures of a non-empty histogram; p5 and p95 are the 0.05 and 0.95 quantiles."""

    min: int
    max: int
    mean: float
    median: float
    sum: int
    p5: float
    p95: float


class Histogram(msgspec.Struct):
    """Exact counts per value: adding and merging in any order gives the same histogram."""

    counts: dict[int, int] = msgspec.field(default_factory=dict[int, int])

    def add(self, value: int, times: int = 1) -> None:
        """Count a value."""
        self.counts[value] = self.counts.get(value, 0) + times

    def add_all(self, values: Iterable[int]) -> None:
        """Count many values."""
        counts = self.counts
        for value in values:
            counts[value] = counts.get(value, 0) + 1

    def merge(self, other: "Histogram") -> None:
        """Count everything that the other histogram has counted."""
        for value, times in other.counts.items():
            self.add(value, times)

    def sorted(self) -> "Histogram":
        """The same counts in the order of their values."""
        # Equal histograms are then written alike, in whatever order they were counted.
        return Histogram(dict(sorted(self.counts.items())))

    @property
    def size(self) -> int:
        """How many values were counted."""
        return sum(self.counts.values())

    @property
    def sum(self) -> int:
        """The sum of all counted values."""
        return sum(value * times for value, times in self.counts.items())

    # Numpy's default ("linear") to the last bit, from the counts instead of a sorted array.
    def quantiles(self, fractions: Iterable[float]) -> list[float]:
        """The values below which these fractions (0 to 1) lie, in the order asked for.

        Raises:
            ValueError: Nothing was counted, or a fraction is outside 0 to 1.
        """
        asked = list(fractions)
        if not self.counts or not all(0 <= fraction <= 1 for fraction in asked):
            msg = "Quantiles need at least one value and fractions from 0 to 1."
            raise ValueError(msg)
        last = self.size - 1
        places = [last * fraction for fraction in asked]
        around = [(math.floor(place), min(math.floor(place) + 1, last)) for place in places]
        values = dict(self._values_at(sorted({index for pair in around for index in pair})))
        return [
            _between(values[low], values[high], place - low)
            for place, (low, high) in zip(places, around, strict=True)
        ]

    def distribution(self) -> Distribution | None:
        """The figures of what was counted; None where nothing was."""
        if not self.counts:
            return None
        p5, median, p95 = self.quantiles((0.05, 0.5, 0.95))
        total = self.sum
        return Distribution(
            min(self.counts), max(self.counts), total / self.size, median, total, p5, p95
        )

    def _values_at(self, indexes: list[int]) -> Iterator[tuple[int, int]]:
        """The values at these ascending places of the sorted multiset."""
        ordered = iter(sorted(self.counts))
        value = next(ordered)
        passed = self.counts[value]
        for index in indexes:
            while index >= passed:
                value = next(ordered)
                passed += self.counts[value]
            yield index, value


def _between(low: int, high: int, share: float) -> float:
    step = high - low
    # From the nearer end, as numpy does: the other form differs from it in the last bit.
    return float(low + step * share if share < 0.5 else high - step * (1 - share))
