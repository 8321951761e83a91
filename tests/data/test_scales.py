"""The synthetic dataset *Scales*: reproducible, balanced, and with the same distribution of sizes in every class."""

import numpy as np
import pytest

from explorer.data.scales import MAX_RADIUS, MIN_RADIUS, SHAPES, draw, random_radii


def test_the_images_depend_on_the_seed_alone() -> None:
    """The same seed gives the same images, another seed others; all classes are equally frequent."""
    images, labels = draw(80, 3)
    repeated, _ = draw(80, 3)
    assert ((80, 3, 32, 32), np.uint8) == (images.shape, images.dtype)
    assert (images == repeated).all()
    assert (images != draw(80, 4)[0]).any()
    assert [10] * len(SHAPES) == np.bincount(labels).tolist()


def test_sizes_are_log_uniform_in_every_class() -> None:
    """They range over more than two octaves; a shape of three times the size covers nine times the area."""
    radii = random_radii(4_000, np.random.default_rng(0))
    assert radii.min() >= MIN_RADIUS
    assert radii.max() <= MAX_RADIUS
    octaves = np.log2(radii / MIN_RADIUS)
    assert [4_000 / 4] * 4 == pytest.approx(np.histogram(octaves, 4)[0], rel=0.1)
    fine = np.linspace(-16, 16, 257)
    for distance in SHAPES.values():
        small, large = ((distance(*np.meshgrid(*2 * [fine / size])) > 0).sum() for size in (4, 12))
        assert large == pytest.approx(9 * small, rel=0.1)


def test_all_shapes_are_different() -> None:
    """At the same position and size; none is empty or fills the image."""
    grid = np.meshgrid(*2 * [np.linspace(-1.3, 1.3, 40)])
    masks = [distance(*grid) > 0 for distance in SHAPES.values()]
    for number, mask in enumerate(masks):
        assert 0.05 < mask.mean() < 0.7
        for other in masks[:number]:
            assert (mask != other).mean() > 0.03
