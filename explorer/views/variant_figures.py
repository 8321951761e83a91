"""Charts of several networks, as plotly figures: one colour and letter per variant, and the shelf with its front."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log10, sqrt
from types import MappingProxyType
from typing import Any, NamedTuple

import plotly.graph_objects as go

from explorer.comparison import Comparison, NetworkTotals, pareto_front
from explorer.runs.results import BestResult
from explorer.views import formatting as fmt
from explorer.views.comparison_tables import LETTERS, titles
from explorer.views.palette import Theme

QUANTITIES = {
    "parameters": "parameters",
    "macs": "MACs",
    "activations": "activation elements",
    "receptive_field": "receptive field in pixels",
}
_WIDE = 5  # times the smallest value: beyond it an axis is logarithmic
_SMALLEST, _LARGEST = 9, 30  # diameters of marks, in pixels
_PLOT = 640, 320  # size of the scatter's plot on the narrowest page, in pixels
_LABEL_PX, _RINGS = 11, 14


class Point(NamedTuple):
    """One network of the scatter.

    ``letter`` if it is compared. ``is_own`` unless it is a preset: for variants on the shelf and the current network.
    ``time`` and ``accuracy`` are texts, empty where unknown. ``measured`` has the best result of the trainings here, by
    the title of the dataset.
    """

    name: str
    facts: NetworkTotals
    letter: str = ""
    is_own: bool = True
    time: str = ""
    accuracy: str = ""
    measured: Mapping[str, BestResult] = MappingProxyType({})

    @property
    def label(self) -> str:
        """The name, after the letter if there is one."""
        return f"{self.letter} {self.name}".strip()

    def label_with(self, dataset: str) -> str:
        """Return the label of the mark: the name, and the accuracy on a dataset where it was measured."""
        best = self.measured.get(dataset)
        if best is None:
            return self.label
        which = f" (best of {best.trainings:,})" if best.trainings > 1 else ""
        return f"{self.label} · {fmt.percent(best.accuracy, 1)}{which}"


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


def difference_per_block(comparison: Comparison, names: Sequence[str], quantity: str, theme: Theme) -> go.Figure:
    """Return bars per block: how much more than the base each network has, in a quantity of the comparison.

    Blocks that are the same everywhere are left out.
    """
    differences = comparison.block_differences(quantity)
    figure = go.Figure()
    for at, title in enumerate(titles(names)):
        if at != comparison.base:
            values = [values[at] for values in differences.values()]
            figure.add_bar(name=title, x=list(differences), y=values, marker_color=theme.variants[LETTERS[at]])
    title = _where_it_differs(comparison, names, quantity)
    axis = f"{QUANTITIES[quantity]}, difference from {titles(names)[comparison.base]}"
    figure.update_layout(title=title, yaxis_title=axis, **_LAYOUT)
    figure.update_yaxes(zeroline=True, zerolinecolor=theme.line, zerolinewidth=1.5)
    figure.update_traces(hovertemplate="%{x} %{fullData.name}: %{y:+,}<extra></extra>")
    return figure


def _where_it_differs(comparison: Comparison, names: Sequence[str], quantity: str) -> str:
    """Return a title: the block that differs most, in which network, and by how much."""
    differences = comparison.block_differences(quantity)
    if not differences:
        return f"No block differs in {QUANTITIES[quantity]}"
    places = [(block, at) for block, values in differences.items() for at in range(len(values))]
    block, at = max(places, key=lambda place: abs(differences[place[0]][place[1]]))
    value = differences[block][at]
    return f"{block} differs most: {titles(names)[at]} has {fmt.signed_short(value)} {QUANTITIES[quantity]} there"


def _costs(comparison: Comparison, block: str, quantity: str) -> bool:
    """Whether a block belongs on the chart: it is no auxiliary head and has a cost in some network."""
    if block.startswith("aux_"):
        return False
    sums = [summary.by_module.get(block) for summary in comparison.summaries]
    return quantity == "receptive_field" or any(getattr(totals, quantity, 0) for totals in sums)


def _what_differs(comparison: Comparison, names: Sequence[str], quantity: str) -> str:
    """Return a title: the network with the largest difference from the base, and how large it is."""
    field = quantity
    changes = [
        (getattr(facts, field) - getattr(comparison.totals[comparison.base], field), title)
        for facts, title in zip(comparison.totals, titles(names), strict=True)
    ]
    most, title = max(changes, key=lambda change: abs(change[0]))
    if not most:
        return f"All have the same {QUANTITIES[quantity]}"
    return f"{title}: {fmt.signed_short(most)} {QUANTITIES[quantity]} against {titles(names)[comparison.base]}"


def scatter(points: Sequence[Point], theme: Theme) -> go.Figure:
    """Return MACs over parameters with the Pareto front. The area of a mark is in proportion to the activations.

    Every network to the right of the front or above it has another one with fewer parameters and MACs. The labels have
    the accuracy on the dataset on which most of the networks were trained here.
    """
    dataset = most_measured(points)
    most = max(point.facts.activations for point in points)
    across, up = (Scale.of([getattr(p.facts, quantity) for p in points]) for quantity in ("parameters", "macs"))
    figure = go.Figure()
    front = [points[at] for at in pareto_front((p.facts.parameters, p.facts.macs) for p in points)]
    figure.add_scatter(
        name="Pareto front: no network is below it or to the left of it",
        x=[front[0].facts.parameters, *(point.facts.parameters for point in front), across.most],
        y=[up.most, *(point.facts.macs for point in front), front[-1].facts.macs],
        mode="lines",
        line={"color": theme.better, "dash": "dot", "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )
    for own, title in ((True, "yours"), (False, "presets")):
        some = [point for point in points if point.is_own is own]
        figure.add_scatter(
            name=title,
            x=[point.facts.parameters for point in some],
            y=[point.facts.macs for point in some],
            mode="markers",
            customdata=[_hover_text(point) for point in some],
            hovertemplate="%{customdata}<extra></extra>",
            marker={
                "size": [_size(point, most) for point in some],
                "color": [theme.variants.get(point.letter, theme.muted) for point in some],
                "symbol": "circle" if own else "circle-open",
                "opacity": 0.85,
                "line": {"width": 2},
            },
        )
    figure.update_layout(
        title=_scatter_title(front, dataset),
        xaxis=across.axis("parameters at inference"),
        yaxis=up.axis("MACs for one image"),
        **(_LAYOUT | {"height": 460}),
    )
    marks = [
        Mark(_PLOT[0] * across.share(p.facts.parameters), -_PLOT[1] * up.share(p.facts.macs), _size(p, most) / 2)
        for p in points
    ]
    labels = [point.label_with(dataset) for point in points]
    for point, label, place, mark in zip(points, labels, label_places(marks, labels), marks, strict=True):
        if place:
            figure.add_annotation(
                x=across.coordinate(point.facts.parameters),
                y=up.coordinate(point.facts.macs),
                text=label,
                **{"ax": place[0], "ay": place[1], "xanchor": "center", "yanchor": "middle"},
                **{"arrowhead": 0, "arrowwidth": 1, "arrowcolor": theme.line, "standoff": mark.radius},
                font={"color": theme.variants.get(point.letter, theme.ink), "size": _LABEL_PX},
            )
    return figure


def most_measured(points: Sequence[Point]) -> str:
    """Return the dataset on which most of these networks were trained here; empty if none was."""
    counts = Counter(dataset for point in points for dataset in point.measured)
    return counts.most_common(1)[0][0] if counts else ""


def _scatter_title(front: Sequence[Point], dataset: str) -> str:
    names = ", ".join(point.name for point in front[:4]) + (" …" if len(front) > 4 else "")
    accuracy = (
        f"<br><sup>In percent: test accuracy on {dataset}, of several trainings here the best</sup>" if dataset else ""
    )
    return f"Fewest parameters and MACs: {names}{accuracy}"


class Scale(NamedTuple):
    """One axis of the scatter, with a margin beyond the values; logarithmic where these are far apart."""

    least: float
    most: float
    logarithmic: bool

    @classmethod
    def of(cls, values: Sequence[int]) -> "Scale":
        """Return the axis for these values, all of them above 0."""
        least, most = min(values), max(values)
        if most > _WIDE * least:
            room = (most / least) ** 0.1
            return cls(least / room, most * room, True)
        room = 0.1 * (most - least) or 0.5 * most
        return cls(least - room, most + room, False)

    def coordinate(self, value: float) -> float:
        """Return a value in the coordinate of plotly's axis."""
        return log10(value) if self.logarithmic else value

    def share(self, value: float) -> float:
        """Return the position of a value on the axis, 0 to 1."""
        start, end = self.coordinate(self.least), self.coordinate(self.most)
        return (self.coordinate(value) - start) / (end - start)

    def axis(self, title: str) -> dict[str, Any]:
        """Return the axis as an argument of plotly."""
        shown = {"range": [self.coordinate(self.least), self.coordinate(self.most)]}
        if self.logarithmic:
            return {"title": f"{title}, logarithmic", "type": "log", "dtick": "D2", "tickformat": "~s", **shown}
        return {"title": title, "tickformat": ".3~s", **shown}


