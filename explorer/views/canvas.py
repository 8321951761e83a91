"""What diagrams are drawn on: a DOT graph in one style, the scale that colours its boxes, and chains of boxes in lines.

A box stands for some layers and carries their numbers. Sizes are points unless they are said to be inches.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from graphviz import Digraph
from graphviz import escape as escape_dot

from explorer.analysis import LayerRow, NetworkSummary
from explorer.views import boxes, fonts, layout, palette
from explorer.views import formatting as fmt

_FONT = "Source Sans 3,Helvetica"  # for other programs that draw the DOT; ours is set in the layout
_THICKEST = 5.0  # the widest arrow
_STYLE = palette.LIGHT
_GRAPH = {"rankdir": "TB", "bgcolor": "transparent", "fontname": _FONT, "pad": "0.1", "ranksep": "0.32"}
_NODE = {
    **{"shape": "box", "style": "rounded,filled", "width": "0", "height": "0"},
    **{"fontname": _FONT, "fontcolor": _STYLE.ink, "color": _STYLE.line, "penwidth": "1.2"},
}
_INCH = 72  # points
_EDGE = {"fontname": _FONT, "color": _STYLE.line, "arrowsize": "0.7"}


# ── what boxes are coloured by ─────────────────────────────────────────────────────────────────────────────────────


class Measure(NamedTuple):
    """One number of a layer and its text with the unit.

    The numbers of several layers are summed when ``additive``; otherwise the largest counts. ``measured`` numbers come
    from a run of the network, not from its rows.
    """

    title: str
    of: Callable[[LayerRow], float]
    text: Callable[[float], str]
    additive: bool = True
    measured: bool = False


MEASURES = {
    "parameters": Measure("parameters", lambda row: row.parameters, lambda n: f"{fmt.short(n)} parameters"),
    "macs": Measure("MACs", lambda row: row.macs, lambda n: f"{fmt.short(n)} MACs"),
    "activations": Measure("activation memory", lambda row: row.activations, fmt.memory),
    "receptive_field": Measure("receptive field", lambda row: row.receptive_field, lambda n: f"{n:,.0f} px", False),
}
TIME = "time"
COLOURINGS = {
    "none": "none",
    **{name: measure.title for name, measure in MEASURES.items()},
    TIME: "measured time",
}


def measure(name: str, times: Mapping[str, float] | None = None) -> Measure:
    """Return the measure of that name. ``times`` are seconds by path; a layer without one counts 0.

    Raises KeyError for an unknown name, and for ``time`` without measured times.
    """
    if name != TIME:
        return MEASURES[name]
    if not times:
        raise KeyError("time: nothing has been measured")
    return Measure(COLOURINGS[TIME], lambda row: times.get(row.path, 0.0), fmt.layer_time, measured=True)


class Scale:
    """Colours for the boxes of one diagram, each standing for some layers: from 0 to the highest value of a box.

    Diagrams that are compared share one scale: it ends at ``end`` where that is more than their own highest value.
    """

    def __init__(self, measure: Measure, boxes: Iterable[Iterable[LayerRow]], end: float = 0) -> None:
        self.measure = measure
        self.end = max((end, *map(self.value, boxes)))

    def value(self, rows: Iterable[LayerRow]) -> float:
        """Return the measure of several layers together."""
        values = [self.measure.of(row) for row in rows]
        return sum(values) if self.measure.additive else max(values, default=0)

    def fill(self, rows: Iterable[LayerRow]) -> str:
        """Return the colour of a box that stands for these layers."""
        return palette.scale(self.value(rows) / self.end if self.end else 0)

    def share(self, rows: Iterable[LayerRow], whole: Iterable[LayerRow]) -> str:
        """Return the percentage of these layers in the whole; the value itself where shares have no meaning."""
        value = self.value(rows)
        return fmt.percent(value, self.value(whole)) if self.measure.additive else self.measure.text(value)


def scale_of(
    colour_by: str, boxes: Iterable[Sequence[LayerRow]], times: Mapping[str, float] | None, end: float = 0
) -> Scale | None:
    """Return the scale over the boxes of a diagram, or None for ``none``. It ends at ``end`` or later.

    Raises KeyError for an unknown colouring.
    """
    return None if colour_by == "none" else Scale(measure(colour_by, times), boxes, end)


# ── the graph ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Drawing(NamedTuple):
    """A finished diagram: its name, DOT source, the numbers of each box by node id, and a text alternative."""

    name: str
    dot: str
    hover: dict[str, str]
    alt: str

    @property
    def svg(self) -> str:
        """The diagram for a page that has the font. Raises LayoutUnavailableError."""
        return layout.svg(self.dot)

    @property
    def standalone_svg(self) -> str:
        """The diagram as a document of its own, with the font inside. Raises LayoutUnavailableError."""
        return fonts.embed(self.svg)


@dataclass
class Canvas:
    """A graph under construction for one summary. ``scale`` colours boxes by cost; None leaves them plain.

    ``gap`` is the space between neighbouring boxes and ``margin`` that left and right in each, in points.
    """

    name: str
    summary: NetworkSummary
    scale: Scale | None = None
    gap: int = 19
    margin: int = 6
    hover: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        graph = _GRAPH | {"nodesep": f"{self.gap / _INCH:.2f}"}
        node = _NODE | {"margin": f"{ceil(self.margin / _INCH * 1e5) / 1e5},0.0625"}
        self.graph = Digraph(self.name, graph_attr=graph, node_attr=node, edge_attr=_EDGE)
        self._corners: set[str] = set()
        self._max_channels = max(row.out_shape[0] for row in self.summary.rows if len(row.out_shape) == 3)

    def text_colours(self, rows: Sequence[LayerRow]) -> boxes.TextColours:
        """Return the text colours of a box that stands for these layers."""
        return boxes.text_colours_on(self.scale.fill(rows)) if self.scale else boxes.DEFAULT_COLOURS

    def box(
        self, identity: str, label: str, rows: Sequence[LayerRow], kind: str, fill: str = _STYLE.card, **attributes: str
    ) -> None:
        """Draw a box that stands for some layers, in the scale's colour or else ``fill``. ``kind`` is its CSS class."""
        attributes["fillcolor"] = self.scale.fill(rows) if self.scale else fill
        self._node(identity, label, kind, **attributes)
        self.hover[identity] = numbers(identity, rows, self.scale)

    def outside(self, identity: str, label: str, rows: Sequence[LayerRow] = (), **attributes: str) -> None:
        """Draw a box for what the diagram leaves out: the block of these layers, to which a click leads."""
        if rows:
            block = rows[0].path.partition(".")[0]
            attributes["id"] = escape_dot(block)
            self.hover[block] = numbers(block, rows)
        self._node(identity, label, "outside", fillcolor=_STYLE.neutral, **attributes)

    def corner(self, identity: str) -> None:
        """Add an invisible point where a line turns."""
        self._corners.add(identity)
        self.graph.node(_token(identity), label="", shape="none", style="invis", fixedsize="true")

    def arrow(self, tail: str, head: str, channels: int, text: str = "", **attributes: str) -> None:
        """Draw an arrow as wide as its channels, with a text beside it. ``tail`` and ``head`` may name a port."""
        width = 1 + (_THICKEST - 1) * min(channels / self._max_channels, 1.0)
        if text:
            attributes["label"] = boxes.arrow_label(text)
        # Graphviz ends an arrow at the frame of its node. A corner has a size but is invisible: go to its centre.
        if tail in self._corners:
            attributes["tailclip"] = "false"
        if head in self._corners:
            attributes["headclip"] = "false"
        self.graph.edge(_token(tail), _token(head), penwidth=f"{width:.2f}", **attributes)

    def align(self, upper: str, lower: str, ranks: int = 1) -> None:
        """Keep one node straight above another, this many ranks apart, without drawing anything."""
        self.graph.edge(_token(upper), _token(lower), style="invis", weight="60", minlen=str(ranks))

    def same_rank(self, *nodes: str) -> None:
        """Put nodes side by side."""
        with self.graph.subgraph(graph_attr={"rank": "same"}) as rank:
            for node in nodes:
                rank.node(_token(node))

    @contextmanager
    def cluster(self, identity: str, label: str, rows: Sequence[LayerRow]) -> Iterator[None]:
        """Draw what follows inside a frame that stands for these layers."""
        outer, self.graph = self.graph, Digraph(f"cluster_{_token(identity)}")
        self.graph.attr(
            label=label,
            labeljust="r",
            style="rounded,filled",
            fillcolor=_STYLE.neutral,
            color=_STYLE.line,
            margin="12",
            id=escape_dot(identity),
            **{"class": "frame"},
        )
        self.hover[identity] = numbers(identity, rows, self.scale)
        try:
            yield
        finally:
            outer.subgraph(self.graph)
            self.graph = outer

    def finish(self, alt: str, legend: str = "") -> Drawing:
        """Return the diagram, with its legend at the foot."""
        if legend:
            self.graph.attr("graph", label=legend, labelloc="b", labeljust="l")
        return Drawing(self.name, self.graph.source, self.hover, alt)

    def _node(self, identity: str, label: str, kind: str, **attributes: str) -> None:
        named = {"id": escape_dot(identity), "class": escape_dot(kind)}
        self.graph.node(_token(identity), label=label, **(named | attributes))


