"""What a branch takes and gives adds up to its module."""

import pytest

from explorer import PRESETS, summarize
from explorer.views import branch_budget as budget

SUMMARY = summarize(PRESETS["paper"])


@pytest.mark.parametrize("name", PRESETS)
def test_the_branches_add_up_to_the_module(name: str) -> None:
    """Channels to those of the concat, parameters and MACs to the module's."""
    summary = summarize(PRESETS[name])
    for module in summary.config.modules:
        shares = budget.shares(summary, module.name)
        totals = summary.by_module[module.name]
        assert summary.concat(module.name).out_shape[0] == sum(share.channels for share in shares)
        assert totals.parameters == sum(share.parameters for share in shares)
        assert totals.macs == sum(share.macs for share in shares)
        assert module.branches == tuple(share.branch for share in shares)


@pytest.mark.parametrize("cost", budget.COSTS)
def test_the_flow_shows_both_sides_in_percent(cost: str) -> None:
    """Left and right are 100 % each, and the title names the dearest bargain."""
    figure = budget.flow(SUMMARY, "4a", cost)
    values = figure.data[0].link.value
    assert 100 == pytest.approx(sum(values[:4])) == pytest.approx(sum(values[4:]))
    assert "The 3×3 branch takes" in budget.flow(SUMMARY, "4a", "macs").layout.title.text


def test_a_branch_without_parameters_takes_nothing_of_them() -> None:
    """The naive pool costs no parameters and no MACs; nothing is divided by zero."""
    summary = summarize(PRESETS["naive"])
    pool = budget.budget_rows(budget.shares(summary, "3a"))[-1]
    assert ("pool", 192, "0.0 %", 0) == (pool["branch"], pool["channels"], pool["% of MACs"], pool["MACs"])
