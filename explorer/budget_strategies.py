"""The strategies of the budget search: which cells each one changes, and how it finds the nearest table that fits.

Each strategy looks for the nearest table that it can reach: least Σ (change / filters)², where filters is the cell's
current value. If cells were real numbers and the cost were linear in each of them, Lagrange's condition would shrink
every cell by filters² × (cost per filter) × one common factor. Bisection over whole tables finds that factor, and
filters are then restored cell by cell as far as the limit allows.

A strategy gets the cost as a function of the network, which returns infinity for a table that cannot be built, so that
the search moves away from it.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig, InceptionModule

REDUCTIONS = ("ch3x3_reduce", "ch5x5_reduce")
OUTPUTS = ("ch1x1", "ch3x3", "ch5x5", "pool_proj")
# Enough for the factor to be exact to a filter. Each trial summarizes a whole network, so both numbers bound the time.
_BISECTIONS = 40
_MAX_RESTORE_TRIALS = 150  # per strategy
_MIN_FILTERS = 1  # so that no branch and no reduction disappears
_MIN_SHIFTED_WIDTH = 8  # channels; a narrower module has too few to move between modules
# Fractions of a strategy's progress at which its first and its second phase end.
_MEASURED, _BISECTED = 0.4, 0.7

Cost = Callable[[GoogLeNetConfig], float]
# A search yields the fraction that is done; it returns the nearest table that fits, if there is one, and the lowest
# cost that it reached.
Search = Generator[float, None, tuple[GoogLeNetConfig | None, float]]


def input_channels(config: GoogLeNetConfig) -> dict[str, int]:
    """Return the number of input channels of each module."""
    first: dict[str, int] = {}
    for row in summarize(config).rows:
        first.setdefault(row.module, row.in_shape[0])
    return {module.name: first[module.name] for module in config.modules}


class _Cell(NamedTuple):
    """A cell that the search may shrink from ``start`` filters; ``receiver`` is the cell that gets them, if any.

    A blank reduction starts at the number of input channels, and stays blank there. ``receiver_filters`` is the
    receiver's current value.
    """

    module: str
    field: str
    start: int
    receiver: str = ""
    receiver_filters: int = 0

    @property
    def mobility(self) -> float:
        """1 / (distance that the first filter adds), by which Lagrange's condition scales the change of the cell.

        Removing d filters adds (d / start)² to the distance, and (d / receiver_filters)² where a receiver grows by d.
        """
        growth = 1 / max(self.receiver_filters, 1) ** 2 if self.receiver else 0
        return 1 / (1 / self.start**2 + growth)


@dataclass
class _CellSearch:
    """A strategy that shrinks each of some cells on its own."""

    config: GoogLeNetConfig
    cost: Cost
    limit: int
    cells: Sequence[_Cell]
    savings: list[float] = field(default_factory=list)  # cost per filter, one for each cell

    def search(self) -> Search:
        """Search for the nearest table that fits."""
        yield from self._measure_savings()
        lowest = self._cost([_MIN_FILTERS for _ in self.cells])
        if lowest > self.limit:
            return None, lowest
        values = yield from self._bisect()
        values = yield from self._restore(values)
        return self._table(values), lowest

    def _measure_savings(self) -> Iterator[float]:
        """Measure the cost per filter of each cell, and drop the cells that save nothing.

        Each cell is halved alone: a step of one filter would be too small to show how the next layers shrink with it,
        and a step to the minimum too large for a linear estimate.
        """
        start_cost = self._cost([cell.start for cell in self.cells])
        useful = []
        for number, cell in enumerate(self.cells):
            half = max(_MIN_FILTERS, cell.start // 2)
            cost = self._cost([half if other is cell else other.start for other in self.cells])
            if half < cell.start and cost < start_cost:
                useful.append((cell, (start_cost - cost) / (cell.start - half)))
            yield _MEASURED * number / len(self.cells)
        self.cells = [cell for cell, _ in useful]
        self.savings = [saving for _, saving in useful]

    def _bisect(self) -> Generator[float, None, list[int]]:
        """Return the values at the smallest common factor with which the table fits.

        The savings are only estimates (the cost of a layer is a product of two widths), so the factor comes from the
        real cost of whole tables, which falls as the factor grows.
        """
        pairs = zip(self.cells, self.savings, strict=True)
        # The factor at which every cell has reached its minimum: this table fits, as search() has checked.
        high = max((cell.start - _MIN_FILTERS + 1) / (cell.mobility * saving) for cell, saving in pairs)
        low, best = 0.0, self._shrink(high)
        for number in range(_BISECTIONS):
            middle = (low + high) / 2
            values = self._shrink(middle)
            if self._cost(values) <= self.limit:
                best, high = values, middle
            else:
                low = middle
            yield _MEASURED + (_BISECTED - _MEASURED) * number / _BISECTIONS
        return best

    def _shrink(self, factor: float) -> list[int]:
        """Return the value of each cell at a common factor."""
        return [
            max(_MIN_FILTERS, cell.start - round(factor * cell.mobility * saving))
            for cell, saving in zip(self.cells, self.savings, strict=True)
        ]

    def _restore(self, values: list[int]) -> Generator[float, None, list[int]]:
        """Raise cells again while the table still fits, those that lost the largest fraction first.

        One factor moves all cells at once, so the bisection ends a little below the limit. The cells that lost most
        come first, because a filter of theirs shortens the distance most.
        """
        trials, cost = 0, self._cost(values)
        order = sorted(range(len(values)), key=lambda at: values[at] / self.cells[at].start)
        for at in order:
            # Start with what the estimated saving would pay for, and halve the step until the real cost fits.
            step = min(self.cells[at].start - values[at], int((self.limit - cost) / self.savings[at]) + 1)
            while step > 0 and trials < _MAX_RESTORE_TRIALS:
                raised = [*values[:at], values[at] + step, *values[at + 1 :]]
                trials += 1
                yield _BISECTED + (1 - _BISECTED) * trials / _MAX_RESTORE_TRIALS
                if (raised_cost := self._cost(raised)) <= self.limit:
                    values, cost = raised, raised_cost
                    break
                step //= 2
        return values

    def _cost(self, values: Sequence[int]) -> float:
        return self.cost(self._table(values))

    def _table(self, values: Sequence[int]) -> GoogLeNetConfig:
        edits: dict[str, dict[str, int | None]] = {}
        for cell, value in zip(self.cells, values, strict=True):
            if value == cell.start:  # unchanged, and a blank reduction stays blank
                continue
            row = edits.setdefault(cell.module, {})
            row[cell.field] = value
            if cell.receiver:
                # Two cells can have the same receiver, which then gets the filters of both.
                before = row.get(cell.receiver, getattr(self.config.module(cell.module), cell.receiver))
                row[cell.receiver] = before + cell.start - value
        modules = tuple(module.replace(**edits.get(module.name, {})) for module in self.config.modules)
        return self.config.replace(modules=modules)


@dataclass
class _ModuleSearch:
    """A strategy that moves output channels from expensive modules to cheap ones; the total width stays the same."""

    config: GoogLeNetConfig
    cost: Cost
    limit: int

    def search(self) -> Search:
        """Search for the nearest table that fits, by bisection over one common factor as in :class:`_CellSearch`.

        Nothing is restored afterwards: the sum of the widths is fixed, so a channel more here is one less elsewhere.
        """
        widths = [_output_width(module) for module in self.config.modules]
        shifts = yield from self._measure_shifts(widths)
        best, lowest, low, high = None, self._cost(widths), 0.0, _max_factor(widths, shifts)
        for number in range(_BISECTIONS):
            # The first trial is the farthest shift: if that does not fit, nothing on this line does.
            middle = high if number == 0 else (low + high) / 2
            shifted = _round_to_sum(
                [width - middle * shift for width, shift in zip(widths, shifts, strict=True)], sum(widths)
            )
            cost = self._cost(shifted)
            lowest = min(lowest, cost)
            if cost <= self.limit:
                best, high = shifted, middle
            elif number == 0:
                break
            else:
                low = middle
            yield _MEASURED + (1 - _MEASURED) * number / _BISECTIONS
        return (self._table(best) if best else None), lowest

    def _measure_shifts(self, widths: list[int]) -> Generator[float, None, list[float]]:
        """Return the channels that each module loses at the factor 1; a negative number is a gain.

        Lagrange's condition with a fixed sum: width² × (cost per channel − mean cost per channel), where the mean is
        weighted by width² so that the losses and gains add up to 0.
        """
        start_cost, costs = self._cost(widths), []
        for at, width in enumerate(widths):
            half = width // 2
            costs.append((start_cost - self._cost([*widths[:at], width - half, *widths[at + 1 :]])) / half)
            yield _MEASURED * at / len(widths)
        squares = [width**2 for width in widths]
        mean = sum(square * cost for square, cost in zip(squares, costs, strict=True)) / sum(squares)
        return [square * (cost - mean) for square, cost in zip(squares, costs, strict=True)]

    def _cost(self, widths: Sequence[int]) -> float:
        return self.cost(self._table(widths))

    def _table(self, widths: Sequence[int]) -> GoogLeNetConfig:
        modules = (_with_width(module, width) for module, width in zip(self.config.modules, widths, strict=True))
        return self.config.replace(modules=tuple(modules))


def search_with(name: str, config: GoogLeNetConfig, cost: Cost, limit: int, fixed_row: str = "") -> Search | None:
    """Return the search of a strategy for a network of at most a cost, or None where the table has no cell for it.

    ``fixed_row`` is the name of a row that must not change; all strategies but "modules" respect it.
    """
    if name == "modules":
        # Without a projection the pooling branch passes all input channels, so the width follows the module before.
        is_fixed = any(
            module.pool_proj is None or _output_width(module) < _MIN_SHIFTED_WIDTH for module in config.modules
        )
        return None if is_fixed or len(config.modules) < 2 else _ModuleSearch(config, cost, limit).search()
    free = [module for module in config.modules if module.name != fixed_row]
    inputs = input_channels(config)
    reductions = [cell for module in free for cell in _reduction_cells(module, inputs[module.name])]
    moves = [cell for module in free for cell in _moved_cells(module)]
    outputs = [cell for module in free for cell in _output_cells(module)]
    cells = {"reductions": reductions, "branches": moves, "both": reductions + moves, "widths": reductions + outputs}
    return _CellSearch(config, cost, limit, cells[name]).search() if cells[name] else None


def search_cells(config: GoogLeNetConfig, cost: Cost, limit: int, cells: Collection[tuple[str, str]]) -> Search:
    """Return the search for the nearest network of at most a cost that only narrows some cells (module, field).

    Blank cells, and those that have no filters, stay as they are.
    """
    found = [
        _Cell(module.name, field, width)
        for module in config.modules
        for field in (*REDUCTIONS, *OUTPUTS)
        if (module.name, field) in cells and (width := getattr(module, field) or 0) > _MIN_FILTERS
    ]
    return _CellSearch(config, cost, limit, found).search()


def _reduction_cells(module: InceptionModule, inputs: int) -> Iterator[_Cell]:
    """Yield the reductions of the branches that exist; a blank one can be filled in."""
    for name, filters in zip(REDUCTIONS, (module.ch3x3, module.ch5x5), strict=True):
        width = getattr(module, name)
        if filters:
            yield _Cell(module.name, name, inputs if width is None else width)


def _moved_cells(module: InceptionModule) -> Iterator[_Cell]:
    """Yield the 3×3 and 5×5 filters, which can become 1×1 filters while at least one of each stays."""
    for name in ("ch3x3", "ch5x5"):
        if getattr(module, name) > 1:
            yield _Cell(module.name, name, getattr(module, name), "ch1x1", module.ch1x1)


def _output_cells(module: InceptionModule) -> Iterator[_Cell]:
    """Yield the filters at the end of each branch, where there is more than one."""
    for name in OUTPUTS:
        if (getattr(module, name) or 0) > 1:
            yield _Cell(module.name, name, getattr(module, name))


def _output_width(module: InceptionModule) -> int:
    """Return the output channels of a module whose pooling is projected."""
    return sum(getattr(module, name) or 0 for name in OUTPUTS)


def _max_factor(widths: Sequence[int], shifts: Sequence[float]) -> float:
    """Return the factor at which the first module is down to one channel for each branch."""
    return min(
        ((width - len(OUTPUTS)) / shift for width, shift in zip(widths, shifts, strict=True) if shift > 0), default=0.0
    )


def _with_width(module: InceptionModule, width: int) -> InceptionModule:
    """Return the row with that many output channels, in the same proportions; each branch keeps at least one."""
    old = [getattr(module, name) for name in OUTPUTS]
    new = _round_to_sum([filters * width / sum(old) for filters in old], width)
    for at, filters in enumerate(old):
        if filters and not new[at]:
            new[new.index(max(new))] -= 1
            new[at] = _MIN_FILTERS
    return module.replace(**dict(zip(OUTPUTS, new, strict=True)))


def _round_to_sum(values: Sequence[float], total: int) -> list[int]:
    """Round numbers so that they add up to ``total``: those with the largest fractional parts are rounded up."""
    rounded = [int(value) for value in values]
    order = sorted(range(len(values)), key=lambda at: rounded[at] - values[at])
    for at in order[: total - sum(rounded)]:
        rounded[at] += 1
    return rounded
