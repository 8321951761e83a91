"""A tiny network and small images for tests of training."""

from collections.abc import Mapping

import numpy as np
import torch

from explorer import GoogLeNetConfig, InceptionModule
from explorer.config import AuxiliaryHeads, Stem
from explorer.data.datasets import ImageSet
from explorer.training.plan import DATASETS

CPU = torch.device("cpu")
TINY = GoogLeNetConfig(
    input_shape=(1, 12, 12),
    stem=Stem(kind="small", conv1=4, conv2_reduce=4, conv2=8),
    modules=(
        InceptionModule(name="3a", ch1x1=4, ch3x3_reduce=4, ch3x3=4, ch5x5_reduce=2, ch5x5=2, pool_proj=2),
        InceptionModule(name="4a", ch1x1=4, ch3x3_reduce=4, ch3x3=4, ch5x5_reduce=2, ch5x5=2, pool_proj=2),
    ),
    normalisation="batch_norm",
    conv_bias=False,
    aux=AuxiliaryHeads(taps=("3a",), conv=4, hidden=8),
    classes=3,
)
# Every setting that is newer than the first stored plans, at another value than what was done before.
NEWER: Mapping[str, object] = {
    "precision": "auto",
    "initialisation": "caffe",
    "warm_up": 0.1,
    "clip_norm": 1.0,
    "label_smoothing": 0.1,
    "mirror": True,
    "small_images": 0.5,
    "averaging": 0.5,
    "precise_batch_norm": False,
}
PLAIN = TINY.replace(normalisation="none", conv_bias=True)


def images(train: int = 48, test: int = 30) -> ImageSet:
    """Return images of three classes, which are bright in different rows."""
    generator = np.random.default_rng(0)
    info = DATASETS["fashion_mnist"].replace(shape=(1, 12, 12), classes=("a", "b", "c"), train=train, test=test)
    parts = []
    for count in (train, test):
        labels = np.arange(count) % 3
        pixels = generator.integers(0, 120, (count, 1, 12, 12))
        for number, label in enumerate(labels):
            pixels[number, :, 4 * label : 4 * label + 4] += 100
        parts += [pixels.astype(np.uint8), labels]
    return ImageSet(info, *parts)