def _token(identity: str) -> str:
    """Return the name of a node in DOT, with the port and side that may follow it.

    Every character that no id has is replaced, so that a hostile name cannot leave its token.
    """
    ported = re.search(r":\w+:[ns]\Z", identity)
    name, port = (identity[: ported.start()], ported[0]) if ported else (identity, "")
    return re.sub(r"[^\w.]", "_", name) + port


def numbers(identity: str, rows: Sequence[LayerRow], scale: Scale | None = None) -> str:
    """Return what hovering over a box shows: its id, shapes, window, exact parameters, MACs and so on, a line each."""
    first, last = rows[0], rows[-1]
    shapes = dict.fromkeys((fmt.shape(first.in_shape), fmt.shape(last.out_shape)))
    found = [identity, " → ".join(shapes)]
    if len(rows) == 1 and window(first):
        found.append(window(first))
    found += [
        f"{fmt.exact(sum(row.parameters for row in rows))} parameters",
        f"{fmt.exact(sum(row.macs for row in rows))} MACs",
        f"{fmt.exact(sum(row.activations for row in rows))} activations",
        f"receptive field {fmt.exact(last.receptive_field)} px",
    ]
    if scale and scale.measure.measured:
        found.append(scale.measure.text(scale.value(rows)))
    return "\n".join(found)


