"""The 1×1 reduction: what one convolution costs with and without a 1×1 in front of it.

Source: Szegedy et al. 2014, arXiv:1409.4842, section 4 and Figure 2. Weights and parameters are numbers, MACs are
multiply-accumulates for one image, activations are numbers in the outputs; widths are channels, sizes pixels.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from explorer.analysis import NetworkSummary, summarize
from explorer.arithmetic import conv_macs, conv_weights
from explorer.config import (
    MAX_CHANNELS,
    Frozen,
    GoogLeNetConfig,
    InceptionModule,
    Problem,
    UnbuildableError,
)
from explorer.diff import with_module

MAX_KERNEL = 11
MAX_CASE_SIDE = 256
KERNELS_5X5 = {"5x5": 5, "3x3": 3, "two_3x3": 3}  # the first convolution behind the reduction of the 5×5 branch


class ReductionCase(Frozen):
    """One convolution that keeps the size: C_in channels in, ``filters`` kernels of k×k, on an H×W picture.

    ``reduction`` is the width of the 1×1 that may stand in front of it.
    """

    inputs: int = 512
    kernel: int = 5
    filters: int = 64
    reduction: int = 24
    height: int = 14
    width: int = 14
    biases: bool = False


ARTICLE = ReductionCase()  # the 5×5 branch of 4b and of 4c


class Cost(NamedTuple):
    """What one convolution is and costs: its formula's factors, and what comes of them."""

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


class Path(NamedTuple):
    """The layers an image passes on the way through the branch, one or two, and their sums."""

    layers: tuple[Cost, ...]

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
    """Return what keeps a case from being computed, each naming its control; empty means that it can be."""
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
    for field, label, most in limits:
        value = getattr(case, field)
        if not 1 <= value <= most:
            shown = f"{value:,}" if abs(value) < 10**15 else "a number of over 15 digits"
            yield Problem("case", field, f"{label}: {shown} is out of range. Write a whole number from 1 to {most:,}.")
        elif field == "kernel" and value % 2 == 0:
            yield Problem(
                "case",
                field,
                f"{label}: {value} is even, so it has no middle and the size would change. "
                f"Write an odd number, such as {value - 1} or {value + 1}.",
            )


def direct(case: ReductionCase) -> Path:
    """The convolution on all input channels: C_in · k · k · C_out weights."""
    return Path((_cost(case, case.inputs, case.kernel, case.filters),))


def reduced(case: ReductionCase) -> Path:
    """A 1×1 to ``reduction`` channels, then the convolution: C_in · r + r · k · k · C_out weights."""
    return Path(
        (
            _cost(case, case.inputs, 1, case.reduction),
            _cost(case, case.reduction, case.kernel, case.filters),
        )
    )


def _cost(case: ReductionCase, inputs: int, kernel: int, filters: int) -> Cost:
    weights = conv_weights(inputs, filters, kernel)
    macs = conv_macs(weights, case.height, case.width)
    biases = filters if case.biases else 0
    return Cost(inputs, kernel, filters, weights, biases, macs, filters * case.height * case.width)


def break_even(case: ReductionCase) -> int:
    """Return the largest reduction that still has fewer parameters than no reduction; 0 when none has.

    r · (C_in + k² · C_out) < C_in · k² · C_out; with biases the 1×1 brings r more. Each weight is used once per
    position in both paths, so for MACs (which count no biases) the same holds without that r.
    """
    return _largest_width(case, 1 if case.biases else 0)


def break_even_macs(case: ReductionCase) -> int:
    """Return the largest reduction that still has fewer MACs than no reduction; 0 when none has."""
    return _largest_width(case, 0)


def _largest_width(case: ReductionCase, bias: int) -> int:
    whole = conv_weights(case.inputs, case.filters, case.kernel)
    per_channel = case.inputs + case.kernel**2 * case.filters + bias
    return (whole - 1) // per_channel


def branch_case(summary: NetworkSummary, module: str, branch: str, *, biases: bool, otherwise: int) -> ReductionCase:
    """Return the case that a ``3x3`` or ``5x5`` branch of a module is; ``otherwise`` is r where it has no reduction.

    Raises KeyError when the module has no such branch.
    """
    row = summary.config.module(module)
    kernel = 3 if branch == "3x3" else KERNELS_5X5[summary.config.kernel_5x5]
    filters = getattr(row, f"ch{branch}")
    if not filters:
        raise KeyError(branch)
    reduction = getattr(row, f"ch{branch}_reduce") or otherwise
    entrance = next(layer for layer in summary.rows if layer.module == module and layer.branch == branch)
    inputs, height, width = entrance.in_shape
    return ReductionCase(
        inputs=inputs, kernel=kernel, filters=filters, reduction=reduction, height=height, width=width, biases=biases
    )


def applied(config: GoogLeNetConfig, module: str, branch: str, case: ReductionCase) -> GoogLeNetConfig:
    """Return the network with the case's reduction and kernels in a ``3x3`` or ``5x5`` branch.

    Its input channels, kernel size and picture follow from the network and are not taken over.
    """
    fields = {f"ch{branch}_reduce": case.reduction, f"ch{branch}": case.filters}
    return with_module(config, config.module(module).replace(**fields))


def without_reductions(config: GoogLeNetConfig, names: tuple[str, ...]) -> GoogLeNetConfig:
    """Return the network with the named modules as in Figure 2a: no 1×1 anywhere but in the 1×1 branch."""
    return config.replace(modules=tuple(_naive(row) if row.name in names else row for row in config.modules))


def _naive(row: InceptionModule) -> InceptionModule:
    pool = None if row.pool_proj != 0 else 0  # a branch that is not there stays away
    return row.replace(ch3x3_reduce=None, ch5x5_reduce=None, pool_proj=pool)


class Step(NamedTuple):
    """A network after its first ``naive`` modules lost their reductions; ``name`` is the last of those.

    ``widths`` are the channels out of every module. ``problem`` says why the network cannot be built any more; then
    the numbers are 0 and ``widths`` is empty.
    """

    naive: int
    name: str
    parameters: int
    macs: int
    widths: tuple[int, ...]
    problem: str = ""


@lru_cache(maxsize=32)
def explosion(config: GoogLeNetConfig) -> tuple[Step, ...]:
    """Take the reductions out module by module from the first; the sums are those at inference, without heads."""
    names = tuple(module.name for module in config.modules)
    return tuple(step(config, names[:count]) for count in range(len(names) + 1))


def step(config: GoogLeNetConfig, names: tuple[str, ...]) -> Step:
    """Return what becomes of the network when exactly these modules lose their reductions."""
    last = names[-1] if names else ""
    try:
        summary = summarize(without_reductions(config, names))
    except UnbuildableError as error:
        return Step(len(names), last, 0, 0, (), error.problems[0].message)
    return Step(len(names), last, summary.parameters(aux=False), summary.macs(), widths(summary))


def widths(summary: NetworkSummary) -> tuple[int, ...]:
    """Return the channels that leave each module, in order."""
    return tuple(summary.concat(module.name).out_shape[0] for module in summary.config.modules)
