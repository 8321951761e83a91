"""Tensors as grey and coloured PNG images: a single map, or many as the tiles of one image."""

from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from explorer.data.images import png
from explorer.jobs.inspection import TILE, Heat, Size

COLUMNS = 16  # tiles in a row


def heat_map(values: Tensor) -> Heat:
    """H × W of any numbers → a grey image. Black is the minimum or 0, white the maximum or 0: 0 is always in range."""
    low, high = min(values.min().item(), 0.0), max(values.max().item(), 0.0)
    shades = (values - low) / max(high - low, 1e-12) * 255
    height, width = values.shape
    return Heat(png=png(_to_bytes(shades)), size=(height, width), low=low, high=high)


def feature_map_grid(maps: Tensor) -> tuple[bytes, Size, int]:
    """n × H × W → one grey PNG with a tile per map, the size of a tile, and the number of tiles in a row.

    Maps larger than ``TILE`` are averaged down. Each is scaled by itself, like a :func:`heat_map`.
    """
    maps = average_down(maps, TILE)
    low = maps.amin((1, 2), keepdim=True).clamp(max=0)
    high = maps.amax((1, 2), keepdim=True).clamp(min=0)
    shades = (maps - low) / (high - low).clamp(min=1e-12) * 255
    grid = make_grid(shades[..., None])[..., 0]
    return png(_to_bytes(grid)), (maps.shape[1], maps.shape[2]), min(COLUMNS, len(maps))


def average_down(maps: Tensor, side: int) -> Tensor:
    """n × H × W → the same maps with no side longer than ``side``: each number is the mean of several positions."""
    height, width = maps.shape[1:]
    shrink = max(1, ceil(max(height, width) / side))
    if shrink == 1:
        return maps
    return F.adaptive_avg_pool2d(maps[:, None], (ceil(height / shrink), ceil(width / shrink)))[:, 0]


def make_grid(tiles: Tensor) -> Tensor:
    """n × H × W × C → rows · H × columns · W × C, row by row; free places are zeros."""
    count, height, width, channels = tiles.shape
    columns = min(COLUMNS, count)
    rows = ceil(count / columns)
    tiles = F.pad(tiles, (0, 0, 0, 0, 0, 0, 0, rows * columns - count))
    grid = tiles.reshape(rows, columns, height, width, channels).transpose(1, 2)
    return grid.reshape(rows * height, columns * width, channels)


def kernel_grid(kernels: Tensor) -> NDArray[np.uint8]:
    """n × H × W × C of any sign → pixels of one image, a tile per kernel. Mid-grey is 0; each is scaled by itself."""
    largest = kernels.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
    shades = _to_bytes(make_grid(kernels / largest * 127.5 + 127.5))
    return shades[..., 0] if shades.shape[-1] == 1 else shades


def _to_bytes(shades: Tensor) -> NDArray[np.uint8]:
    """Round shades from 0 to 255 to bytes; NaN becomes 0."""
    return shades.nan_to_num(0).clamp(0, 255).round().to(torch.uint8).cpu().contiguous().numpy()
