"""Pictures of a network as DOT: the whole as one box per block, one module as in the paper's Figure 2, one head.

Source: Szegedy et al. 2014, arXiv:1409.4842, Figures 2 and 3. Every number in a box is its row's in the
:class:`~explorer.analysis.NetworkSummary`; ids are row paths, or block names (``stem``, ``inception_4a``, ``pool3``,
``aux_4a``, ``classifier``). The same summary always gives the same text. Sizes are points.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Literal

from explorer.analysis import LayerRow, NetworkSummary
from explorer.views import boxes, flow, palette
from explorer.views import formatting as fmt
from explorer.views.block_diagrams import IMAGE, branch_channels, draw_chain, draw_module, tap_port
from explorer.views.boxes import Line
from explorer.views.canvas import Canvas, Drawing, scale_of
from explorer.views.layer_table import BRANCH_NAMES
from explorer.views.measures import MEASURES, Scale

Direction = Literal["wrapped", "across"]
_PANELS = {"wrapped": (740, (480, 720)), "across": (1250, (300, 720))}  # width and heights to fill, in pixels
_LARGEST = 1.5  # pixels per point: the view shows no picture larger
_LARGE_ENOUGH = 0.85  # pixels per point: a picture that would be smaller gets the next height
_BORDER = 19  # of a box around its text, both sides together
_BESIDE, _LINE, _POOL, _HEAD, _CORNER = 38, 80, 64, 64, 24  # about what they take of it
_FRAME = (690, 410)  # an open module
_SHARE = ", % without aux heads"


def block_id(module: str) -> str:
    """Return the node of a block: ``inception_4a`` for the module ``4a``; all others go by their own name."""
    return f"inception_{module}" if module[:1].isdigit() else module


def block_of(node: str) -> str:
    """Return the block of a node: ``4a`` for ``inception_4a.branch_5x5.reduce``, ``stem`` for ``stem.conv1``."""
    return node.partition(".")[0].removeprefix("inception_")


def overview(
    summary: NetworkSummary,
    *,
    colour_by: str = "none",
    times: Mapping[str, float] | None = None,
    expanded: Collection[str] = (),
    direction: Direction = "wrapped",
) -> Drawing:
    """Draw the whole network: image, stem, modules, pools where the stage changes, auxiliary heads, classifier.

    Each box has its name, output shape and share of the chosen cost (of the MACs without one) of the network without
    its auxiliary heads. ``expanded`` modules (by name) show their inside. ``wrapped`` suits a panel of 740 × 480
    pixels, ``across`` a strip of 1,250 × 300; what is too much for them gets 720 pixels of height. ``times`` are
    seconds by path. Raises KeyError for an unknown colouring.
    """
    return _Overview(summary, colour_by, times, frozenset(expanded)).draw(direction)


def module(
    summary: NetworkSummary,
    name: str,
    *,
    colour_by: str = "none",
    times: Mapping[str, float] | None = None,
    least: float = 0,
) -> Drawing:
    """Draw one module as in Figure 2: every layer with its window, parameters and MACs, every arrow with its shape.

    The scale of its colours ends at its dearest layer, or at ``least`` (see :func:`dearest`) if that is more. Raises
    KeyError for an unknown module or colouring.
    """
    summary.config.module(name)
    rows = _rows_of(summary, name)
    canvas = Canvas(block_id(name), summary, scale_of(colour_by, [(row,) for row in rows], times, least))
    draw_module(canvas, name, rows, *_neighbours(summary, name))
    _tap(canvas, rows, _rows_of(summary, f"aux_{name}"))
    return canvas.finish(_module_alt(name, rows), _ramp(canvas))


def dearest(summary: NetworkSummary, name: str, colour_by: str, times: Mapping[str, float] | None = None) -> float:
    """Return the cost of the dearest layer of a block, 0 without a colouring. Raises KeyError for an unknown one."""
    scale = scale_of(colour_by, [(row,) for row in _rows_of(summary, name)], times)
    return scale.most if scale else 0


def auxiliary(
    summary: NetworkSummary, tap: str, *, colour_by: str = "none", times: Mapping[str, float] | None = None
) -> Drawing:
    """Draw the auxiliary head on the module ``tap``, layer by layer. Raises KeyError when there is none."""
    return block(summary, f"aux_{tap}", colour_by=colour_by, times=times)


def block(
    summary: NetworkSummary,
    name: str,
    *,
    colour_by: str = "none",
    times: Mapping[str, float] | None = None,
    least: float = 0,
) -> Drawing:
    """Draw any block layer by layer: ``stem``, ``pool3``, ``aux_4a``, ``classifier``, or a module (``4a``).

    Raises KeyError for an unknown block or colouring.
    """
    if name not in summary.by_module:
        raise KeyError(name)
    if name[:1].isdigit():
        return module(summary, name, colour_by=colour_by, times=times, least=least)
    rows = _rows_of(summary, name)
    canvas = Canvas(name, summary, scale_of(colour_by, [(row,) for row in rows], times, least))
    before = _rows_of(summary, rows[0].aux) if rows[0].aux else _neighbours(summary, name)[0]
    draw_chain(canvas, name, rows, before)
    return canvas.finish(_chain_alt(name, rows), _ramp(canvas))


class _Overview:
    """The boxes of the whole network, in the order of the flow."""

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
            heights = heights[-1:]
        flow.chain(self.canvas, _best_wrap(self._stages(), self.inner, width, heights))
        return self.canvas.finish(_overview_alt(self.summary), _ramp(self.canvas, _SHARE) or _overview_key())

    def _stages(self) -> list[tuple[flow.Stop | None, list[flow.Stop]]]:
        """Draw all boxes; return them by stage, each stage after the first with its pool in front."""
        shape = self.summary.config.input_shape
        label = boxes.lines(Line(IMAGE, bold=True), Line(fmt.shape(shape), soft=True))
        self.canvas.away(IMAGE, label, width=self.width)
        groups: list[tuple[flow.Stop | None, list[flow.Stop]]] = [(None, [flow.box(IMAGE, shape[0])])]
        for name, rows in self.blocks.items():
            if name.startswith("pool"):
                groups.append((self._pool(name, rows), []))
            elif not rows[0].aux:
                groups[-1][1].append(self._stop(name, rows))
        return groups

    def _stop(self, name: str, rows: tuple[LayerRow, ...]) -> flow.Stop:
        aux = f"aux_{name}"
        if name in self.expanded and name[:1].isdigit():
            stop, tap = self._frame(name, rows), tap_port(rows)
        else:
            self._block(name, rows)
            stop, tap = flow.box(block_id(name), rows[-1].out_shape[0]), block_id(name)
        if aux not in self.blocks:
            return stop
        self._aux(name, self.blocks[aux])
        self.canvas.arrow(tap, aux, stop.channels, style="dashed", color=palette.AUX, weight="30")
        return stop._replace(hanging=aux)

    def _block(self, name: str, rows: tuple[LayerRow, ...]) -> None:
        share, ink, out = self.cost.share(rows, self.main), self.canvas.ink(rows), rows[-1].out_shape
        detail = fmt.shape(out) if len(out) > 1 else _classes(out)
        length = max(self.inner, round(boxes.head_width(name, share)))
        label = boxes.block(name, share, detail, boxes.strip(self._parts(rows), length), ink)
        self.canvas.box(block_id(name), label, rows, "block", width=self.width)

    def _parts(self, rows: tuple[LayerRow, ...]) -> list[tuple[str, int]]:
        """What a block's strip shows: its branches by channels, grey without branches, nothing on a coloured box."""
        if self.canvas.scale:
            return []
        branches = branch_channels(rows) or [("", 1)]
        return [(palette.BRANCH.get(branch, palette.PLAIN), channels) for branch, channels in branches]

    def _pool(self, name: str, rows: tuple[LayerRow, ...]) -> flow.Stop:
        row = rows[0]
        texts = (Line(f"max pool {fmt.size(row.kernel)}/{row.stride}"), Line(fmt.shape(row.out_shape), soft=True))
        label = boxes.lines(*texts, ink=self.canvas.ink(rows))
        self.canvas.box(name, label, rows, "pool", palette.LIGHT.neutral, width=self.width)
        return flow.box(name, row.out_shape[0])

    def _aux(self, tap: str, rows: tuple[LayerRow, ...]) -> None:
        cost = self.cost.measure.text(self.cost.value(rows))
        texts = (Line(f"aux {tap}", bold=True), Line(f"+{cost}" if self.cost.measure.additive else cost, soft=True))
        label = boxes.lines(*texts, ink=self.canvas.ink(rows))
        self.canvas.box(f"aux_{tap}", label, rows, "aux", color=palette.AUX, width=self.width)

    def _frame(self, name: str, rows: tuple[LayerRow, ...]) -> flow.Stop:
        title = (
            Line(name, boxes.NAME_SIZE, bold=True),
            Line(f"  {fmt.shape(rows[-1].out_shape)}   {self.cost.share(rows, self.main)}", soft=True),
        )
        with self.canvas.cluster(block_id(name), boxes.on_one_line(*title), rows):
            return draw_module(self.canvas, name, rows)

    def _inner_width(self) -> int:
        """The width of the widest text of a block, so that all blocks are as wide."""
        widths = [0.0]
        for name, rows in self.blocks.items():
            if not rows[0].aux and not name.startswith("pool") and name != "classifier":
                widths.append(boxes.head_width(name, self.cost.share(rows, self.main)))
                widths.append(boxes.width(fmt.shape(rows[-1].out_shape)))
        return round(max(widths))


