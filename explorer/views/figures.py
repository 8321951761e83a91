"""Charts of a whole network, as plotly figures with their data. Colours are those of the branches on every page."""

from typing import Any, NamedTuple

import plotly.graph_objects as go

from explorer.analysis import LayerRow, NetworkSummary
from explorer.config import BRANCHES
from explorer.views import formatting as fmt
from explorer.views import palette
from explorer.views.layer_table import BRANCH_NAMES

QUANTITIES = {"macs": "MACs", "parameters": "parameters", "activations": "activations"}
BATCHES = (1, 8, 32, 128)
_REST = palette.LIGHT.line
_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 80, "b": 10},
    "height": 400,
    "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    "hoverlabel": {"namelength": -1},
}


class Chart(NamedTuple):
    """A figure, a sentence on how to read it, and the numbers it is drawn from, one dict per row."""

    figure: go.Figure
    reading: str
    data: list[dict[str, Any]]


class _Part(NamedTuple):
    """One sector of a hierarchy."""

    label: str
    inside: str
    value: int
    colour: str


def bars(summary: NetworkSummary, quantity: str) -> Chart:
    """Return stacked bars per block: what each branch costs, in ``macs``, ``parameters`` or ``activations``."""
    blocks = list(summary.by_module)
    data = []
    for block in blocks:
        parts = {branch: _of_branch(summary, block, branch, quantity) for branch in BRANCHES}
        rest = getattr(summary.by_module[block], quantity) - sum(parts.values())
        data.append({"block": block, **{BRANCH_NAMES[branch]: value for branch, value in parts.items()}, "other": rest})
    figure = go.Figure()
    for branch in BRANCHES:
        values = [row[BRANCH_NAMES[branch]] for row in data]
        figure.add_bar(name=BRANCH_NAMES[branch], x=blocks, y=values, marker_color=palette.BRANCH[branch])
    heads = [palette.AUX if block.startswith("aux_") else _REST for block in blocks]
    figure.add_bar(name="no branch", x=blocks, y=[row["other"] for row in data], marker_color=heads)
    dearest = max(blocks, key=lambda block: getattr(summary.by_module[block], quantity))
    share = fmt.percent(getattr(summary.by_module[dearest], quantity), getattr(summary.whole, quantity))
    figure.update_layout(
        barmode="stack",
        title=f"{dearest.replace('_', ' ')} takes the most: {share} of the {QUANTITIES[quantity]} while training",
        yaxis_title=QUANTITIES[quantity],
        **_LAYOUT,
    )
    figure.update_traces(hovertemplate="%{x}, %{fullData.name}: %{y:,}<extra></extra>")
    reading = (
        "One bar per block in the order the image passes them, split by branch; a reduction counts to its branch. "
        "Auxiliary heads are there while training only."
    )
    return Chart(figure, reading, data)


def hierarchy(summary: NetworkSummary, quantity: str, *, kind: str = "sunburst") -> Chart:
    """Return stage → module → branch → layer as a ``sunburst`` or ``treemap``, sized by cost, without heads."""
    rows = [row for row in summary.rows if row.aux is None and getattr(row, quantity)]
    total = sum(getattr(row, quantity) for row in rows)
    parts = {"network": _Part("network", "", total, "rgba(0, 0, 0, 0)")}
    for row in rows:
        inside = "network"
        for step, label in _ancestors(row):
            colour = palette.BRANCH[row.branch] if step == row.branch else _REST
            parts.setdefault(f"{inside}/{step}", _Part(label, inside, 0, colour))
            inside = f"{inside}/{step}"
        colour = palette.BRANCH.get(row.branch or "", _REST)
        parts[row.path] = _Part(row.path.split(".")[-1], inside, getattr(row, quantity), colour)
    ids, (labels, parents, values, colours) = list(parts), map(list, zip(*parts.values(), strict=True))
    _sum_up(ids, parents, values)
    shape = go.Sunburst if kind == "sunburst" else go.Treemap
    figure = go.Figure(
        shape(
            ids=ids,
            labels=labels,
            parents=parents,
            values=values,
            branchvalues="total",
            marker={"colors": colours},
            maxdepth=3,
            hovertemplate="%{id}: %{value:,} (%{percentRoot:.1%})<extra></extra>",
        )
    )
    figure.update_layout(title=f"Where {fmt.short(total)} {QUANTITIES[quantity]} are", **(_LAYOUT | {"height": 520}))
    reading = (
        "From inside out, or from large to small: stage, module, branch, layer. "
        "Click a part to go into it, the middle to go back."
    )
    data = [{"layer": row.path, QUANTITIES[quantity]: getattr(row, quantity)} for row in rows]
    return Chart(figure, reading, data)