def window(row: LayerRow) -> str:
    """Return kernel, stride and padding as ``5×5/1, pad 2``; empty for a layer without a window."""
    if row.kernel is None:
        return ""
    if row.stride is None:
        return f"windows up to {fmt.size(row.kernel)}"
    return f"{fmt.size(row.kernel)}/{row.stride}, pad {row.padding}"


# ── a chain of boxes in lines ──────────────────────────────────────────────────────────────────────────────────────
# Graphviz's dot puts each box of a chain on a rank of its own and cannot wrap the chain. So every line of boxes is one
# rank here (rank=same), read from left to right, and the next line is a lower rank. A direct arrow from the end of a
# line to the start of the next would cross the boxes between them. Instead it runs through points on a rank between
# the lines: down to an invisible corner under the end, left to the turn above the next start, and down into it. The
# turn is a pool where the stage changes, otherwise one more invisible corner.

_STRAIGHT = "60"  # the weight of an arrow that must be straight: it beats what pulls at its ends


class Item(NamedTuple):
    """A box or an open module in a chain.

    Arrows enter at the node ``entry`` and leave at ``exit``, with ``channels`` and ``text``. ``anchor`` is the node
    that later lines align with, ``below`` the auxiliary head that hangs on the box, if any.
    """

    entry: str
    exit: str
    anchor: str
    channels: int
    text: str = ""
    below: str = ""

    @property
    def is_frame(self) -> bool:
        """Whether this is an open module: it spans several ranks, so it has a line to itself."""
        return self.entry != self.exit


