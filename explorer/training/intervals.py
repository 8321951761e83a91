"""95 % confidence intervals of accuracies: fractions of independent test images that were classified correctly.

Source: Wilson, JASA 22, 1927; for differences Newcombe, Statistics in Medicine 17, 1998, method 10 of the second paper.
"""

from collections.abc import Sequence
from math import comb, sqrt
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.05  # of tests and intervals: the probability of a false claim
_Z = NormalDist().inv_cdf(1 - LEVEL / 2)


class Interval(NamedTuple):
    """The bounds of an interval."""

    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Whether a value is in the interval."""
        return self.low <= value <= self.high


def wilson(correct: int, images: int) -> Interval:
    """Return the interval of the fraction ``correct`` of ``images``, of which there is at least one."""
    fraction, z2 = correct / images, _Z**2 / images
    centre, reach = fraction + z2 / 2, _Z * sqrt(fraction * (1 - fraction) / images + z2 / (4 * images))
    return Interval(max(0.0, (centre - reach) / (1 + z2)), min(1.0, (centre + reach) / (1 + z2)))


def newcombe(first: tuple[int, int], second: tuple[int, int]) -> Interval:
    """Return the interval of the difference of two fractions of different images, each as (correct, images)."""
    one, other = first[0] / first[1], second[0] / second[1]
    (low_1, high_1), (low_2, high_2) = wilson(*first), wilson(*second)
    difference = one - other
    return Interval(
        difference - sqrt((one - low_1) ** 2 + (high_2 - other) ** 2),
        difference + sqrt((high_1 - one) ** 2 + (other - low_2) ** 2),
    )


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided p-value of so many wins and losses between equals: the exact binomial test."""
    count, fewer = wins + losses, min(wins, losses)
    tail = sum(comb(count, number) for number in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**count))


def median_interval(values: Sequence[float]) -> Interval | None:
    """Return the interval of the median of independent values, of any distribution, between two of them.

    It is the narrowest whose ranks are symmetric. None for fewer than six values, which do not allow it.
    """
    ordered = sorted(values)
    ranks = [rank for rank in range(len(ordered) // 2) if sign_test(rank, len(ordered) - rank) <= LEVEL]
    return Interval(ordered[ranks[-1]], ordered[-1 - ranks[-1]]) if ranks else None


def count_correct(confusion: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Return how many images a confusion matrix has on its diagonal, and in all."""
    return sum(row[label] for label, row in enumerate(confusion)), sum(map(sum, confusion))
