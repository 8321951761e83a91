"""The paired test behind a race's verdict: its level, its power, and what it refuses to claim."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from explorer.runs.significance import (
    MIN_SEEDS,
    Correct,
    PairedDifference,
    accuracy_interval,
    mcnemar,
    mean_interval,
    paired_differences,
)
from explorer.training.intervals import LEVEL, wilson

ROOT = Path(__file__).parents[2]
RACES = 400  # simulated races per case
Race = list[dict[int, Correct]]


def race(
    generator: np.random.Generator,
    effects: Sequence[float],
    seeds: int,
    images: int,
    between_seeds: Sequence[float] | float,
    failures: float = 0.0,
) -> Race:
    """Simulate networks trained from the same seeds and tested on the same images.

    Each image has a difficulty that all networks share. Each network finds some images easier than others do, each
    training adds an effect of its own (``between_seeds``, in logits, of each network) and its own opinion of each
    image. A fraction of trainings fails and classifies 10 % correctly. The mean accuracy of the others is about 85 %;
    two networks disagree on about one image in ten, as two trainings of ``mini`` on Fashion-MNIST do.
    """
    easiness = generator.normal(2.1, 1.5, images)
    deviations = np.broadcast_to(between_seeds, len(effects))
    networks: Race = []
    for effect, deviation in zip(effects, deviations, strict=True):
        logits = easiness + effect + generator.normal(0, 0.4, images) + generator.normal(0, deviation, (seeds, 1))
        correct = logits + generator.normal(0, 0.8, (seeds, images)) > 0
        failed = generator.random((seeds, 1)) < failures
        correct = np.where(failed, generator.random((seeds, images)) < 0.1, correct)
        networks.append(dict(enumerate(correct)))
    return networks


def rate_of_claims(
    generator: np.random.Generator,
    effects: Sequence[float],
    seeds: int,
    images: int,
    between_seeds: Sequence[float] | float,
    failures: float = 0.0,
) -> float:
    """Return the fraction of simulated races in which any difference is claimed."""
    claims = [
        any(
            pair.is_significant
            for pair in paired_differences(race(generator, effects, seeds, images, between_seeds, failures))
        )
        for _ in range(RACES)
    ]
    return float(np.mean(claims))


# Two standard errors above the level: the simulation is itself a sample.
MOST = LEVEL + 2 * (LEVEL * (1 - LEVEL) / RACES) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("between_seeds", [0.0, 0.05, 0.3])
@pytest.mark.parametrize(("networks", "seeds"), [(2, 3), (2, 5), (3, 4), (4, 3), (4, 5)])
def test_equal_networks_are_rarely_called_different(networks: int, seeds: int, between_seeds: float) -> None:
    """Over many races of networks without a difference, at most 5 % make any claim, over all pairs."""
    generator = np.random.default_rng([networks, seeds, round(between_seeds * 100)])
    assert rate_of_claims(generator, [0.0] * networks, seeds, 400, between_seeds) <= MOST


def test_unequal_variances_and_failed_trainings_make_no_false_claims() -> None:
    """Two networks vary more than the two others; every fifth training fails; there are few test images."""
    generator = np.random.default_rng(0)
    assert rate_of_claims(generator, [0.0] * 4, 3, 400, (0.1, 0.1, 0.4, 0.4)) <= MOST
    assert rate_of_claims(generator, [0.0] * 3, 3, 400, 0.05, failures=0.2) <= MOST
    assert rate_of_claims(generator, [0.0] * 2, 3, 20, 0.05) <= MOST


@pytest.mark.slow
@pytest.mark.parametrize(
    ("networks", "seeds", "power", "stated"),
    [
        (2, 3, 0.75, "in about 3 of 4 races of two networks with three seeds"),
        (2, 5, 0.99, "in nearly all with five seeds"),
        (4, 3, 0.55, "in 6 of 10 races of four networks"),
        (4, 5, 0.99, "in nearly all with five seeds"),
    ],
)
def test_the_power_that_the_documents_state(networks: int, seeds: int, power: float, stated: str) -> None:
    """About three points on 2,000 images, seeds that spread by half a point: found in at least this fraction."""
    assert stated in document("docs/teaching.md")
    generator = np.random.default_rng([networks, seeds])
    assert rate_of_claims(generator, [0.3, *[0.0] * (networks - 1)], seeds, 2_000, 0.04) >= power


@pytest.mark.parametrize("name", ["README.md", "docs/teaching.md"])
def test_the_documents_state_the_level_and_the_seeds(name: str) -> None:
    """Those of the test itself."""
    text = document(name)
    assert f"at most {100 * LEVEL:.0f} % claim" in text
    assert "fewer than three seeds" in text
    assert MIN_SEEDS == 3


def document(name: str) -> str:
    """Return the text of a document on one line."""
    return " ".join((ROOT / name).read_text("utf-8").split())


def test_the_interval_contains_the_true_difference() -> None:
    """In at least 95 % of the races."""
    generator = np.random.default_rng(1)
    truth = np.mean([only_pair(race(generator, [0.3, 0.0], 20, 2_000, 0.1)).difference for _ in range(40)])
    pairs = [only_pair(race(generator, [0.3, 0.0], 3, 500, 0.1)) for _ in range(RACES)]
    assert np.mean([pair.interval.contains(truth) for pair in pairs if pair.interval]) >= 1 - MOST


@pytest.mark.parametrize("between_seeds", [0.0, 0.3])
def test_the_interval_of_a_mean_contains_the_true_accuracy(between_seeds: float) -> None:
    """Without results image by image it contains it as often, and it is at least as wide as with them."""
    generator = np.random.default_rng(3)
    (many,) = race(generator, [0.0], 500, 2_000, between_seeds)
    truth = np.mean([correct.mean() for correct in many.values()])
    found = []
    for _ in range(RACES):
        (results,) = race(generator, [0.0], 3, 400, between_seeds)
        interval, exact = (
            mean_interval([correct.mean() for correct in results.values()], 400),
            accuracy_interval(results),
        )
        found.append(interval.contains(truth))
        assert interval.low <= exact.low < exact.high <= interval.high
    assert np.mean(found) >= 1 - MOST


def test_the_interval_of_a_mean_of_losses_is_students() -> None:
    """With three seeds, and a loss is at least 0; with two there is none, and an accuracy has that of its images."""
    assert mean_interval([1.0, 2.0, 3.0]) == pytest.approx((0, 2 + 4.3027 / 3**0.5), abs=1e-3)
    assert mean_interval([1.0, 2.0]) is None
    assert mean_interval([0.4, 0.6], 100) == wilson(50, 100)
    assert mean_interval([1.0, 1.0, 1.0], 100).high == 1.0


def only_pair(networks: Race) -> PairedDifference:
    """Return the comparison of two networks."""
    (pair,) = paired_differences(networks)
    return pair


def constant(value: bool, seeds: int, images: int = 100) -> dict[int, Correct]:
    """Return results that are the same for each image and seed."""
    return {seed: np.full(images, value) for seed in range(seeds)}


@pytest.mark.parametrize("seeds", range(1, MIN_SEEDS))
def test_fewer_than_three_seeds_allow_no_claim(seeds: int) -> None:
    """However large the difference is."""
    pair = only_pair([constant(True, seeds), constant(False, seeds)])
    assert (pair.seeds, pair.images, pair.difference, pair.interval, pair.is_significant) == (
        *(seeds, 100),
        *(1.0, None, False),
    )


def test_where_nothing_varies_there_is_still_an_error() -> None:
    """Equal results are no difference. A constant one is real with many images, and not with two."""
    assert not only_pair([constant(True, 3), constant(True, 3)]).is_significant
    assert only_pair([constant(True, 3), constant(False, 3)]).is_significant
    assert not only_pair([constant(True, 3, images=2), constant(False, 3, images=2)]).is_significant


def test_every_pair_is_compared_once_with_its_sign() -> None:
    """Of three networks, three pairs: the first minus the second, over the seeds that both have."""
    first, second, third = (dict.fromkeys(range(3), np.arange(4) < count) for count in (0, 2, 1))
    del third[0]
    found = [(*pair[:3], pair.difference) for pair in paired_differences([first, second, third])]
    assert found == [(0, 1, 3, -0.5), (0, 2, 2, -0.25), (1, 2, 2, 0.25)]
    assert paired_differences([first, {7: np.arange(4) < 1}]) == ()


def test_results_on_other_images_are_refused() -> None:
    """They cannot be paired."""
    with pytest.raises(ValueError, match="same test images"):
        paired_differences([constant(True, 3, images=10), constant(True, 3, images=11)])


def test_mcnemar() -> None:
    """The numbers are those of the exact test and of the adjusted interval, computed by hand."""
    first = np.array([True] * 10 + [False] * 90)
    second = np.array([False] * 8 + [True] * 2 + [True] * 1 + [False] * 89)
    found = mcnemar(first, second)
    assert (found.images, found.only_first, found.only_second, found.difference) == (100, 8, 1, 0.07)
    assert found.p == pytest.approx(2 * (1 + 9) / 2**9)
    assert found.interval == pytest.approx((0.0080, 0.1292), abs=2e-3)
    assert mcnemar(first, first).p == 1.0