@dataclass
class ItemLine:
    """One line: its items, and the ``turn`` above its start (None: an invisible corner)."""

    turn: Item | None = None
    items: list[Item] = field(default_factory=list)

    def has_room(self, more: Sequence[Item], columns: int) -> bool:
        """Whether these items fit behind those of the line."""
        items = [*self.items, *more]
        return len(items) <= columns and (len(items) == 1 or not any(item.is_frame for item in items))


def box_item(identity: str, channels: int, text: str = "", below: str = "") -> Item:
    """Return the item of a single box."""
    return Item(identity, identity, identity, channels, text, below)


def wrap(groups: Iterable[tuple[Item | None, Sequence[Item]]], columns: int) -> list[ItemLine]:
    """Fill lines of at most ``columns`` items. A group and its turn begin a line unless the whole group fits here."""
    lines: list[ItemLine] = []
    for turn, items in groups:
        inline = (turn, *items) if turn else items
        if lines and lines[-1].has_room(inline, columns):
            lines[-1].items.extend(inline)
            continue
        lines.append(ItemLine(turn))
        for item in items:
            if not lines[-1].has_room((item,), columns):
                lines.append(ItemLine())
            lines[-1].items.append(item)
    return lines


def connect(canvas: Canvas, lines: Sequence[ItemLine]) -> None:
    """Join the items of all lines by arrows, each with the text of what it carries."""
    for line in lines:
        canvas.same_rank(*(item.entry for item in line.items if not item.is_frame))
        for left, right in pairwise(line.items):
            canvas.arrow(left.exit, right.entry, left.channels, left.text, weight="10")
    for number, (line, following) in enumerate(pairwise(lines)):
        last = line.items[-1]
        if last.is_frame or (len(line.items) == 1 and not last.below):
            _straight_down(canvas, last, following)
        else:
            _back_to_start(canvas, str(number), line, following)


def _straight_down(canvas: Canvas, last: Item, following: ItemLine) -> None:
    """Draw the arrow from a frame, whose exit is at its left, or from a single box to the start of the next line."""
    steps = [last, following.turn, following.items[0]] if following.turn else [last, following.items[0]]
    for upper, lower in pairwise(steps):
        ranks = "2" if upper.below else "1"
        canvas.arrow(upper.exit, lower.entry, upper.channels, upper.text, weight=_STRAIGHT, minlen=ranks)


def _back_to_start(canvas: Canvas, number: str, line: ItemLine, following: ItemLine) -> None:
    """Draw the arrow from the end of a line down, back to the left, and down into the next line."""
    first, last, start = line.items[0], line.items[-1], following.items[0]
    turn = following.turn or _corner(canvas, f"turn{number}", last)
    corner = _corner(canvas, f"corner{number}", last)
    ranks = 2 if any(item.below for item in line.items) else 1  # the auxiliary heads have the rank in between
    end, side = last.exit, "s"
    if last.below:  # its head is in the way: leave the box to the right, then go down beside the head
        end, side = f"end{number}", "_"
        canvas.corner(end)
        canvas.same_rank(last.exit, end)
        canvas.arrow(last.exit, end, last.channels, arrowhead="none", weight="10")
    canvas.same_rank(turn.entry, corner.entry)
    canvas.arrow(end, corner.entry, last.channels, arrowhead="none", weight="20", minlen=str(ranks), tailport=side)
    # On one rank, dot puts the tail of an arrow left of its head. So this one is written from the turn (left) to the
    # corner (right) and drawn backwards.
    arrowtail = "normal" if following.turn else "none"
    canvas.arrow(turn.entry, corner.entry, last.channels, dir="back", arrowtail=arrowtail)
    if first.below:
        canvas.align(first.below, turn.entry)
    else:
        canvas.align(first.anchor, turn.entry, ranks)
    canvas.arrow(turn.exit, start.entry, turn.channels, turn.text, weight=_STRAIGHT)


def _corner(canvas: Canvas, identity: str, source: Item) -> Item:
    """Add an invisible corner that carries what ``source`` carries."""
    canvas.corner(identity)
    return box_item(identity, source.channels, source.text)
