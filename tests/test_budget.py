"""The budget solver: what it returns fits, keeps what it shall keep, and is about the nearest that there is."""

from itertools import product
from time import process_time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, InceptionModule, problems, summarize
from explorer.budget import KEEPS, MAX_RETURNED, WAYS, Budget, BudgetError, Outcome, Progress, distance, solve, solved
from explorer.comparison import QUANTITIES
from explorer.diff import with_module
from tests.strategies import examples, networks

PAPER = PRESETS["paper"]


def cost(config: GoogLeNetConfig, quantity: str) -> int:
    """Return what the closed form says, at inference."""
    return getattr(summarize(config).main, quantity)


def outputs(config: GoogLeNetConfig) -> list[int]:
    """Return the output channels of each module."""
    summary = summarize(config)
    return [summary.concat(module.name).out_shape[0] for module in config.modules]


def assert_keeps(base: GoogLeNetConfig, config: GoogLeNetConfig, budget: Budget) -> None:
    """Nothing changed but cells of the table, and what was to be kept is kept."""
    assert config == base.replace(modules=config.modules)
    assert [module.name for module in config.modules] == [module.name for module in base.modules]
    for old, new in zip(base.modules, config.modules, strict=True):
        assert {*old.branches} <= {*new.branches}
    if budget.keep == "outputs":
        assert outputs(base) == outputs(config)
    elif budget.keep == "width":
        assert sum(outputs(base)) == sum(outputs(config))
    else:
        assert base.module(budget.row) == config.module(budget.row)


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("preset", ["paper", "naive", "mini"])
def test_what_is_found_fits(preset: str, quantity: str, keep: str) -> None:
    """Each candidate is below the limit by our own count, close to it, and told with its changes; nearest first."""
    base = PRESETS[preset]
    limit = round(cost(base, quantity) * 0.95)
    budget = Budget(quantity, limit, keep, "4a")
    outcome = solved(base, budget)
    assert outcome.cost == cost(base, quantity)
    assert (outcome.least <= limit) == bool(outcome.candidates)
    assert len(outcome.candidates) <= MAX_RETURNED
    for candidate in outcome.candidates:
        assert candidate.cost == cost(candidate.config, quantity) <= limit
        assert candidate.cost > 0.99 * limit
        assert candidate.moved == distance(base, candidate.config) > 0
        assert candidate.changes
        assert candidate.way in WAYS
        assert_keeps(base, candidate.config, budget)
    assert [c.moved for c in outcome.candidates] == sorted(c.moved for c in outcome.candidates)


@given(networks(), st.sampled_from(QUANTITIES), st.sampled_from(KEEPS), st.floats(0.3, 0.999))
@examples(60)
def test_random_networks(base: GoogLeNetConfig, quantity: str, keep: str, share: float) -> None:
    """The same holds for any network and any budget."""
    limit = int(cost(base, quantity) * share)
    assume(limit)
    budget = Budget(quantity, limit, keep, base.modules[0].name)
    outcome = solved(base, budget)
    for candidate in outcome.candidates:
        assert candidate.cost == cost(candidate.config, quantity) <= limit
        assert () == problems(candidate.config)
        assert_keeps(base, candidate.config, budget)
    if not outcome.candidates:
        assert outcome.least > limit


TINY = PRESETS["mini"].replace(
    modules=(
        InceptionModule(name="3a", ch1x1=8, ch3x3_reduce=12, ch3x3=24, ch5x5_reduce=8, ch5x5=10, pool_proj=4),
        InceptionModule(name="3b", ch1x1=8, ch3x3_reduce=10, ch3x3=20, ch5x5_reduce=None, ch5x5=0, pool_proj=4),
    ),
    aux=PRESETS["mini"].aux.replace(taps=()),
)


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("share", [0.98, 0.9, 0.75])
def test_it_is_about_the_nearest(quantity: str, share: float) -> None:
    """Of all tables with other reductions, tried one by one, none that fits is nearer by more than a tenth."""
    limit = int(cost(TINY, quantity) * share)
    first, second = TINY.modules
    best = float("inf")
    for a, b, c in product(range(1, 13), range(1, 9), range(1, 11)):
        modules = (first.replace(ch3x3_reduce=a, ch5x5_reduce=b), second.replace(ch3x3_reduce=c))
        moved = ((12 - a) / 12) ** 2 + ((8 - b) / 8) ** 2 + ((10 - c) / 10) ** 2
        if moved < best and cost(TINY.replace(modules=modules), quantity) <= limit:
            best = moved
    found = [c for c in solved(TINY, Budget(quantity, limit)).candidates if c.way == "reductions"]
    assert bool(found) == (best < float("inf"))
    for candidate in found:
        assert best - 1e-9 <= candidate.moved <= 1.1 * best + 1 / 64  # a filter of the narrowest cell


def test_a_budget_that_is_met_changes_nothing() -> None:
    """The network fits as it is."""
    outcome = solved(PAPER, Budget("macs", 1_582_671_872))
    assert outcome == Outcome((), 1_582_671_872, 1_582_671_872)


def test_a_budget_that_cannot_be_met() -> None:
    """It says so, with the least there is: the stem alone costs more."""
    outcome = solved(PAPER, Budget("macs", 100_000_000))
    assert () == outcome.candidates
    assert outcome.least > 100_000_000


def test_blank_reductions_are_put_in() -> None:
    """From the naive module the solver finds the paper's own way: 1×1 reductions."""
    naive = PRESETS["naive"]
    found = solved(naive, Budget("macs", cost(naive, "macs") // 2)).candidates[0]
    assert found.way == "reductions"
    assert any(change.before is None and change.field == "ch5x5_reduce" for change in found.changes)


def test_it_takes_less_than_two_seconds() -> None:
    """For the paper's network, whatever is kept; a third of a second as a rule."""
    for keep in KEEPS:
        started = process_time()
        solved(PAPER, Budget("parameters", 5_000_000, keep, "4a"))
        assert process_time() - started < 2


def test_it_tells_how_far_it_is_and_can_be_stopped() -> None:
    """Progress comes often and never goes back; a dropped search is gone."""
    search = solve(PAPER, Budget("macs", 1_200_000_000))
    steps = list(search)
    shares = [step.share for step in steps if isinstance(step, Progress)]
    assert len(shares) > 100
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1
    assert isinstance(steps[-1], Outcome)
    stopped = solve(PAPER, Budget("macs", 1_200_000_000))
    next(stopped)
    stopped.close()
    assert list(stopped) == []


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (Budget("money", 5), "parameters, MACs or activations"),
        (Budget("macs", 0), "at least 1"),
        (Budget("macs", -5), "at least 1"),
        (Budget("macs", 5, "all"), "Keep the outputs"),
        (Budget("macs", 5, "row", "9z"), "no row “9z”"),
        (Budget("macs", 5, "row"), "no row"),
    ],
)
def test_bad_budgets(budget: Budget, told: str) -> None:
    """Each is refused with a sentence."""
    with pytest.raises(BudgetError, match=told):
        solved(PAPER, budget)


def test_distance() -> None:
    """Each cell counts by its share; a blank reduction is as wide as what comes in."""
    edited = with_module(PAPER, PAPER.module("4a").replace(ch3x3=104, ch5x5_reduce=20))
    assert distance(PAPER, edited) == 0.5**2 + 0.25**2
    naive = PRESETS["naive"]
    assert distance(naive, with_module(naive, naive.module("3a").replace(ch3x3_reduce=48))) == 0.75**2
