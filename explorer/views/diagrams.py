"""Diagrams of a network: the whole as one box per block, one module as in the paper's Figure 2, one head.

Source: Szegedy et al. 2014, arXiv:1409.4842, Figures 2 and 3. Every number in a box is its row's in the
:class:`~explorer.analysis.NetworkSummary`; ids are row paths, or block names (``stem``, ``inception_4a``, ``pool3``,
``aux_4a``, ``classifier``). The same summary always gives the same DOT. Sizes are points.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Literal

from explorer.analysis import LayerRow, NetworkSummary
from explorer.views import boxes, palette
from explorer.views import formatting as fmt
from explorer.views.block_diagrams import IMAGE, NARROW, WIDE, branch_channels, draw_chain, draw_module, tap_port
from explorer.views.boxes import Line
from explorer.views.canvas import MEASURES, Canvas, Drawing, Item, ItemLine, Scale, box_item, connect, scale_of, wrap
from explorer.views.labels import BRANCH_NAMES

_TALL, _TALLEST = 720, 3_600  # pixels: a panel with one open module, and with any number of them
Direction = Literal["narrow", "wrapped", "across"]
_PANELS: dict[Direction, tuple[int, tuple[int, ...]]] = {  # width and heights to fill, in pixels
    "narrow": (350, (480, _TALL)),
    "wrapped": (740, (480, _TALL)),
    "across": (1250, (300, _TALL)),
}
_MAX_SCALE = 1.5  # pixels per point: the view shows no diagram larger
_MIN_SCALE = 0.85  # pixels per point: a diagram that would be smaller gets the next height
_BORDER = 19  # of a box around its text, left and right together
_COLUMN_GAP = 38  # about what a box and its arrow take beside the text
_LINE_HEIGHT, _POOL_HEIGHT, _HEAD_HEIGHT, _CORNER_HEIGHT = 80, 64, 64, 24  # about
_FRAME_SIZE = 690, 410  # an open module, about
_SHARE = ", % without aux heads"


def block_id(module: str) -> str:
    """Return the node of a block: ``inception_4a`` for the module ``4a``, the name itself for all others."""
    return f"inception_{module}" if module[:1].isdigit() else module


def block_of(node: str) -> str:
    """Return the block of a node: ``4a`` for ``inception_4a.branch_5x5.reduce``, ``stem`` for ``stem.conv1``."""
    return node.partition(".")[0].removeprefix("inception_")


def panel_height(expanded: int) -> int:
    """Return the pixels that a panel needs at most, so that the text of each of its expanded modules can be read."""
    return min(_TALL * max(expanded, 1), _TALLEST)


def overview(
    summary: NetworkSummary,
    *,
    colour_by: str = "none",
    times: Mapping[str, float] | None = None,
    expanded: Collection[str] = (),
    direction: Direction = "wrapped",
) -> Drawing:
    """Draw the whole network: image, stem, modules, pools where the stage changes, auxiliary heads, classifier.

    Each box has its name, its output shape and its share of the network's cost (of the MACs without a colouring),
    auxiliary heads excluded. ``expanded`` modules (by name) show their layers. ``narrow`` suits a phone, ``wrapped`` a
    panel of 740 × 480 pixels, ``across`` a strip of 1,250 × 300; a diagram too large for them gets a
    :func:`panel_height`. ``times`` are seconds by path. Raises KeyError for an unknown colouring.
    """
    return _Overview(summary, colour_by, times, frozenset(expanded)).draw(direction)


def module(
    summary: NetworkSummary,
    name: str,
    *,
    colour_by: str = "none",
    times: Mapping[str, float] | None = None,
    scale_end: float = 0,
    narrow: bool = False,
) -> Drawing:
    """Draw one module as in Figure 2: every layer with its window, parameters and MACs, every arrow with its shape.

    The scale of its colours ends at its most expensive layer, or at ``scale_end`` (see :func:`highest_cost`) if that is
    more. A ``narrow`` drawing fits a phone. Raises KeyError for an unknown module or colouring.
    """
    summary.config.module(name)
    rows, form = _rows_of(summary, name), NARROW if narrow else WIDE
    scale = scale_of(colour_by, [(row,) for row in rows], times, scale_end)
    canvas = Canvas(block_id(name), summary, scale, form.gap, form.margin)
    draw_module(canvas, name, rows, *_neighbours(summary, name), form=form)
    _tap(canvas, rows, _rows_of(summary, f"aux_{name}"))
    return canvas.finish(_module_alt(name, rows), _scale_legend(canvas))


def highest_cost(summary: NetworkSummary, name: str, colour_by: str, times: Mapping[str, float] | None = None) -> float:
    """Return the cost of the most expensive layer of a block, 0 without a colouring.

    Raises KeyError for an unknown colouring.
    """
    scale = scale_of(colour_by, [(row,) for row in _rows_of(summary, name)], times)
    return scale.end if scale else 0


def block(
    summary: NetworkSummary,
    name: str,
    *,
    colour_by: str = "none",
    times: Mapping[str, float] | None = None,
    scale_end: float = 0,
    narrow: bool = False,
) -> Drawing:
    """Draw any block layer by layer: ``stem``, ``pool3``, ``aux_4a``, ``classifier``, or a module (``4a``).

    A ``narrow`` drawing fits a phone. Raises KeyError for an unknown block or colouring.
    """
    if name not in summary.by_module:
        raise KeyError(name)
    if name[:1].isdigit():
        return module(summary, name, colour_by=colour_by, times=times, scale_end=scale_end, narrow=narrow)
    rows = _rows_of(summary, name)
    canvas = Canvas(name, summary, scale_of(colour_by, [(row,) for row in rows], times, scale_end))
    before = _rows_of(summary, rows[0].aux) if rows[0].aux else _neighbours(summary, name)[0]
    draw_chain(canvas, name, rows, before, narrow=narrow)
    return canvas.finish(_chain_alt(name, rows), _scale_legend(canvas))


class _Overview:
    """The boxes of the whole network, in the order of the data flow."""

    def __init__(
        self, summary: NetworkSummary, colour_by: str, times: Mapping[str, float] | None, expanded: frozenset[str]
    ) -> None:
        self.summary, self.expanded = summary, expanded
        self.blocks = {name: tuple(rows) for name, rows in groupby(summary.rows, key=lambda row: row.module)}
        drawn = [
            part
            for name, rows in self.blocks.items()
            for part in ([(row,) for row in rows] if name in expanded else [rows])
        ]
        self.canvas = Canvas("overview", summary, scale_of(colour_by, drawn, times))
        self.cost = self.canvas.scale or Scale(MEASURES["macs"], drawn)
        self.main = [row for row in summary.rows if row.aux is None]
        self.inner = self._inner_width()
        self.width = f"{(self.inner + _BORDER) / 72:.2f}"  # of every box, in inches

    def draw(self, direction: Direction) -> Drawing:
        width, heights = _PANELS[direction]
        if self.expanded:
            heights = (panel_height(len(self.expanded)),)
        connect(self.canvas, _best_wrap(self._stages(), self.inner, width, heights))
        legend = _scale_legend(self.canvas, _SHARE) or _overview_legend(direction)
        return self.canvas.finish(_overview_alt(self.summary), legend)

    def _stages(self) -> list[tuple[Item | None, list[Item]]]:
        """Draw all boxes; return them by stage, each stage after the first with its pool as the turn."""
        shape = self.summary.config.input_shape
        label = boxes.lines(Line(IMAGE, bold=True), Line(fmt.shape(shape), soft=True))
        self.canvas.outside(IMAGE, label, width=self.width)
        groups: list[tuple[Item | None, list[Item]]] = [(None, [box_item(IMAGE, shape[0])])]
        for name, rows in self.blocks.items():
            if name.startswith("pool"):
                groups.append((self._pool(name, rows), []))
            elif not rows[0].aux:
                groups[-1][1].append(self._item(name, rows))
        return groups

    def _item(self, name: str, rows: tuple[LayerRow, ...]) -> Item:
        aux = f"aux_{name}"
        if name in self.expanded and name[:1].isdigit():
            item, tap = self._frame(name, rows), tap_port(rows)
        else:
            self._block(name, rows)
            item, tap = box_item(block_id(name), rows[-1].out_shape[0]), block_id(name)
        if aux not in self.blocks:
            return item
        self._aux(name, self.blocks[aux])
        self.canvas.arrow(tap, aux, item.channels, style="dashed", color=palette.AUX, weight="30")
        return item._replace(below=aux)

    def _block(self, name: str, rows: tuple[LayerRow, ...]) -> None:
        share, colours = self.cost.share(rows, self.main), self.canvas.text_colours(rows)
        detail = _output(rows)
        length = max(self.inner, boxes.title_width(name, share))
        label = boxes.block(name, share, detail, boxes.strip(self._parts(rows), length), colours)
        self.canvas.box(block_id(name), label, rows, "block", width=self.width)

    def _parts(self, rows: tuple[LayerRow, ...]) -> list[tuple[str, int]]:
        """Return the parts of a block's strip: its branches by channels, grey without branches.

        A coloured box has none.
        """
        if self.canvas.scale:
            return []
        branches = branch_channels(rows) or [("", 1)]
        return [(palette.BRANCH.get(branch, palette.PLAIN), channels) for branch, channels in branches]

    def _pool(self, name: str, rows: tuple[LayerRow, ...]) -> Item:
        row = rows[0]
        kernel = fmt.size(row.kernel) if row.kernel else ""
        texts = (Line(f"max pool {kernel}/{row.stride}"), Line(fmt.shape(row.out_shape), soft=True))
        label = boxes.lines(*texts, colours=self.canvas.text_colours(rows))
        self.canvas.box(name, label, rows, "pool", palette.LIGHT.neutral, width=self.width)
        return box_item(name, row.out_shape[0])

    def _aux(self, tap: str, rows: tuple[LayerRow, ...]) -> None:
        cost = self.cost.measure.text(self.cost.value(rows))
        texts = (Line(f"aux {tap}", bold=True), Line(f"+{cost}" if self.cost.measure.additive else cost, soft=True))
        label = boxes.lines(*texts, colours=self.canvas.text_colours(rows))
        self.canvas.box(f"aux_{tap}", label, rows, "aux", color=palette.AUX, width=self.width)

    def _frame(self, name: str, rows: tuple[LayerRow, ...]) -> Item:
        title = (
            Line(name, boxes.NAME_SIZE, bold=True),
            Line(fmt.shape(rows[-1].out_shape), soft=True),
            Line(self.cost.share(rows, self.main), soft=True),
        )
        with self.canvas.cluster(block_id(name), boxes.single_line(*title), rows):
            return draw_module(self.canvas, name, rows)

    def _inner_width(self) -> int:
        """Return the width of the widest text of a block, so that blocks are equally wide.

        The classifier is left out: its long name would widen all of them.
        """
        widths = [0]
        for name, rows in self.blocks.items():
            if not rows[0].aux and not name.startswith("pool") and name != "classifier":
                widths.append(boxes.title_width(name, self.cost.share(rows, self.main)))
                widths.append(Line(_output(rows)).width)
        return max(widths)


def _output(rows: Sequence[LayerRow]) -> str:
    """Return the output shape of a block, or the number of classes."""
    out = rows[-1].out_shape
    return fmt.shape(out) if len(out) > 1 else _classes(out)


def _best_wrap(
    groups: Sequence[tuple[Item | None, Sequence[Item]]], inner: int, width: int, heights: Sequence[int]
) -> list[ItemLine]:
    """Return lines whose number of boxes fills a panel: few lines, and text nearly as large as it can be.

    The panel has the first of ``heights`` at which the text is large enough. Whatever the height, the diagram is not so
    wide that its text would be too small.
    """
    total = sum(len(items) + (turn is not None) for turn, items in groups)
    sizes = {columns: _extent(wrap(groups, columns), inner) for columns in range(3, max(total, 3) + 1)}
    sizes = {columns: size for columns, size in sizes.items() if columns == 3 or width / size[0] > _MIN_SCALE}
    scales: dict[int, float] = {}
    for height in heights:
        scales = {columns: min(width / wide, height / high, _MAX_SCALE) for columns, (wide, high) in sizes.items()}
        if max(scales.values()) > _MIN_SCALE:
            break
    enough = 0.95 * max(scales.values())
    return wrap(groups, max(columns for columns, scale in scales.items() if scale > enough))


def _extent(lines: Sequence[ItemLine], inner: int) -> tuple[int, int]:
    """Return about how wide and how high these lines will be."""
    width, height = 0, 0
    for number, line in enumerate(lines):
        frame = any(item.is_frame for item in line.items)
        width = max(width, _FRAME_SIZE[0] if frame else len(line.items) * (inner + _COLUMN_GAP))
        height += _FRAME_SIZE[1] if frame else _LINE_HEIGHT
        height += _HEAD_HEIGHT * any(item.below for item in line.items)
        if number:
            height += _POOL_HEIGHT if line.turn else _CORNER_HEIGHT
    return width, height


def _rows_of(summary: NetworkSummary, module: str) -> tuple[LayerRow, ...]:
    return tuple(row for row in summary.rows if row.module == module)


def _neighbours(summary: NetworkSummary, name: str) -> tuple[tuple[LayerRow, ...], tuple[LayerRow, ...]]:
    """Return the rows of the blocks before and after one, without auxiliary heads; empty at the ends."""
    order = ["", *dict.fromkeys(row.module for row in summary.rows if row.aux is None), ""]
    index = order.index(name)
    return _rows_of(summary, order[index - 1]), _rows_of(summary, order[index + 1])


def _tap(canvas: Canvas, rows: Sequence[LayerRow], head: Sequence[LayerRow]) -> None:
    """Draw the arrow from the last column of a module to its auxiliary head, if there is one."""
    if not head:
        return
    name, shape = head[0].module, head[0].in_shape
    canvas.outside(name, boxes.lines(Line(f"to {name.replace('_', ' ')}")), head, color=palette.AUX)
    canvas.arrow(tap_port(rows), name, shape[0], fmt.shape(shape), style="dashed", color=palette.AUX)


def _scale_legend(canvas: Canvas, note: str = "") -> str:
    """Return the legend of a coloured diagram; empty for a plain one."""
    if not canvas.scale:
        return ""
    measure = canvas.scale.measure
    title = f"{measure.title}{note if measure.additive else ''}"
    return boxes.scale_legend(title, measure.text(0), measure.text(canvas.scale.end))


def _overview_legend(direction: Direction) -> str:
    branches = [(palette.BRANCH[branch], title) for branch, title in BRANCH_NAMES.items()]
    return boxes.colour_legend(f"MACs{_SHARE} · channels by branch:", branches, narrow=direction == "narrow")


def _classes(shape: tuple[int, ...]) -> str:
    return f"{fmt.shape(shape)} classes"


def _overview_alt(summary: NetworkSummary) -> str:
    config = summary.config
    names = ", ".join(module.name for module in config.modules)
    heads = f" Auxiliary heads on {', '.join(config.aux.taps)}." if config.aux.taps else ""
    return (
        f"The network: an image of {fmt.shape(config.input_shape)}, the stem, the Inception modules {names}, "
        f"and the classifier with {_classes((config.classes,))}.{heads}"
    )


def _module_alt(name: str, rows: Sequence[LayerRow]) -> str:
    parts = (f"{BRANCH_NAMES[branch]} gives {fmt.exact(channels)}" for branch, channels in branch_channels(rows))
    return (
        f"Module {name}: branches side by side, joined to {fmt.shape(rows[-1].out_shape)}. {', '.join(parts)} channels."
    )


def _chain_alt(name: str, rows: Sequence[LayerRow]) -> str:
    return f"{name.replace('_', ' ')}: {', then '.join(row.path.rpartition('.')[2] for row in rows)}."
