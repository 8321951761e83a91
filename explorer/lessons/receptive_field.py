"""What a position sees of the image, over all ways through the branches.

Each module offers up to four ways; a layer of kernel k widens the field by (k − 1) · jump pixels along a side. The
number of ways with each field is found by folding module after module: there are up to 4⁹ ways through GoogLeNet.
Source of the recurrence r += (k − 1) · j, j *= s: e.g. Araujo, Norris & Sim 2019, "Computing receptive fields of
convolutional neural networks", Distill. Fields and jumps are pixels of the image along one side.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from explorer.analysis import NetworkSummary
from explorer.config import BRANCHES, GoogLeNetConfig, InceptionModule

_WIDTH = {"1x1": "ch1x1", "3x3": "ch3x3", "5x5": "ch5x5", "pool": "pool_proj"}


class Spectrum(NamedTuple):
    """The fields after one module: how many ways through the branches see each size.

    ``jump`` is the distance between neighbouring positions, ``start`` the middle of the first one (0 is the middle
    of the image's first pixel), ``positions`` H × W of the module's output.
    """

    module: str
    ways: Mapping[int, int]
    jump: int
    start: float
    positions: tuple[int, int]

    @property
    def narrowest(self) -> int:
        """The field of the way that sees least."""
        return min(self.ways)

    @property
    def widest(self) -> int:
        """The field of the way that sees most: the receptive field that is usually quoted."""
        return max(self.ways)

    @property
    def total(self) -> int:
        """The number of ways."""
        return sum(self.ways.values())

    @property
    def mean(self) -> float:
        """The average field, each way counted once."""
        return sum(field * count for field, count in self.ways.items()) / self.total

    @property
    def commonest(self) -> int:
        """The field that most ways have."""
        return max(self.ways, key=self.ways.__getitem__)


def spectra(summary: NetworkSummary) -> tuple[Spectrum, ...]:
    """Return the fields after each module, in order."""
    ways: Mapping[int, int] | None = None
    found = []
    start = 0.0
    jump = 1
    for row in summary.rows:
        if row.aux or row.module == "classifier":
            continue
        if row.branch is None and row.kind in ("conv", "max_pool"):
            start += ((row.kernel[0] - 1) / 2 - row.padding) * jump
            jump = row.jump
            widened = (row.kernel[0] - 1) * (row.jump // row.stride)
            ways = {field + widened: count for field, count in (ways or {1: 1}).items()}
        elif row.kind == "concat":
            module = summary.config.module(row.module)
            ways = _through(ways, steps(summary.config, module), row.jump)
            found.append(Spectrum(row.module, ways, row.jump, start, row.out_shape[1:]))
    return tuple(found)


def steps(config: GoogLeNetConfig, module: InceptionModule) -> dict[str, int]:
    """Return by how many positions each branch of a module widens the field: k − 1 of its kernels."""
    five = {"5x5": 4, "3x3": 2, "two_3x3": 4}[config.kernel_5x5]
    widening = {"1x1": 0, "3x3": 2, "5x5": five, "pool": 2}
    return {branch: widening[branch] for branch in module.branches}


def _through(ways: Mapping[int, int], branches: Mapping[str, int], jump: int) -> Mapping[int, int]:
    after: Counter[int] = Counter()
    for field, count in ways.items():
        for positions in branches.values():
            after[field + positions * jump] += count
    return dict(sorted(after.items()))


def without_branch(config: GoogLeNetConfig, branch: str) -> GoogLeNetConfig:
    """Return the network with one branch taken out of every module that has another one."""
    if branch not in BRANCHES:
        raise KeyError(branch)
    gone = {_WIDTH[branch]: 0}
    return config.replace(
        modules=tuple(
            module.replace(**gone) if branch in module.branches and len(module.branches) > 1 else module
            for module in config.modules
        )
    )


def window(spectrum: Spectrum, field: int, position: tuple[int, int]) -> tuple[float, float, float]:
    """Return left, top and side, in pixels of the image, of what one position (row, column) sees with that field.

    It may reach beyond the image, where there is only padding.
    """
    row, column = position
    left = spectrum.start + column * spectrum.jump - (field - 1) / 2
    top = spectrum.start + row * spectrum.jump - (field - 1) / 2
    return left, top, field
