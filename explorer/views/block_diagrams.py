"""The inside of a block: a module's branches side by side between its input and the concat, or a chain of layers.

Both have a narrow form for a phone, about 370 points wide: the boxes of a chain below each other, and the branches of a
module with smaller texts and shorter lines.
"""

from collections.abc import Sequence
from typing import NamedTuple

from explorer.analysis import LayerRow
from explorer.views import boxes, palette
from explorer.views import formatting as fmt
from explorer.views.boxes import Line
from explorer.views.canvas import Canvas, Item, box_item, connect, window, wrap
from explorer.views.labels import BRANCH_NAMES

IMAGE = "image"
_CHAIN_COLUMNS = 3
_ROLES = ("reduce", "proj")  # the names of the 1×1 convolutions beside a larger kernel or a pool
_KINDS = {"conv": "conv", "max_pool": "max pool", "avg_pool": "average pool"}
_NOTES = {"lrn": "across channels", "dropout": "only in training"}
_NAMES = {"lrn": "response norm", "dropout": "dropout", "linear": "fully connected"}


class Form(NamedTuple):
    """The sizes of a module, in points: of its texts, and the ``gap`` and ``margin`` of its canvas.

    With ``has_short_lines`` what would be one line is several: a number and its unit, a kernel and its layer.
    """

    title: int
    text: int
    range: int  # of channels in the concatenation
    gap: int
    margin: int
    has_short_lines: bool

    def lines(self, content: str, separator: str = " ") -> list[str]:
        """Return a text in the lines of this form: at most two, the first up to the first separator."""
        first, found, rest = content.partition(separator) if self.has_short_lines else (content, "", "")
        return [f"{first}{found}".rstrip(), rest] if rest else [content]


WIDE = Form(boxes.TEXT_SIZE + 1, boxes.TEXT_SIZE, boxes.SMALL_SIZE + 1, 19, 6, has_short_lines=False)
NARROW = Form(boxes.SMALL_SIZE, boxes.SMALL_SIZE, boxes.SMALL_SIZE, 6, 3, has_short_lines=True)


def branches_of(rows: Sequence[LayerRow]) -> dict[str, list[LayerRow]]:
    """Return the layers of each branch of a module's rows, in the order of concatenation."""
    found: dict[str, list[LayerRow]] = {}
    for row in rows:
        if row.branch:
            found.setdefault(row.branch, []).append(row)
    return found


def branch_channels(rows: Sequence[LayerRow]) -> list[tuple[str, int]]:
    """Return (branch, its output channels) of a module's rows, in the order of concatenation."""
    return [(branch, chain[-1].out_shape[0]) for branch, chain in branches_of(rows).items()]


def tap_port(rows: Sequence[LayerRow]) -> str:
    """Return where the arrow to an auxiliary head leaves a module: at the foot of its last column."""
    branch, _ = branch_channels(rows)[-1]
    return f"{rows[-1].path}:{branch}_out:s"


def title(row: LayerRow) -> str:
    """Return the title of a layer: ``5×5 conv``, ``1×1 reduce``, ``3×3 max pool``, ``fully connected``."""
    if row.kernel is None or row.kind not in _KINDS:
        return _NAMES.get(row.kind, row.kind)
    if row.stride is None:
        return "adaptive pool"
    part = row.path.rpartition(".")[2]
    role = part if row.branch and part in _ROLES else _KINDS[row.kind]
    return f"{fmt.size(row.kernel)} {role}"


def draw_module(
    canvas: Canvas,
    name: str,
    rows: Sequence[LayerRow],
    before: Sequence[LayerRow] = (),
    after: Sequence[LayerRow] = (),
    form: Form = WIDE,
) -> Item:
    """Draw Figure 2: a bar for the input, one column per branch, and the concat as a bar with channel ranges.

    ``before`` and ``after`` are the rows of the neighbouring blocks, where the diagram does not draw these themselves.
    """
    branches, concat = branches_of(rows), rows[-1]
    inner = _inner_width(canvas, rows, form)
    column = _column_width(rows, inner, form)
    entrance = f"inception_{name}.input"
    source = f"from {before[0].module}" if before else "input"
    canvas.outside(entrance, boxes.bar(branches, source, column), before, margin="0")
    depth = max(map(len, branches.values()))
    ranks = [_column(canvas, entrance, concat, chain, depth, inner, form) for chain in branches.values()]
    for rank in zip(*ranks, strict=True):
        canvas.same_rank(*rank)
    label = _concat_label(rows, column, form, canvas.text_colours([concat]))
    canvas.box(concat.path, label, [concat], "concat", palette.LIGHT.neutral, margin="0")
    if after:
        canvas.outside(f"inception_{name}.output", boxes.lines(Line(f"to {after[0].module}")), after)
        canvas.arrow(concat.path, f"inception_{name}.output", concat.out_shape[0], fmt.shape(concat.out_shape))
    first = next(iter(branches))
    return Item(f"{entrance}:{first}_in:n", f"{concat.path}:{first}_out:s", "", concat.out_shape[0])