def _best_wrap(
    groups: Sequence[tuple[flow.Stop | None, Sequence[flow.Stop]]], inner: int, width: int, heights: Sequence[int]
) -> list[flow.Line]:
    """Choose how many boxes stand on a line to fill a panel: few lines, and text nearly as large as it can be.

    The panel is as high as the first of ``heights`` at which the text is large enough. However high the picture must
    be, it is not so wide that its text would be too small.
    """
    total = sum(len(stops) + (turn is not None) for turn, stops in groups)
    sizes = {columns: _extent(flow.wrap(groups, columns), inner) for columns in range(3, max(total, 3) + 1)}
    sizes = {columns: size for columns, size in sizes.items() if columns == 3 or width / size[0] > _LARGE_ENOUGH}
    for height in heights:
        scales = {columns: min(width / wide, height / high, _LARGEST) for columns, (wide, high) in sizes.items()}
        if max(scales.values()) > _LARGE_ENOUGH:
            break
    best = 0.95 * max(scales.values())
    return flow.wrap(groups, max(columns for columns, reached in scales.items() if reached > best))


def _extent(lines: Sequence[flow.Line], inner: int) -> tuple[float, float]:
    """About how wide and how high these lines will be."""
    wide, high = 0, 0
    for number, line in enumerate(lines):
        frame = any(stop.alone for stop in line.stops)
        wide = max(wide, _FRAME[0] if frame else len(line.stops) * (inner + _BESIDE))
        high += (_FRAME[1] if frame else _LINE) + _HEAD * any(stop.hanging for stop in line.stops)
        if number:
            high += _POOL if line.turn else _CORNER
    return wide, high