class Mark(NamedTuple):
    """A mark of the scatter in pixels from the bottom left corner; up is negative, as on a screen."""

    x: float
    y: float
    radius: float


Box = tuple[float, float, float, float]  # left, top, right, bottom


def label_places(marks: Sequence[Mark], labels: Sequence[str]) -> list[tuple[float, float] | None]:
    """Return the centre of each label, in pixels from its mark, so that it covers no mark and no other label.

    Each label gets the first free place of: above, right, left, below, and the same further away; None if all are
    occupied. The places are for the narrowest page; on a wider page the marks only move apart.
    """
    occupied = [(m.x - m.radius, m.y - m.radius, m.x + m.radius, m.y + m.radius) for m in marks]
    places: list[tuple[float, float] | None] = []
    for mark, label in zip(marks, labels, strict=True):
        wide = _LABEL_PX * 0.58 * len(label)
        for place in _around(mark.radius, wide):
            box = _box(mark, *place, wide)
            if _inside(box) and not any(_overlap(box, other) for other in occupied):
                occupied.append(box)
                places.append(place)
                break
        else:
            places.append(None)
    return places


def _around(radius: float, wide: float) -> Iterator[tuple[float, float]]:
    for step in range(_RINGS):
        out = radius + 12 + step * (_LABEL_PX + 5)
        side = radius + 6 + wide / 2
        yield from ((0, -out), (0, out)) if step else ((0, -out), (side, 0), (-side, 0), (0, out))
        yield from ((side, -out), (-side, -out), (side, out), (-side, out))


def _box(mark: Mark, dx: float, dy: float, wide: float) -> Box:
    x, y, high = mark.x + dx, mark.y + dy, _LABEL_PX + 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _inside(box: Box) -> bool:
    return box[0] >= 0 and box[2] <= _PLOT[0] and box[1] >= -_PLOT[1] and box[3] <= 0


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _size(point: Point, most: int) -> float:
    """Return the diameter of a mark: its area is in proportion to the activations, within limits."""
    return max(_SMALLEST, _LARGEST * sqrt(point.facts.activations / most))


def _hover_text(point: Point) -> str:
    facts = point.facts
    lines = [
        f"<b>{point.label}</b>",
        f"{fmt.exact(facts.parameters)} parameters",
        f"{fmt.exact(facts.macs)} MACs",
        f"{fmt.megabytes(facts.activations)} activations",
    ]
    return "<br>".join(filter(None, (*lines, point.time, point.accuracy)))


def timing_boxes(times: Mapping[str, Sequence[float]], theme: Theme) -> go.Figure:
    """Return every measured time in milliseconds as a dot, with a box plot per network.

    ``times`` are by the titles of the networks, in the order of their letters.
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
