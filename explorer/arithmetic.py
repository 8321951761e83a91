"""The arithmetic of one layer: output size, weights, multiply-accumulates, receptive field.

Conventions (the same on every page):

* *Parameters* are trainable numbers: weights, biases, BatchNorm's gamma and beta. Running statistics are not.
* *MACs* are the multiply-accumulates of convolutions and fully connected layers, nothing else; FLOPs = 2 × MACs.
* Sizes and receptive fields are in pixels along one side.
"""

from math import ceil, floor
from typing import NamedTuple


def conv_size(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Return a convolution's output size: ⌊(n + 2p − k) / s⌋ + 1. It is below 1 when the kernel does not fit."""
    return (size + 2 * padding - kernel) // stride + 1


def pool_size(size: int, kernel: int, stride: int, padding: int = 0, *, round_up: bool = False) -> int:
    """Return a pooling layer's output size.

    With ``round_up`` it is ⌈(n + 2p − k) / s⌉ + 1, less 1 when the last window would start beyond n + p (as in Caffe
    and PyTorch). It is below 1 when the window does not fit.
    """
    if not round_up:
        return conv_size(size, kernel, stride, padding)
    out = -((kernel - size - 2 * padding) // stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out


def conv_weights(in_channels: int, out_channels: int, kernel: int = 1) -> int:
    """Return the weights of a convolution, without biases: C_in · k · k · C_out."""
    return in_channels * kernel * kernel * out_channels


def conv_macs(weights: int, out_height: int, out_width: int) -> int:
    """Return weights · H_out · W_out: each weight is used once per output position."""
    return weights * out_height * out_width


def adaptive_windows(size: int, out: int) -> tuple[range, ...]:
    """Return the input positions that each of ``out`` outputs of PyTorch's adaptive average pooling covers."""
    return tuple(range(floor(i * size / out), ceil((i + 1) * size / out)) for i in range(out))


class ReceptiveField(NamedTuple):
    """The part of the image that one output position depends on, in pixels along one side.

    ``size`` is its extent, ``jump`` the distance to the receptive field of the neighbouring position.
    """

    size: int = 1
    jump: int = 1

    def after_layer(self, kernel: int, stride: int = 1) -> "ReceptiveField":
        """Return the receptive field after a layer: r += (k − 1) · j, then j *= s."""
        if kernel == stride == 1:
            return self
        return ReceptiveField(self.size + (kernel - 1) * self.jump, self.jump * stride)
