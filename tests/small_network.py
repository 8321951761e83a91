"""A small network, its weights in a file, and images in a folder, for tests of inference and inspection."""

from pathlib import Path

import numpy as np
import torch

from explorer import GoogLeNetConfig, InceptionModule
from explorer.config import AuxiliaryHeads, Stem
from explorer.data.content_store import ContentStore
from explorer.data.images import png
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.live.model import build_model
from explorer.live.weights import to_safetensors

PREPROCESSING = Preprocessing()
# Two stages, a module without a 5×5 branch, and one whose pool has no projection and passes all channels.
SMALL = GoogLeNetConfig(
    input_shape=(3, 32, 32),
    stem=Stem(kind="small", conv1=8, conv2_reduce=6, conv2=12),
    modules=tuple(
        InceptionModule(name=name, ch1x1=a, ch3x3_reduce=b, ch3x3=c, ch5x5_reduce=d, ch5x5=e, pool_proj=f)
        for name, a, b, c, d, e, f in (
            ("3a", 4, 3, 6, 2, 5, 3),
            ("3b", 5, None, 4, 2, 0, None),
            ("4a", 6, 4, 8, 3, 4, 4),
        )
    ),
    aux=AuxiliaryHeads(taps=("3b",), pool="adaptive", conv=4, hidden=16),
    classes=7,
)


def save_network(folder: Path, config: GoogLeNetConfig = SMALL) -> Network:
    """Save weights, with biases and statistics unlike those of any random network, and return the network with them."""
    model = build_model(config, seed=11)
    generator = torch.Generator().manual_seed(12)
    for name, values in model.state_dict().items():
        if values.ndim == 1:
            values.copy_(torch.rand(values.shape, generator=generator) + 0.5 * name.endswith("running_var"))
    path = folder / "weights.safetensors"
    path.write_bytes(to_safetensors(model))
    return Network(config=config, weights=str(path))


def save_images(folder: Path, count: int = 1) -> tuple[str, ...]:
    """Save random images and return their paths."""
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
    return tuple(str(ContentStore(folder).add(png(pixels), ".png")) for pixels in images)
