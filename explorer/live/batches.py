"""From stored pixels to batches: which images, how they are varied, and how pixels become numbers near 0.

What is drawn for a step depends on the seed and the number of the step alone. So lanes with the same seed see the same
batches, and a run that goes on from a checkpoint sees what it would have seen, with no state of any generator to keep.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.data.datasets import ImageSet

MAX_SHIFT = 2  # pixels


class Batches:
    """The images of a set on a device, as N × H × W × C bytes, and the batches that are made of them.

    ``mean`` and ``deviation`` are the training pixels', per channel, in 0 to 1. Keeping the channels last from the
    start costs no copy later, and convolutions on CPUs and GPUs are faster so.
    """

    def __init__(self, images: ImageSet, device: torch.device) -> None:
        self.facts = images.info
        self.device = device
        self.train, self.test = (
            torch.from_numpy(np.array(part.transpose(0, 2, 3, 1), order="C")).to(device)
            for part in (images.train, images.test)
        )
        self.train_labels, self.test_labels = (
            torch.from_numpy(labels).to(device) for labels in (images.train_labels, images.test_labels)
        )
        self.mean, self.deviation = pixel_statistics(self.train)

    def for_step(self, seed: int, step: int, size: int, *, augment: bool) -> tuple[Tensor, Tensor]:
        """Return the images, size × C × H × W as standardised float32, and the labels of a step of training."""
        chosen = self.chosen(seed, step, size)
        pixels = self.varied(chosen, mix_seed(seed, step, 1)) if augment else self.train[chosen]
        return self.standardised(pixels), self.train_labels[chosen]

    def chosen(self, seed: int, step: int, size: int) -> Tensor:
        """Return which images a step sees: whole batches of a new order each epoch, the rest of an epoch left out."""
        size = min(size, len(self.train))
        epoch, place = divmod(step, len(self.train) // size)
        order = _order(len(self.train), mix_seed(seed, epoch, 0))
        return order[place * size : (place + 1) * size].to(self.device)

    def sample(self, size: int | None) -> Tensor:
        """Return which test images are judged: all of them, or so many drawn once and for all.

        Sets are often stored class by class, and their first images are of few classes.
        """
        count = len(self.test)
        chosen = torch.arange(count) if size is None else _order(count, 0)[:size].sort().values
        return chosen.to(self.device)

    def varied(self, chosen: Tensor, seed: int) -> Tensor:
        """Return images mirrored at random and shifted by up to MAX_SHIFT pixels; what comes in repeats the border."""
        count, (height, width) = len(chosen), self.train.shape[1:3]
        generator = torch.Generator().manual_seed(seed)
        shift = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (2, count, 1), generator=generator)
        mirror = torch.rand(count, 1, generator=generator) < 0.5
        rows = (torch.arange(height) + shift[0]).clamp(0, height - 1)  # N × H
        columns = (torch.arange(width) + shift[1]).clamp(0, width - 1)  # N × W
        columns = torch.where(mirror, columns.flip(1), columns)
        return self.train[chosen[:, None, None], rows[:, :, None].to(self.device), columns[:, None, :].to(self.device)]

    def standardised(self, pixels: Tensor) -> Tensor:
        """Return N × H × W × C bytes as N × C × H × W numbers with mean 0 and deviation 1, channels last in memory."""
        return ((pixels.float() / 255 - self.mean) / self.deviation).permute(0, 3, 1, 2)


def pixel_statistics(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel of N × H × W × C bytes, in 0 to 1, exactly."""
    channels = pixels.shape[-1]
    counts = torch.stack([torch.bincount(pixels[..., c].flatten(), minlength=256) for c in range(channels)]).double()
    values = torch.arange(256, device=pixels.device, dtype=torch.float64) / 255
    share = counts / counts.sum(1, keepdim=True)
    mean = share @ values
    deviation = (share @ values.square() - mean.square()).clamp(min=1e-6).sqrt()
    return mean.float(), deviation.float()


def resize_images(images: Tensor, side: tuple[int, int]) -> Tensor:
    """Return N × C × H × W images in the size that a network takes; the same ones where they have it."""
    if images.shape[2:] == side:
        return images
    return F.interpolate(images, side, mode="bilinear", antialias=True).contiguous(memory_format=torch.channels_last)


def mix_seed(seed: int, number: int, purpose: int) -> int:
    """Return one seed for a run's seed, a number that counts, and what is drawn with it."""
    return (seed * 1_000_003 + number) * 8 + purpose


@lru_cache(maxsize=16)
def _order(count: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
