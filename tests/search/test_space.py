"""The space of a search and the tables in it (explorer.search.space, explorer.search.ceilings)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, problems
from explorer.budget import BudgetError
from explorer.search.ceilings import cost_of, fit_table, minimum_cost
from explorer.search.space import (
    COLUMNS,
    MAX_EXPONENT,
    SearchSpace,
    Value,
    dimensions,
    free_cells,
    mean_table,
    paper_point,
    table_at,
)
from tests.strategies import examples

MINI = PRESETS["mini"]
ALL = SearchSpace(blank_reductions=True, kernel=True, taps=True)


def points(space: SearchSpace, base: GoogLeNetConfig = MINI) -> st.SearchStrategy[dict[str, Value]]:
    """Return points of a space."""
    exponents = st.floats(-MAX_EXPONENT, MAX_EXPONENT)
    return st.fixed_dictionaries(
        {one.name: st.sampled_from(one.choices) if one.choices else exponents for one in dimensions(space, base)}
    )


def test_a_space_has_a_dimension_per_column_and_stage() -> None:
    """Six columns and three stages are nine dimensions; choices come on top."""
    assert ["column #1×1", "column #3×3 reduce"] == [one.name for one in dimensions(SearchSpace(), MINI)][:2]
    assert len(dimensions(SearchSpace(), MINI)) == 9
    assert len(dimensions(SearchSpace(factors="module"), MINI)) == 6 + 9
    assert {one.name for one in dimensions(ALL, MINI) if one.choices} == {
        *("blank #3×3 reduce", "blank #5×5 reduce"),
        *("kernel", "taps"),
    }


def test_one_module_has_no_factor_of_its_own() -> None:
    """With one stage or module its factor would be the common one, which is no dimension."""
    names = [one.name for one in dimensions(SearchSpace(modules=("4a",), columns=("ch1x1", "ch3x3")), MINI)]
    assert ["column #1×1", "column #3×3"] == names


def test_the_own_point_is_the_network() -> None:
    """The point of the paper's table gives the network itself, also through the ceiling."""
    assert MINI == table_at(ALL, MINI, paper_point(ALL, MINI))
    for quantity in ("macs", "parameters", "activations"):
        assert MINI == fit_table(ALL, MINI, paper_point(ALL, MINI), quantity, cost_of(MINI, quantity))


@given(point=points(ALL), fraction=st.floats(0.5, 1.0), quantity=st.sampled_from(("macs", "parameters", "activations")))
@examples(20)
def test_every_proposal_costs_what_is_held(point: dict[str, Value], fraction: float, quantity: str) -> None:
    """A table never costs more than the ceiling, and wastes less than a fiftieth of it."""
    ceiling = int(fraction * cost_of(MINI, quantity))
    if minimum_cost(ALL, MINI, quantity) > ceiling:
        return
    table = fit_table(ALL, MINI, point, quantity, ceiling)
    assert not problems(table)
    assert 0.98 * ceiling <= cost_of(table, quantity) <= ceiling


def test_cells_that_may_not_change_do_not_change() -> None:
    """Only the chosen columns of the chosen modules differ from the network."""
    space = SearchSpace(columns=("ch3x3_reduce", "ch5x5_reduce"), modules=("4a", "4b", "5b"))
    point: dict[str, Value] = {one.name: -1.0 for one in dimensions(space, MINI)}
    table = fit_table(space, MINI, point, "macs", int(0.98 * cost_of(MINI, "macs")))
    changed = {
        (old.name, field)
        for old, new in zip(MINI.modules, table.modules, strict=True)
        for field in COLUMNS
        if getattr(old, field) != getattr(new, field)
    }
    assert changed
    assert changed <= free_cells(space, MINI)


def test_a_ceiling_below_the_fixed_parts_is_refused() -> None:
    """Where the fixed cells cost more than the ceiling, no table is returned."""
    space = SearchSpace(columns=("ch1x1",), modules=("5b",))
    ceiling = cost_of(MINI, "macs") // 2
    assert minimum_cost(space, MINI, "macs") > ceiling
    with pytest.raises(BudgetError):
        fit_table(space, MINI, paper_point(space, MINI), "macs", ceiling)


def test_the_mean_table() -> None:
    """Cells are averaged over tables; a cell that is blank in all of them stays blank."""
    half = table_at(SearchSpace(), MINI, {}, factor=0.5)
    assert 12.0 == mean_table((MINI, half))["3a"]["ch1x1"]
    assert mean_table((PRESETS["naive"],))["3a"]["ch3x3_reduce"] is None
