"""Classify many test images: the predicted class and the maximum softmax of each.

The images are a user's own (:mod:`explorer.data.own_test_images`), or the test images of a dataset.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.data.array_types import AnyArray, Pixels
from explorer.data.arrays import DataError
from explorer.data.datasets import ImageSet
from explorer.data.own_test_images import load_inputs, load_sample, network_input
from explorer.data.preprocessing import Preprocessing
from explorer.data.weight_files import WeightsInfo
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Evaluation
from explorer.jobs.job import Progress
from explorer.live.batches import resize_images, standardize
from explorer.live.devices import resolve_device
from explorer.live.inference import check_work, in_chunks, live_network
from explorer.training.plan import DatasetChoice

_BATCH = 250  # images whose pixels are floating-point numbers at once
_MAX_FACTOR = 20  # of the work of a request without progress


def evaluate(
    network: Network,
    preprocessing: Preprocessing,
    device: str = "auto",
    stored: str = "",
    dataset: str = "",
    folder: str = "",
) -> Iterator[Progress | Evaluation]:
    """Yield progress, then the predictions for the images in the file ``stored``, or for those of ``dataset``.

    ``dataset`` is a ``DatasetChoice`` as JSON, ``folder`` the data directory. Raises InputError with the reason.
    """
    inputs, labels = _inputs(network, preprocessing, stored, dataset, Path(folder))
    check_work(network, -(-len(inputs) // _MAX_FACTOR))
    predicted: list[int] = []
    confidences: list[float] = []
    yield Progress(done=0, total=len(inputs), message="images")
    for classes, probabilities in _classify(network, preprocessing, inputs, device):
        predicted += classes.tolist()
        confidences += probabilities.tolist()
        yield Progress(done=len(predicted), total=len(inputs), message="images")
    yield Evaluation(labels=tuple(labels.tolist()), predicted=tuple(predicted), confidences=tuple(confidences))


def count_correct_images(weights: WeightsInfo, images: ImageSet, device: str = "auto") -> int:
    """Return how many test images of a dataset are classified correctly, resized as the training resizes them.

    Raises InputError for images of another kind.
    """
    config = weights.network.config
    if (config.input_shape[0], config.classes) != (images.info.shape[0], len(images.info.classes)):
        raise InputError(
            f"The network takes images of {config.input_shape[0]} channels in {config.classes:,} classes; "
            f"{images.info.title} has {images.info.shape[0]} channels and {len(images.info.classes):,} classes."
        )
    batches = _classify(weights.network, weights.preprocessing, images.test, device)
    predicted = torch.cat([classes for classes, _ in batches])
    return int((predicted == torch.from_numpy(images.test_labels)).sum())


def _classify(
    network: Network, preprocessing: Preprocessing, pixels: Pixels, device: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the predicted classes of a batch of N × C × H × W bytes, and their probabilities, until all are done."""
    resolved = resolve_device(device)
    model = live_network(network, resolved)
    for start in range(0, len(pixels), _BATCH):
        batch = standardize(pixels[start : start + _BATCH], preprocessing.mean, preprocessing.std)
        for chunk in in_chunks(resize_images(batch, network.config.input_shape[1:]), network):
            with torch.inference_mode():
                inputs = chunk.to(resolved.torch, memory_format=torch.channels_last)
                best = model(inputs).softmax(dim=1).max(dim=1)
            yield best.indices.cpu(), best.values.cpu()


def _inputs(
    network: Network, preprocessing: Preprocessing, stored: str, dataset: str, folder: Path
) -> tuple[Pixels, AnyArray]:
    """Return the images as inputs before normalisation, N × C × H × W, and their labels. Raises InputError."""
    try:
        if not dataset:
            inputs, labels = load_inputs(stored)
        else:
            images, labels = load_sample(DatasetChoice.model_validate_json(dataset), folder)
            pixels = (image.transpose(1, 2, 0) for image in images)
            inputs = np.stack([network_input(image, network.config, preprocessing) for image in pixels])
    except DataError as error:
        raise InputError(str(error)) from error
    if inputs.shape[1:] != network.config.input_shape:
        raise InputError("The test images were prepared for another network. Upload them again.")
    return inputs, labels
