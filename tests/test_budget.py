"""The budget search: each result fits, respects the constraint, and is close to the nearest possible table."""

from itertools import product
from time import process_time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, InceptionModule, problems, summarize
from explorer.budget import (
    CONSTRAINTS,
    MAX_RETURNED,
    STRATEGIES,
    Budget,
    BudgetError,
    Constraint,
    Outcome,
    Progress,
    distance,
    search,
    solve,
)
from explorer.comparison import QUANTITIES
from explorer.diff import with_module
from tests.strategies import examples, networks

PAPER = PRESETS["paper"]


def cost(config: GoogLeNetConfig, quantity: str) -> int:
    """Return the cost by the closed form, at inference."""
    return getattr(summarize(config).inference_totals, quantity)


def outputs(config: GoogLeNetConfig) -> list[int]:
    """Return the output channels of each module."""
    summary = summarize(config)
    return [summary.concat(module.name).out_shape[0] for module in config.modules]


def assert_respects(base: GoogLeNetConfig, config: GoogLeNetConfig, budget: Budget) -> None:
    """Only cells of the table differ, and the constraint holds."""
    assert config == base.replace(modules=config.modules)
    assert [module.name for module in config.modules] == [module.name for module in base.modules]
    for old, new in zip(base.modules, config.modules, strict=True):
        assert {*old.branches} <= {*new.branches}
    if budget.constraint == "outputs":
        assert outputs(base) == outputs(config)
    elif budget.constraint == "width":
        assert sum(outputs(base)) == sum(outputs(config))
    else:
        assert base.module(budget.row) == config.module(budget.row)


@pytest.mark.slow
@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("preset", ["paper", "naive", "mini"])
def test_candidates_fit(preset: str, quantity: str, constraint: Constraint) -> None:
    """Each candidate is at most 1 % below the limit, with its cost, distance and changes; the nearest is first."""
    base = PRESETS[preset]
    limit = round(cost(base, quantity) * 0.95)
    budget = Budget(quantity, limit, constraint, "4a")
    outcome = solve(base, budget)
    assert outcome.cost == cost(base, quantity)
    assert (outcome.minimum_cost <= limit) == bool(outcome.candidates)
    assert len(outcome.candidates) <= MAX_RETURNED
    for candidate in outcome.candidates:
        assert candidate.cost == cost(candidate.config, quantity) <= limit
        assert candidate.cost > 0.99 * limit
        assert candidate.distance == distance(base, candidate.config) > 0
        assert candidate.changes
        assert candidate.strategy in STRATEGIES
        assert_respects(base, candidate.config, budget)
    assert [c.distance for c in outcome.candidates] == sorted(c.distance for c in outcome.candidates)


@given(networks(), st.sampled_from(QUANTITIES), st.sampled_from(CONSTRAINTS), st.floats(0.3, 0.999))
@examples(60)
def test_random_networks(base: GoogLeNetConfig, quantity: str, constraint: Constraint, fraction: float) -> None:
    """For any network and budget, candidates fit, can be built and respect the constraint."""
    limit = int(cost(base, quantity) * fraction)
    assume(limit)
    budget = Budget(quantity, limit, constraint, base.modules[0].name)
    outcome = solve(base, budget)
    for candidate in outcome.candidates:
        assert candidate.cost == cost(candidate.config, quantity) <= limit
        assert () == problems(candidate.config)
        assert_respects(base, candidate.config, budget)
    if not outcome.candidates:
        assert outcome.minimum_cost > limit


