"""From a proposal to a table that costs what the study holds: as much as the ceiling allows, and not more.

One common factor brings the widths just above the ceiling; then the budget solver (:mod:`explorer.budget`) narrows
single cells until the table fits. So no proposal is thrown away, and none wastes a part of its cost.
"""

from functools import lru_cache
from math import inf

from explorer.analysis import compute, summarize
from explorer.budget import narrow_cells
from explorer.config import GoogLeNetConfig
from explorer.search.space import Point, SearchSpace, dimensions, free_cells, paper_point, table_at
from explorer.search.spec import StudySpec
from explorer.summary import NetworkSummary

_BISECTIONS = 14  # of the exponent of the factor, from 2⁻⁷ to 2⁷: to a thousandth, far below one filter
_MAX_EXPONENT = 7.0


def cost_of(config: GoogLeNetConfig, quantity: str) -> int:
    """Return what a network costs at inference: ``parameters``, ``macs`` or ``activations``."""
    cost: int = getattr(summarize(config).inference_totals, quantity)
    return cost


def fit_table(space: SearchSpace, base: GoogLeNetConfig, point: Point, quantity: str, ceiling: int) -> GoogLeNetConfig:
    """Return the table at a point, widened or narrowed until it costs as much as the ceiling allows.

    Raises BudgetError where even the narrowest table costs more.
    """
    cells = free_cells(space, base)
    if not cells:
        return narrow_cells(table_at(space, base, point), quantity, ceiling, cells).config
    low, high = -_MAX_EXPONENT, _MAX_EXPONENT
    if _cost_at(space, base, point, low, quantity) > ceiling:
        return narrow_cells(table_at(space, base, point, 2**low), quantity, ceiling, cells).config
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _cost_at(space, base, point, middle, quantity) <= ceiling:
            low = middle
        else:
            high = middle
    widest = table_at(space, base, point, 2**low)
    if cost_of(widest, quantity) == ceiling or _cost_at(space, base, point, high, quantity) == inf:
        return widest  # it fits exactly, or the next one is beyond the limits of what can be built
    return narrow_cells(table_at(space, base, point, 2**high), quantity, ceiling, cells).config


def ceiling_of(spec: StudySpec, index: int) -> int:
    """Return a ceiling of a study in the unit of its quantity."""
    return int(spec.ceilings[index] * cost_of(spec.network.config, spec.quantity))


def own_table(spec: StudySpec, index: int) -> GoogLeNetConfig:
    """Return the table of a study's network, scaled to the cost of a ceiling: the control."""
    return _fit_own_table(spec.space, spec.network.config, spec.quantity, ceiling_of(spec, index))


@lru_cache(maxsize=64)
def _fit_own_table(space: SearchSpace, base: GoogLeNetConfig, quantity: str, ceiling: int) -> GoogLeNetConfig:
    """Return the network's own table, scaled by one factor to the ceiling. Raises as :func:`fit_table`."""
    return fit_table(space, base, paper_point(space, base), quantity, ceiling)


def _cost_at(space: SearchSpace, base: GoogLeNetConfig, point: Point, exponent: float, quantity: str) -> float:
    result = compute(table_at(space, base, point, 2**exponent))
    return getattr(result.inference_totals, quantity) if isinstance(result, NetworkSummary) else inf


@lru_cache(maxsize=32)
def minimum_cost(space: SearchSpace, base: GoogLeNetConfig, quantity: str) -> float:
    """Return the highest cost among the narrowest tables of all choices: every ceiling above it can be met.

    Infinity where one of those cannot be built.
    """
    worst = {one.name: one.choices[-1] for one in dimensions(space, base) if one.name.startswith("blank")}
    kernels = [one.choices for one in dimensions(space, base) if one.name == "kernel"]
    costs = []
    for kernel in kernels[0] if kernels else (base.kernel_5x5,):
        result = compute(table_at(space, base, {**worst, "kernel": kernel}, factor=0.0))
        costs.append(getattr(result.inference_totals, quantity) if isinstance(result, NetworkSummary) else inf)
    return max(costs)
