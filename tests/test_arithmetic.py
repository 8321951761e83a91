"""The arithmetic of one layer, against counting by hand and against PyTorch's own layers."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from explorer.arithmetic import (
    ReceptiveField,
    adaptive_windows,
    conv_macs,
    conv_size,
    conv_weights,
    pool_size,
)

POOLS = [(kernel, stride, padding) for kernel in (2, 3, 5) for stride in (1, 2, 3) for padding in (0, 1)]


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 3])
def test_conv_size_counts_the_window_positions(kernel: int, stride: int, padding: int) -> None:
    """A convolution has as many outputs as its window has positions on the padded line."""
    for size in range(1, 40):
        starts = [start for start in range(0, size + 2 * padding, stride) if start + kernel <= size + 2 * padding]
        assert len(starts) == max(0, conv_size(size, kernel, stride, padding))


@pytest.mark.parametrize(("kernel", "stride", "padding"), POOLS)
@pytest.mark.parametrize("round_up", [False, True])
def test_pool_size_is_pytorchs(kernel: int, stride: int, padding: int, round_up: bool) -> None:
    """A pool has PyTorch's size, rounding down or up; where PyTorch refuses, the size is below 1."""
    pool = nn.MaxPool2d(kernel, stride, padding, ceil_mode=round_up)
    for size in range(1, 40):
        calculated = pool_size(size, kernel, stride, padding, round_up=round_up)
        line = torch.empty(1, size, size, device="meta")
        if calculated < 1:
            with pytest.raises(RuntimeError, match="too small"):
                pool(line)
        else:
            assert calculated == pool(line).shape[-1]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "down", "up"),
    [(112, 3, 2, 0, 55, 56), (112, 3, 2, 1, 56, 57), (14, 3, 2, 0, 6, 7), (14, 5, 3, 0, 4, 4), (1, 3, 2, 0, 0, 0)],
)
def test_known_pool_sizes(size: int, kernel: int, stride: int, padding: int, down: int, up: int) -> None:
    """Rounding up keeps a last window that exceeds the input, unless it would start in the padding."""
    assert (down, up) == tuple(
        pool_size(size, kernel, stride, padding, round_up=rounding) for rounding in (False, True)
    )


@pytest.mark.parametrize(("inputs", "outputs", "kernel"), [(3, 64, 7), (512, 64, 5), (480, 192, 1)])
def test_conv_costs_are_pytorchs(inputs: int, outputs: int, kernel: int) -> None:
    """Weights are the elements of the kernel, and each is used once per output position."""
    with torch.device("meta"):
        conv = nn.Conv2d(inputs, outputs, kernel, bias=False)
        height, width = conv(torch.empty(1, inputs, 30, 20)).shape[2:]
    weights = conv_weights(inputs, outputs, kernel)
    assert conv.weight.numel() == weights
    assert conv.weight.numel() * height * width == conv_macs(weights, height, width)


@pytest.mark.parametrize("out", [1, 2, 4, 7])
def test_adaptive_windows_are_pytorchs(out: int) -> None:
    """They are the input positions that have a gradient in PyTorch's adaptive average pooling."""
    for size in range(1, 33):
        jacobian = torch.autograd.functional.jacobian(
            lambda x: F.adaptive_avg_pool1d(x.view(1, 1, -1), out).flatten(), torch.zeros(size)
        )
        expected = [row.nonzero().flatten().tolist() for row in jacobian]
        assert expected == [list(window) for window in adaptive_windows(size, out)]


def test_field_grows_by_the_kernel_times_the_jump() -> None:
    """In the paper's stem it is 1, 7, 11, 11, 19, 27 pixels, and at its end neighbours are 8 pixels apart."""
    field, sizes = ReceptiveField(), [1]
    for kernel, stride in [(7, 2), (3, 2), (1, 1), (3, 1), (3, 2)]:
        field = field.after_layer(kernel, stride)
        sizes.append(field.size)
    assert [1, 7, 11, 11, 19, 27] == sizes
    assert 8 == field.jump


def test_field_ignores_a_1x1() -> None:
    """A 1×1 does not enlarge it; a stride only increases the jump."""
    assert ReceptiveField(59, 8) == ReceptiveField(59, 8).after_layer(1)
    assert ReceptiveField(59, 16) == ReceptiveField(59, 8).after_layer(1, 2)
