"""What one convolution costs with and without a 1×1 reduction in front of it.

Source: Szegedy et al. 2014, arXiv:1409.4842, section 4 and Figure 2. Weights and parameters are numbers, MACs are
multiply-accumulates for one image, activations are numbers in the outputs; widths are channels, sizes pixels.
"""

from collections.abc import Iterator
from typing import NamedTuple

from explorer.arithmetic import conv_macs, conv_weights
from explorer.config import MAX_CHANNELS, Frozen
from explorer.errors import Problem, range_problems

MAX_KERNEL = 11
MAX_CASE_SIDE = 256


class ReductionCase(Frozen):
    """One convolution that keeps the size: C_in input channels, ``filters`` kernels of k×k, on an H×W image.

    ``reduction`` is the width of the 1×1 that may precede it.
    """

    inputs: int = 512
    kernel: int = 5
    filters: int = 64
    reduction: int = 24
    height: int = 14
    width: int = 14
    biases: bool = False


class ConvCost(NamedTuple):
    """One convolution: the factors of its formula, and its counts."""

    inputs: int
    kernel: int
    filters: int
    weights: int
    biases: int
    macs: int
    activations: int

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weights + self.biases


class ConvPath(NamedTuple):
    """The one or two layers that an image passes in the branch, and their sums."""

    layers: tuple[ConvCost, ...]

    @property
    def parameters(self) -> int:
        """Trainable numbers of all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all layers for one image."""
        return sum(layer.macs for layer in self.layers)

    @property
    def activations(self) -> int:
        """Numbers in the outputs of all layers for one image."""
        return sum(layer.activations for layer in self.layers)


def case_problems(case: ReductionCase) -> tuple[Problem, ...]:
    """Return why a case cannot be computed, each problem naming its control; empty if it can."""
    return tuple(_case_problems(case))


def _case_problems(case: ReductionCase) -> Iterator[Problem]:
    limits = (
        ("inputs", "Input channels", MAX_CHANNELS),
        ("filters", "Kernels", MAX_CHANNELS),
        ("reduction", "Reduction", MAX_CHANNELS),
        ("kernel", "Kernel size", MAX_KERNEL),
        ("height", "Height", MAX_CASE_SIDE),
        ("width", "Width", MAX_CASE_SIDE),
    )
    for field, label, maximum in limits:
        yield from range_problems("case", field, label, getattr(case, field), 1, maximum)
    if 1 <= case.kernel <= MAX_KERNEL and case.kernel % 2 == 0:
        yield Problem(
            "case",
            "kernel",
            f"Kernel size: {case.kernel} is even, so it has no middle and the size would change. "
            f"Write an odd number, such as {case.kernel - 1} or {case.kernel + 1}.",
        )


def direct_path(case: ReductionCase) -> ConvPath:
    """Return the convolution on all input channels: C_in · k · k · C_out weights."""
    return ConvPath((_cost(case, case.inputs, case.kernel, case.filters),))


def reduction_path(case: ReductionCase) -> ConvPath:
    """Return a 1×1 to ``reduction`` channels, then the convolution: C_in · r + r · k · k · C_out weights."""
    return ConvPath(
        (
            _cost(case, case.inputs, 1, case.reduction),
            _cost(case, case.reduction, case.kernel, case.filters),
        )
    )


def _cost(case: ReductionCase, inputs: int, kernel: int, filters: int) -> ConvCost:
    weights = conv_weights(inputs, filters, kernel)
    macs = conv_macs(weights, case.height, case.width)
    biases = filters if case.biases else 0
    return ConvCost(inputs, kernel, filters, weights, biases, macs, filters * case.height * case.width)
