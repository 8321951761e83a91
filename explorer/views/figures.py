"""Charts of a whole network, as plotly figures with their data. Colours are those of the branches on every page."""

import re
from html import escape, unescape
from textwrap import wrap
from typing import Any, NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.analysis import LayerRow, NetworkSummary
from explorer.config import BRANCHES
from explorer.memory import activation_memory
from explorer.views import formatting as fmt
from explorer.views import palette
from explorer.views.labels import BRANCH_NAMES
from explorer.views.palette import Theme

QUANTITIES = {"macs": "MACs", "parameters": "parameters", "activations": "activations"}
BATCHES = (1, 8, 32, 128)
_LINE = 72  # letters of a title that fit in half of a wide page, and in a narrow one
_FONT_PX, _NODE_PX, _TOP_PX = 12, 14, 10  # of texts, of the nodes of a flow, and above a figure without a title
_ENLARGEMENT = 1.375  # as assets/present.css on a projector of 1920 × 1080
_REST = palette.LIGHT.line
_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 90, "b": 10},
    "height": 410,
    "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    "hoverlabel": {"namelength": -1},
}


class Chart(NamedTuple):
    """A figure, a sentence on how to read it, and the numbers it is drawn from, one dict per row."""

    figure: go.Figure
    reading: str
    data: list[dict[str, Any]]


def heading(text: str) -> dict[str, Any]:
    """Return a title at the top of a chart, on as many lines as a narrow page needs."""
    lines = (escape(line, quote=False) for line in wrap(text, _LINE))
    return {"text": "<br>".join(lines), "yref": "container", "y": 0.94, "yanchor": "top"}


class Headed(NamedTuple):
    """A figure without its title, and the title and the line below it as plain text; empty if it has none."""

    title: str
    subtitle: str
    figure: go.Figure


def for_page(figure: go.Figure, theme: Theme, *, enlarged: bool = False) -> Headed:
    """Return a copy of a figure to be shown on a page, below its title, which can wrap there at any width.

    Ticks have a colour that can be read; ``enlarged`` makes all texts and the figure larger, for a projector.
    """
    shown, lines = go.Figure(figure), _title_lines(figure)
    factor = _ENLARGEMENT if enlarged else 1
    font = {"size": round(_FONT_PX * factor)}
    shown.update_layout(title=None, font=font, legend={"font": font}, hoverlabel={"font": font})
    shown.update_layout(margin={"t": _TOP_PX}, height=round((figure.layout.height - _title_px(figure)) * factor))
    for update in (shown.update_xaxes, shown.update_yaxes):
        update(tickfont={"color": theme.muted} | font, title_font={"color": theme.ink} | font)
    shown.for_each_annotation(lambda one: _enlarge_annotation(one, factor))
    shown.update_traces(textfont_size=round(_NODE_PX * factor), selector={"type": "sankey"})
    shown.update_traces(textfont_size=font["size"], selector={"mode": "text"})
    return Headed(lines[0], "".join(lines[1:]), shown)


def _enlarge_annotation(annotation: go.layout.Annotation, factor: float) -> None:
    """Make an annotation larger, and its distance from its point."""
    annotation.font.size = round((annotation.font.size or _FONT_PX) * factor)
    for axis in ("ax", "ay"):
        if annotation[axis] is not None:
            annotation[axis] *= factor


def _title_lines(figure: go.Figure) -> tuple[str, ...]:
    """Return the title and what is smaller below it; lines into which the title was wrapped are one."""
    parts = re.split(r"<br><sup>|</sup>", figure.layout.title.text or "")
    return tuple(unescape(part.replace("<br>", " ")) for part in parts)


def _title_px(figure: go.Figure) -> int:
    """Return the height of the title in the figure, in pixels."""
    return (figure.layout.margin.t or _TOP_PX) - _TOP_PX


class _Part(NamedTuple):
    """One sector of a hierarchy."""

    label: str
    inside: str
    value: int
    colour: str


def bars(summary: NetworkSummary, quantity: str) -> Chart:
    """Return stacked bars per block: the cost of each branch in ``macs``, ``parameters`` or ``activations``."""
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
    most_expensive, share = _most_expensive(summary, quantity)
    figure.update_layout(
        barmode="stack",
        title=heading(f"{most_expensive} takes the most: {share} of the {QUANTITIES[quantity]} at inference"),
        yaxis_title=QUANTITIES[quantity],
        **_LAYOUT,
    )
    figure.update_traces(hovertemplate="%{x}, %{fullData.name}: %{y:,}<extra></extra>")
    reading = (
        "One bar per block in the order of the data flow, split by branch; a reduction counts to its branch. "
        "Auxiliary heads exist during training only."
    )
    return Chart(figure, reading, data)


