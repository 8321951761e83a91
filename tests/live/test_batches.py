"""Batches: what a step sees follows from seed and step; varied as told; standardised by the training pixels."""

import numpy as np
import pytest
import torch

from explorer.data.datasets import ImageSet
from explorer.live.batches import MAX_SHIFT, Batches, pixel_statistics
from explorer.training.plan import DATASETS

CPU = torch.device("cpu")


def batches(count: int = 20, channels: int = 1, side: int = 9) -> Batches:
    """Return random images; the label of each is its number."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, channels, side, side), np.uint8)
    known = DATASETS["scales"].replace(shape=(channels, side, side), train=count, test=count)
    return Batches(ImageSet(known, pixels, np.arange(count), pixels, np.arange(count)), CPU)


def test_an_epoch_sees_every_image_once() -> None:
    """In a new order each time; what does not fill a batch is left out."""
    whole = batches()
    first, second = ([whole.chosen(3, epoch * 4 + n, 5).tolist() for n in range(4)] for epoch in range(2))
    for epoch in (first, second):
        assert sorted(index for batch in epoch for index in batch) == list(range(20))
    assert first != second
    assert 18 == len({index for n in range(3) for index in whole.chosen(3, n, 6).tolist()})


def test_what_a_step_sees_follows_from_seed_and_step() -> None:
    """Whatever was asked before; another seed or step sees other images, varied otherwise."""
    ours, theirs = batches(), batches()
    theirs.for_step(0, 7, 5, augment=True)
    images, labels = ours.for_step(1, 2, 5, augment=True)
    again, same = theirs.for_step(1, 2, 5, augment=True)
    assert torch.equal(images, again)
    assert torch.equal(labels, same)
    for seed, step in ((2, 2), (1, 3)):
        assert not torch.equal(labels, ours.for_step(seed, step, 5, augment=True)[1])


def test_labels_go_with_their_images() -> None:
    """Unvaried, each is the image of its number, standardised."""
    whole = batches(channels=3)
    images, labels = whole.for_step(0, 1, 6, augment=False)
    assert torch.equal(whole.standardised(whole.train[labels]), images)
    assert (6, 3, 9, 9) == images.shape
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_variation_mirrors_and_shifts() -> None:
    """Every image is one of the 2 · 5 · 5 that can be, the border repeated; many different ones occur."""
    whole = batches(count=60)
    chosen = torch.arange(60)
    varied, seen = whole.varied(chosen, 5), set()
    for number in range(60):
        image = whole.train[number, :, :, 0].numpy()
        border = np.pad(image, MAX_SHIFT, mode="edge")
        cases = {
            (row, column, mirror): shifted[:, ::-1] if mirror else shifted
            for row in range(5)
            for column in range(5)
            for shifted in [border[row : row + 9, column : column + 9]]
            for mirror in (False, True)
        }
        (case,) = [key for key, value in cases.items() if (value == varied[number, :, :, 0].numpy()).all()]
        seen.add(case)
    assert len(seen) > 25
    assert {True, False} == {mirror for _, _, mirror in seen}


def test_training_pixels_have_mean_0_and_deviation_1() -> None:
    """Per channel; and an image of one colour does not divide by nothing."""
    whole = batches(count=50, channels=3)
    numbers = whole.standardised(whole.train)
    assert [0.0] * 3 == pytest.approx(numbers.mean((0, 2, 3)).tolist(), abs=1e-5)
    assert [1.0] * 3 == pytest.approx(numbers.std((0, 2, 3)).tolist(), abs=1e-3)
    mean, deviation = pixel_statistics(torch.full((2, 3, 3, 1), 51, dtype=torch.uint8))
    assert mean.item() == pytest.approx(0.2)
    assert deviation.item() > 0


def test_a_batch_is_never_larger_than_the_set() -> None:
    """A few images are all taken every step."""
    assert list(range(20)) == sorted(batches().chosen(0, 3, 500).tolist())