TINY = PRESETS["mini"].replace(
    modules=(
        InceptionModule(name="3a", ch1x1=8, ch3x3_reduce=12, ch3x3=24, ch5x5_reduce=8, ch5x5=10, pool_proj=4),
        InceptionModule(name="3b", ch1x1=8, ch3x3_reduce=10, ch3x3=20, ch5x5_reduce=None, ch5x5=0, pool_proj=4),
    ),
    aux=PRESETS["mini"].aux.replace(taps=()),
)


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("fraction", [0.98, 0.9, 0.75])
def test_candidates_are_near(quantity: str, fraction: float) -> None:
    """An exhaustive search over all reductions finds no fitting table that is more than a tenth nearer."""
    limit = int(cost(TINY, quantity) * fraction)
    first, second = TINY.modules
    best = float("inf")
    for a, b, c in product(range(1, 13), range(1, 9), range(1, 11)):
        modules = (first.replace(ch3x3_reduce=a, ch5x5_reduce=b), second.replace(ch3x3_reduce=c))
        squared = ((12 - a) / 12) ** 2 + ((8 - b) / 8) ** 2 + ((10 - c) / 10) ** 2
        if squared < best and cost(TINY.replace(modules=modules), quantity) <= limit:
            best = squared
    found = [c for c in solve(TINY, Budget(quantity, limit)).candidates if c.strategy == "reductions"]
    assert bool(found) == (best < float("inf"))
    for candidate in found:
        assert best - 1e-9 <= candidate.distance <= 1.1 * best + 1 / 64  # a filter of the narrowest cell


def test_a_network_within_the_budget_stays() -> None:
    """There are no candidates, and the minimum is the current cost."""
    outcome = solve(PAPER, Budget("macs", 1_582_671_872))
    assert outcome == Outcome((), 1_582_671_872, 1_582_671_872)


def test_an_impossible_budget() -> None:
    """There are no candidates, and the minimum is above the limit: the stem alone costs more."""
    outcome = solve(PAPER, Budget("macs", 100_000_000))
    assert () == outcome.candidates
    assert outcome.minimum_cost > 100_000_000


def test_blank_reductions_are_filled_in() -> None:
    """From the naive module the search finds the paper's solution: 1×1 reductions."""
    naive = PRESETS["naive"]
    found = solve(naive, Budget("macs", cost(naive, "macs") // 2)).candidates[0]
    assert found.strategy == "reductions"
    assert any(change.before is None and change.field == "ch5x5_reduce" for change in found.changes)


def test_it_takes_less_than_two_seconds() -> None:
    """For the paper's network, with each constraint; typically a third of a second."""
    for constraint in CONSTRAINTS:
        started = process_time()
        solve(PAPER, Budget("parameters", 5_000_000, constraint, "4a"))
        assert process_time() - started < 2


def test_progress_and_stopping() -> None:
    """Progress comes often and never decreases; a closed search yields nothing more."""
    steps = list(search(PAPER, Budget("macs", 1_200_000_000)))
    fractions = [step.fraction for step in steps if isinstance(step, Progress)]
    assert len(fractions) > 100
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < fractions[-1] <= 1
    assert isinstance(steps[-1], Outcome)
    stopped = search(PAPER, Budget("macs", 1_200_000_000))
    next(stopped)
    stopped.close()
    assert list(stopped) == []


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (Budget("money", 5), "parameters, MACs or activations"),
        (Budget("macs", 0), "at least 1"),
        (Budget("macs", -5), "at least 1"),
        (Budget("macs", 5, "all"), "Keep the outputs"),
        (Budget("macs", 5, "row", "9z"), "no row “9z”"),
        (Budget("macs", 5, "row"), "no row"),
    ],
)
def test_bad_budgets(budget: Budget, message: str) -> None:
    """Each one raises an error that says what is wrong."""
    with pytest.raises(BudgetError, match=message):
        solve(PAPER, budget)


def test_distance() -> None:
    """Each cell counts by its relative change; a blank reduction is as wide as the input."""
    edited = with_module(PAPER, PAPER.module("4a").replace(ch3x3=104, ch5x5_reduce=20))
    assert distance(PAPER, edited) == 0.5**2 + 0.25**2
    naive = PRESETS["naive"]
    assert distance(naive, with_module(naive, naive.module("3a").replace(ch3x3_reduce=48))) == 0.75**2