def _column(
    canvas: Canvas, entrance: str, concat: LayerRow, chain: Sequence[LayerRow], depth: int, inner: int, form: Form
) -> list[str]:
    """Draw a branch from the bar to the concat and return its nodes from top to bottom.

    The last layers of all branches are side by side, and so are the first layers of those with several. A shorter
    branch has invisible nodes in between.
    """
    branch = chain[0].branch or ""
    for row in chain:
        _layer(canvas, row, palette.BRANCH[branch], inner, form)
    nodes = [row.path for row in chain]
    gaps = [f"{concat.module}.{branch}.{number}" for number in range(depth - len(chain))]
    for gap in gaps:
        canvas.corner(gap)
    nodes[-1:-1] = gaps
    inputs = [row.in_shape for row in chain]
    inputs[-1:-1] = [chain[-1].in_shape] * len(gaps)
    upper = f"{entrance}:{branch}_out:s"
    for node, shape in zip(nodes, inputs, strict=True):
        text = "" if upper in gaps else _arrow_text(shape, form)
        head = {"arrowhead": "none"} if node in gaps else {}
        canvas.arrow(upper, node, shape[0], text, weight="20", **head)
        upper = node
    out = chain[-1].out_shape
    canvas.arrow(upper, f"{concat.path}:{branch}_in:n", out[0], _arrow_text(out, form), weight="20")
    return nodes


def draw_chain(
    canvas: Canvas, name: str, rows: Sequence[LayerRow], before: Sequence[LayerRow], *, narrow: bool = False
) -> None:
    """Draw layers one after the other, in lines, behind the block before them (none: the image)."""
    chip = palette.AUX if rows[0].aux else palette.PLAIN
    inner = _inner_width(canvas, rows, WIDE)
    start = f"{name}.input"
    canvas.outside(start, boxes.lines(Line(f"from {before[0].module}" if before else IMAGE)), before)
    items = [_item(start, rows[0].in_shape)]
    for row in rows:
        _layer(canvas, row, chip, inner, WIDE)
        items.append(_item(row.path, row.out_shape))
    connect(canvas, wrap([(None, items)], 1 if narrow else _CHAIN_COLUMNS))


def _item(identity: str, shape: tuple[int, ...]) -> Item:
    """Return the item of a box with this output. A vector has no channels: its arrow is thin."""
    return box_item(identity, shape[0] if len(shape) == 3 else 0, fmt.shape(shape))


def _arrow_text(shape: Sequence[int], form: Form) -> str:
    """Return the text beside an arrow; in short lines the channels are above the size."""
    return "\n".join(form.lines(fmt.shape(shape), " × "))


def _layer(canvas: Canvas, row: LayerRow, chip: str, inner: int, form: Form) -> None:
    label = boxes.layer(_title_lines(row, form), chip, _texts(canvas, row, form), inner, canvas.text_colours([row]))
    canvas.box(row.path, label, [row], f"layer {row.kind}")


def _title_lines(row: LayerRow, form: Form) -> list[Line]:
    return [Line(part, form.title, bold=True) for part in form.lines(title(row))]


def _texts(canvas: Canvas, row: LayerRow, form: Form) -> list[Line]:
    """Return the lines below the title of a layer's box."""
    found = [Line(window(row) or _NOTES.get(row.kind) or _in_and_out(row), form.text, soft=True)]
    for count in (_count(row.parameters, "parameters"), _count(row.macs, "MACs")):
        found += (Line(part, form.text) for part in form.lines(count))
    if canvas.scale and canvas.scale.measure.title not in ("parameters", "MACs"):
        found.append(Line(canvas.scale.measure.text(canvas.scale.value([row])), form.text, bold=True))
    return found


def _in_and_out(row: LayerRow) -> str:
    return f"{fmt.shape(row.in_shape)} → {fmt.shape(row.out_shape)}"


def _count(number: int, unit: str) -> str:
    return f"{fmt.exact(number)} {unit}" if number else f"no {unit}"


def _inner_width(canvas: Canvas, rows: Sequence[LayerRow], form: Form) -> int:
    """Return the width of the widest content, so that all boxes are equally wide."""
    layers = (row for row in rows if row.kind != "concat")
    return max(boxes.layer_width(_title_lines(row, form), _texts(canvas, row, form)) for row in layers)


def _column_width(rows: Sequence[LayerRow], inner: int, form: Form) -> int:
    """Return the distance of the branches: room for the boxes, and for a shape to the right of each arrow.

    It is even, so that the middle of each column is a whole number of points and the arrows are straight.
    """
    shapes = (_arrow_text(shape, form) for row in rows for shape in (row.in_shape, row.out_shape))
    ranges = (boxes.concatenation_width(texts) for _, texts in _ranges(rows, form))
    column = max(inner + 2 * form.margin, max(map(boxes.arrow_label_width, shapes)) + 4, *ranges) + form.gap
    return column + column % 2


def _ranges(rows: Sequence[LayerRow], form: Form) -> list[tuple[str, list[Line]]]:
    """Return (branch, its name and ``channels 64–191``) of a module's rows."""
    found, start = [], 0
    for branch, channels in branch_channels(rows):
        span = form.lines(f"channels {fmt.exact(start)}–{fmt.exact(start + channels - 1)}")
        texts = [Line(BRANCH_NAMES[branch], form.title, bold=True), *(Line(part, form.range) for part in span)]
        found.append((branch, texts))
        start += channels
    return found


def _concat_label(rows: Sequence[LayerRow], column: int, form: Form, colours: boxes.TextColours) -> str:
    """Return the label of the concat: the channel range of each branch, and the shape of the whole."""
    parts = [(branch, palette.BRANCH[branch], texts) for branch, texts in _ranges(rows, form)]
    return boxes.concatenation(parts, (Line("concat", bold=True), Line(fmt.shape(rows[-1].out_shape))), column, colours)
