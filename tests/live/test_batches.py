"""Batches: determined by seed and step, augmented on request, standardized by the training pixels."""

import numpy as np
import pytest
import torch

from explorer.data.datasets import ImageSet
from explorer.live.batches import MAX_SHIFT, Batches, pixel_statistics
from explorer.training.plan import DATASETS

CPU = torch.device("cpu")


def make_batches(count: int = 20, channels: int = 1, side: int = 9) -> Batches:
    """Return random images; the label of each is its number."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, channels, side, side), np.uint8)
    info = DATASETS["scales"].replace(shape=(channels, side, side), train=count, test=count)
    return Batches(ImageSet(info, pixels, np.arange(count), pixels, np.arange(count)), CPU)


def test_an_epoch_sees_every_image_once() -> None:
    """In a new order each time; images that do not fill a batch are skipped."""
    batches = make_batches()
    first, second = ([batches.batch_indices(3, epoch * 4 + n, 5).tolist() for n in range(4)] for epoch in range(2))
    for epoch in (first, second):
        assert sorted(index for batch in epoch for index in batch) == list(range(20))
    assert first != second
    assert 18 == len({index for n in range(3) for index in batches.batch_indices(3, n, 6).tolist()})


def test_a_batch_depends_on_seed_and_step_only() -> None:
    """Earlier batches do not matter; another seed or step gives other images."""
    first, second = make_batches(), make_batches()
    second.for_step(0, 7, 5, augment=True)
    images, labels = first.for_step(1, 2, 5, augment=True)
    other_images, other_labels = second.for_step(1, 2, 5, augment=True)
    assert torch.equal(images, other_images)
    assert torch.equal(labels, other_labels)
    for seed, step in ((2, 2), (1, 3)):
        assert not torch.equal(labels, first.for_step(seed, step, 5, augment=True)[1])


def test_labels_belong_to_their_images() -> None:
    """Without augmentation, each image is the standardized one of its label."""
    batches = make_batches(channels=3)
    images, labels = batches.for_step(0, 1, 6, augment=False)
    assert torch.equal(batches.standardize(batches.train[labels]), images)
    assert (6, 3, 9, 9) == images.shape
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_augmentation_mirrors_and_shifts() -> None:
    """Every image is one of 2 · 5 · 5 possible ones, with the border repeated; many different ones occur."""
    batches = make_batches(count=60)
    augmented, seen = batches.augment(torch.arange(60), 5), set()
    for number in range(60):
        image = batches.train[number, :, :, 0].numpy()
        border = np.pad(image, MAX_SHIFT, mode="edge")
        cases = {
            (row, column, mirror): shifted[:, ::-1] if mirror else shifted
            for row in range(5)
            for column in range(5)
            for shifted in [border[row : row + 9, column : column + 9]]
            for mirror in (False, True)
        }
        (case,) = [key for key, value in cases.items() if (value == augmented[number, :, :, 0].numpy()).all()]
        seen.add(case)
    assert len(seen) > 25
    assert {True, False} == {mirror for _, _, mirror in seen}


def test_training_pixels_have_mean_0_and_deviation_1() -> None:
    """Per channel; images of one colour do not lead to a division by 0."""
    batches = make_batches(count=50, channels=3)
    numbers = batches.standardize(batches.train)
    assert [0.0] * 3 == pytest.approx(numbers.mean((0, 2, 3)).tolist(), abs=1e-5)
    assert [1.0] * 3 == pytest.approx(numbers.std((0, 2, 3)).tolist(), abs=1e-3)
    mean, std = pixel_statistics(torch.full((2, 3, 3, 1), 51, dtype=torch.uint8))
    assert mean.item() == pytest.approx(0.2)
    assert std.item() > 0


def test_a_batch_is_never_larger_than_the_dataset() -> None:
    """A few images are all in every batch."""
    assert list(range(20)) == sorted(make_batches().batch_indices(0, 3, 500).tolist())


def test_the_hash_of_a_test_set() -> None:
    """It is of the test images and their labels only, so that results on the same images are found."""
    batches, same = make_batches(), make_batches()
    same.train = same.train.flip(0)
    other = make_batches()
    other.test_labels = other.test_labels.flip(0)
    assert batches.test_set == same.test_set != other.test_set