def _most_expensive(summary: NetworkSummary, quantity: str) -> tuple[str, str]:
    """Return the block with the highest cost at inference, and its share of the network, as the diagram shows it."""
    costs = {
        block: getattr(totals, quantity) for block, totals in summary.by_module.items() if not block.startswith("aux_")
    }
    block = max(costs, key=costs.__getitem__)
    return block, fmt.percent(costs[block], getattr(summary.inference_totals, quantity))


def hierarchy(summary: NetworkSummary, quantity: str, *, kind: str = "sunburst") -> Chart:
    """Return stage → module → branch → layer as ``sunburst`` or ``treemap``, sized by cost, without auxiliary heads."""
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
    _add_up(ids, parents, values)
    shape = go.Sunburst if kind == "sunburst" else go.Treemap
    figure = go.Figure(
        shape(
            ids=ids,
            labels=labels,
            parents=parents,
            values=values,
            branchvalues="total",
            marker={"colors": colours},
            maxdepth=4,  # down to the branches; a click leads to the layers
            hovertemplate="%{id}: %{value:,} (%{percentRoot:.1%})<extra></extra>",
        )
    )
    figure.update_traces(leaf={"opacity": 1}, selector={"type": "sunburst"})
    title = heading(f"Where {fmt.short(total)} {QUANTITIES[quantity]} are")
    figure.update_layout(title=title, **(_LAYOUT | {"height": 520}))
    reading = (
        "From inside out, or from large to small: stage, module, branch, layer. "
        "Click a part to zoom in, the middle to zoom out."
    )
    data = [{"layer": row.path, QUANTITIES[quantity]: getattr(row, quantity)} for row in rows]
    return Chart(figure, reading, data)


_DEPTH_UNITS = ("px", "channels", "MB")  # each has an axis of its own


def depth_profile(summary: NetworkSummary, theme: Theme) -> Chart:
    """Return height, width, channels and activation memory of each block, from image to classes."""
    channels, height, width = summary.config.input_shape
    data = [_depth("image", (channels, height, width), channels * height * width)]
    for block, totals in summary.by_module.items():
        if not block.startswith("aux_"):
            end = [row for row in summary.rows if row.module == block][-1]
            data.append(_depth(block, end.out_shape, totals.activations))
    square = all(row["height"] == row["width"] for row in data)
    sides = {"height": "height = width, px"} if square else {"height": "height, px", "width": "width, px"}
    names = [row["block"] for row in data]
    figure = make_subplots(rows=len(_DEPTH_UNITS), shared_xaxes=True, vertical_spacing=0.06)
    for row, keys in enumerate((sides, {"channels": "channels"}), start=1):
        for letter, (key, name) in zip("AB" if row == 1 else "C", keys.items(), strict=False):
            line = go.Scatter(
                {"name": name, "x": names, "y": [one[key] for one in data], "line_color": theme.variants[letter]},
                mode="lines+markers",
            )
            figure.add_trace(line, row, 1)
    memory = go.Bar(name="memory, MB", x=names, y=[row["MB"] for row in data], marker_color=_REST)
    figure.add_trace(memory, len(_DEPTH_UNITS), 1)
    for row, unit in enumerate(_DEPTH_UNITS, start=1):
        figure.update_yaxes(title=unit, type="linear" if unit == "MB" else "log", row=row, col=1)
    figure.update_yaxes(dtick=0.30103, tickformat=",.0f", selector={"type": "log"})  # a tick at every doubling
    last = data[-2]  # the classifier's vector has no sides
    figure.update_layout(
        title=heading(
            f"The image shrinks from {height} × {width} to {last['height']} × {last['width']} px, "
            f"channels grow from {channels} to {max(row['channels'] for row in data[:-1]):,}"
        ),
        **(_LAYOUT | {"height": 560}),
    )
    figure.update_traces(hovertemplate="%{x}: %{y:,.3~f} %{fullData.name}<extra></extra>")
    reading = (
        "Each step is the output of a block. The scales of pixels and of channels are logarithmic, so halving and "
        "doubling are steps of equal height. The bars are the memory of all outputs inside the block, for one image."
    )
    return Chart(figure, reading, data)


def _depth(block: str, shape: tuple[int, ...], activations: int) -> dict[str, Any]:
    height, width = shape[1:] or (1, 1)
    return {
        "block": block,
        "height": height,
        "width": width,
        "channels": shape[0],
        "activations": activations,
        "MB": activations * fmt.BYTES_PER_FLOAT / 1e6,
    }


