"""Feature maps of a module and what they are made of: input, layers and concatenation, with a line per contribution.

Under the pointer or the focus, a map and all that it is connected to light up (``selectable.js``): every line names
its two ends in ``data-link``.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from explorer.jobs.units import ModuleMaps, Source, SourcedMap
from explorer.summary import LayerRow
from explorer.unit_graph import ChannelBlock
from explorer.units import Place, Unit
from explorer.views import fonts, map_images, palette, svg
from explorer.views import formatting as fmt
from explorer.views.labels import BRANCH_NAMES
from explorer.views.unit_charts import signed
from explorer.views.unit_names import Names

HINT = "Point at a map, or go to it with the arrow keys, to see what its largest value is made of."
_TILE, _GAP, _HEAD, _REST = 30.0, 3.0, 34.0, 18.0  # pixels of a map, between two, of a heading, of the other channels
_SMALL = 11  # pixels of the numbers beside lines and maps
_MOST_NAMED = 3  # sources in the sentence about a map


class _Layout(NamedTuple):
    """Where the columns begin, in pixels: of the input, of all layers but the last of a branch, of those; and the bar.

    ``columns`` are those of the layers within a branch, ``ends`` that of the last ones, ``bar`` the concatenation.
    """

    width: float
    columns: tuple[float, ...]
    ends: float
    bar: float
    bar_width: float


_WIDE = _Layout(760, (215, 385), 555, 724, 30)
_NARROW = _Layout(350, (112, 174), 236, 326, 18)


class ModuleDrawing:
    """The drawing of a module's maps, and the sentences about them."""

    def __init__(self, found: ModuleMaps, names: Names, theme: palette.Theme, *, narrow: bool = False) -> None:
        self.found, self.names, self.theme = found, names, theme
        self.layout = _NARROW if narrow else _WIDE
        self.input_path = next(iter(found.layers))
        self.rows = [names.graph.row(path) for path in list(found.layers)[1:]]
        concat = f"inception_{found.block}.concat"
        self.blocks = {block.path: block for block in names.graph.channel_blocks(concat)}
        self.channels = names.graph.shape(concat)[0]
        self.places: dict[str, tuple[float, float]] = {}  # of the left upper corner of each map, by its id
        self.rests: dict[str, tuple[float, float]] = {}  # of the right end of each layer's other channels, by its path

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all maps."""
        return frozenset(map_id(one.unit) for maps in self.found.layers.values() for one in maps)

    def unit(self, identity: str) -> Unit | None:
        """Return the largest value of a map by its id; of the module's input the one behind the concatenation."""
        units = {map_id(one.unit): one.unit for maps in self.found.layers.values() for one in maps}
        unit = units.get(identity)
        if unit is None or unit.path != self.input_path:
            return unit
        return self.names.graph.input_unit(self.rows[0].path, Place(unit.channel, unit.row, unit.column))

    def draw(self) -> str:
        """Return the drawing, with a line of text that says what is lit."""
        branches = list(dict.fromkeys(row.branch or "" for row in self.rows))
        heights = {branch: self._band(branch) for branch in branches}
        height = sum(heights.values())
        maps: list[str] = []
        top = 0.0
        for branch in branches:
            own = [row for row in self.rows if row.branch == branch]
            for slot, row in enumerate(own):
                x = self.layout.ends if row.path in self.blocks else self.layout.columns[slot]
                maps += self._layer(row.path, x, top, palette.BRANCH[branch])
            top += heights[branch]
        inputs = self._column_height(self.found.layers[self.input_path], self.input_path)
        maps = self._layer(self.input_path, 0, max((height - inputs) / 2, 0), palette.PLAIN) + maps
        height = max(height, inputs)
        body = [*self._lines(), *maps, *self._concatenation(height), *self._amounts()]
        alt = f"Feature maps of {self.found.block} and what they are made of"
        drawing = svg.chart(self.layout.width, height, "", alt, body).replace('role="img"', 'role="group"', 1)
        return (
            f'<div class="module-map">{drawing}<p class="readout" data-hint="{escape(HINT)}">{escape(HINT)}</p></div>'
        )

    def _band(self, branch: str) -> float:
        """Return the height of a branch."""
        return max(
            self._column_height(self.found.layers[row.path], row.path) for row in self.rows if row.branch == branch
        )

    def _column_height(self, maps: Sequence[SourcedMap], path: str) -> float:
        rest = _REST if self._others(path) else 0
        return _HEAD + len(maps) * (_TILE + _GAP) + rest + 8

    def _others(self, path: str) -> int:
        """Return the number of channels of a layer that are not shown."""
        return self.names.graph.shape(path)[0] - len(self.found.layers[path])

    def _layer(self, path: str, x: float, top: float, colour: str) -> list[str]:
        """Draw the maps of a layer on one scale, with its name, its channels, and how many are not shown."""
        maps = self.found.layers[path]
        largest = max(one.heat.high for one in maps)
        count = f"{len(maps):,} of {self.names.graph.shape(path)[0]:,}"
        if self.layout is _WIDE:
            count += f" · 0 to {fmt.number(largest)}"
        body = [
            svg.rect(x, top + 3, 10, 10, colour),
            svg.text(x + 14, top + 12, self._layer_name(path), size=12, weight=600),
            f'<g transform="translate({x:.1f} {top + 27:.1f})">{_label(count)}</g>',
        ]
        for number, one in enumerate(maps):
            y = top + _HEAD + number * (_TILE + _GAP)
            self.places[map_id(one.unit)] = (x, y)
            body.append(self._tile(one, x, y, largest))
        if others := self._others(path):
            y = top + _HEAD + len(maps) * (_TILE + _GAP) + 12
            body.append(svg.text(x, y, f"+ {others:,}", size=11, faint=True))
            self.rests[path] = (x + _TILE, y - 4)
        return body

    def _layer_name(self, path: str) -> str:
        """Return the name of a layer within the module."""
        if path == self.input_path:
            return "input"
        row = self.names.graph.row(path)
        if row.kind != "conv":
            return f"{fmt.size(row.window.kernel)} pool"
        if self.layout is _NARROW and sum(other.branch == row.branch for other in self.rows) > 2:
            return path.rpartition(".")[2]  # three names do not fit beside each other
        return self.names.layer(path).removeprefix(f"{self.found.block} ")

    def _tile(self, one: SourcedMap, x: float, y: float, largest: float) -> str:
        identity, (height, width) = map_id(one.unit), one.heat.size
        side = _TILE / max(height, width)
        picture = map_images.amount_png(one.heat, largest) if one.heat.low >= 0 else map_images.heat_png(one.heat)
        return (
            f'<g data-map="{identity}">{map_images.image(x, y, width * side, height * side, picture)}'
            f"{map_images.choice(identity, self.sentence(one), x, y, _TILE, _TILE, tooltip=False)}</g>"
        )

    # ── lines ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _lines(self) -> list[str]:
        """Return a line per contribution, and one per map into the concatenation. Call it after the maps are placed."""
        lines = []
        for one in self._made():
            to, largest = map_id(one.unit), self._largest(one)
            for source in one.sources:
                start = self.places[_source_id(source)]
                link = f"{_source_id(source)} {to}"
                lines.append(self._line(_right(start), self.places[to], source.contribution, largest, link))
            if one.rest_count:
                start = self.rests[self.names.graph.source(one.unit.path)]
                lines.append(self._line(start, self.places[to], one.rest, largest, to))
        return lines

    def _made(self) -> list[SourcedMap]:
        """Return all maps that are made of others."""
        return [one for maps in self.found.layers.values() for one in maps if one.sources or one.rest_count]

    def _largest(self, one: SourcedMap) -> float:
        return max([abs(source.contribution) for source in one.sources] + [abs(one.rest)]) or 1.0

    def _line(
        self, start: tuple[float, float], end: tuple[float, float], value: float, largest: float, link: str
    ) -> str:
        """Return a line whose width is in proportion to a contribution; a dashed one subtracts."""
        colour = self.theme.better if value >= 0 else self.theme.worse
        dash = "" if value >= 0 else ' stroke-dasharray="5 3"'
        width = 1 + 4 * abs(value) / largest
        style = f"--line-colour:{colour};--line-width:{width:.1f}"
        return _curve(start, (end[0], end[1] + _TILE / 2), f'class="edge" data-link="{link}" style="{style}"{dash}')

    def _amounts(self) -> list[str]:
        """Return each contribution as a number beside its source; those of one map are shown with it."""
        texts = []
        for one in self._made():
            to = map_id(one.unit)
            if one.sources and not one.rest_count and len(one.sources) == 1:
                continue  # a pool has no sum
            for source in one.sources:
                x, y = _right(self.places[_source_id(source)])
                texts.append(_amount(x, y, signed(source.contribution), to))
            if one.rest_count:
                x, y = self.rests[self.names.graph.source(one.unit.path)]
                texts.append(_amount(x, y, signed(one.rest), to))
        return texts

    def _concatenation(self, height: float) -> list[str]:
        """Draw the concatenation as a bar with its branches in proportion, and a line from each map to its channel."""
        top, x, width = _HEAD, self.layout.bar, self.layout.bar_width
        room = height - top - 8
        name = "concat" if width < 20 else "concatenation"
        end = x + width
        body = [svg.text(end, 12, name, anchor="end", size=12, weight=600)]
        body.append(svg.text(end, 27, f"{self.channels:,} channels", anchor="end", size=11, faint=True))
        for block in self.blocks.values():
            y, high = self._bar_place(block, room)
            hint = f"{BRANCH_NAMES[block.branch]}: channels {block.first:,} to {block.last:,}"
            body.append(svg.rect(x, top + y, width, high - 1, palette.BRANCH[block.branch], hint=hint))
        for path, maps in self.found.layers.items():
            if path not in self.blocks:
                continue
            block = self.blocks[path]
            for one in maps:
                identity, channel = map_id(one.unit), block.first + one.unit.channel
                y = top + room * (channel + 0.5) / self.channels
                style = f"--line-colour:{palette.BRANCH[block.branch]};--line-width:2"
                attributes = f'class="edge" data-link="{identity}" style="{style}"'
                body.append(_curve(_right(self.places[identity]), (x, y), attributes))
                name = f"channel {channel:,}"
                body.append(_amount(x - 8 - fonts.width(name, _SMALL, bold=True), y, name, identity))
        return body

    def _bar_place(self, block: ChannelBlock, room: float) -> tuple[float, float]:
        return room * block.first / self.channels, room * (block.last - block.first + 1) / self.channels

    # ── sentences ──────────────────────────────────────────────────────────────────────────────────────────────────

    def sentence(self, one: SourcedMap) -> str:
        """Return what the largest value of a map is made of."""
        unit = one.unit
        if unit.path == self.input_path:
            name = self.names.source(self.rows[0].path, unit.channel)
            return f"{name}, in the input. Its largest value is {fmt.number(one.value)}."
        name, row = self.names.channel(unit), self.names.graph.row(unit.path)
        place = f"{name}. Its largest value, {fmt.number(one.value)}, is at row {unit.row}, column {unit.column}."
        if row.kind != "conv":
            return f"{place} It is the largest value in a window of {self._source_name(one, one.sources[0])}."
        named = one.sources[:_MOST_NAMED]
        terms = [f"{signed(source.contribution)} from {self._source_name(one, source)}" for source in named]
        others = len(one.sources) - len(named) + one.rest_count
        if others:
            rest = one.rest + sum(source.contribution for source in one.sources[_MOST_NAMED:])
            terms.append(f"{signed(rest)} from {others:,} other{'s' if others > 1 else ''}")
        joined = f"{', '.join(terms[:-1])} and {terms[-1]}" if len(terms) > 1 else terms[0]
        return f"{place} The sum before {_next_step(row)}: {joined}."

    def _source_name(self, one: SourcedMap, source: Source) -> str:
        return self.names.source(one.unit.path, source.channel)


