"""Which differences between trained networks are real: a paired test over seeds and test images.

Networks of a race learn from the same seeds and are tested on the same images, so their results are paired. A result
depends on both: another seed gives other weights, other test images another accuracy. Both are treated as random
samples (a crossed random-effects model; Owen, *The pigeonhole bootstrap*, Annals of Applied Statistics 1(2), 2007).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

MIN_SEEDS = 3  # for any claim: with fewer, the variance between seeds is hardly known
LEVEL = 0.05  # probability of at least one false claim among all pairs of a race

Correct = NDArray[np.bool_]  # seeds × test images: whether each image was classified correctly


class PairedDifference(NamedTuple):
    """The accuracy of network ``first`` minus that of ``second``, as a fraction, with its simultaneous interval.

    ``p`` is corrected for the number of pairs (Bonferroni). ``interval`` and ``p`` are None with fewer than
    ``MIN_SEEDS`` seeds: then nothing can be claimed.
    """

    first: int
    second: int
    difference: float
    interval: tuple[float, float] | None = None
    p: float | None = None

    @property
    def is_significant(self) -> bool:
        """Whether the difference may be claimed."""
        return self.p is not None and self.p < LEVEL


def paired_differences(networks: Sequence[Correct]) -> tuple[PairedDifference, ...]:
    """Compare every pair of networks; each is an array of seeds × test images, in the same order.

    The probability of any false claim among all pairs is at most ``LEVEL``. Raises ValueError for arrays of different
    shapes, or without seeds or images.
    """
    shapes = {correct.shape for correct in networks}
    if len(shapes) > 1 or any(len(shape) != 2 or 0 in shape for shape in shapes):
        raise ValueError(f"All networks need the same seeds and test images, not {sorted(shapes)}.")
    pairs = list(combinations(range(len(networks)), 2))
    return tuple(_compare(networks, first, second, len(pairs)) for first, second in pairs)


def _compare(networks: Sequence[Correct], first: int, second: int, pairs: int) -> PairedDifference:
    differences = networks[first].astype(np.float64) - networks[second]
    seeds = len(differences)
    mean = float(differences.mean())
    if seeds < MIN_SEEDS:
        return PairedDifference(first, second, mean)
    error = _variance(differences) ** 0.5
    # The degrees of freedom are those of the seeds, far fewer than the images: that keeps the level whichever of the
    # two varies more.
    freedom = seeds - 1
    reach = float(error * stdtrit(freedom, 1 - LEVEL / pairs / 2))
    p = _two_sided(mean, error, freedom)
    return PairedDifference(first, second, mean, (mean - reach, mean + reach), min(1.0, pairs * p))


def _two_sided(mean: float, error: float, freedom: int) -> float:
    """Return Student's two-sided p of a mean with its standard error."""
    if error == 0:  # nothing varies: whatever differs, differs always
        return float(mean == 0)
    return float(2 * stdtr(freedom, -abs(mean) / error))


def _variance(differences: NDArray[np.float64]) -> float:
    """Return the variance of the mean over seeds × images, both being samples.

    The variance of the seeds' means and that of the images' means each contain the interaction of the two once; it is
    counted once. It is never less than either alone.
    """
    seeds, images = differences.shape
    by_seed, by_image = differences.mean(axis=1), differences.mean(axis=0)
    between_seeds = by_seed.var(ddof=1) / seeds
    between_images = by_image.var(ddof=1) / images if images > 1 else 0.0
    rest = differences - by_seed[:, None] - by_image[None, :] + differences.mean()
    interaction = (rest**2).sum() / max((seeds - 1) * (images - 1), 1) / (seeds * images)
    return float(max(between_seeds, between_images, between_seeds + between_images - interaction))