def cumulative(summary: NetworkSummary, theme: Theme) -> Chart:
    """Return the cumulative share of MACs and parameters by layer, in percent, without auxiliary heads."""
    rows = [row for row in summary.rows if row.aux is None]
    data: list[dict[str, Any]] = []
    macs, parameters = 0, 0
    for row in rows:
        macs, parameters = macs + row.macs, parameters + row.parameters
        data.append(
            {
                "layer": row.path,
                "MACs %": round(100 * macs / summary.inference_totals.macs, 2),
                "parameters %": round(100 * parameters / summary.inference_totals.parameters, 2),
            }
        )
    half = {key: next(row["layer"] for row in data if row[key] >= 50) for key in ("MACs %", "parameters %")}
    figure = go.Figure()
    for key, letter in (("MACs %", "A"), ("parameters %", "B")):
        values, colour = [row[key] for row in data], theme.variants[letter]
        figure.add_scatter(name=key, x=[row["layer"] for row in data], y=values, line_color=colour)
    figure.update_layout(
        title=heading(
            f"Half of the MACs are spent by {half['MACs %']}, half of the parameters by {half['parameters %']}"
        ),
        xaxis={"showticklabels": False, "title": "layers, from image to classifier"},
        yaxis={"title": "% so far", "range": [0, 101]},
        **_LAYOUT,
    )
    figure.update_traces(hovertemplate="%{x}: %{y:.1f} %{fullData.name}<extra></extra>")
    reading = (
        "A point is the share of all layers up to and including that one. "
        "Early layers work on large feature maps; late layers have most of the weights."
    )
    return Chart(figure, reading, data)


_PER_NETWORK = ("weights", "gradients", "momentum")
_PART_NAMES = {
    "outputs": "outputs of all layers",
    "normalisations": "saved by normalisation",
    "pool_indices": "indices of maxima",
}


def training_memory(summary: NetworkSummary, theme: Theme) -> Chart:
    """Return the memory of training per batch size, in MB: weights, gradients, momentum, and saved activations."""
    weights = summary.training_totals.parameters * fmt.BYTES_PER_FLOAT / 1e6
    per_image = {part: number / 1e6 for part, number in activation_memory(summary)._asdict().items()}
    data = [
        {"batch": batch, **dict.fromkeys(_PER_NETWORK, weights), **{part: batch * mb for part, mb in per_image.items()}}
        for batch in BATCHES
    ]
    figure = go.Figure()
    parts = [*_PER_NETWORK, *per_image]
    for place, part in enumerate(parts):
        figure.add_bar(
            name=_PART_NAMES.get(part, part),
            x=[f"batch {batch}" for batch in BATCHES],
            y=[row[part] for row in data],
            marker={"color": palette.scale(place / (len(parts) - 1)), "line": {"color": theme.line, "width": 1}},
        )
    fixed, one = len(_PER_NETWORK) * weights, sum(per_image.values())
    turn = fixed / one  # images whose activations need as much memory as the network in training
    figure.update_layout(
        barmode="stack",
        title=heading(
            f"From batch size {int(turn) + 1}, saved activations need more memory than weights, gradients and momentum"
        ),
        yaxis_title="MB",
        **_LAYOUT,
    )
    figure.update_traces(hovertemplate="%{x}, %{fullData.name}: %{y:,.1f} MB<extra></extra>")
    reading = (
        "float32, SGD with momentum, auxiliary heads included, in-place ReLU. The upper parts grow with the batch: the "
        "image and the outputs of all layers, what BatchNorm or LRN saves for the backward pass, and the indices of "
        "each max pool. PyTorch also needs some working memory."
    )
    return Chart(figure, reading, [{**row, "unit": "MB"} for row in data])


def _of_branch(summary: NetworkSummary, block: str, branch: str, quantity: str) -> int:
    totals = summary.by_branch.get((block, branch))
    return getattr(totals, quantity) if totals else 0


def _ancestors(row: LayerRow) -> list[tuple[str, str]]:
    """Return the parts that contain a layer, from large to small, as (step, label)."""
    if not row.module[:1].isdigit():
        return [(row.module, row.module)]
    steps = [(f"stage {row.module[:-1]}", f"stage {row.module[:-1]}"), (row.module, row.module)]
    return [*steps, (row.branch, BRANCH_NAMES[row.branch])] if row.branch else steps


def _add_up(ids: list[str], parents: list[str], values: list[int]) -> None:
    """Set each inner part to the sum of its leaves. The leaves and the root already have their values."""
    place = {identity: at for at, identity in enumerate(ids)}
    inner = set(parents)
    for identity in ids:
        if identity in inner:
            continue
        parent = parents[place[identity]]
        while parent and parent != "network":
            values[place[parent]] += values[place[identity]]
            parent = parents[place[parent]]
