"""Solve for a budget: the table nearest to the present one that costs at most so much and keeps what it shall keep.

There are several ways down (:data:`WAYS`), each a choice of cells that may change. Among the tables of one way the
nearest is sought: least Σ (change / filters)², each cell measured by what it was. Were cells no whole numbers and cost
linear in each, then by Lagrange's condition every cell would shrink by filters² × (cost per filter), times one number
for all. That number is found by bisection over whole tables, and what is left of the budget is given back cell by
cell. Costs are those of :func:`~explorer.summarize`, at inference, for one image; nothing is estimated.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal, NamedTuple

from explorer.analysis import summarize
from explorer.comparison import QUANTITIES
from explorer.config import GoogLeNetConfig, InceptionModule, UnbuildableError
from explorer.diff import Change, changes
from explorer.errors import UserError

Keep = Literal["outputs", "width", "row"]
KEEPS = ("outputs", "width", "row")
WAYS = {
    "reductions": "narrower 1×1 reductions",
    "branches": "filters moved to the 1×1 branch",
    "both": "narrower reductions and filters moved to the 1×1 branch",
    "modules": "channels moved from dear modules to cheap ones",
    "widths": "narrower branches and reductions",
}
_WAYS_OF = {
    "outputs": ("reductions", "branches", "both"),
    "width": ("reductions", "branches", "both", "modules"),
    "row": ("reductions", "both", "widths"),
}
MAX_RETURNED = 3
_FARTHEST = 10  # times as far as the nearest: what lies beyond is no choice
_BISECTIONS = 40
_GIVEN_BACK = 150  # trials of giving filters back, per way
_FLOOR = 1  # filters that every branch and reduction keeps
_REDUCING = ("ch3x3_reduce", "ch5x5_reduce")
_OUTPUTS = ("ch1x1", "ch3x3", "ch5x5", "pool_proj")


class Budget(NamedTuple):
    """At most ``limit`` parameters, MACs or activation elements (``quantity``), and what must stay as it is.

    ``keep``: the output channels of each module (``outputs``), their sum over all modules (``width``), or all cells of
    one ``row`` of the table.
    """

    quantity: str
    limit: int
    keep: Keep = "outputs"
    row: str = ""


class Candidate(NamedTuple):
    """A network that fits. ``moved`` is how far from the present one it is: Σ (change / filters)² over its cells."""

    config: GoogLeNetConfig
    way: str
    cost: int
    moved: float
    changes: tuple[Change, ...]


class Progress(NamedTuple):
    """How far the search is, 0 to 1, and the way it is on."""

    share: float
    way: str


class Outcome(NamedTuple):
    """What was found: the best few networks, the nearest first; none when ``least`` is above the limit.

    ``cost`` is the present network's, ``least`` the smallest cost that the ways lead to.
    """

    candidates: tuple[Candidate, ...]
    cost: int
    least: int


class BudgetError(UserError, ValueError):
    """A budget that asks for nothing that can be searched; the message says what would be right."""


def solve(config: GoogLeNetConfig, budget: Budget) -> Iterator[Progress | Outcome]:
    """Search, and tell after every few tables how far it is; the last item is the Outcome.

    Dropping the iterator stops the search. Raises BudgetError at the first step for a budget that makes no sense.
    """
    _check(config, budget)
    cost = _cost(config, budget)
    if cost <= budget.limit:
        yield Outcome((), cost, cost)
        return
    found: dict[GoogLeNetConfig, Candidate] = {}
    least = cost
    ways = _WAYS_OF[budget.keep]
    for number, name in enumerate(ways):
        way = _way(name, config, budget)
        if way is None:
            continue
        search = way.search()
        while True:
            try:
                share = next(search)
            except StopIteration as end:
                best, lowest = end.value
                break
            yield Progress((number + share) / len(ways), name)
        least = min(least, lowest)
        if best is not None:
            found.setdefault(best, _candidate(config, best, name, budget))
    nearest = sorted(found.values(), key=lambda candidate: candidate.moved)[:MAX_RETURNED]
    yield Outcome(tuple(c for c in nearest if c.moved <= _FARTHEST * nearest[0].moved), cost, least)


def solved(config: GoogLeNetConfig, budget: Budget) -> Outcome:
    """Search to the end at once."""
    *_, outcome = solve(config, budget)
    return outcome


def distance(base: GoogLeNetConfig, config: GoogLeNetConfig) -> float:
    """Return Σ (change / filters)² over the cells of two tables with the same rows.

    A blank reduction counts as all the channels that come in.
    """
    inputs = _inputs(base)
    total = 0.0
    for old, new in zip(base.modules, config.modules, strict=True):
        for name in (*_REDUCING, *_OUTPUTS):
            was, now = (
                inputs[old.name] if value is None else value for value in (getattr(old, name), getattr(new, name))
            )
            total += ((now - was) / max(was, 1)) ** 2
    return total


def _check(config: GoogLeNetConfig, budget: Budget) -> None:
    if budget.quantity not in QUANTITIES:
        raise BudgetError("Give the budget in parameters, MACs or activations.")
    if budget.limit < 1:
        raise BudgetError("Give a budget of at least 1.")
    if budget.keep not in KEEPS:
        raise BudgetError("Keep the outputs of each module, the width in all, or one row.")
    if budget.keep == "row" and budget.row not in {module.name for module in config.modules}:
        raise BudgetError(f"There is no row “{budget.row[:10]}” to keep.")


def _cost(config: GoogLeNetConfig, budget: Budget) -> float:
    """Return what a network costs; infinitely much when it cannot be built."""
    try:
        return getattr(summarize(config).main, budget.quantity)
    except UnbuildableError:
        return inf


def _candidate(base: GoogLeNetConfig, config: GoogLeNetConfig, way: str, budget: Budget) -> Candidate:
    return Candidate(config, way, _cost(config, budget), distance(base, config), changes(base, config))


def _inputs(config: GoogLeNetConfig) -> dict[str, int]:
    """Return how many channels come into each module."""
    first: dict[str, int] = {}
    for row in summarize(config).rows:
        first.setdefault(row.module, row.in_shape[0])
    return {module.name: first[module.name] for module in config.modules}


class _Knob(NamedTuple):
    """A cell that may shrink from ``start`` to ``floor``; what it loses goes to the cell ``heir``, if there is one.

    A blank reduction starts at the channels that come in, and is blank there. ``heirs`` is what the heir holds now.
    """

    module: str
    field: str
    start: int
    heir: str = ""
    heirs: int = 0

    @property
    def give(self) -> float:
        """How readily it moves: one filter less adds 1 / give to the distance, in the square."""
        return 1 / (1 / self.start**2 + (1 / max(self.heirs, 1) ** 2 if self.heir else 0))


@dataclass
class _Narrowing:
    """A way down on which each of some cells shrinks."""

    config: GoogLeNetConfig
    budget: Budget
    knobs: Sequence[_Knob]
    savings: list[float] = field(default_factory=list)  # cost per filter

    def search(self) -> Generator[float, None, tuple[GoogLeNetConfig | None, float]]:
        """Yield how far it is, and return the nearest table that fits, if one does, and the least cost there is."""
        yield from self._measure()
        least = self._cost([_FLOOR for knob in self.knobs])
        if least > self.budget.limit:
            return None, least
        values = yield from self._bisected()
        values = yield from self._given_back(values)
        return self._table(values), least

    def _measure(self) -> Iterator[float]:
        """Find what each cell saves per filter, on the way to half of it; drop those that save nothing."""
        whole = self._cost([knob.start for knob in self.knobs])
        useful = []
        for number, knob in enumerate(self.knobs):
            lower = max(_FLOOR, knob.start // 2)
            cost = self._cost([lower if other is knob else other.start for other in self.knobs])
            if lower < knob.start and cost < whole:
                useful.append((knob, (whole - cost) / (knob.start - lower)))
            yield 0.4 * number / len(self.knobs)
        self.knobs = [knob for knob, _ in useful]
        self.savings = [saving for _, saving in useful]

    def _bisected(self) -> Generator[float, None, list[int]]:
        """Find the smallest common factor with which the table fits."""
        pairs = zip(self.knobs, self.savings, strict=True)
        low, high = 0.0, max((knob.start - _FLOOR + 1) / (knob.give * saving) for knob, saving in pairs)
        best = self._shrunk(high)
        for number in range(_BISECTIONS):
            middle = (low + high) / 2
            values = self._shrunk(middle)
            if self._cost(values) <= self.budget.limit:
                best, high = values, middle
            else:
                low = middle
            yield 0.4 + 0.3 * number / _BISECTIONS
        return best

    def _shrunk(self, factor: float) -> list[int]:
        return [
            max(_FLOOR, knob.start - round(factor * knob.give * saving))
            for knob, saving in zip(self.knobs, self.savings, strict=True)
        ]

    def _given_back(self, values: list[int]) -> Generator[float, None, list[int]]:
        """Raise cells while the table still fits, those that lost the largest part first."""
        trials, cost = 0, self._cost(values)
        order = sorted(range(len(values)), key=lambda at: values[at] / self.knobs[at].start)
        for at in order:
            step = min(self.knobs[at].start - values[at], int((self.budget.limit - cost) / self.savings[at]) + 1)
            while step > 0 and trials < _GIVEN_BACK:
                raised = [*values[:at], values[at] + step, *values[at + 1 :]]
                trials += 1
                yield 0.7 + 0.3 * trials / _GIVEN_BACK
                if (risen := self._cost(raised)) <= self.budget.limit:
                    values, cost = raised, risen
                    break
                step //= 2
        return values

    def _cost(self, values: Sequence[int]) -> float:
        return _cost(self._table(values), self.budget)

    def _table(self, values: Sequence[int]) -> GoogLeNetConfig:
        cells: dict[str, dict[str, int | None]] = {}
        for knob, value in zip(self.knobs, values, strict=True):
            if value == knob.start:
                continue
            row = cells.setdefault(knob.module, {})
            row[knob.field] = value
            if knob.heir:
                before = row.get(knob.heir, getattr(self.config.module(knob.module), knob.heir))
                row[knob.heir] = before + knob.start - value
        modules = tuple(module.replace(**cells.get(module.name, {})) for module in self.config.modules)
        return self.config.replace(modules=modules)


@dataclass
class _Shifting:
    """A way down on which modules of dear channels give some to modules of cheap ones; the sum stays."""

    config: GoogLeNetConfig
    budget: Budget

    def search(self) -> Generator[float, None, tuple[GoogLeNetConfig | None, float]]:
        """As :meth:`_Narrowing.search`."""
        widths = [_width(module) for module in self.config.modules]
        pull = yield from self._pulls(widths)
        best, least, low, high = None, self._cost(widths), 0.0, _farthest(widths, pull)
        for number in range(_BISECTIONS):
            middle = high if number == 0 else (low + high) / 2
            shifted = _rounded([wide - middle * p for wide, p in zip(widths, pull, strict=True)], sum(widths))
            cost = self._cost(shifted)
            least = min(least, cost)
            if cost <= self.budget.limit:
                best, high = shifted, middle
            elif number == 0:
                break
            else:
                low = middle
            yield 0.4 + 0.6 * number / _BISECTIONS
        return (self._table(best) if best else None), least

    def _pulls(self, widths: list[int]) -> Generator[float, None, list[float]]:
        """Return what each module gives away at the factor 1: width² × (its price per channel − the usual price)."""
        whole, prices = self._cost(widths), []
        for at, wide in enumerate(widths):
            half = wide // 2
            prices.append((whole - self._cost([*widths[:at], wide - half, *widths[at + 1 :]])) / half)
            yield 0.4 * at / len(widths)
        squares = [wide**2 for wide in widths]
        usual = sum(square * price for square, price in zip(squares, prices, strict=True)) / sum(squares)
        return [square * (price - usual) for square, price in zip(squares, prices, strict=True)]

    def _cost(self, widths: Sequence[int]) -> float:
        return _cost(self._table(widths), self.budget)

    def _table(self, widths: Sequence[int]) -> GoogLeNetConfig:
        modules = (_widened(module, width) for module, width in zip(self.config.modules, widths, strict=True))
        return self.config.replace(modules=tuple(modules))


def _way(name: str, config: GoogLeNetConfig, budget: Budget) -> _Narrowing | _Shifting | None:
    """Return a way down, or None where the table has no cell for it."""
    free = [module for module in config.modules if budget.keep != "row" or module.name != budget.row]
    if name == "modules":
        fixed = any(module.pool_proj is None or _width(module) < 8 for module in config.modules)
        return None if fixed or len(config.modules) < 2 else _Shifting(config, budget)
    inputs = _inputs(config)
    reductions = [knob for module in free for knob in _reductions(module, inputs[module.name])]
    moves = [knob for module in free for knob in _moves(module)]
    narrow = [knob for module in free for knob in _widths(module)]
    knobs = {"reductions": reductions, "branches": moves, "both": reductions + moves, "widths": reductions + narrow}
    return _Narrowing(config, budget, knobs[name]) if knobs[name] else None


def _reductions(module: InceptionModule, inputs: int) -> Iterator[_Knob]:
    """The reducing cells of the branches that exist."""
    for name, filters in zip(_REDUCING, (module.ch3x3, module.ch5x5), strict=True):
        width = getattr(module, name)
        if filters:
            yield _Knob(module.name, name, inputs if width is None else width)


def _moves(module: InceptionModule) -> Iterator[_Knob]:
    """The 3×3 and 5×5 filters, which can become 1×1 filters, but for one of each."""
    for name in ("ch3x3", "ch5x5"):
        if getattr(module, name) > 1:
            yield _Knob(module.name, name, getattr(module, name), heir="ch1x1", heirs=module.ch1x1)


def _widths(module: InceptionModule) -> Iterator[_Knob]:
    for name in _OUTPUTS:
        if (getattr(module, name) or 0) > 1:
            yield _Knob(module.name, name, getattr(module, name))


def _width(module: InceptionModule) -> int:
    """The channels a module gives, where its pooling is projected."""
    return sum(getattr(module, name) or 0 for name in _OUTPUTS)


def _farthest(widths: Sequence[int], pull: Sequence[float]) -> float:
    """Return the factor at which the first module is down to a channel for each branch."""
    return min(((wide - len(_OUTPUTS)) / p for wide, p in zip(widths, pull, strict=True) if p > 0), default=0.0)


def _widened(module: InceptionModule, width: int) -> InceptionModule:
    """Return the row with that many output channels, shared among its branches as they are; each keeps at least one."""
    old = [getattr(module, name) for name in _OUTPUTS]
    new = _rounded([filters * width / sum(old) for filters in old], width)
    for at, filters in enumerate(old):
        if filters and not new[at]:
            new[new.index(max(new))] -= 1
            new[at] = _FLOOR
    return module.replace(**dict(zip(_OUTPUTS, new, strict=True)))


def _rounded(values: Sequence[float], total: int) -> list[int]:
    """Round numbers so that they add up to ``total``, those with the largest fractions upwards."""
    whole = [int(value) for value in values]
    order = sorted(range(len(values)), key=lambda at: whole[at] - values[at])
    for at in order[: total - sum(whole)]:
        whole[at] += 1
    return whole