def depth_profile(summary: NetworkSummary) -> Chart:
    """Return the side of the picture, the channels and the activation memory of each block, from image to classes."""
    channels, height, width = summary.config.input_shape
    data = [
        {"block": "image", "side": max(height, width), "channels": channels, "activations": channels * height * width}
    ]
    for block, totals in summary.by_module.items():
        if not block.startswith("aux_"):
            end = [row for row in summary.rows if row.module == block][-1]
            side = max(end.out_shape[1:], default=1)
            data.append({"block": block, "side": side, "channels": end.out_shape[0], "activations": totals.activations})
    names = [row["block"] for row in data]
    figure = go.Figure()
    memory = [row["activations"] * fmt.BYTES_PER_FLOAT / 1e6 for row in data]
    figure.add_bar(name="activations, MB", x=names, y=memory, marker_color=_REST, opacity=0.45)
    for name, colour in (("side", palette.BRANCH["1x1"]), ("channels", palette.AUX)):
        values = [row[name] for row in data]
        figure.add_scatter(name=f"{name}{', px' if name == 'side' else ''}", x=names, y=values, line_color=colour)
    figure.update_layout(
        title=f"The side shrinks from {data[0]['side']} to {data[-2]['side']} px, channels grow from "
        f"{channels} to {max(row['channels'] for row in data[:-1])}",
        yaxis={"title": "px · channels · MB", "type": "log", "dtick": 1},
        **_LAYOUT,
    )
    figure.update_traces(hovertemplate="%{x}: %{y:,.3~f} %{fullData.name}<extra></extra>")
    reading = (
        "Each step is the output of a block; the scale is logarithmic, so halving and doubling are steps of equal "
        "height. Bars: memory of all outputs inside the block, for one image."
    )
    return Chart(figure, reading, data)


def cumulative(summary: NetworkSummary) -> Chart:
    """Return how much of the MACs and of the parameters lies before each layer, in percent, without heads."""
    rows = [row for row in summary.rows if row.aux is None]
    data, macs, parameters = [], 0, 0
    for row in rows:
        macs, parameters = macs + row.macs, parameters + row.parameters
        data.append(
            {
                "layer": row.path,
                "MACs %": round(100 * macs / summary.main.macs, 2),
                "parameters %": round(100 * parameters / summary.main.parameters, 2),
            }
        )
    half = {key: next(row["layer"] for row in data if row[key] >= 50) for key in ("MACs %", "parameters %")}
    figure = go.Figure()
    for key, colour in (("MACs %", palette.BRANCH["1x1"]), ("parameters %", palette.AUX)):
        figure.add_scatter(name=key, x=[row["layer"] for row in data], y=[row[key] for row in data], line_color=colour)
    figure.update_layout(
        title=f"Half of the MACs are spent by {half['MACs %']}, half of the parameters by {half['parameters %']}",
        xaxis={"showticklabels": False, "title": "layers, from image to classifier"},
        yaxis={"title": "% so far", "range": [0, 101]},
        **_LAYOUT,
    )
    figure.update_traces(hovertemplate="%{x}: %{y:.1f} %{fullData.name}<extra></extra>")
    reading = (
        "Read across from a height: where the line reaches it, that share has been spent. "
        "Early layers work on large pictures, late ones hold the weights."
    )
    return Chart(figure, reading, data)


def training_memory(summary: NetworkSummary) -> Chart:
    """Return what training holds in memory per batch size: weights, gradients, momentum and kept outputs, in MB."""
    weights = summary.whole.parameters * fmt.BYTES_PER_FLOAT / 1e6
    outputs = summary.whole.activations * fmt.BYTES_PER_FLOAT / 1e6
    data = [
        {"batch": batch, "weights": weights, "gradients": weights, "momentum": weights, "outputs": batch * outputs}
        for batch in BATCHES
    ]
    figure = go.Figure()
    parts = {"weights": "1x1", "gradients": "5x5", "momentum": "pool", "outputs": "3x3"}
    for part, branch in parts.items():
        values = [row[part] for row in data]
        name = "outputs of all layers" if part == "outputs" else part
        figure.add_bar(
            name=name, x=[f"batch {batch}" for batch in BATCHES], y=values, marker_color=palette.BRANCH[branch]
        )
    largest = next((batch for batch in BATCHES if batch * outputs > 3 * weights), None)
    turn = (
        f"From batch {largest} on, the outputs outweigh all weights" if largest else "The weights outweigh the outputs"
    )
    figure.update_layout(barmode="stack", title=turn, yaxis_title="MB", **_LAYOUT)
    figure.update_traces(hovertemplate="%{x}, %{fullData.name}: %{y:,.1f} MB<extra></extra>")
    reading = (
        "float32, SGD with momentum, auxiliary heads present, ReLU in place, every layer's output kept for the "
        "backward pass. A framework needs some working memory beside it."
    )
    return Chart(figure, reading, [{**row, "unit": "MB"} for row in data])


def _of_branch(summary: NetworkSummary, block: str, branch: str, quantity: str) -> int:
    totals = summary.by_branch.get((block, branch))
    return getattr(totals, quantity) if totals else 0


def _ancestors(row: LayerRow) -> list[tuple[str, str]]:
    """Return the parts a layer lies in, from large to small, as (step, label)."""
    if not row.module[:1].isdigit():
        return [(row.module, row.module)]
    steps = [(f"stage {row.module[:-1]}", f"stage {row.module[:-1]}"), (row.module, row.module)]
    return [*steps, (row.branch, BRANCH_NAMES[row.branch])] if row.branch else steps


def _sum_up(ids: list[str], parents: list[str], values: list[int]) -> None:
    """Give each part the sum of what lies in it; the leaves and the root have their values."""
    place = {identity: at for at, identity in enumerate(ids)}
    inner = set(parents)
    for identity in ids:
        if identity in inner:
            continue
        parent = parents[place[identity]]
        while parent and parent != "network":
            values[place[parent]] += values[place[identity]]
            parent = parents[place[parent]]
