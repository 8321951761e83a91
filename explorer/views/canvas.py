"""What diagrams are drawn on: a DOT graph in one style, whose boxes stand for layers and know their numbers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from graphviz import Digraph
from graphviz import escape as escape_dot

from explorer.analysis import LayerRow, NetworkSummary
from explorer.views import boxes, palette
from explorer.views import formatting as fmt
from explorer.views.measures import Scale, measure

_FONT = "Helvetica"  # every Graphviz knows its metrics, and Arial, Arimo and Liberation Sans share them
_THICKEST = 5.0
_STYLE = palette.LIGHT
_GRAPH = {
    **{"rankdir": "TB", "bgcolor": "transparent", "fontname": _FONT},
    **{"pad": "0.1", "nodesep": "0.26", "ranksep": "0.32"},
}
_NODE = {
    **{"shape": "box", "style": "rounded,filled", "margin": "0.09,0.06", "width": "0", "height": "0"},
    **{"fontname": _FONT, "fontcolor": _STYLE.ink, "color": _STYLE.line, "penwidth": "1.2"},
}
_EDGE = {
    **{"fontname": _FONT, "fontsize": str(boxes.SMALL_SIZE), "fontcolor": _STYLE.muted},
    **{"color": _STYLE.line, "arrowsize": "0.7"},
}


class Drawing(NamedTuple):
    """A finished picture: DOT source, the numbers behind each node by its id, and the picture in words."""

    name: str
    dot: str
    hover: dict[str, str]
    alt: str


@dataclass
class Canvas:
    """A graph being drawn for one summary. ``scale`` paints boxes by cost; None leaves them plain."""

    name: str
    summary: NetworkSummary
    scale: Scale | None = None
    hover: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = Digraph(self.name, graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE)
        self._corners: set[str] = set()
        self._most_channels = max(row.out_shape[0] for row in self.summary.rows if len(row.out_shape) == 3)

    def ink(self, rows: Sequence[LayerRow]) -> boxes.Ink:
        """Return the text colours of a box that stands for these layers."""
        return boxes.ink_on(self.scale.fill(rows)) if self.scale else boxes.PLAIN

    def box(
        self, identity: str, label: str, rows: Sequence[LayerRow], kind: str, fill: str = _STYLE.card, **attributes: str
    ) -> None:
        """Draw a box that stands for some layers, in the scale's colour or else ``fill``. ``kind`` is its CSS class."""
        attributes["fillcolor"] = self.scale.fill(rows) if self.scale else fill
        self._node(identity, label, kind, **attributes)
        self.hover[identity] = numbers(identity, rows, self.scale)

    def away(self, identity: str, label: str, rows: Sequence[LayerRow] = (), **attributes: str) -> None:
        """Draw a box for what is outside of the picture: the block these layers belong to, which it leads to."""
        if rows:
            block = rows[0].path.partition(".")[0]
            attributes["id"] = escape_dot(block)
            self.hover[block] = numbers(block, rows)
        self._node(identity, label, "away", fillcolor=_STYLE.neutral, **attributes)

    def corner(self, identity: str) -> None:
        """Set an invisible point where a line turns."""
        self._corners.add(identity)
        self.graph.node(_token(identity), label="", shape="none", style="invis", fixedsize="true")

    def arrow(self, tail: str, head: str, channels: int, text: str = "", **attributes: str) -> None:
        """Draw an arrow as wide as its channels, with a text beside it. ``tail`` and ``head`` may name a port."""
        wide = 1 + (_THICKEST - 1) * min(channels / self._most_channels, 1.0)
        if text:
            attributes["label"] = escape_dot(f"  {text} ")
        if tail in self._corners:
            attributes["tailclip"] = "false"
        if head in self._corners:
            attributes["headclip"] = "false"
        self.graph.edge(_token(tail), _token(head), penwidth=f"{wide:.2f}", **attributes)

    def hold(self, tail: str, head: str, ranks: int = 1) -> None:
        """Keep one node this many ranks above another and in line with it, without drawing anything."""
        self.graph.edge(_token(tail), _token(head), style="invis", weight="60", minlen=str(ranks))

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
        """Return the picture, with its legend at the foot."""
        if legend:
            self.graph.attr("graph", label=legend, labelloc="b", labeljust="l")
        return Drawing(self.name, self.graph.source, self.hover, alt)

    def _node(self, identity: str, label: str, kind: str, **attributes: str) -> None:
        named = {"id": escape_dot(identity), "class": escape_dot(kind)}
        self.graph.node(_token(identity), label=label, **(named | attributes))


def _token(identity: str) -> str:
    """A node's name in DOT, with the port and side that may follow it. Ids are of these signs; nothing else passes."""
    name, port = re.fullmatch(r"(.*?)((?::\w+:[ns])?)", identity, re.DOTALL).groups()
    return re.sub(r"[^\w.]", "_", name) + port


def scale_of(
    colour_by: str, boxes: Iterable[Sequence[LayerRow]], times: Mapping[str, float] | None, least: float = 0
) -> Scale | None:
    """Return the scale over the boxes of a picture, or None for ``none``; it ends at ``least`` or later.

    Raises KeyError for an unknown colouring.
    """
    return None if colour_by == "none" else Scale(measure(colour_by, times), boxes, least)


def numbers(identity: str, rows: Sequence[LayerRow], scale: Scale | None = None) -> str:
    """Return what is said over a box: its id, shapes, window, exact parameters, MACs and so on, a line each."""
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
