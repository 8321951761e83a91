"""The lesson on the 1×1 reduction: when it saves, where it occurs in a network, and the network without any.

Source: Szegedy et al. 2014, arXiv:1409.4842, section 4 and Figure 2. The costs are those of
:mod:`explorer.reduction`.
"""

from functools import lru_cache
from typing import NamedTuple

from explorer.analysis import NetworkSummary, summarize
from explorer.arithmetic import conv_weights
from explorer.config import GoogLeNetConfig, InceptionModule
from explorer.diff import with_module
from explorer.errors import UnbuildableError
from explorer.reduction import ReductionCase

ARTICLE = ReductionCase()  # the 5×5 branch of 4b and of 4c, the example of many articles
_KERNELS_5X5 = {"5x5": 5, "3x3": 3, "two_3x3": 3}  # the first convolution after the reduction of the 5×5 branch


def break_even(case: ReductionCase) -> int:
    """Return the largest reduction that has fewer parameters than no reduction; 0 if none has.

    r · (C_in + k² · C_out) < C_in · k² · C_out; with biases the 1×1 adds r. Each weight is used once per position in
    both paths, so for MACs (which count no biases) the same holds without that r.
    """
    return _largest_width(case, 1 if case.biases else 0)


def break_even_macs(case: ReductionCase) -> int:
    """Return the largest reduction that has fewer MACs than no reduction; 0 if none has."""
    return _largest_width(case, 0)


def _largest_width(case: ReductionCase, bias: int) -> int:
    without = conv_weights(case.inputs, case.filters, case.kernel)
    per_channel = case.inputs + case.kernel**2 * case.filters + bias
    return (without - 1) // per_channel


def branch_case(
    summary: NetworkSummary, module: str, branch: str, *, biases: bool, default_reduction: int
) -> ReductionCase:
    """Return the case of a module's ``3x3`` or ``5x5`` branch; without a reduction, r is ``default_reduction``.

    Raises KeyError if the module has no such branch.
    """
    row = summary.config.module(module)
    kernel = 3 if branch == "3x3" else _KERNELS_5X5[summary.config.kernel_5x5]
    filters = getattr(row, f"ch{branch}")
    if not filters:
        raise KeyError(branch)
    reduction = getattr(row, f"ch{branch}_reduce") or default_reduction
    first_layer = next(layer for layer in summary.rows if layer.module == module and layer.branch == branch)
    inputs, height, width = first_layer.in_shape
    return ReductionCase(
        inputs=inputs, kernel=kernel, filters=filters, reduction=reduction, height=height, width=width, biases=biases
    )


def with_case(config: GoogLeNetConfig, module: str, branch: str, case: ReductionCase) -> GoogLeNetConfig:
    """Return the network with the case's reduction and number of kernels in a ``3x3`` or ``5x5`` branch.

    The case's input channels, kernel size and image size are ignored: they follow from the network.
    """
    fields = {f"ch{branch}_reduce": case.reduction, f"ch{branch}": case.filters}
    return with_module(config, config.module(module).replace(**fields))


def without_reductions(config: GoogLeNetConfig, names: tuple[str, ...]) -> GoogLeNetConfig:
    """Return the network with the named modules as in Figure 2a: no 1×1 except in the 1×1 branch."""
    return config.replace(modules=tuple(_naive(row) if row.name in names else row for row in config.modules))


def _naive(row: InceptionModule) -> InceptionModule:
    pool = None if row.pool_proj != 0 else 0  # 0: the module has no pool branch, and gets none
    return row.replace(ch3x3_reduce=None, ch5x5_reduce=None, pool_proj=pool)


class NaiveStep(NamedTuple):
    """A network whose first ``naive_modules`` modules have no reductions; ``name`` is the last of those.

    ``widths`` are the output channels of all modules. ``problem`` says why the network cannot be built; then the
    numbers are 0 and ``widths`` is empty.
    """

    naive_modules: int
    name: str
    parameters: int
    macs: int
    widths: tuple[int, ...]
    problem: str = ""


@lru_cache(maxsize=32)
def naive_steps(config: GoogLeNetConfig) -> tuple[NaiveStep, ...]:
    """Remove the reductions module by module from the first; the sums are those at inference, without heads."""
    names = tuple(module.name for module in config.modules)
    return tuple(naive_step(config, names[:count]) for count in range(len(names) + 1))


def naive_step(config: GoogLeNetConfig, names: tuple[str, ...]) -> NaiveStep:
    """Return the network without the reductions of exactly these modules."""
    last = names[-1] if names else ""
    try:
        summary = summarize(without_reductions(config, names))
    except UnbuildableError as error:
        return NaiveStep(len(names), last, 0, 0, (), error.problems[0].message)
    return NaiveStep(len(names), last, summary.parameters(aux=False), summary.macs(), widths(summary))


def widths(summary: NetworkSummary) -> tuple[int, ...]:
    """Return the output channels of each module, in order."""
    return tuple(summary.concat(module.name).out_shape[0] for module in summary.config.modules)
