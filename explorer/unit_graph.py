"""Which unit (:mod:`explorer.units`) reads which others, in a network described by its summary.

Some layers only pass numbers on (dropout at inference, flattening, concatenation); :meth:`NetworkGraph.input_unit`
goes through them to the layer that computed the number.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from explorer.analysis import summarize
from explorer.arithmetic import adaptive_windows
from explorer.config import GoogLeNetConfig
from explorer.errors import InputError
from explorer.summary import LayerRow, NetworkSummary, Shape
from explorer.units import INPUT, Place, Unit

PASSING_KINDS = ("concat", "dropout")  # of layers that pass numbers on and compute none
LRN_SIZE = 5  # neighbouring channels that local response normalization adds up
MAX_STEPS = 256  # of a walk in a link
_UNIT = re.compile(r"([a-z0-9_]+(?:\.[a-z0-9_]+)*):(\d{1,5}):(\d{1,4}):(\d{1,4})")


class InputWindow(NamedTuple):
    """The part of a layer's input that one output position reads, in positions; it may begin or end in the padding."""

    top: int
    left: int
    height: int
    width: int


class ChannelBlock(NamedTuple):
    """The channels ``first`` to ``last`` (inclusive) of a concatenation, and the layer that computes them."""

    path: str
    branch: str
    first: int
    last: int


class NetworkGraph:
    """Which layer reads the output of which other, in a network described by its summary."""

    def __init__(self, summary: NetworkSummary) -> None:
        self.summary = summary
        self._sources: dict[str, str] = {}
        self._blocks: dict[str, tuple[ChannelBlock, ...]] = {}
        trunk = INPUT
        ends: dict[str, LayerRow] = {}  # the last layer so far of each branch of a module, or of a head
        for row in summary.rows:
            line = (row.aux and f"aux_{row.aux}") or row.branch
            if line:
                self._sources[row.path] = ends[line].path if line in ends else trunk
                ends[line] = row
            elif row.kind == "concat":
                branches = summary.config.module(row.module).branches
                self._blocks[row.path] = _channel_blocks([ends[branch] for branch in branches])
                self._sources[row.path] = trunk
                trunk, ends = row.path, {}
            else:
                self._sources[row.path] = trunk
                trunk = row.path

    def row(self, path: str) -> LayerRow:
        """Return the row of a layer. Raises KeyError for ``input`` and for an unknown path."""
        return self.summary.by_path[path]

    @property
    def paths(self) -> tuple[str, ...]:
        """The layers that compute something, in order."""
        return tuple(row.path for row in self.summary.rows if row.kind not in PASSING_KINDS)

    def last_layer(self, path: str) -> str:
        """Return the path itself, or of a branch (``inception_4a.branch_3x3``) that of its last layer."""
        return next((row.path for row in reversed(self.summary.rows) if row.path.startswith(f"{path}.")), path)

    def source(self, path: str) -> str:
        """Return the path whose output a layer reads; of a concatenation, what its branches read."""
        return self._sources[path]

    def channel_blocks(self, path: str) -> tuple[ChannelBlock, ...]:
        """Return the channels of each branch in a concatenation, in order; empty for another layer."""
        return self._blocks.get(path, ())

    def shape(self, path: str) -> Shape:
        """Return the shape of an output, C × H × W or one number; of ``input`` the shape of an image."""
        return self.summary.config.input_shape if path == INPUT else self.row(path).out_shape

    def concatenation(self, path: str) -> tuple[str, ChannelBlock] | None:
        """Return the concatenation that a layer's output goes into, and its channels there; None if it goes elsewhere.

        Only the last layer of a branch goes into one.
        """
        for concat, blocks in self._blocks.items():
            for block in blocks:
                if block.path == path:
                    return concat, block
        return None

    def input_unit(self, path: str, place: Place) -> Unit:
        """Return the unit behind a number in the input of a layer: what computed it, or the pixel it is."""
        source = self._computed_by(self.source(path))
        shape = self.shape(source)
        if self.row(path).kind == "linear" and len(shape) == 3:
            channel, position = divmod(place.channel, shape[1] * shape[2])
            place = Place(channel, *divmod(position, shape[2]))
        for block in self.channel_blocks(source):
            if block.first <= place.channel <= block.last:
                return Unit(block.path, place.channel - block.first, place.row, place.column)
        return Unit(source, *place)

    def place_in_input(self, path: str, unit: Unit) -> Place | None:
        """Return where a unit is in the input of a layer; None if the layer does not read it."""
        source = self._computed_by(self.source(path))
        channel = unit.channel + sum(block.first for block in self.channel_blocks(source) if block.path == unit.path)
        place, shape = Place(channel, unit.row, unit.column), self.shape(source)
        if self.row(path).kind == "linear" and len(shape) == 3:
            place = Place((channel * shape[1] + unit.row) * shape[2] + unit.column)
        return place if self._contains(path, place) and self.input_unit(path, place) == unit else None

    def _computed_by(self, path: str) -> str:
        """Return the layer before any dropout, which passes all numbers on at inference."""
        while path != INPUT and self.row(path).kind == "dropout":
            path = self.source(path)
        return path

    def _contains(self, path: str, place: Place) -> bool:
        """Whether a place is within the input of a layer."""
        channels, *sides = self.row(path).in_shape
        height, width = sides or (1, 1)
        return 0 <= place.channel < channels and 0 <= place.row < height and 0 <= place.column < width

    def reads(self, reader: Unit, unit: Unit) -> bool:
        """Whether a unit is among the inputs of another one."""
        if reader.path == INPUT:
            return False
        row, place = self.row(reader.path), self.place_in_input(reader.path, unit)
        if place is None:
            return False
        if row.kind == "linear":
            return True
        if row.kind == "lrn":
            return (place.row, place.column) == (reader.row, reader.column) and place.channel in lrn_channels(
                reader.channel, row.in_shape[0]
            )
        window = input_window(row, reader.row, reader.column)
        is_inside = (
            window.top <= place.row < window.top + window.height
            and window.left <= place.column < window.left + window.width
        )
        return is_inside and (row.kind == "conv" or place.channel == reader.channel)

    def receptive_field(self, unit: Unit) -> tuple[float, float, float] | None:
        """Return left, top and side of a unit's receptive field in pixels, along the path where it is largest.

        It may begin and end outside of the image. None where it is the whole image, or has no common distance.
        """
        if unit.path == INPUT:
            return None
        row = self.row(unit.path)
        if len(row.out_shape) != 3 or row.jump is None or row.module == "classifier":
            return None
        start, path = 0.0, unit.path
        while path != INPUT:  # back through the layers: the centre of the first position
            layer = self.row(path)
            if layer.kind in ("conv", "max_pool", "avg_pool") and layer.kernel and layer.padding is not None:
                jump = layer.spacing // (layer.stride or 1)
                start += ((layer.kernel[0] - 1) / 2 - layer.padding) * jump
            path = self.source(path)
        side = row.receptive_field
        centre_x, centre_y = start + unit.column * row.spacing, start + unit.row * row.spacing
        return centre_x - (side - 1) / 2, centre_y - (side - 1) / 2, float(side)

    def has(self, unit: Unit) -> bool:
        """Whether the network computes such a unit, or it is a number of the network input."""
        if unit.path != INPUT and (unit.path not in self.summary.by_path or self.row(unit.path).kind in PASSING_KINDS):
            return False
        channels, *sides = self.shape(unit.path)
        height, width = sides or (1, 1)
        return unit.channel < channels and unit.row < height and unit.column < width


