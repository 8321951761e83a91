"""The whole network as one line of small drawings, from the image to the classifier, with the marks of edits.

It is drawn without Graphviz, so that it answers an edit at once. In a module each branch is a row: first its
reduction (or its pool), then its main convolution, then a ribbon into the concatenation at the right. Heights are
channels. HTML with inline SVG; fills come from the palette, text and outlines have the page's own colour.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from explorer.analysis import LayerRow, NetworkSummary
from explorer.config import BRANCHES
from explorer.diff import find_changes
from explorer.errors import Problem
from explorer.views import formatting as fmt
from explorer.views import palette
from explorer.views.labels import BRANCH_NAMES
from explorer.views.network_table import EDITED, REJECTED, RIPPLE, mark_and_note
from explorer.views.terms import TERMS

Rows = tuple[LayerRow, ...]
_WIDTH, _HEIGHT = 96, 72  # of a drawing, in its own units
_MIDDLE = _HEIGHT / 2
_HIGHEST = 64  # of the concatenation with the most channels, and of the image
_THICKEST = 14  # height of a layer with the most filters
_BRANCH_ROWS = dict(zip(BRANCHES, (9.0, 27.0, 45.0, 63.0), strict=True))  # branch → the middle of its row
_FIRST, _MAIN, _CONCAT = (18, 40), (44, 68), (89, 95)  # from and to, left to right
_MARKS = {EDITED: "edited", RIPPLE: "ripple", REJECTED: "rejected"}
_MARK_NAMES = {EDITED: "edited", RIPPLE: "changed by an edit elsewhere", REJECTED: "edit rejected"}


class Strip(NamedTuple):
    """The strip: its HTML, the text for each box by its id, and the id of each row of the table in order."""

    html: str
    hints: dict[str, str]
    rows: tuple[str, ...]


def network_strip(summary: NetworkSummary, base: NetworkSummary, problems: Sequence[Problem] = ()) -> Strip:
    """Draw a network with marks against its preset ``base``; rows with ``problems`` are marked as rejected."""
    return _Strip(summary, base, {problem.where for problem in problems}).draw()


class _Strip:
    """The boxes of one network, each with its mark and the text that explains it."""

    def __init__(self, summary: NetworkSummary, base: NetworkSummary, rejected: set[str]) -> None:
        self.summary, self.base, self.rejected = summary, base, rejected
        self.blocks: dict[str, Rows] = {
            name: tuple(rows) for name, rows in groupby(summary.rows, key=lambda row: row.module)
        }
        self.edits = find_changes(base.config, summary.config)
        self.most_channels = max(row.out_shape[0] for row in summary.rows if len(row.out_shape) == 3)
        self.most_filters = max([row.out_shape[0] for row in summary.rows if row.branch and row.kind == "conv"] or [1])
        self.hints: dict[str, str] = {}

    def draw(self) -> Strip:
        names = ["image", *(name for name, rows in self.blocks.items() if not rows[0].aux)]
        marks = {name: self._mark(name) for name in names}
        start = next((place for place, name in enumerate(names) if marks[name][0] == EDITED), 0)
        columns = (self._column(name, *marks[name], place - start) for place, name in enumerate(names))
        html = "".join(columns)
        return Strip(html, self.hints, tuple(_node(module.name) for module in self.summary.config.modules))

    def _column(self, name: str, mark: str, note: str, order: int) -> str:
        head = f"aux_{name}"
        below = self._head(head) if head in self.blocks else ""
        style = f' style="--order:{max(order, 0)}"'
        kind = "module" if name[:1].isdigit() else "pool" if name.startswith("pool") else name
        return f'<div class="column {kind}" role="none"{style}>{self._box(name, kind, mark, note)}{below}</div>'

    def _box(self, name: str, kind: str, mark: str, note: str) -> str:
        drawing = getattr(self, f"_draw_{kind}")(name)
        title = "pool" if kind == "pool" else name
        attributes = self._describe(name, kind, mark, note)
        return (
            f'<div class="box {_MARKS.get(mark, "")}" {attributes}><b>{escape(title)}{_badge(mark)}</b>'
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{drawing}</svg>'
            f"<span>{escape(fmt.shape(self._shape(name)))}</span></div>"
        )

    def _head(self, name: str) -> str:
        mark, note = self._mark(name)
        attributes = self._describe(name, "auxiliary head", mark, note)
        title = f"{escape(name.replace('_', ' '))}{_badge(mark)}"
        return f'<div class="box aux {_MARKS.get(mark, "")}" {attributes}><b>{title}</b></div>'

    def _describe(self, name: str, kind: str, mark: str, note: str) -> str:
        """Record the text of a box, and return its attributes."""
        self.hints[_node(name)] = hint = "\n".join(self._hint(name, kind, mark, note))
        return f'id="{escape(_node(name))}" role="option" aria-label="{escape(hint.replace(chr(10), ". "))}"'

    def _hint(self, name: str, kind: str, mark: str, note: str) -> Iterator[str]:
        yield f"{kind.capitalize()} {name}" if kind == "module" else name.replace("_", " ").capitalize()
        if mark:
            yield f"{mark} {_MARK_NAMES[mark]}" + (f": {note}" if note else "")
        if name in self.blocks:
            rows, totals = self.blocks[name], self.summary.by_module[name]
            yield " → ".join(dict.fromkeys((fmt.shape(rows[0].in_shape), fmt.shape(rows[-1].out_shape))))
            yield f"{fmt.exact(totals.parameters)} parameters, {fmt.short(totals.macs)} MACs"
            if kind == "module":
                yield from _branch_costs(rows)
        else:
            yield fmt.shape(self.summary.config.input_shape)
        yield TERMS["max pool" if kind == "pool" else kind]

    def _mark(self, name: str) -> tuple[str, str]:
        if name in self.rejected:
            return REJECTED, "the message is below the table"
        if name in self.blocks:
            return mark_and_note(name, self.summary, self.base, self.edits)
        return "", ""

    def _shape(self, name: str) -> tuple[int, ...]:
        return self.blocks[name][-1].out_shape if name in self.blocks else self.summary.config.input_shape

    # ── the drawings ───────────────────────────────────────────────────────────────────────────────────────────────

    def _draw_module(self, name: str) -> str:
        chains = {
            branch: tuple(rows)
            for branch, rows in groupby((row for row in self.blocks[name] if row.branch), key=lambda row: row.branch)
        }
        fields = {edit.field for edit in self.edits if edit.where == name}
        if any(edit.field == "kernel_5x5" for edit in self.edits):
            fields.add("ch5x5")
        total = self.blocks[name][-1].out_shape[0]
        unit = _HIGHEST / self.most_channels
        top = _MIDDLE - total * unit / 2
        parts = [self._input(self.blocks[name][0].in_shape[0] * unit)]
        for branch, chain in chains.items():
            height = chain[-1].out_shape[0] * unit
            parts.append(self._branch(branch, chain, fields, (top, height)))
            top += height
        return "".join(parts)

    def _input(self, height: float) -> str:
        return _rect(1, _MIDDLE - height / 2, 5, height, "currentColor", "faint")

    def _branch(self, branch: str, chain: Rows, fields: set[str], end: tuple[float, float]) -> str:
        """Draw a branch: its first and its main layer, lit where they were edited, and its part of the concat."""
        colour, y = palette.BRANCH[branch], _BRANCH_ROWS[branch]
        first, main = self._heights(branch, chain)
        steps = f"M6 {_MIDDLE} L{_FIRST[0]} {y} H{_MAIN[0]}"
        parts = [f'<path d="{steps}" class="wire"/>']
        names = {"pool": ("", "pool_proj")}.get(branch, (f"ch{branch}_reduce", f"ch{branch}"))
        lit = [" lit" if name in fields else "" for name in names]
        ribbon = (_MAIN[1], y - main / 2, main, _CONCAT[0], *end)
        parts.append(f'<path d="{_ribbon(*ribbon)}" fill="{colour}" class="ribbon"/>')
        if first:
            parts.append(_rect(_FIRST[0], y - first / 2, _FIRST[1] - _FIRST[0], first, colour, f"layer{lit[0]}"))
        parts.append(_rect(_MAIN[0], y - main / 2, _MAIN[1] - _MAIN[0], main, colour, f"layer{lit[1]}"))
        parts.append(_rect(_CONCAT[0], end[0], _CONCAT[1] - _CONCAT[0], end[1], colour))
        return f'<g class="branch{" lit" if any(lit) else ""}">{"".join(parts)}</g>'

    def _heights(self, branch: str, chain: Rows) -> tuple[float, float]:
        """Return the heights of a branch's first layer (0 without one) and of its main layer."""
        unit = _THICKEST / self.most_filters
        main = max(2.0, min(_THICKEST, chain[-1].out_shape[0] * unit))
        if branch == "pool":
            return 3.0, main
        has_first = len(chain) > 1 and chain[0].path.endswith("reduce")
        return (max(2.0, chain[0].out_shape[0] * unit) if has_first else 0.0), main

    def _draw_image(self, _: str) -> str:
        return _rect(14, _MIDDLE - _HIGHEST / 2, 68, _HIGHEST, "none", "outline")

    def _draw_stem(self, name: str) -> str:
        """Draw each layer as high as its output, compared with the image: the stem makes the image small."""
        rows = [row for row in self.blocks[name] if row.kind != "lrn"]
        side, step = max(self.summary.config.input_shape[1:]), _WIDTH / (len(rows) + 1)
        heights = [max(3.0, _HIGHEST * max(row.out_shape[1:]) / side) for row in rows]
        return "".join(
            _rect(step * (place + 0.6), _MIDDLE - height / 2, step * 0.7, height, "currentColor", row.kind)
            for place, (row, height) in enumerate(zip(rows, heights, strict=True))
        )

    def _draw_pool(self, _: str) -> str:
        high, low = _MIDDLE * 0.8, _MIDDLE * 0.4
        points = f"18,{_MIDDLE - high} 78,{_MIDDLE - low} 78,{_MIDDLE + low} 18,{_MIDDLE + high}"
        return f'<polygon points="{points}" class="max_pool"/>'

    def _draw_classifier(self, name: str) -> str:
        """Draw the channels, and the classes that they are connected to."""
        channels = min(_HIGHEST, self.blocks[name][0].in_shape[0] * _HIGHEST / self.most_channels)
        fan = _ribbon(12, _MIDDLE - channels / 2, channels, 80, _MIDDLE - _HIGHEST / 2, _HIGHEST)
        ends = _rect(6, _MIDDLE - channels / 2, 6, channels, "currentColor", "conv")
        classes = _rect(80, _MIDDLE - _HIGHEST / 2, 6, _HIGHEST, "currentColor", "conv")
        return f'<path d="{fan}" class="faint"/>{ends}{classes}'


