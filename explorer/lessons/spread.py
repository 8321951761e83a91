"""What repeated measurements say: a middle, a spread, and whether a difference is larger than it."""

from collections.abc import Sequence
from statistics import fmean, median, quantiles
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of some measurements and the quartiles around it: half of them lie between."""

    middle: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value lies between the quartiles: then the measurement does not tell it from the middle."""
        return self.low <= value <= self.high


def spread(values: Sequence[float]) -> Spread:
    """Return median and quartiles of at least two measurements."""
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


def speedup(before: Sequence[float], after: Sequence[float]) -> Spread:
    """Return how many times faster the second version was, round by round, of two measured in turn.

    What slows the machine for a while falls on both times of a round and leaves their ratio.
    """
    return spread([slow / fast for slow, fast in zip(before, after, strict=True)])


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
