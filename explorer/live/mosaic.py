"""Tensors as grey and coloured PNG pictures: one map, or many as tiles of one picture."""

from math import ceil

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.data.images import png
from explorer.jobs.inspection import TILE, Heat, Size

COLUMNS = 16


def heat(values: Tensor) -> Heat:
    """H × W of any numbers → a grey picture from the least (or 0 where all are above) to the largest."""
    low, high = min(values.min().item(), 0.0), max(values.max().item(), 0.0)
    shades = (values - low) / max(high - low, 1e-12) * 255
    return Heat(png=png(_bytes(shades)), size=tuple(values.shape), low=low, high=high)


def tiled(maps: Tensor) -> tuple[bytes, Size, int]:
    """n × H × W → one picture, the size of a tile in it, and the tiles in a row.

    Larger maps are averaged down to ``TILE``; each is scaled by itself, from the least (or 0 where all are above).
    """
    height, width = maps.shape[1:]
    shrink = max(1, ceil(max(height, width) / TILE))
    if shrink > 1:
        maps = F.adaptive_avg_pool2d(maps[:, None], (ceil(height / shrink), ceil(width / shrink)))[:, 0]
    low = maps.amin((1, 2), keepdim=True).clamp(max=0)
    high = maps.amax((1, 2), keepdim=True).clamp(min=0)
    shades = (maps - low) / (high - low).clamp(min=1e-12) * 255
    return png(_bytes(laid_out(shades[..., None])[..., 0])), (maps.shape[1], maps.shape[2]), min(COLUMNS, len(maps))


def laid_out(tiles: Tensor) -> Tensor:
    """n × H × W × C → rows · H × columns · W × C, filled up with zeros."""
    count, height, width, channels = tiles.shape
    columns = min(COLUMNS, count)
    rows = ceil(count / columns)
    filled = F.pad(tiles, (0, 0, 0, 0, 0, 0, 0, rows * columns - count))
    grid = filled.reshape(rows, columns, height, width, channels).transpose(1, 2)
    return grid.reshape(rows * height, columns * width, channels)


def signed(kernels: Tensor) -> np.ndarray:
    """n × H × W × C of any sign → tiles of one picture in which mid-grey is 0, each kernel scaled by itself."""
    most = kernels.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    shades = _bytes(laid_out(kernels / most * 127.5 + 127.5))
    return shades[..., 0] if shades.shape[-1] == 1 else shades


def _bytes(shades: Tensor) -> np.ndarray:
    return shades.nan_to_num(0).clamp(0, 255).round().to(torch.uint8).cpu().contiguous().numpy()
