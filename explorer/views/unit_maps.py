"""Where one output value is, as SVG: in the maps around it, in the concatenation, and on a walk to a pixel."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from explorer.jobs.units import UnitReport
from explorer.units import INPUT, Unit
from explorer.views import map_images, palette, svg
from explorer.views.labels import BRANCH_NAMES
from explorer.views.unit_names import Names, unit_colour

SIDE = 190  # pixels of a map
WIDTH = 470
_BOX, _BOX_HEIGHT = 96, 40
_EDGE = 2  # pixels around a map: half of a frame's line


def concatenation_chart(report: UnitReport, names: Names) -> str:
    """Return where the value is in the concatenation of its module; empty if it does not go into one directly."""
    joined = names.graph.concatenation(report.unit.path)
    if joined is None:
        return ""
    concat, own = joined
    total = names.graph.shape(concat)[0]
    at = own.first + report.unit.channel
    body = []
    for block in names.graph.channel_blocks(concat):
        x, width = WIDTH * block.first / total, WIDTH * (block.last - block.first + 1) / total
        name = BRANCH_NAMES.get(block.branch, block.branch)
        fill = palette.BRANCH.get(block.branch, palette.PLAIN)
        body.append(svg.rect(x, 30, width - 1, 24, fill, hint=f"{name}: channels {block.first:,} to {block.last:,}"))
        if width > 34:
            body.append(svg.text(x + width / 2, 47, name, anchor="middle", colour=palette.text_on(fill)))
    here = WIDTH * (at + 0.5) / total
    body.append(svg.line(here, 24, here, 60, width=3))
    anchor = "start" if here < 60 else "end" if here > WIDTH - 60 else "middle"
    body.append(svg.text(here, 76, f"channel {at:,}", anchor=anchor, weight=600))
    module = names.graph.row(concat).module
    title = f"In the concatenation of {module}: channel {at:,} of {total:,}"
    return svg.chart(WIDTH, 84, title, f"{title}, in the {BRANCH_NAMES.get(own.branch, own.branch)} branch.", body)


def walk_chart(walk: Sequence[Unit], current: int, names: Names) -> str:
    """Return a walk from a value to a pixel as boxes; the one in view is filled. Each is selectable by its number.

    Each box is an SVG of its own, so that the boxes wrap on a narrow page.
    """
    boxes = "".join(_box(walk, place, names, strong=place == current) for place in range(len(walk)))
    alt = f"The walk from {names.unit(walk[0])} to {names.unit(walk[-1])} in {len(walk) - 1} steps"
    return f'<div class="boxes" role="group" aria-label="{escape(alt)}">{boxes}</div>'


def _box(walk: Sequence[Unit], place: int, names: Names, *, strong: bool) -> str:
    unit = walk[place]
    fill = unit_colour(unit, names.graph)
    ink = palette.text_on(fill) if strong else ""
    first, second = _box_lines(unit, names)
    body = [
        svg.rect(2, 2, _BOX, _BOX_HEIGHT, fill, opacity=1 if strong else 0.16),
        svg.text(2 + _BOX / 2, 19, first, anchor="middle", size=12, weight=600, colour=ink),
        svg.text(2 + _BOX / 2, 34, second, anchor="middle", size=11, colour=ink),
        svg.text(_BOX + 11, 27, "←" if place + 1 < len(walk) else "", anchor="middle", faint=True),
        map_images.choice(str(place), names.unit(unit), 2, 2, _BOX, _BOX_HEIGHT),
    ]
    width, height = _BOX + 20, _BOX_HEIGHT + 4
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-size="13" fill="currentColor" '
        f'font-family="inherit">{"".join(body)}</svg>'
    )


def _box_lines(unit: Unit, names: Names) -> tuple[str, str]:
    """Return the two lines on the box of a unit."""
    name = names.channel(unit)
    if name.startswith("class "):
        return "class", name.removeprefix("class ")[:15]
    if unit.path == INPUT:
        return "pixel", f"({unit.row}, {unit.column})"
    position = f" ({unit.row}, {unit.column})" if len(names.graph.shape(unit.path)) == 3 else ""
    return names.layer(unit.path).removeprefix("stem "), f"{unit.channel:,}{position}"


class MapPart(NamedTuple):
    """A panel of :func:`position_maps`: title, PNG, and the size of the map in positions (rows, columns)."""

    title: str
    png: bytes
    size: tuple[int, int]


def position_maps(report: UnitReport, names: Names) -> str:
    """Return the network input, the input channel and the output channel, with what the value reads marked in each.

    The output map has the attributes that ``position_maps.js`` needs to move the window with the pointer.
    """
    parts = [_image_panel(report, names)]
    if report.input_map and report.window:
        source = names.source(report.unit.path, report.window.channel)
        parts.append(
            _map_panel(report, names, MapPart(source, map_images.heat_png(report.input_map), report.input_map.size))
        )
    if report.output_map and report.unit.path != INPUT:
        title = names.channel(report.unit)
        parts.append(
            _output_panel(report, names, MapPart(title, map_images.heat_png(report.output_map), report.output_map.size))
        )
    return f'<div class="row">{"".join(parts)}</div>'


def _scale(size: tuple[int, int], padding: int = 0) -> float:
    """Return the pixels of one position."""
    return SIDE / (max(size) + 2 * padding)


def _panel(part: MapPart, alt: str, marks: str, attributes: str = "", padding: int = 0) -> str:
    """Return one panel as an SVG of its own, so that panels wrap on a narrow page; around the map is its padding."""
    scale = _scale(part.size, padding)
    height, width = part.size[0] * scale, part.size[1] * scale
    edge = padding * scale
    title = part.title if len(part.title) <= 27 else f"{part.title[:26]}…"
    body = [
        svg.text(0, 14, title, weight=600),
        f'<g transform="translate({_EDGE + edge:.2f} {24 + edge:.2f})"{attributes}>',
        map_images.image(0, 0, width, height, part.png),
        _outline(-edge, -edge, width + 2 * edge, height + 2 * edge) if padding else "",
        marks,
        "</g>",
    ]
    return svg.chart(SIDE + 2 * _EDGE, height + 2 * edge + 28, "", alt, body)


def _outline(x: float, y: float, width: float, height: float) -> str:
    """Return the dashed edge of the padding."""
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="none" stroke="currentColor" '
        'stroke-dasharray="3 3" opacity="0.6"/>'
    )


def frame(name: str, x: float, y: float, width: float, height: float) -> str:
    """Return a frame that is visible on any colour: white on black."""
    place = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="none"'
    lines = "".join(
        f'<rect {place} stroke="{ink}" stroke-width="{width}"/>' for ink, width in (("#000", 4), ("#fff", 2))
    )
    return f'<g class="{name}">{lines}</g>'


def _image_panel(report: UnitReport, names: Names) -> str:
    sides = names.graph.shape(INPUT)[1:]
    size = (sides[0], sides[1])
    scale = _scale(size)
    field = names.graph.receptive_field(report.unit)
    marks, seen = "", "All of it is in its receptive field."
    if report.unit.path == INPUT:
        marks = frame("pixel", report.unit.column * scale, report.unit.row * scale, max(scale, 4), max(scale, 4))
        seen = f"The pixel is at {names.unit(report.unit).removeprefix('pixel, ')}."
    elif field:
        left, top, side = field
        right, bottom = min(left + side, size[1]), min(top + side, size[0])
        left, top = max(left, 0), max(top, 0)
        marks = frame("field", left * scale, top * scale, (right - left) * scale, (bottom - top) * scale)
        seen = f"Its receptive field is {side:g} pixels wide."
    pixel = report.causes[-1] if report.causes else None
    if pixel:
        marks += svg.dot((pixel.column + 0.5) * scale, (pixel.row + 0.5) * scale, palette.AUX, 4)
    return _panel(MapPart("Network input", report.input_png, size), f"The network input. {seen}", marks)


def _map_panel(report: UnitReport, names: Names, part: MapPart) -> str:
    """Return the input channel, with its padding, and the window that the value reads."""
    window = report.window
    assert window  # it belongs to the map
    padding = names.graph.row(report.unit.path).padding or 0
    scale = _scale(part.size, padding)
    height, width = len(window.values), len(window.values[0])
    marks = frame("window", window.left * scale, window.top * scale, width * scale, height * scale)
    alt = f"Input channel {part.title}. The window begins at row {window.top}, column {window.left}."
    attributes = f' class="input-map" data-scale="{scale:.4f}"'
    return _panel(part, alt, marks, attributes, padding)


def _output_panel(report: UnitReport, names: Names, part: MapPart) -> str:
    """Return the output channel with the value marked; its position can be moved."""
    scale, unit = _scale(part.size), report.unit
    row = names.graph.row(unit.path)
    stride, padding = (row.stride or 1, row.padding or 0) if row.stride is not None else (0, 0)
    if row.kind == "lrn":
        stride = 1
    alt = f"Output channel {part.title}: row {unit.row} of {part.size[0]}, column {unit.column} of {part.size[1]}"
    attributes = (
        f' class="output-map" data-scale="{scale:.4f}" data-rows="{part.size[0]}" data-columns="{part.size[1]}" '
        f'data-row="{unit.row}" data-column="{unit.column}" data-stride="{stride}" data-padding="{padding}" '
        f'aria-label="{escape(alt)}. The arrow keys move it."'
    )
    return _panel(part, alt, frame("here", unit.column * scale, unit.row * scale, scale, scale), attributes).replace(
        'role="img"', 'role="group"', 1
    )
