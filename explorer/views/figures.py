"""Charts of a whole network, as plotly figures. Colours are those of the branches on every page."""

from typing import Any

import plotly.graph_objects as go

from explorer.analysis import NetworkSummary
from explorer.config import BRANCHES
from explorer.views import formatting as fmt
from explorer.views.layer_table import BRANCH_NAMES
from explorer.views import palette

QUANTITIES = {"parameters": "parameters", "macs": "MACs", "activations": "activation elements"}


def cost_per_module(summary: NetworkSummary, quantity: str, *, aux: bool) -> go.Figure:
    """Return stacked bars per block: what each branch costs, in ``parameters``, ``macs`` or ``activations``."""
    blocks = [block for block in summary.by_module if aux or not block.startswith("aux_")]
    figure = go.Figure()
    for branch in BRANCHES:
        values = [getattr(summary.by_branch.get((block, branch)), quantity, 0) for block in blocks]
        figure.add_bar(name=BRANCH_NAMES[branch], x=blocks, y=values, marker_color=palette.BRANCH[branch])
    rest = {block: _outside_branches(summary, block, quantity) for block in blocks}
    heads = [rest[block] if block.startswith("aux_") else 0 for block in blocks]
    others = [0 if block.startswith("aux_") else rest[block] for block in blocks]
    figure.add_bar(name="stem, pools, concat, classifier", x=blocks, y=others, marker_color=palette.LIGHT.line)
    if any(heads):
        figure.add_bar(name="auxiliary heads", x=blocks, y=heads, marker_color=palette.AUX)
    total = getattr(summary.whole if aux else summary.main, quantity)
    figure.update_layout(
        barmode="stack",
        title=f"{_dearest(summary, blocks, quantity)} of {fmt.short(total)} {QUANTITIES[quantity]}",
        yaxis_title=QUANTITIES[quantity],
        **_LAYOUT,
    )
    figure.update_traces(hovertemplate="%{x} %{fullData.name}: %{y:,}<extra></extra>")
    return figure


def _outside_branches(summary: NetworkSummary, block: str, quantity: str) -> int:
    inside = sum(
        getattr(totals, quantity) for (module, _), totals in summary.by_branch.items() if module == block
    )
    return getattr(summary.by_module[block], quantity) - inside


def _dearest(summary: NetworkSummary, blocks: list[str], quantity: str) -> str:
    dearest = max(blocks, key=lambda block: getattr(summary.by_module[block], quantity))
    return f"{dearest.replace('_', ' ')} takes the most: {fmt.short(getattr(summary.by_module[dearest], quantity))}"


def depth_profile(summary: NetworkSummary) -> go.Figure:
    """Return lines from the image to the classifier: side in pixels, channels, and activations of each block."""
    ends = [_last_row(summary, block) for block in summary.by_module if not block.startswith("aux_")]
    names = ["input", *(block for block in summary.by_module if not block.startswith("aux_"))]
    channels, height, width = summary.config.input_shape
    sides = [max(height, width), *(max(row.out_shape[1:], default=1) for row in ends)]
    depth = [channels, *(row.out_shape[0] for row in ends)]
    figure = go.Figure()
    figure.add_scatter(name="side in pixels", x=names, y=sides, line_shape="hv", line_color=palette.BRANCH["1x1"])
    figure.add_scatter(name="channels", x=names, y=depth, line_shape="hv", line_color=palette.AUX)
    figure.update_layout(
        title="The picture shrinks while the channels grow",
        yaxis={"title": "pixels · channels", "type": "log", "dtick": 1},
        **_LAYOUT,
    )
    figure.update_traces(hovertemplate="%{x}: %{y:,} %{fullData.name}<extra></extra>")
    return figure


def _last_row(summary: NetworkSummary, block: str) -> Any:
    return [row for row in summary.rows if row.module == block][-1]


_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 70, "b": 10},
    "height": 380,
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    "hoverlabel": {"namelength": -1},
}
