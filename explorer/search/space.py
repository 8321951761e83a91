"""What a search may change of a table, as a few dimensions, and the table that a point in them describes.

Nine modules of six widths are too many dimensions for some hundred trials. So each width is the network's own, times a
factor of its column, times a factor of its stage (or of its module). Factors are powers of two, and the dimensions are
their exponents, so that doubling and halving are equally far. The common factor of all widths is no dimension: the
ceiling of the cost determines it (:mod:`explorer.search.ceilings`).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

from explorer.config import HEADINGS, MAX_CHANNELS, Frozen, GoogLeNetConfig, InceptionModule

MAX_EXPONENT = 1.5  # factors from about 1/3 to 3
Column = Literal["ch1x1", "ch3x3_reduce", "ch3x3", "ch5x5_reduce", "ch5x5", "pool_proj"]
COLUMNS: tuple[Column, ...] = ("ch1x1", "ch3x3_reduce", "ch3x3", "ch5x5_reduce", "ch5x5", "pool_proj")
REDUCTIONS = ("ch3x3_reduce", "ch5x5_reduce")
KERNELS = ("5x5", "3x3", "two_3x3")
Value = float | str
Point = Mapping[str, Value]


class SearchSpace(Frozen):
    """What may change: widths in these columns and modules (none means all), and choices beside them.

    ``factors``: of each stage or of each module. ``blank_reductions``: a reducing column may be blank in all modules
    that may change. ``kernel``: that of the 5×5 branch. ``taps``: any of the network's auxiliary heads may be left out.
    """

    columns: tuple[Column, ...] = COLUMNS
    modules: tuple[str, ...] = ()
    factors: Literal["stage", "module"] = "stage"
    blank_reductions: bool = False
    kernel: bool = False
    taps: bool = False


class Dimension(NamedTuple):
    """A dimension: an exponent of two from −1.5 to 1.5, or one of some ``choices``."""

    name: str
    choices: tuple[str, ...] = ()


def free_modules(space: SearchSpace, base: GoogLeNetConfig) -> tuple[InceptionModule, ...]:
    """Return the modules of a network that may change."""
    return tuple(module for module in base.modules if not space.modules or module.name in space.modules)


def free_cells(space: SearchSpace, base: GoogLeNetConfig) -> frozenset[tuple[str, str]]:
    """Return the cells (module, field) whose width may change: blanks and missing branches stay."""
    return frozenset(
        (module.name, column)
        for module in free_modules(space, base)
        for column in space.columns
        if getattr(module, column)
    )


def dimensions(space: SearchSpace, base: GoogLeNetConfig) -> tuple[Dimension, ...]:
    """Return the dimensions of a space for a network, in order."""
    cells = free_cells(space, base)
    found = [Dimension(column_name(column)) for column in space.columns if any(field == column for _, field in cells)]
    groups = dict.fromkeys(_group_name(space, module) for module in free_modules(space, base))
    if len(groups) > 1:
        found += [Dimension(name) for name in groups]
    if space.blank_reductions:
        found += [
            Dimension(f"blank {HEADINGS[field]}", ("no", "yes")) for field in REDUCTIONS if field in space.columns
        ]
    if space.kernel:
        found.append(Dimension("kernel", KERNELS))
    if space.taps and base.aux.taps:
        found.append(Dimension("taps", _tap_choices(base)))
    return tuple(found)


def column_name(column: str) -> str:
    """Return the name of a column's dimension."""
    return f"column {HEADINGS[column]}"


def paper_point(space: SearchSpace, base: GoogLeNetConfig) -> dict[str, Value]:
    """Return the point that describes the network itself, up to the common factor of its widths."""
    own: dict[str, Value] = {"kernel": base.kernel_5x5, "taps": " ".join(base.aux.taps)}
    return {
        dimension.name: own.get(dimension.name, "no") if dimension.choices else 0.0
        for dimension in dimensions(space, base)
    }


def table_at(space: SearchSpace, base: GoogLeNetConfig, point: Point, factor: float = 1.0) -> GoogLeNetConfig:
    """Return the network at a point, with all widths that may change multiplied by a common ``factor``.

    Dimensions that the point lacks are as in the network itself. A width is at least 1.
    """
    free = {module.name for module in free_modules(space, base)}
    modules = tuple(
        _changed_module(space, module, point, factor) if module.name in free else module for module in base.modules
    )
    changed = base.replace(modules=modules)
    if (kernel := point.get("kernel")) is not None:
        changed = changed.replace(kernel_5x5=kernel)
    if (taps := point.get("taps")) is not None:
        changed = changed.replace(aux=base.aux.replace(taps=tuple(str(taps).split())))
    return changed


def _changed_module(space: SearchSpace, module: InceptionModule, point: Point, factor: float) -> InceptionModule:
    cells: dict[str, int | None] = {}
    group = float(point.get(_group_name(space, module), 0.0))
    for column in space.columns:
        if width := getattr(module, column):
            exponent = float(point.get(column_name(column), 0.0)) + group
            cells[column] = min(MAX_CHANNELS, max(1, round(width * factor * 2**exponent)))
        if column in REDUCTIONS and point.get(f"blank {HEADINGS[column]}") == "yes":
            cells[column] = None
    return module.replace(**cells)


def _group_name(space: SearchSpace, module: InceptionModule) -> str:
    return f"stage {module.stage}" if space.factors == "stage" else f"module {module.name}"


def _tap_choices(base: GoogLeNetConfig) -> tuple[str, ...]:
    taps = base.aux.taps
    return tuple(" ".join(chosen) for count in range(len(taps), -1, -1) for chosen in combinations(taps, count))


def mean_table(tables: Sequence[GoogLeNetConfig]) -> dict[str, dict[str, float | None]]:
    """Return the mean of each cell over tables of the same rows, by module and field; None where all are blank."""
    means: dict[str, dict[str, float | None]] = {}
    for modules in zip(*(table.modules for table in tables), strict=True):
        row: dict[str, float | None] = {}
        for field in COLUMNS:
            widths = [width for module in modules if (width := getattr(module, field)) is not None]
            row[field] = sum(widths) / len(widths) if widths else None
        means[modules[0].name] = row
    return means
