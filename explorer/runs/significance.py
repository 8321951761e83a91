"""Which differences between trained networks are real: a paired test over seeds and test images.

Networks of a race learn from the same seeds and are tested on the same images, so their results are paired. A result
depends on both: another seed gives other weights, other test images another accuracy. Both are treated as random
samples (a crossed random-effects model; Owen, *The pigeonhole bootstrap*, Annals of Applied Statistics 1(2), 2007).

The variance of the mean difference has a part from the seeds, which a few seeds hardly show, and a part from the
images. Each part enters the interval with its own quantile of Student's t, so that the interval holds its level
whichever part is larger (Banerjee, Sankhyā 22, 1960): reach² = t²(seeds − 1) · V_seeds + t²(images − 1) · V_images.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import exp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtrit

from explorer.training.intervals import LEVEL, Interval, wilson

_LOWEST_LOG_P, _P_BISECTIONS = -30.0, 40
MIN_SEEDS = 3  # for any claim: with fewer, the variance between seeds is hardly known

Correct = NDArray[np.bool_]  # test images: whether each was classified correctly


class PairedDifference(NamedTuple):
    """The mean accuracy of network ``first`` minus that of ``second`` over ``seeds`` common seeds, as a fraction.

    ``interval`` is simultaneous for all pairs of the comparison. It is None with fewer than ``MIN_SEEDS`` seeds: then
    nothing can be claimed. ``images`` counts the test images.
    """

    first: int
    second: int
    seeds: int
    images: int
    difference: float
    interval: Interval | None = None

    @property
    def is_significant(self) -> bool:
        """Whether the difference may be claimed: the interval excludes 0."""
        return self.interval is not None and not self.interval.contains(0.0)


def paired_differences(
    networks: Sequence[Mapping[int, Correct]], pairs: int | None = None
) -> tuple[PairedDifference, ...]:
    """Compare every pair of networks that have a seed in common; each is a mapping from seeds to results.

    The probability of any false claim among all pairs, or among so many ``pairs``, is at most ``LEVEL`` (Bonferroni).
    Raises ValueError for results on different numbers of images.
    """
    if len({correct.shape for results in networks for correct in results.values()}) > 1:
        raise ValueError("The results of all networks must be of the same test images.")
    compared_pairs = list(combinations(range(len(networks)), 2))
    level = LEVEL / (pairs or len(compared_pairs))
    compared = (_compare(networks, first, second, level) for first, second in compared_pairs)
    return tuple(pair for pair in compared if pair)


def paired_p(first: Mapping[int, Correct], second: Mapping[int, Correct], pairs: int = 1) -> float | None:
    """Return the p-value of the difference between two networks, as one of so many ``pairs`` (Bonferroni).

    It is the lowest level at which the interval of :func:`paired_differences` excludes 0. None with too few seeds.
    """
    found = _compare((first, second), 0, 1, LEVEL)
    if found is None or found.interval is None:
        return None
    low, high = _LOWEST_LOG_P, 0.0  # natural logarithms of levels
    for _ in range(_P_BISECTIONS):
        middle = (low + high) / 2
        at_middle = _compare((first, second), 0, 1, exp(middle))
        if at_middle and at_middle.is_significant:
            high = middle
        else:
            low = middle
    return min(1.0, pairs * exp(high))


def accuracy_interval(results: Mapping[int, Correct]) -> Interval | None:
    """Return the 95 % interval of one network's mean accuracy over seeds and images; None with too few seeds."""
    if len(results) < MIN_SEEDS:
        return None
    correct = np.stack([one.astype(np.float64) for one in results.values()])
    mean, reach = float(correct.mean()), _reach(correct, LEVEL)
    return Interval(max(0.0, mean - reach), min(1.0, mean + reach))


