"""Receptive fields over all paths through the branches.

Each module has up to four branches; a layer with kernel k enlarges the receptive field by (k − 1) · jump pixels along
a side. The number of paths with each field is computed module by module, because enumerating them would be slow: there
are up to 4⁹ paths through GoogLeNet.
Source of the recurrence r += (k − 1) · j, j *= s: e.g. Araujo, Norris & Sim 2019, "Computing receptive fields of
convolutional neural networks", Distill. Fields and jumps are pixels of the image along one side.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from explorer.config import BRANCHES, GoogLeNetConfig, InceptionModule
from explorer.summary import NetworkSummary

_FILTER_FIELDS = {"1x1": "ch1x1", "3x3": "ch3x3", "5x5": "ch5x5", "pool": "pool_proj"}


class FieldDistribution(NamedTuple):
    """The receptive fields after one module: ``path_counts`` maps each size to the number of paths that have it.

    ``jump`` is the distance between neighbouring positions, ``start`` the centre of the first one (0 is the centre of
    the image's first pixel), ``positions`` the H × W of the module's output.
    """

    module: str
    path_counts: Mapping[int, int]
    jump: int
    start: float
    positions: tuple[int, int]

    @property
    def smallest(self) -> int:
        """The smallest receptive field of any path."""
        return min(self.path_counts)

    @property
    def largest(self) -> int:
        """The largest receptive field of any path: the one that is usually quoted."""
        return max(self.path_counts)

    @property
    def total(self) -> int:
        """The number of paths."""
        return sum(self.path_counts.values())

    @property
    def mean(self) -> float:
        """The mean receptive field over all paths."""
        return sum(field * count for field, count in self.path_counts.items()) / self.total

    @property
    def most_common(self) -> int:
        """The receptive field that most paths have."""
        return max(self.path_counts, key=self.path_counts.__getitem__)


def field_distributions(summary: NetworkSummary) -> tuple[FieldDistribution, ...]:
    """Return the receptive fields after each module, in order."""
    path_counts: Mapping[int, int] = {1: 1}
    found = []
    start = 0.0
    jump = 1
    for row in summary.rows:
        if row.aux or row.module == "classifier":
            continue
        if row.branch is None and row.kind in ("conv", "max_pool"):
            (kernel, _), _, padding = row.window
            start += ((kernel - 1) / 2 - padding) * jump
            growth = (kernel - 1) * jump
            path_counts = {field + growth: count for field, count in path_counts.items()}
            jump = row.spacing
        elif row.kind == "concat":
            module = summary.config.module(row.module)
            path_counts = _after_module(path_counts, branch_widening(summary.config, module), jump)
            height, width = row.out_shape[1:]
            found.append(FieldDistribution(row.module, path_counts, jump, start, (height, width)))
    return tuple(found)


def branch_widening(config: GoogLeNetConfig, module: InceptionModule) -> dict[str, int]:
    """Return by how many positions each branch enlarges the receptive field: the sum of k − 1 over its kernels."""
    five = {"5x5": 4, "3x3": 2, "two_3x3": 4}[config.kernel_5x5]
    widening = {"1x1": 0, "3x3": 2, "5x5": five, "pool": 2}
    return {branch: widening[branch] for branch in module.branches}


def _after_module(path_counts: Mapping[int, int], branches: Mapping[str, int], jump: int) -> Mapping[int, int]:
    after: Counter[int] = Counter()
    for field, count in path_counts.items():
        for positions in branches.values():
            after[field + positions * jump] += count
    return dict(sorted(after.items()))


def without_branch(config: GoogLeNetConfig, branch: str) -> GoogLeNetConfig:
    """Return the network without one branch, except in modules that have no other. Raises KeyError if unknown."""
    if branch not in BRANCHES:
        raise KeyError(branch)
    no_filters = {_FILTER_FIELDS[branch]: 0}
    return config.replace(
        modules=tuple(
            module.replace(**no_filters) if branch in module.branches and len(module.branches) > 1 else module
            for module in config.modules
        )
    )


def window(distribution: FieldDistribution, field: int, position: tuple[int, int]) -> tuple[float, float, float]:
    """Return left, top and side, in pixels of the image, of a receptive field at one position (row, column).

    It may extend beyond the image, where there is only padding.
    """
    row, column = position
    left = distribution.start + column * distribution.jump - (field - 1) / 2
    top = distribution.start + row * distribution.jump - (field - 1) / 2
    return left, top, field