def _branch_costs(rows: Rows) -> Iterator[str]:
    """Yield the cost of each convolution of a module, named as its column of the table."""
    for row in rows:
        if row.branch and row.kind == "conv":
            step = row.path.rpartition(".")[2]
            name = {"reduce": " reduce", "proj": " proj", "conv2": ", second"}.get(step, "")
            yield (
                f"{BRANCH_NAMES[row.branch]}{name}: {fmt.exact(row.parameters)} parameters, {fmt.short(row.macs)} MACs"
            )


def _node(block: str) -> str:
    return f"inception_{block}" if block[:1].isdigit() else block


def _badge(mark: str) -> str:
    return f'<i aria-hidden="true">{mark}</i>' if mark else ""


def _rect(x: float, y: float, width: float, height: float, fill: str, kind: str = "") -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" class="{kind}"/>'


def _ribbon(x1: float, top1: float, height1: float, x2: float, top2: float, height2: float) -> str:
    """Return the outline of a band that goes from one vertical edge to another."""
    middle = (x1 + x2) / 2
    return (
        f"M{x1:.1f} {top1:.1f} C{middle:.1f} {top1:.1f} {middle:.1f} {top2:.1f} {x2:.1f} {top2:.1f} "
        f"V{top2 + height2:.1f} C{middle:.1f} {top2 + height2:.1f} {middle:.1f} {top1 + height1:.1f} "
        f"{x1:.1f} {top1 + height1:.1f} Z"
    )
