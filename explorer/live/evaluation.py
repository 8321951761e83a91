"""Classify many test images: the predicted class and the maximum softmax of each.

The images are a user's own (:mod:`explorer.data.own_test_images`), or the test images of a dataset.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from explorer.data.array_types import AnyArray, Pixels
from explorer.data.arrays import DataError
from explorer.data.own_test_images import load_inputs, load_sample, network_input
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Evaluation
from explorer.jobs.job import Progress
from explorer.live.devices import resolve_device
from explorer.live.inference import check_work, live_network
from explorer.training.plan import DatasetChoice

_BATCH = 32
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
    resolved = resolve_device(device)
    model = live_network(network, resolved)
    mean, std = (np.array(values, np.float32).reshape(-1, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    predicted: list[int] = []
    confidences: list[float] = []
    for start in range(0, len(inputs), _BATCH):
        yield Progress(done=start, total=len(inputs), message="images")
        values = (inputs[start : start + _BATCH].astype(np.float32) / np.float32(255) - mean) / std
        with torch.inference_mode():
            batch = torch.from_numpy(values).to(resolved.torch, memory_format=torch.channels_last)
            best = model(batch).softmax(dim=1).max(dim=1)
        predicted += best.indices.tolist()
        confidences += best.values.tolist()
    yield Evaluation(labels=tuple(labels.tolist()), predicted=tuple(predicted), confidences=tuple(confidences))


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
