"""Evaluate a file of weights on the test images of a dataset."""

import torch

from explorer.data.datasets import ImageSet
from explorer.data.weight_files import WeightsInfo
from explorer.errors import InputError
from explorer.live.batches import resize_images
from explorer.live.devices import resolve_device
from explorer.live.inference import live_network

BATCH = 250


@torch.inference_mode()
def count_correct_images(weights: WeightsInfo, images: ImageSet, device: str = "auto") -> int:
    """Return how many test images are classified correctly. Raises InputError for images of another kind."""
    config, preprocessing = weights.network.config, weights.preprocessing
    if (config.input_shape[0], config.classes) != (images.info.shape[0], len(images.info.classes)):
        raise InputError(
            f"The network takes images of {config.input_shape[0]} channels in {config.classes:,} classes; "
            f"{images.info.title} has {images.info.shape[0]} channels and {len(images.info.classes):,} classes."
        )
    resolved = resolve_device(device)
    model = live_network(weights.network, resolved)
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    correct = 0
    for start in range(0, len(images.test), BATCH):
        pixels = torch.from_numpy(images.test[start : start + BATCH]).float() / 255
        inputs = ((pixels - mean) / std).to(resolved.torch).contiguous(memory_format=torch.channels_last)
        predicted = model(resize_images(inputs, config.input_shape[1:])).argmax(1).cpu()
        correct += int((predicted == torch.from_numpy(images.test_labels[start : start + BATCH])).sum())
    return correct
