"""Statistics of repeated measurements: median and quartiles, speed-ups, and changes over several seeds."""

from collections.abc import Sequence
from statistics import fmean, median, quantiles
from typing import NamedTuple


class Quartiles(NamedTuple):
    """The median and the quartiles of some measurements: half of them lie between the quartiles."""

    median: float
    lower: float
    upper: float

    def contains(self, value: float) -> bool:
        """Whether a value lies between the quartiles, so that the measurements do not show a difference from it."""
        return self.lower <= value <= self.upper


def quartiles(values: Sequence[float]) -> Quartiles:
    """Return median and quartiles of at least two measurements."""
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Quartiles(median(values), low, high)


def speedup(before: Sequence[float], after: Sequence[float]) -> Quartiles:
    """Return before ÷ after of two versions that are measured in turn, round by round.

    A machine that is slow for a while slows both times of a round, so their ratio stays the same.
    """
    return quartiles([first / second for first, second in zip(before, after, strict=True)])


class RelativeChange(NamedTuple):
    """The relative change of a number over several seeds: mean, minimum and maximum; 0.1 is +10 %."""

    mean: float
    minimum: float
    maximum: float

    @property
    def is_negligible(self) -> bool:
        """Whether the seeds disagree on the sign, or the mean change is below 5 %."""
        return self.minimum <= 0 <= self.maximum or abs(self.mean) < 0.05


def relative_change(before: Sequence[float], after: Sequence[float]) -> RelativeChange | None:
    """Compare pairs, one per seed. None when a value before is 0."""
    if not all(before):
        return None
    changes = [second / first - 1 for first, second in zip(before, after, strict=True)]
    return RelativeChange(fmean(changes), min(changes), max(changes))
