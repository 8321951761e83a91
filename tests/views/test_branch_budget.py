"""The costs and channels of the branches add up to their module, and the arrows are as wide as their numbers."""

import pytest

from explorer import PRESETS, summarize
from explorer.views import branch_budget as budget
from explorer.views.palette import BRANCH, DARK, LIGHT, READABLE, Theme, contrast, mix

SUMMARY = summarize(PRESETS["paper"])
TIMES = {row.path: 1e-3 * (1 + place % 7) for place, row in enumerate(SUMMARY.rows)}
COSTS = [width for width in budget.WIDTHS if width != budget.CHANNELS]


@pytest.mark.parametrize("name", PRESETS)
def test_the_branches_add_up_to_the_module(name: str) -> None:
    """Channels to those of the concat, parameters and MACs to the module's."""
    summary = summarize(PRESETS[name])
    for module in summary.config.modules:
        shares = budget.branch_budgets(summary, module.name)
        totals = summary.by_module[module.name]
        assert summary.concat(module.name).out_shape[0] == sum(share.channels for share in shares)
        assert totals.parameters == sum(share.parameters for share in shares)
        assert totals.macs == sum(share.macs for share in shares)
        assert module.branches == tuple(share.branch for share in shares)
        assert {share.seconds for share in shares} == {None}


@pytest.mark.parametrize("cost", COSTS)
def test_the_sankey_chart_shows_both_sides_in_percent(cost: str) -> None:
    """Left are the shares of the cost, right those of the channels, 100 % each."""
    values = budget.sankey(SUMMARY, "4a", cost, LIGHT, TIMES).figure.data[0].link.value
    assert 100 == pytest.approx(sum(values[:4])) == pytest.approx(sum(values[4:]))
    field = "seconds" if cost == "time" else cost
    takes = [getattr(share, field) for share in budget.branch_budgets(SUMMARY, "4a", TIMES)]
    assert [100 * take / sum(takes) for take in takes] == pytest.approx(values[:4])
    assert [100 * channels / 512 for channels in (192, 208, 48, 64)] == pytest.approx(values[4:])


def test_the_title_names_the_branch_with_the_highest_cost_per_channel() -> None:
    """The 3×3 branch has the largest difference between its shares of cost and channels."""
    title = budget.sankey(SUMMARY, "4a", "macs", LIGHT).figure.layout.title.text
    assert title == "The 3×3 branch takes 60 % of the MACs and gives 41 % of the channels"


@pytest.mark.parametrize("name", PRESETS)
def test_by_channels_every_arrow_carries_its_layers_channels(name: str) -> None:
    """One arrow into every layer as wide as its input, one out of every branch as wide as its output."""
    summary = summarize(PRESETS[name])
    for module in summary.config.modules:
        (sankey,) = budget.sankey(summary, module.name, budget.CHANNELS, LIGHT).figure.data
        rows = [row for row in summary.rows if row.module == module.name and row.branch]
        into = {
            target: value for target, value in zip(sankey.link.target, sankey.link.value, strict=True) if target > 1
        }
        assert [row.in_shape[0] for row in rows] == list(into.values())
        out = [value for target, value in zip(sankey.link.target, sankey.link.value, strict=True) if target == 1]
        assert sum(out) == summary.concat(module.name).out_shape[0]
        assert len(sankey.node.label) == len(rows) + 2


def test_by_channels_the_title_names_the_narrowest_kernel_or_that_there_is_none() -> None:
    """4a's 5×5 works on 16 of 480 channels; in the naive module every branch works on all."""
    title = budget.sankey(SUMMARY, "4a", budget.CHANNELS, LIGHT).figure.layout.title.text
    assert title == "The 5×5 branch works on 16 of 480 channels"
    naive = summarize(PRESETS["naive"])
    assert (
        "No 1×1 reduces the 192 channels" in budget.sankey(naive, "3a", budget.CHANNELS, LIGHT).figure.layout.title.text
    )


@pytest.mark.parametrize("width", ["macs", budget.CHANNELS])
def test_branches_have_their_colour(width: str) -> None:
    """Nodes and arrows of a branch have the colour that it has on every page; the arrows are translucent."""
    (sankey,) = budget.sankey(SUMMARY, "4a", width, LIGHT).figure.data
    assert set(BRANCH.values()) | {LIGHT.line} == set(sankey.node.color)
    for target, colour in zip(sankey.link.target, sankey.link.color, strict=True):
        if sankey.node.color[target] != LIGHT.line:
            red, green, blue = (int(sankey.node.color[target][at : at + 2], 16) for at in (1, 3, 5))
            assert colour == f"rgba({red}, {green}, {blue}, 0.45)"


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_labels_can_be_read_on_every_arrow(theme: Theme) -> None:
    """The text has 4.5:1 on each branch's pale colour over the page, in light and dark."""
    (sankey,) = budget.sankey(SUMMARY, "4a", "macs", theme).figure.data
    for colour in (*BRANCH.values(), theme.background):
        assert contrast(sankey.textfont.color, mix(theme.background, colour, 0.45)) >= READABLE


def test_the_table_has_the_time_where_it_was_measured() -> None:
    """Time and its share are two more columns; without a measurement they are not there."""
    timed = budget.budget_rows(budget.branch_budgets(SUMMARY, "4a", TIMES))
    assert "time" not in budget.budget_rows(budget.branch_budgets(SUMMARY, "4a"))[0]
    chains = {row.path: TIMES[row.path] for row in SUMMARY.rows if (row.module, row.branch) == ("4a", "3x3")}
    assert timed[1]["time"] == f"{1e3 * sum(chains.values()):.2f} ms"
    assert sum(float(row["% of time"].rstrip(" %")) for row in timed) == pytest.approx(100, abs=0.3)


def test_an_unknown_width_or_module_is_rejected() -> None:
    """So is the time without a measurement."""
    for module, width in (("4a", "beauty"), ("4a", "time"), ("9z", "macs"), ("9z", budget.CHANNELS)):
        with pytest.raises(KeyError):
            budget.sankey(SUMMARY, module, width, LIGHT)


def test_a_branch_without_parameters_has_a_share_of_zero() -> None:
    """The naive pool costs no parameters and no MACs; nothing is divided by zero."""
    summary = summarize(PRESETS["naive"])
    pool = budget.budget_rows(budget.branch_budgets(summary, "3a"))[-1]
    assert ("pool", 192, "0.0 %", 0) == (pool["branch"], pool["channels"], pool["% of MACs"], pool["MACs"])
