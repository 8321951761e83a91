"""The paired test behind a race's verdict: its level, its power, and what it refuses to claim."""

import numpy as np
import pytest

from explorer.runs.significance import LEVEL, MIN_SEEDS, Correct, paired_differences

RACES = 400  # simulated races per case


def race(
    generator: np.random.Generator, effects: list[float], seeds: int, images: int, between_seeds: float
) -> list[Correct]:
    """Simulate networks trained from the same seeds and tested on the same images.

    Each image has a difficulty that all networks share; each training adds an effect of its own (``between_seeds``,
    in logits) and its own opinion of each image. The mean accuracy is about 88 %.
    """
    easiness = generator.normal(2.1, 1.5, images)
    return [
        easiness + effect + generator.normal(0, between_seeds, (seeds, 1)) + generator.normal(0, 0.8, (seeds, images))
        > 0
        for effect in effects
    ]


@pytest.mark.parametrize("between_seeds", [0.0, 0.05, 0.2])
@pytest.mark.parametrize(("networks", "seeds"), [(2, 3), (2, 5), (4, 3), (4, 5)])
def test_identical_networks_are_rarely_called_different(networks: int, seeds: int, between_seeds: float) -> None:
    """Over many races of networks without a difference, at most 5 % make any claim."""
    generator = np.random.default_rng([networks, seeds, round(between_seeds * 100)])
    false = sum(
        any(
            pair.is_significant
            for pair in paired_differences(race(generator, [0.0] * networks, seeds, 500, between_seeds))
        )
        for _ in range(RACES)
    )
    # Two standard errors above the level: the simulation is itself a sample.
    assert false / RACES <= LEVEL + 2 * (LEVEL * (1 - LEVEL) / RACES) ** 0.5


@pytest.mark.parametrize(("seeds", "power"), [(3, 0.5), (5, 0.9)])
def test_a_large_difference_is_found(seeds: int, power: float) -> None:
    """About three points on 2,000 images: found in at least this fraction of races of two networks."""
    generator = np.random.default_rng(seeds)
    found = [
        paired_differences(race(generator, [0.4, 0.0], seeds, 2_000, 0.03))[0].is_significant for _ in range(RACES)
    ]
    assert np.mean(found) >= power


def test_the_interval_contains_the_true_difference() -> None:
    """In at least 95 % of the races, and it excludes zero exactly where a claim is made."""
    generator = np.random.default_rng(1)
    truth = np.mean([np.subtract(*(c.mean() for c in race(generator, [0.3, 0.0], 50, 2_000, 0.1))) for _ in range(50)])
    pairs = [paired_differences(race(generator, [0.3, 0.0], 3, 500, 0.1))[0] for _ in range(RACES)]
    assert all(pair.interval is not None for pair in pairs)
    assert np.mean([pair.interval[0] <= truth <= pair.interval[1] for pair in pairs]) >= 0.95
    assert all(pair.is_significant == (pair.interval[0] > 0 or pair.interval[1] < 0) for pair in pairs)


@pytest.mark.parametrize("seeds", range(1, MIN_SEEDS))
def test_fewer_than_three_seeds_allow_no_claim(seeds: int) -> None:
    """However large the difference is."""
    (pair,) = paired_differences([np.ones((seeds, 100), bool), np.zeros((seeds, 100), bool)])
    assert (pair.difference, pair.interval, pair.p, pair.is_significant) == (1.0, None, None, False)


def test_equal_results_are_no_difference_and_a_constant_one_is() -> None:
    """Where nothing varies there is no error to divide by."""
    same = np.ones((3, 10), bool)
    assert paired_differences([same, same])[0].p == 1.0
    assert paired_differences([same, ~same])[0].p == 0.0


def test_every_pair_is_compared_once_with_its_sign() -> None:
    """Of three networks, three pairs: the first minus the second."""
    right = np.zeros((3, 4), bool)
    networks = [right, right | (np.arange(4) < 2), right | (np.arange(4) < 1)]
    found = [(pair.first, pair.second, pair.difference) for pair in paired_differences(networks)]
    assert found == [(0, 1, -0.5), (0, 2, -0.25), (1, 2, 0.25)]


@pytest.mark.parametrize(
    "shapes", [[(3, 10), (3, 11)], [(3, 10), (2, 10)], [(0, 10), (0, 10)], [(3, 0), (3, 0)], [(3,), (3,)]]
)
def test_results_that_are_not_paired_are_refused(shapes: list[tuple[int, ...]]) -> None:
    """Other seeds or images cannot be paired."""
    with pytest.raises(ValueError, match="same seeds and test images"):
        paired_differences([np.ones(shape, bool) for shape in shapes])