def _channel_blocks(ends: Sequence[LayerRow]) -> tuple[ChannelBlock, ...]:
    """Return the channels that each branch has in the concatenation, given its last layer."""
    blocks, first = [], 0
    for row in ends:
        blocks.append(ChannelBlock(row.path, row.branch or "", first, first + row.out_shape[0] - 1))
        first += row.out_shape[0]
    return tuple(blocks)


@lru_cache(maxsize=16)
def graph_of(config: GoogLeNetConfig) -> NetworkGraph:
    """Return the graph of a network. Raises UnbuildableError for a config with problems."""
    return NetworkGraph(summarize(config))


def input_window(row: LayerRow, at_row: int, at_column: int) -> InputWindow:
    """Return the window of a convolution or a pool at an output position."""
    if row.stride is None or row.padding is None or row.kernel is None:  # adaptive pooling: windows of different sizes
        sides = zip(row.in_shape[1:], row.out_shape[1:], (at_row, at_column), strict=True)
        down, across = (adaptive_windows(size, out)[at] for size, out, at in sides)
        return InputWindow(down.start, across.start, len(down), len(across))
    (height, width), stride, padding = row.kernel, row.stride, row.padding
    return InputWindow(at_row * stride - padding, at_column * stride - padding, height, width)


def lrn_channels(channel: int, channels: int) -> range:
    """Return the channels whose squares local response normalization adds up for one channel."""
    return range(max(0, channel - LRN_SIZE // 2), min(channels, channel + LRN_SIZE // 2 + 1))


def from_link(text: str, graph: NetworkGraph) -> tuple[Unit, ...]:
    """Return the walk in a link. Raises InputError if the network has no such units, or if one is no input of the last.

    The link may come from anybody, and from another network.
    """
    parts = text.split("~")
    if len(parts) > MAX_STEPS:
        raise InputError(f"The link has {len(parts):,} steps; a walk has at most {MAX_STEPS}.")
    walk = []
    for part in parts:
        match = _UNIT.fullmatch(part)
        unit = Unit(match[1], *map(int, match.groups()[1:])) if match else None
        if unit is None or not graph.has(unit):
            raise InputError(f"This network has no value “{part[:60]}”, which the link names.")
        walk.append(unit)
    for reader, unit in pairwise(walk):
        if not graph.reads(reader, unit):
            raise InputError(f"In this network {reader.path} does not read {unit.path} there, as the link claims.")
    return tuple(walk)