def _rows_of(summary: NetworkSummary, module: str) -> tuple[LayerRow, ...]:
    return tuple(row for row in summary.rows if row.module == module)


def _neighbours(summary: NetworkSummary, name: str) -> tuple[tuple[LayerRow, ...], tuple[LayerRow, ...]]:
    """The blocks before and after one on the main way; empty at its ends."""
    order = ["", *dict.fromkeys(row.module for row in summary.rows if row.aux is None), ""]
    place = order.index(name)
    return _rows_of(summary, order[place - 1]), _rows_of(summary, order[place + 1])


def _tap(canvas: Canvas, rows: Sequence[LayerRow], head: Sequence[LayerRow]) -> None:
    """The way to an auxiliary head where there is one, from the last column of a module."""
    if not head:
        return
    name, shape = head[0].module, head[0].in_shape
    canvas.away(name, boxes.lines(Line(f"to {name}")), head, color=palette.AUX)
    canvas.arrow(tap_port(rows), name, shape[0], fmt.shape(shape), style="dashed", color=palette.AUX)


def _ramp(canvas: Canvas, note: str = "") -> str:
    """The legend of a coloured picture."""
    if not canvas.scale:
        return ""
    measure = canvas.scale.measure
    title = f"{measure.title}{note if measure.additive else ''}"
    return boxes.ramp(title, measure.text(0), measure.text(canvas.scale.most))


def _overview_key() -> str:
    branches = [(palette.BRANCH[branch], title) for branch, title in BRANCH_NAMES.items()]
    return boxes.key(f"MACs{_SHARE} · channels by branch:", branches)


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
