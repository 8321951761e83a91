"""The arithmetic of one layer: output size, weights, multiply-accumulates, receptive field.

Conventions (the same on every page):

* *Parameters* are trainable numbers: weights, biases, BatchNorm's gamma and beta. Running statistics are not.
* *MACs* are the multiply-accumulates of convolutions and fully connected layers, nothing else; FLOPs = 2 × MACs.
* Sizes and fields are in pixels along one side.
"""

from math import ceil, floor
from typing import NamedTuple


def conv_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Output size of a convolution along one side: ⌊(n + 2p − k) / s⌋ + 1. Below 1 when the kernel does not fit."""
    return (size + 2 * padding - kernel) // stride + 1


def pool_size(size: int, kernel: int, stride: int, padding: int = 0, *, round_up: bool = False) -> int:
    """Output size of a pooling along one side.

    Rounding up is ⌈(n + 2p − k) / s⌉ + 1, less 1 when the last window would start beyond n + p (as Caffe and
    PyTorch do). Below 1 when the window does not fit.
    """
    if not round_up:
        return conv_size(size, kernel, stride, padding)
    out = -((kernel - size - 2 * padding) // stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out


def conv_weights(in_channels: int, out_channels: int, kernel: int = 1) -> int:
    """Weights of a convolution without biases: C_in · k · k · C_out."""
    return in_channels * kernel * kernel * out_channels


def conv_macs(weights: int, out_height: int, out_width: int) -> int:
    """Each weight is used once per output position: weights · H_out · W_out."""
    return weights * out_height * out_width


def adaptive_windows(size: int, out: int) -> tuple[range, ...]:
    """The input positions that each of ``out`` adaptive-average outputs covers, as PyTorch splits ``size``."""
    return tuple(range(floor(i * size / out), ceil((i + 1) * size / out)) for i in range(out))


class ReceptiveField(NamedTuple):
    """What one output position sees of the image: ``size`` pixels along a side, neighbours ``jump`` pixels apart."""

    size: int = 1
    jump: int = 1

    def through(self, kernel: int, stride: int = 1) -> "ReceptiveField":
        """The field after a layer: r += (k − 1) · j, then j *= s."""
        if kernel == stride == 1:
            return self
        return ReceptiveField(self.size + (kernel - 1) * self.jump, self.jump * stride)
