"""Search for networks within a budget: the table nearest to the current one that costs at most a given amount.

There are several strategies (:data:`STRATEGIES`); each one changes its own set of cells. Each strategy looks for the
nearest table that it can reach: least Σ (change / filters)², where filters is the cell's current value. If cells were
real numbers and the cost were linear in each of them, Lagrange's condition would shrink every cell by filters² × (cost
per filter) × one common factor. Bisection over whole tables finds that factor, and filters are then restored cell by
cell as far as the budget allows. Costs are those of :func:`~explorer.summarize`, at inference, for one image; nothing
is estimated.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal, NamedTuple

from explorer.analysis import compute, summarize
from explorer.comparison import QUANTITIES
from explorer.config import GoogLeNetConfig, InceptionModule
from explorer.diff import Change, find_changes
from explorer.errors import UserError
from explorer.summary import NetworkSummary

Constraint = Literal["outputs", "width", "row"]
CONSTRAINTS = ("outputs", "width", "row")
STRATEGIES = {
    "reductions": "narrower 1×1 reductions",
    "branches": "filters moved to the 1×1 branch",
    "both": "narrower reductions and filters moved to the 1×1 branch",
    "modules": "channels moved from expensive modules to cheap ones",
    "widths": "narrower branches and reductions",
}
# Strategies that respect each constraint. Reductions never change a module's output, moves between branches never
# change its sum, moves between modules change the outputs but not the total width.
_STRATEGIES_FOR = {
    "outputs": ("reductions", "branches", "both"),
    "width": ("reductions", "branches", "both", "modules"),
    "row": ("reductions", "both", "widths"),
}
MAX_RETURNED = 3
# Candidates more than this many times as far as the nearest one are dropped: nobody would choose them.
_MAX_DISTANCE_RATIO = 10
# Enough for the factor to be exact to a filter. Each trial summarizes a whole network, so both numbers bound the time.
_BISECTIONS = 40
_MAX_RESTORE_TRIALS = 150  # per strategy
_MIN_FILTERS = 1  # so that no branch and no reduction disappears
_MIN_SHIFTED_WIDTH = 8  # channels; a narrower module has too few to move between modules
_REDUCTIONS = ("ch3x3_reduce", "ch5x5_reduce")
_OUTPUTS = ("ch1x1", "ch3x3", "ch5x5", "pool_proj")
# Fractions of a strategy's progress at which its first and its second phase end.
_MEASURED, _BISECTED = 0.4, 0.7


class Budget(NamedTuple):
    """A limit on parameters, MACs or activation elements (``quantity``), and what must not change.

    ``constraint``: the output channels of each module (``outputs``), their sum over all modules (``width``), or all
    cells of one ``row`` of the table.
    """

    quantity: str
    limit: int
    constraint: Constraint = "outputs"
    row: str = ""


class Candidate(NamedTuple):
    """A network that fits. ``distance`` is Σ (change / filters)² over the cells, from the current network."""

    config: GoogLeNetConfig
    strategy: str
    cost: int
    distance: float
    changes: tuple[Change, ...]


class Progress(NamedTuple):
    """The fraction of the search that is done, 0 to 1, and the strategy that is running."""

    fraction: float
    strategy: str


class Outcome(NamedTuple):
    """The best few networks, the nearest first; none when ``minimum_cost`` is above the limit.

    ``cost`` is the current network's, ``minimum_cost`` the smallest cost that any strategy reached.
    """

    candidates: tuple[Candidate, ...]
    cost: int
    minimum_cost: int


class BudgetError(UserError, ValueError):
    """The budget has an unknown quantity, constraint or row, or no positive limit. The message says what is valid."""


# A strategy's search yields the fraction that is done; it returns the nearest table that fits, if there is one, and the
# lowest cost that it reached.
_Search = Generator[float, None, tuple[GoogLeNetConfig | None, float]]


def search(config: GoogLeNetConfig, budget: Budget) -> Iterator[Progress | Outcome]:
    """Search for networks within a budget, and yield Progress after each trial; the last item is the Outcome.

    Closing the iterator stops the search. Raises BudgetError at the first step for an invalid budget, and
    UnbuildableError for a network that cannot be built.
    """
    _validate(config, budget)
    cost = _cost(config, budget)
    if cost <= budget.limit:
        yield Outcome((), cost, cost)
        return
    found: dict[GoogLeNetConfig, Candidate] = {}
    minimum_cost = cost
    names = _STRATEGIES_FOR[budget.constraint]
    for number, name in enumerate(names):
        strategy = _create_strategy(name, config, budget)
        if strategy is None:
            continue
        steps = strategy.search()
        while True:
            try:
                fraction = next(steps)
            except StopIteration as end:
                nearest, lowest = end.value
                break
            yield Progress((number + fraction) / len(names), name)
        if lowest < minimum_cost:
            minimum_cost = int(lowest)
        if nearest is not None:
            # Two strategies can find the same table; the first, which changes fewer kinds of cells, names it.
            found.setdefault(nearest, _candidate(config, nearest, name, budget))
    candidates = sorted(found.values(), key=lambda candidate: candidate.distance)[:MAX_RETURNED]
    close = tuple(c for c in candidates if c.distance <= _MAX_DISTANCE_RATIO * candidates[0].distance)
    yield Outcome(close, cost, minimum_cost)


def solve(config: GoogLeNetConfig, budget: Budget) -> Outcome:
    """Run the whole search and return its Outcome. Raises as :func:`search` does."""
    return next(step for step in search(config, budget) if isinstance(step, Outcome))


def distance(base: GoogLeNetConfig, config: GoogLeNetConfig) -> float:
    """Return Σ (change / filters)² over the cells of two tables with the same rows.

    A blank reduction counts as the number of input channels, because the branch then reads all of them.
    """
    inputs = _input_channels(base)
    total = 0.0
    for old, new in zip(base.modules, config.modules, strict=True):
        for name in (*_REDUCTIONS, *_OUTPUTS):
            before, after = (
                inputs[old.name] if value is None else value for value in (getattr(old, name), getattr(new, name))
            )
            total += ((after - before) / max(before, 1)) ** 2
    return total


def _validate(config: GoogLeNetConfig, budget: Budget) -> None:
    if budget.quantity not in QUANTITIES:
        raise BudgetError("Give the budget in parameters, MACs or activations.")
    if budget.limit < 1:
        raise BudgetError("Give a budget of at least 1.")
    if budget.constraint not in CONSTRAINTS:
        raise BudgetError("Keep the outputs of each module, the total width, or one row.")
    if budget.constraint == "row" and budget.row not in {module.name for module in config.modules}:
        raise BudgetError(f"The table has no row “{budget.row[:10]}”. Choose one of its rows to keep.")


def _cost(config: GoogLeNetConfig, budget: Budget) -> int:
    """Return what a network costs. Raises UnbuildableError."""
    return _quantity(summarize(config), budget)


def _quantity(summary: NetworkSummary, budget: Budget) -> int:
    cost: int = getattr(summary.inference_totals, budget.quantity)
    return cost


def _trial_cost(config: GoogLeNetConfig, budget: Budget) -> float:
    """Return what a table costs, or infinity when it cannot be built, so that the search moves away from it."""
    # Not cached: a search tries hundreds of tables once, which would evict the networks that users look at.
    result = compute(config)
    return _quantity(result, budget) if isinstance(result, NetworkSummary) else inf


def _candidate(base: GoogLeNetConfig, config: GoogLeNetConfig, strategy: str, budget: Budget) -> Candidate:
    return Candidate(config, strategy, _cost(config, budget), distance(base, config), find_changes(base, config))


def _input_channels(config: GoogLeNetConfig) -> dict[str, int]:
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
    budget: Budget
    cells: Sequence[_Cell]
    savings: list[float] = field(default_factory=list)  # cost per filter, one for each cell

    def search(self) -> _Search:
        """Search for the nearest table that fits."""
        yield from self._measure_savings()
        lowest = self._cost([_MIN_FILTERS for _ in self.cells])
        if lowest > self.budget.limit:
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
            if self._cost(values) <= self.budget.limit:
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
            step = min(self.cells[at].start - values[at], int((self.budget.limit - cost) / self.savings[at]) + 1)
            while step > 0 and trials < _MAX_RESTORE_TRIALS:
                raised = [*values[:at], values[at] + step, *values[at + 1 :]]
                trials += 1
                yield _BISECTED + (1 - _BISECTED) * trials / _MAX_RESTORE_TRIALS
                if (raised_cost := self._cost(raised)) <= self.budget.limit:
                    values, cost = raised, raised_cost
                    break
                step //= 2
        return values

    def _cost(self, values: Sequence[int]) -> float:
        return _trial_cost(self._table(values), self.budget)

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
    budget: Budget

    def search(self) -> _Search:
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
            if cost <= self.budget.limit:
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
        return _trial_cost(self._table(widths), self.budget)

    def _table(self, widths: Sequence[int]) -> GoogLeNetConfig:
        modules = (_with_width(module, width) for module, width in zip(self.config.modules, widths, strict=True))
        return self.config.replace(modules=tuple(modules))


def _create_strategy(name: str, config: GoogLeNetConfig, budget: Budget) -> _CellSearch | _ModuleSearch | None:
    """Return a strategy for a network, or None where the table has no cell for it."""
    if name == "modules":
        # Without a projection the pooling branch passes all input channels, so the width follows the module before.
        is_fixed = any(
            module.pool_proj is None or _output_width(module) < _MIN_SHIFTED_WIDTH for module in config.modules
        )
        return None if is_fixed or len(config.modules) < 2 else _ModuleSearch(config, budget)
    free = [module for module in config.modules if budget.constraint != "row" or module.name != budget.row]
    inputs = _input_channels(config)
    reductions = [cell for module in free for cell in _reduction_cells(module, inputs[module.name])]
    moves = [cell for module in free for cell in _moved_cells(module)]
    outputs = [cell for module in free for cell in _output_cells(module)]
    cells = {"reductions": reductions, "branches": moves, "both": reductions + moves, "widths": reductions + outputs}
    return _CellSearch(config, budget, cells[name]) if cells[name] else None


def _reduction_cells(module: InceptionModule, inputs: int) -> Iterator[_Cell]:
    """Yield the reductions of the branches that exist; a blank one can be filled in."""
    for name, filters in zip(_REDUCTIONS, (module.ch3x3, module.ch5x5), strict=True):
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
    for name in _OUTPUTS:
        if (getattr(module, name) or 0) > 1:
            yield _Cell(module.name, name, getattr(module, name))


def _output_width(module: InceptionModule) -> int:
    """Return the output channels of a module whose pooling is projected."""
    return sum(getattr(module, name) or 0 for name in _OUTPUTS)


def _max_factor(widths: Sequence[int], shifts: Sequence[float]) -> float:
    """Return the factor at which the first module is down to one channel for each branch."""
    return min(
        ((width - len(_OUTPUTS)) / shift for width, shift in zip(widths, shifts, strict=True) if shift > 0), default=0.0
    )


def _with_width(module: InceptionModule, width: int) -> InceptionModule:
    """Return the row with that many output channels, in the same proportions; each branch keeps at least one."""
    old = [getattr(module, name) for name in _OUTPUTS]
    new = _round_to_sum([filters * width / sum(old) for filters in old], width)
    for at, filters in enumerate(old):
        if filters and not new[at]:
            new[new.index(max(new))] -= 1
            new[at] = _MIN_FILTERS
    return module.replace(**dict(zip(_OUTPUTS, new, strict=True)))


def _round_to_sum(values: Sequence[float], total: int) -> list[int]:
    """Round numbers so that they add up to ``total``: those with the largest fractional parts are rounded up."""
    rounded = [int(value) for value in values]
    order = sorted(range(len(values)), key=lambda at: rounded[at] - values[at])
    for at in order[: total - sum(rounded)]:
        rounded[at] += 1
    return rounded