def map_id(unit: Unit) -> str:
    """Return the id of a map in the drawing."""
    return f"{unit.path}:{unit.channel}"


def _source_id(source: Source) -> str:
    return f"{source.path}:{source.channel}"


def _right(place: tuple[float, float]) -> tuple[float, float]:
    """Return the middle of a map's right side."""
    return place[0] + _TILE, place[1] + _TILE / 2


def _curve(start: tuple[float, float], end: tuple[float, float], attributes: str) -> str:
    (x1, y1), (x2, y2) = start, end
    middle = (x1 + x2) / 2
    return f'<path {attributes} d="M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"/>'


def _amount(x: float, y: float, text: str, of: str) -> str:
    """Return a text that is shown with the map ``of``, right of a point."""
    place = f'transform="translate({x + 4:.1f} {y + 4:.1f})"'
    return f'<g class="amount" data-of="{of}" {place}>{_label(text, strong=True)}</g>'


def _label(text: str, *, strong: bool = False) -> str:
    """Return a text on an opaque box, so that no line shines through it."""
    width = fonts.width(text, _SMALL, strong) + 4
    ground = f'<rect class="ground" x="-2" y="-11" width="{width:.1f}" height="14"/>'
    return ground + svg.text(0, 0, text, size=_SMALL, weight=600 if strong else 400)


def _next_step(row: LayerRow) -> str:
    """Return what follows the sum of a convolution."""
    return "BatchNorm" if row.norm else "the bias" if row.biases else "the ReLU"
