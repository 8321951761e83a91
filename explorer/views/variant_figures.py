"""Charts of several networks, as plotly figures: one colour and letter per variant, and the shelf with its front.

Published accuracies are ImageNet's top-1 and top-5 of a single crop, in percent: BVLC's reference model for the paper's
network (BVLC/caffe models/bvlc_googlenet) and torchvision 0.28's weights for its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from explorer.comparison import Comparison, Facts, pareto_front
from explorer.views import formatting as fmt
from explorer.views.comparing import LETTERS, titles
from explorer.views.palette import Theme

QUANTITIES = {
    "parameters": "parameters",
    "macs": "MACs",
    "activations": "activation elements",
    "receptive_field": "receptive field in pixels",
}
PUBLISHED = {"paper": (68.7, 88.9), "torchvision": (69.778, 89.53)}
_WIDE = 5  # times the smallest: from there on an axis is logarithmic
_SMALLEST, _LARGEST = 9, 30  # pixels across a mark of the scatter


class Point(NamedTuple):
    """One network of the scatter. ``letter`` if it is compared, ``kept`` if it is on the shelf or the bench.

    ``time`` is in words, where it was measured.
    """

    name: str
    facts: Facts
    letter: str = ""
    kept: bool = True
    time: str = ""


def per_block(comparison: Comparison, names: Sequence[str], quantity: str, theme: Theme) -> go.Figure:
    """Return bars per block, a colour per network; for ``receptive_field`` lines through the modules."""
    blocks = [block for block in comparison.blocks if _costs(comparison, block, quantity)]
    figure = go.Figure()
    for at, (title, summary) in enumerate(zip(titles(names), comparison.summaries, strict=True)):
        colour = theme.variants[LETTERS[at]]
        if quantity == "receptive_field":
            modules = [module.name for module in summary.config.modules]
            values = [summary.concat(name).receptive_field for name in modules]
            figure.add_scatter(name=title, x=modules, y=values, mode="lines+markers", line_color=colour)
            figure.data[-1].marker.symbol = ("circle", "square", "diamond", "cross")[at]
        else:
            values = [getattr(summary.by_module.get(block), quantity, 0) for block in blocks]
            figure.add_bar(name=title, x=blocks, y=values, marker_color=colour)
    figure.update_layout(title=_what_differs(comparison, names, quantity), yaxis_title=QUANTITIES[quantity], **_LAYOUT)
    figure.update_xaxes(categoryorder="array", categoryarray=blocks)
    figure.update_traces(hovertemplate="%{x} %{fullData.name}: %{y:,}<extra></extra>")
    return figure


def _costs(comparison: Comparison, block: str, quantity: str) -> bool:
    """Whether a block belongs on the chart: no head, and in some network not for nothing."""
    if block.startswith("aux_"):
        return False
    sums = [summary.by_module.get(block) for summary in comparison.summaries]
    return quantity == "receptive_field" or any(getattr(totals, quantity, 0) for totals in sums)


def _what_differs(comparison: Comparison, names: Sequence[str], quantity: str) -> str:
    """The block and network where most is gained or lost against the base, in words."""
    field = quantity
    changes = [
        (getattr(facts, field) - getattr(comparison.facts[comparison.base], field), title)
        for facts, title in zip(comparison.facts, titles(names), strict=True)
    ]
    most, title = max(changes, key=lambda change: abs(change[0]))
    if not most:
        return f"All have the same {QUANTITIES[quantity]}"
    return f"{title}: {fmt.signed_short(most)} {QUANTITIES[quantity]} against {titles(names)[comparison.base]}"


def scatter(points: Sequence[Point], theme: Theme) -> go.Figure:
    """Return parameters against MACs, marks as large as the activations, with the Pareto front."""
    most = max(point.facts.activations for point in points)
    figure = go.Figure()
    front = [points[at] for at in pareto_front((p.facts.parameters, p.facts.macs) for p in points)]
    figure.add_scatter(
        name="Pareto front: no network has less of both",
        x=[point.facts.parameters for point in front],
        y=[point.facts.macs for point in front],
        mode="lines",
        line={"color": theme.line, "dash": "dot", "shape": "vh"},
        hoverinfo="skip",
    )
    for kept, title in ((True, "yours"), (False, "presets")):
        some = [point for point in points if point.kept is kept]
        figure.add_scatter(
            name=title,
            x=[point.facts.parameters for point in some],
            y=[point.facts.macs for point in some],
            mode="markers+text",
            text=[point.letter or point.name for point in some],
            textposition="top center",
            customdata=[_told(point) for point in some],
            hovertemplate="%{customdata}<extra></extra>",
            marker={
                "size": [_size(point, most) for point in some],
                "color": [theme.variants.get(point.letter, theme.muted) for point in some],
                "symbol": "circle" if kept else "circle-open",
                "opacity": 0.85,
                "line": {"width": 2},
            },
        )
    figure.update_layout(
        title=f"Beaten by none: {', '.join(point.name for point in front[:4])}{' …' if len(front) > 4 else ''}",
        xaxis=_axis("parameters at inference", [point.facts.parameters for point in points]),
        yaxis=_axis("MACs for one image", [point.facts.macs for point in points]),
        **(_LAYOUT | {"height": 460}),
    )
    return figure


def _axis(title: str, values: Sequence[int]) -> dict[str, Any]:
    """An axis that is logarithmic where the networks are of very different sizes."""
    if max(values) > _WIDE * min(values):
        return {"title": f"{title}, logarithmic", "type": "log", "dtick": "D2", "tickformat": "~s"}
    return {"title": title, "tickformat": ".3~s"}


def _size(point: Point, most: int) -> float:
    """Areas are as the activations, within what can be seen and told apart."""
    return max(_SMALLEST, _LARGEST * (point.facts.activations / most) ** 0.5)


def _told(point: Point) -> str:
    facts = point.facts
    lines = [
        f"<b>{point.letter} {point.name}</b>",
        f"{fmt.exact(facts.parameters)} parameters",
        f"{fmt.exact(facts.macs)} MACs",
        f"{fmt.megabytes(facts.activations)} activations",
    ]
    if point.time:
        lines.append(point.time)
    if point.name in PUBLISHED and not point.kept:
        lines.append("ImageNet top-1 {} %, top-5 {} % (published)".format(*PUBLISHED[point.name]))
    return "<br>".join(lines)


def laps(times: Mapping[str, Sequence[float]], theme: Theme) -> go.Figure:
    """Return every measured lap in milliseconds as a dot, and each network's median as a line across them.

    ``times`` goes by the titles of the networks, in the order of their letters.
    """
    figure = go.Figure()
    for letter, (title, values) in zip(LETTERS, times.items(), strict=False):
        figure.add_box(
            name=title,
            x=list(values),
            boxpoints="all",
            jitter=0.6,
            pointpos=0,
            line_color=theme.variants[letter],
            marker={"size": 5, "opacity": 0.6},
            orientation="h",
            hovertemplate="%{x:.2f} ms<extra></extra>",
        )
    figure.update_layout(
        xaxis={"title": "milliseconds for one image", "rangemode": "tozero"},
        yaxis={"autorange": "reversed"},
        **(
            _LAYOUT
            | {"height": 120 + 55 * len(times), "showlegend": False, "margin": {"l": 10, "r": 10, "t": 10, "b": 10}}
        ),
    )
    return figure


_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 70, "b": 10},
    "height": 400,
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    "hoverlabel": {"namelength": -1},
}
