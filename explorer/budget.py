"""Search for networks within a budget: the table nearest to the current one that costs at most a given amount.

There are several strategies (:data:`STRATEGIES`); each one changes its own set of cells and finds the nearest table
that it can reach (:mod:`explorer.budget_strategies`). Costs are those of :func:`~explorer.summarize`, at inference, for
one image; nothing is estimated.
"""

from collections.abc import Collection, Iterator
from functools import partial
from math import inf
from typing import Literal, NamedTuple

from explorer.analysis import compute, summarize
from explorer.budget_strategies import OUTPUTS, REDUCTIONS, input_channels, search_cells, search_with
from explorer.comparison import QUANTITIES
from explorer.config import GoogLeNetConfig
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
        fixed_row = budget.row if budget.constraint == "row" else ""
        steps = search_with(name, config, partial(_trial_cost, budget=budget), budget.limit, fixed_row)
        if steps is None:
            continue
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


def narrow_cells(config: GoogLeNetConfig, quantity: str, limit: int, cells: Collection[tuple[str, str]]) -> Candidate:
    """Return the nearest network that costs at most ``limit`` and only narrows some cells, each a (module, field).

    Raises BudgetError where even one filter in each of them costs more, and UnbuildableError for a network that cannot
    be built.
    """
    budget = Budget(quantity, limit)
    if _cost(config, budget) <= limit:
        return _candidate(config, config, "widths", budget)
    steps = search_cells(config, partial(_trial_cost, budget=budget), limit, cells)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            nearest, lowest = end.value
            break
    if nearest is None:
        raise BudgetError(f"The cells that may change cannot bring the network below {lowest:,.0f} {quantity}.")
    return _candidate(config, nearest, "widths", budget)


def distance(base: GoogLeNetConfig, config: GoogLeNetConfig) -> float:
    """Return Σ (change / filters)² over the cells of two tables with the same rows.

    A blank reduction counts as the number of input channels, because the branch then reads all of them.
    """
    inputs = input_channels(base)
    total = 0.0
    for old, new in zip(base.modules, config.modules, strict=True):
        for name in (*REDUCTIONS, *OUTPUTS):
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
