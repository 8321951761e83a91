"""What the tests of looking inside share: a small network, its weights in a file, and pictures in a scratch folder."""

from pathlib import Path

import numpy as np
import torch

from explorer import GoogLeNetConfig, InceptionModule
from explorer.config import AuxiliaryHeads, Stem
from explorer.data.content_store import ContentStore
from explorer.data.images import png
from explorer.jobs.inspection import Network, Preprocessing
from explorer.live.model import build_model
from explorer.live.weights import to_safetensors

HOW = Preprocessing()
# Four kinds of branches: all four, without 5×5, without projection (the pool passes all), and two stages.
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


def network(folder: Path, config: GoogLeNetConfig = SMALL) -> Network:
    """Return a network with weights in a file, BatchNorm's averages included, that differ from any random ones."""
    model = build_model(config, seed=11)
    generator = torch.Generator().manual_seed(12)
    for name, values in model.state_dict().items():
        if values.ndim == 1:
            values.copy_(torch.rand(values.shape, generator=generator) + 0.5 * name.endswith("running_var"))
    path = folder / "weights.safetensors"
    path.write_bytes(to_safetensors(model))
    return Network(config=config, weights=str(path))


def pictures(folder: Path, count: int = 1) -> tuple[str, ...]:
    """Return paths of pictures with all kinds of values in them."""
    drawn = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
    return tuple(str(ContentStore(folder).keep(png(pixels), ".png")) for pixels in drawn)
