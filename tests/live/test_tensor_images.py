"""Tensors as images: the shades of a heat map, and the places of tiles in a grid."""

import io

import numpy as np
import torch
from PIL import Image

from explorer.live.tensor_images import COLUMNS, heat_map, make_grid


def test_a_heat_map_always_has_zero_in_its_range() -> None:
    """Black is the lower of the minimum and 0, white the higher of the maximum and 0."""
    for values, low, high, shades in (
        ([[1.0, 2.0]], 0, 2, [[128, 255]]),
        ([[-1.0, 1.0]], -1, 1, [[0, 255]]),
        ([[-2.0, -1.0]], -2, 0, [[0, 128]]),
        ([[0.0, 0.0]], 0, 0, [[0, 0]]),
    ):
        result = heat_map(torch.tensor(values))
        assert (result.size, result.low, result.high) == ((1, 2), low, high)
        assert np.asarray(Image.open(io.BytesIO(result.png))).tolist() == shades


def test_tiles_fill_the_grid_row_by_row() -> None:
    """The free places of the last row are zeros."""
    tiles = torch.arange(1, COLUMNS + 3)[:, None, None, None].expand(-1, 2, 3, 1)
    grid = make_grid(tiles)[..., 0]
    assert grid.shape == (2 * 2, COLUMNS * 3)
    assert grid[0, ::3].tolist() == list(range(1, COLUMNS + 1))
    assert grid[2, ::3].tolist() == [COLUMNS + 1, COLUMNS + 2] + [0] * (COLUMNS - 2)
