"""From stored pixels to batches: the choice of images, their augmentation, and the standardization of pixels.

A batch depends only on the seed and the number of the step. So trainers with the same seed see the same batches, and a
resumed run sees the batches of an uninterrupted one, without a stored state of a random generator.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.data.array_types import Pixels
from explorer.data.datasets import ImageSet

MAX_SHIFT = 2  # pixels


class Batches:
    """The images of a dataset on a device, as N × H × W × C bytes, and the batches made of them.

    ``mean`` and ``std`` are those of the training pixels, per channel, on a scale of 0 to 1. Channels last from the
    start costs no copy later, and makes convolutions on CPUs and GPUs faster.
    """

    def __init__(self, images: ImageSet, device: torch.device) -> None:
        self.info = images.info
        self.device = device
        self.train, self.test = (
            torch.from_numpy(np.array(part.transpose(0, 2, 3, 1), order="C")).to(device)
            for part in (images.train, images.test)
        )
        self.train_labels, self.test_labels = (
            torch.from_numpy(labels).to(device) for labels in (images.train_labels, images.test_labels)
        )
        self.mean, self.std = pixel_statistics(self.train)

    def for_step(
        self, seed: int, step: int, size: int, *, augment: bool, mirror: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return images (size × C × H × W, standardized float32) and labels (size) of a training step.

        ``augment`` mirrors and shifts them at random, ``mirror`` only mirrors them.
        """
        indices = self.batch_indices(seed, step, size)
        if augment or mirror:
            pixels = self.augment(indices, mix_seed(seed, step, 1), MAX_SHIFT if augment else 0)
        else:
            pixels = self.train[indices]
        return self.standardize(pixels), self.train_labels[indices]

    def batch_indices(self, seed: int, step: int, size: int) -> Tensor:
        """Return the indices of a step's images: whole batches, in a new order each epoch. The rest is skipped."""
        size = min(size, len(self.train))
        epoch, position = divmod(step, len(self.train) // size)
        order = _order(len(self.train), mix_seed(seed, epoch, 0))
        return order[position * size : (position + 1) * size].to(self.device)

    def test_indices(self, size: int | None) -> Tensor:
        """Return the indices of all test images, or of a random sample, always the same one.

        Datasets are often stored class by class, so their first images are of few classes.
        """
        count = len(self.test)
        indices = torch.arange(count) if size is None else _order(count, 0)[:size].sort().values
        return indices.to(self.device)

    def training_sample(self, size: int) -> Tensor:
        """Return the indices of a random sample of training images, always the same one; of all if they are fewer."""
        return _order(len(self.train), 1)[:size].sort().values.to(self.device)

    @cached_property
    def test_set(self) -> str:
        """A hash of the test images and their labels: results with the same hash are of the same images."""
        content = sha256(self.test.cpu().numpy().tobytes())
        content.update(self.test_labels.to("cpu", torch.int64).numpy().tobytes())
        return content.hexdigest()[:16]

    def augment(self, indices: Tensor, seed: int, max_shift: int = MAX_SHIFT) -> Tensor:
        """Return images mirrored at random and shifted by up to ``max_shift`` pixels; the border is repeated."""
        count, (height, width) = len(indices), self.train.shape[1:3]
        generator = torch.Generator().manual_seed(seed)
        shift = torch.randint(-max_shift, max_shift + 1, (2, count, 1), generator=generator)
        mirror = torch.rand(count, 1, generator=generator) < 0.5
        rows = (torch.arange(height) + shift[0]).clamp(0, height - 1)  # N × H
        columns = (torch.arange(width) + shift[1]).clamp(0, width - 1)  # N × W
        columns = torch.where(mirror, columns.flip(1), columns)
        return self.train[indices[:, None, None], rows[:, :, None].to(self.device), columns[:, None, :].to(self.device)]

    def standardize(self, pixels: Tensor) -> Tensor:
        """Return N × H × W × C bytes as N × C × H × W numbers with mean 0 and deviation 1, channels last in memory."""
        return ((pixels.float() / 255 - self.mean) / self.std).permute(0, 3, 1, 2)


def standardize(pixels: Pixels, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return N × C × H × W bytes as numbers, with the mean and the deviation of each channel on a scale of 0 to 1."""
    centre, deviation = (torch.tensor(values, dtype=torch.float32).view(-1, 1, 1) for values in (mean, std))
    return (torch.from_numpy(pixels).float() / 255 - centre) / deviation


def pixel_statistics(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the exact mean and standard deviation of each channel of N × H × W × C bytes, on a scale of 0 to 1."""
    channels = pixels.shape[-1]
    counts = torch.stack([torch.bincount(pixels[..., c].flatten(), minlength=256) for c in range(channels)]).double()
    values = torch.arange(256, device=pixels.device, dtype=torch.float64) / 255
    fractions = counts / counts.sum(1, keepdim=True)
    mean = fractions @ values
    std = (fractions @ values.square() - mean.square()).clamp(min=1e-6).sqrt()
    return mean.float(), std.float()


def resize_images(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return N × C × H × W images resized to H × W; the same tensor if they have that size."""
    if images.shape[2:] == size:
        return images
    return F.interpolate(images, size, mode="bilinear", antialias=True).contiguous(memory_format=torch.channels_last)


def mix_seed(seed: int, number: int, purpose: int) -> int:
    """Return a seed from a run's seed, a step or epoch, and a purpose: order 0, augmentation 1, dropout 2."""
    return (seed * 1_000_003 + number) * 8 + purpose


@lru_cache(maxsize=16)
def _order(count: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
