"""One layer to try: the input with the window that slides over it, and the output, as SVG and in sentences."""

from html import escape

from explorer.lessons.sliding_window import SlidingWindow
from explorer.views import formatting as fmt
from explorer.views import formulas, palette, svg
from explorer.views.unit_maps import frame

SIDE = 252  # pixels of the input with its padding
_EDGE = 2  # pixels around a grid, for its frames
_TOP = 26
_MOST_READ = 0.85  # of the scale: its lightest colours are too near to a light page


def grids(layer: SlidingWindow, position: tuple[int, int]) -> str:
    """Return the input and the output, each an SVG; ``position`` is a row and a column of the output.

    They have the attributes that ``position_maps.js`` needs to move the window.
    """
    return f'<div class="large row">{_input(layer, position)}{_output(layer, position)}</div>'


def _input(layer: SlidingWindow, position: tuple[int, int]) -> str:
    """Return the input with its padding; the more windows read a position, the lighter it is."""
    whole = layer.size + 2 * layer.padding + layer.overhang
    cell = SIDE / whole
    edge = layer.padding * cell
    most = max(layer.reads) ** 2
    body = [svg.text(0, 14, f"Input {fmt.size((layer.size, layer.size))}{_padded(layer)}", weight=600)]
    body.append(f'<g class="input-map" data-scale="{cell:.4f}" transform="translate({_EDGE + edge} {_TOP + edge})">')
    body.append(_outline(-edge, layer.size * cell + 2 * edge) if layer.padding else "")
    for row, down in enumerate(layer.reads):
        for column, across in enumerate(layer.reads):
            body.append(_cell(row, column, cell, down * across / most if most else 0.0, down * across))
    if layer.out:
        top, left = (layer.start(place) * cell for place in position)
        body.append(frame("window", left, top, layer.kernel * cell, layer.kernel * cell))
    alt = f"The input. {_reading(layer, position)}" if layer.out else "The input."
    return svg.chart(SIDE + 2 * _EDGE, _TOP + SIDE + 2 * _EDGE, "", alt, [*body, "</g>"])


def _padded(layer: SlidingWindow) -> str:
    side = layer.size + 2 * layer.padding
    return f", padded {fmt.size((side, side))}" if layer.padding else ""


def _outline(start: float, side: float) -> str:
    """Return the dashed edge of the padding."""
    return (
        f'<rect x="{start:.2f}" y="{start:.2f}" width="{side:.2f}" height="{side:.2f}" fill="none" '
        'stroke="currentColor" stroke-dasharray="3 3" opacity="0.6"/>'
    )


def _cell(row: int, column: int, side: float, fraction: float, count: int) -> str:
    """Return a position of the input: coloured, or hollow where no window reads it."""
    hint = f"row {row}, column {column}: {'1 window reads' if count == 1 else f'{count} windows read'} it"
    place = f'x="{column * side + 0.5:.2f}" y="{row * side + 0.5:.2f}" width="{side - 1:.2f}" height="{side - 1:.2f}"'
    look = f'fill="{palette.scale(_MOST_READ * fraction)}"' if count else 'fill="transparent" stroke="currentColor"'
    return f"<rect {place} {look}><title>{hint}</title></rect>"


def _output(layer: SlidingWindow, position: tuple[int, int]) -> str:
    """Return the output with the marked position, which can be moved; a sentence where there is none."""
    if not layer.out:
        return ""
    whole = layer.size + 2 * layer.padding + layer.overhang
    cell = SIDE / whole  # the same as that of the input
    row, column = position
    alt = f"The output: row {row} of {layer.out}, column {column} of {layer.out}"
    side = layer.out * cell
    lines = "".join(
        f'<path d="M{at * cell:.2f} 0V{side:.2f}M0 {at * cell:.2f}H{side:.2f}" stroke="var(--st-background-color)"/>'
        for at in range(1, layer.out)
    )
    body = [
        svg.text(0, 14, f"Output {fmt.size((layer.out, layer.out))}", weight=600),
        f'<g class="output-map" transform="translate({_EDGE} {_TOP})" data-scale="{cell:.4f}" '
        f'data-rows="{layer.out}" data-columns="{layer.out}" data-row="{row}" data-column="{column}" '
        f'data-stride="{layer.stride}" data-padding="{layer.padding}" '
        f'aria-label="{escape(alt)}. The arrow keys move it.">',
        f'<rect class="cells" width="{side:.2f}" height="{side:.2f}" fill="{palette.PLAIN}"/>',
        lines,
        frame("here", column * cell, row * cell, cell, cell),
        "</g>",
    ]
    whole_side = side + 2 * _EDGE
    return svg.chart(SIDE + 2 * _EDGE, _TOP + whole_side, "", alt, body).replace('role="img"', 'role="group"', 1)


def formula(layer: SlidingWindow) -> str:
    """Return the size of the output with its numbers, as a line of code."""
    return formulas.window_size(layer.size, layer.kernel, layer.stride, layer.padding, rounds_up=layer.round_up)


def _reading(layer: SlidingWindow, position: tuple[int, int]) -> str:
    """Return what the value at an output position reads."""
    rows, columns = (_span(layer, place) for place in position)
    return f"Output row {position[0]}, column {position[1]} reads the rows {rows} and the columns {columns}."


def _span(layer: SlidingWindow, place: int) -> str:
    first = layer.start(place)
    last = min(first + layer.kernel, layer.size) - 1
    return f"{max(first, 0)} to {last}" if last > max(first, 0) else f"{last}"


def verdict(layer: SlidingWindow) -> str:
    """Return in sentences what the size of the output means for a concatenation, and what is not read."""
    if not layer.out:
        side = layer.size + 2 * layer.padding
        return f"The kernel does not fit: it needs {layer.kernel} positions, and the input has {side} with its padding."
    if layer.out == layer.size:
        text = "**The output has the size of the input.** It can be concatenated with the output of a 1×1."
    else:
        text = (
            f"**The output has {layer.out} positions along a side, the input {layer.size}.** It cannot be concatenated "
            f"with the output of a 1×1, which has {layer.size}."
        )
    if layer.unread:
        lines = "row and column are" if layer.unread == 1 else "rows and columns are"
        text += f" {layer.unread} {lines} read by no window."
    if layer.overhang:
        edge = "padding" if layer.padding else "input"
        text += (
            f" Rounding up adds a window that reaches beyond the {edge}; without it there would be "
            f"{layer.out_rounded_down}."
        )
    return text


def reading(layer: SlidingWindow) -> str:
    """Return how to read the grids: what the frame, the dashed edge and the colours mean."""
    frame_text = "the frame is the window that the marked output reads."
    if layer.padding and layer.round_up:  # only pools round up
        frame_text += " The dashed edge is the padding: a max pool pads with −∞, which is never the largest value."
    elif layer.padding:
        frame_text += " The dashed edge is the padding, which counts as 0."
    return f"{frame_text} The lighter a position of the input, the more windows read it; hollow ones are read by none."


def words(layer: SlidingWindow, position: tuple[int, int]) -> str:
    """Return the layer and the marked position in words, for a screen reader."""
    sizes = f"{fmt.size((layer.size, layer.size))} in, {fmt.size((layer.out, layer.out))} out."
    return f"{sizes} {_reading(layer, position)}" if layer.out else sizes