def mean_interval(values: Sequence[float], images: int | None = None) -> Interval | None:
    """Return the 95 % interval of the mean over seeds of a loss, or of an accuracy on ``images`` test images.

    For results whose images are not known one by one: of an accuracy the variance over the images is then at most that
    of independent ones, so its interval is rather too wide. With fewer than ``MIN_SEEDS`` values it covers the images
    only (Wilson), and a loss has none.
    """
    mean, seeds = float(np.mean(values)), len(values)
    if seeds < MIN_SEEDS:
        return wilson(round(mean * images), images) if images else None
    variance = stdtrit(seeds - 1, 1 - LEVEL / 2) ** 2 * float(np.var(values, ddof=1)) / seeds
    if images:
        t = stdtrit(max(images - 1, 1), 1 - LEVEL / 2)
        variance += max(t**2 * mean * (1 - mean) / images, (t / images) ** 2)
    reach = float(variance**0.5)
    return Interval(max(0.0, mean - reach), min(1.0, mean + reach) if images else mean + reach)


def _compare(
    networks: Sequence[Mapping[int, Correct]], first: int, second: int, level: float
) -> PairedDifference | None:
    one, other = networks[first], networks[second]
    if not (seeds := sorted(one.keys() & other.keys())):
        return None
    differences = np.stack([one[seed].astype(np.float64) - other[seed] for seed in seeds])
    found = PairedDifference(first, second, len(seeds), differences.shape[1], float(differences.mean()))
    if len(seeds) < MIN_SEEDS:
        return found
    reach = _reach(differences, level)
    return found._replace(interval=Interval(found.difference - reach, found.difference + reach))


def _reach(differences: NDArray[np.float64], level: float) -> float:
    """Return half the width of the interval of the mean over seeds × images, both being samples."""
    seeds, images = differences.shape
    by_seed, by_image = differences.mean(axis=1), differences.mean(axis=0)
    # Each of these two variances of the mean contains the interaction of seeds and images once; it is counted once.
    from_seeds = by_seed.var(ddof=1) / seeds
    from_images = by_image.var(ddof=1) / images if images > 1 else 0.0
    rest = differences - by_seed[:, None] - by_image + differences.mean()
    interaction = (rest**2).sum() / max((seeds - 1) * (images - 1), 1) / (seeds * images)
    t_seeds, t_images = (stdtrit(count - 1, 1 - level / 2) for count in (seeds, max(images, 2)))
    both = t_seeds**2 * from_seeds + t_images**2 * max(0.0, from_images - interaction)
    # Where nothing varies, one image of as many could still have been otherwise.
    least = (t_images / images) ** 2
    return float(max(both, t_images**2 * from_images, least) ** 0.5)


class McNemar(NamedTuple):
    """Two trained networks on the same ``images``: how many only the first, and only the second, classified correctly.

    ``p`` is exact and two-sided: the binomial test of McNemar, Psychometrika 12, 1947. ``interval`` is that of the
    difference of the accuracies, first minus second (Agresti & Min, Statistics in Medicine 24, 2005).
    """

    images: int
    only_first: int
    only_second: int
    p: float
    interval: Interval

    @property
    def difference(self) -> float:
        """The accuracy of the first minus that of the second."""
        return (self.only_first - self.only_second) / self.images


def mcnemar(first: Correct, second: Correct, pairs: int = 1) -> McNemar:
    """Compare two trained networks on the same test images, as one of so many ``pairs`` (Bonferroni).

    This says nothing of other seeds.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    tail = float(bdtr(min(only_first, only_second), only_first + only_second, 0.5))
    p = min(1.0, 2 * tail * pairs)
    interval = _mcnemar_interval(only_first, only_second, len(first), LEVEL / pairs)
    return McNemar(len(first), only_first, only_second, p, interval)


def _mcnemar_interval(only_first: int, only_second: int, images: int, level: float) -> Interval:
    """Return Wald's interval with half an image added to each of the four outcomes."""
    images += 2
    one, other = (only_first + 0.5) / images, (only_second + 0.5) / images
    reach = float(stdtrit(images - 1, 1 - level / 2)) * ((one + other - (one - other) ** 2) / images) ** 0.5
    return Interval(one - other - reach, one - other + reach)
