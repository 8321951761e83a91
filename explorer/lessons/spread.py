"""What repeated measurements say: a middle, a spread, and whether a difference is larger than it."""

from collections.abc import Sequence
from statistics import fmean, median, quantiles
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of some measurements and the quartiles around it: half of them lie between."""

    middle: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Return median and quartiles of at least two measurements."""
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


class Speedup(NamedTuple):
    """How many times faster one version is than another; ``clear`` when the quartiles of the two do not touch."""

    times: float
    clear: bool


def speedup(before: Sequence[float], after: Sequence[float]) -> Speedup:
    """Compare the times of two versions measured in turn."""
    slow, fast = spread(before), spread(after)
    return Speedup(slow.middle / fast.middle, fast.high < slow.low or slow.high < fast.low)


class Change(NamedTuple):
    """By which share something grew, over several seeds: the mean, the least and the most; 0.1 is 10 %.

    ``small`` when the seeds do not even agree on the sign, or on average it is less than 5 %.
    """

    mean: float
    least: float
    most: float

    @property
    def small(self) -> bool:
        """Nothing to build on."""
        return self.least <= 0 <= self.most or abs(self.mean) < 0.05


def change(before: Sequence[float], after: Sequence[float]) -> Change | None:
    """Compare pairs, one per seed; None where something was 0 before."""
    if not all(before):
        return None
    shares = [late / early - 1 for early, late in zip(before, after, strict=True)]
    return Change(fmean(shares), min(shares), max(shares))
