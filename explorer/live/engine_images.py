"""The images on which engines are measured, and on which int8 is calibrated."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.analysis import summarize
from explorer.data.array_types import Pixels
from explorer.data.datasets import ImageSet, find_dataset, load
from explorer.data.preprocessing import Preprocessing
from explorer.data.weight_files import read_metadata
from explorer.data.weights import Network
from explorer.live.batches import standardize

CALIBRATION_IMAGES = 64
TEST_BATCH = 100
MAX_TEST_MACS = 250_000_000_000  # of all test images together, for one engine: about 20 seconds on one core


class EngineImages:
    """Network inputs, N × C × H × W: of the dataset on which the weights were trained, or random ones.

    ``test_count`` is the number of test images; 0 if the dataset is unknown or no longer in the data directory.
    """

    def __init__(self, network: Network, preprocessing: Preprocessing, folder: Path, device: torch.device) -> None:
        self._shape, self._device = network.config.input_shape, device
        self._preprocessing = preprocessing
        self._dataset = _dataset(network, folder)
        self.test_count = 0
        if self._dataset is not None:
            affordable = max(1, MAX_TEST_MACS // summarize(network.config).macs(aux=True))
            self.test_count = min(len(self._dataset.test), affordable)

    def batch(self, size: int) -> Tensor:
        """Return ``size`` images to time."""
        if self._dataset is None:
            return torch.randn(size, *self._shape, generator=torch.Generator().manual_seed(0)).to(self._device)
        return self._standardize(self._dataset.test[np.arange(size) % len(self._dataset.test)])

    def calibration(self) -> Tensor | None:
        """Return a random sample of the training images, always the same; None if the dataset is unknown."""
        if self._dataset is None:
            return None
        order = np.random.default_rng(0).permutation(len(self._dataset.train))
        return self._standardize(self._dataset.train[order[:CALIBRATION_IMAGES]])

    def test_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the test images with their labels; a random sample, always the same, if there are too many."""
        if self._dataset is None:
            return
        order = np.random.default_rng(1).permutation(len(self._dataset.test))[: self.test_count]
        for start in range(0, len(order), TEST_BATCH):
            chosen = order[start : start + TEST_BATCH]
            labels = torch.from_numpy(self._dataset.test_labels[chosen]).to(self._device)
            yield self._standardize(self._dataset.test[chosen]), labels

    def _standardize(self, pixels: Pixels) -> Tensor:
        return standardize(pixels, self._preprocessing.mean, self._preprocessing.std).to(self._device)


def _dataset(network: Network, folder: Path) -> ImageSet | None:
    """Return the dataset on which the weights were trained, if it is known and fits the network's input."""
    metadata = read_metadata(network.weights) if network.weights else None
    if metadata is None or metadata.facts.shape != network.config.input_shape:
        return None
    choice = find_dataset(metadata.facts, folder)
    return None if choice is None else load(choice, folder)
