"""The intermediate maps of a convolution as a line: each input channel × its kernel, added up to the output map.

The maps of single channels share one colour scale, the larger sums another, so those of one kind can be compared.
"""

from collections.abc import Sequence

from explorer.jobs.inspection import Heat, Size
from explorer.jobs.units import ChannelMap, UnitReport
from explorer.views import formatting as fmt
from explorer.views import map_images, palette, shown_digits, svg
from explorer.views.shown_digits import digits
from explorer.views.unit_maps import frame
from explorer.views.unit_names import Names

MAP = 64  # pixels of a map
_SIGN = 22  # pixels of a sign between two of them
_TOP = 24
_LEAST_FRAME = 6  # pixels: so that one position of a large map is seen


def channel_maps_line(report: UnitReport, names: Names) -> str:
    """Return the maps of the strongest input channels, of the others together, and their sum; empty without any.

    A single input channel needs no sum.
    """
    maps = report.channel_maps
    if maps is None:
        return ""
    largest = _largest([one.intermediate for one in maps.strongest])
    numbers, sign = _written(report)
    parts = [
        _channel(one, number, largest, report, names) for one, number in zip(maps.strongest, numbers, strict=False)
    ]
    if len(numbers) > 1:
        parts = ["<b>+</b>".join([*parts, *_others(report)]), f"<b>{sign}</b>", _total(report)]
        heading = f"Each input channel × its kernel, added up to the output map before {_next_step(report)}"
    else:
        heading = f"The input channel × its kernel is the output map before {_next_step(report)}"
    return (
        f'<p class="heading">{heading}</p><div class="line" role="group" '
        f'aria-label="{heading}. At {_where(report)}: {_in_words(report)}">{"".join(parts)}</div>'
    )


def reading(report: UnitReport) -> str:
    """Return how to read the line of intermediate maps; empty without one."""
    maps = report.channel_maps
    if maps is None:
        return ""
    count = len(maps.strongest)
    which = f"the {count} input channels that contribute most" if count > 1 else "the input channel"
    return (
        f"The maps below show {which} at the marked position. The number below a map is its value there. Single "
        "channels share one colour scale, sums another."
    )


def _contributions(report: UnitReport) -> list[float]:
    """Return what each of the strongest channels adds at the position, then all others together if there are any."""
    maps = report.channel_maps
    assert maps  # the line has been asked for
    by_channel = {term.channel: term.contribution for term in report.terms}
    shown = [by_channel[one.channel] for one in maps.strongest]
    return [*shown, report.steps[0].result - sum(shown)] if maps.others else shown


def _written(report: UnitReport) -> tuple[list[str], str]:
    """Return what the channels add, in as many digits as their sum needs, and ``=``, or ``≈`` if even many differ."""
    values = _contributions(report)
    count = shown_digits.enough(values, lambda parts: fmt.number(sum(parts)), fmt.number(report.steps[0].result))
    return [digits(value, count or shown_digits.LEAST) for value in values], "=" if count else "≈"


def _in_words(report: UnitReport) -> str:
    """Return the sum at the marked position."""
    numbers, _ = _written(report)
    if report.channel_maps and report.channel_maps.others:
        numbers[-1] += f" from {report.channel_maps.other_count:,} others"
    return (
        f"{' plus '.join(numbers)} is {fmt.number(report.steps[0].result)}." if len(numbers) > 1 else f"{numbers[0]}."
    )


def _where(report: UnitReport) -> str:
    return f"row {report.unit.row}, column {report.unit.column}"


def _next_step(report: UnitReport) -> str:
    """Return what follows the sum of a convolution."""
    names = {"bias": "the bias", "batch_norm": "BatchNorm", "relu": "the ReLU"}
    return names[report.steps[1].code]


def _largest(heats: Sequence[Heat]) -> float:
    """Return the largest absolute value in maps that share a colour scale."""
    return max(max(heat.high, -heat.low) for heat in heats)


def _channel(one: ChannelMap, number: str, largest: float, report: UnitReport, names: Names) -> str:
    """Return an input map × its kernel = its intermediate map."""
    maps, name = report.channel_maps, names.source(report.unit.path, one.channel)
    assert maps  # the channel is one of them
    second, third = MAP + _SIGN, 2 * (MAP + _SIGN)
    body = [
        svg.text(0, 14, name if len(name) <= 32 else f"{name[:31]}…", weight=600),
        _map(0, maps.input_size, map_images.heat_png(one.input_map), _window_mark(maps.input_size, report)),
        _sign(second, "×"),
        _kernel(second, one.kernel),
        _sign(third, "="),
        _map(
            third,
            maps.output_size,
            map_images.signed_png(one.intermediate, largest),
            _cell_mark(maps.output_size, report),
        ),
        svg.text(third + MAP / 2, _TOP + MAP + 16, number, anchor="middle"),
    ]
    side = len(one.kernel)
    alt = f"{name}: its map × its {side}×{side} kernel = its intermediate map, which is {number} at {_where(report)}"
    return svg.chart(third + MAP, _TOP + MAP + 22, "", alt, body)


def _others(report: UnitReport) -> list[str]:
    """Return the map of all other channels together, if there are any."""
    maps = report.channel_maps
    if maps is None or maps.others is None:
        return []
    count, number = maps.other_count, _written(report)[0][-1]
    title = f"{count:,} other{'s' if count > 1 else ''}"
    alt = f"The intermediate maps of the {count:,} other input channels together: {number}"
    return [_sum(maps.others, title, alt, number, report)]


def _total(report: UnitReport) -> str:
    """Return the map of all channels."""
    maps, number = report.channel_maps, fmt.number(report.steps[0].result)
    assert maps  # the line has been asked for
    alt = f"Their sum, the output map before {_next_step(report)}: {number}"
    return _sum(maps.total, "Sum", alt, number, report)


def _sum(heat: Heat, title: str, alt: str, number: str, report: UnitReport) -> str:
    """Return a map that is the sum of several, with its value below it."""
    maps = report.channel_maps
    assert maps  # the map is one of them
    largest = _largest([maps.total, *filter(None, [maps.others])])
    body = [
        svg.text(0, 14, title, weight=600),
        _map(0, maps.output_size, map_images.signed_png(heat, largest), _cell_mark(maps.output_size, report)),
        svg.text(MAP / 2, _TOP + MAP + 16, number, anchor="middle"),
    ]
    return svg.chart(max(MAP, 7.4 * len(title)), _TOP + MAP + 22, "", f"{alt} at {_where(report)}", body)


def _map(x: float, size: Size, png: bytes, mark: str) -> str:
    """Return a map in a square of ``MAP`` pixels, or in a part of it if it is not square."""
    width, height = _drawn(size)
    return f'<g transform="translate({x:g} {_TOP})">{map_images.image(0, 0, width, height, png)}{mark}</g>'


def _drawn(size: Size) -> tuple[float, float]:
    """Return the width and the height in pixels of a map, whose size is in positions."""
    height, width = size
    return MAP * width / max(size), MAP * height / max(size)


def _sign(right: float, sign: str) -> str:
    """Return a sign in front of the map that begins at ``right``."""
    return svg.text(right - _SIGN / 2, _TOP + MAP / 2 + 5, sign, anchor="middle", size=16, weight=600)


def _window_mark(size: Size, report: UnitReport) -> str:
    """Mark what the value reads of an input map; its padding is outside of the map."""
    window = report.window
    assert window  # a convolution has one
    rows = range(max(window.top, 0), min(window.top + len(window.values), size[0]))
    columns = range(max(window.left, 0), min(window.left + len(window.values[0]), size[1]))
    return frame("here", *_place(size, rows, columns))


def _cell_mark(size: Size, report: UnitReport) -> str:
    """Mark the position of the value with a dark line, which all colours around near white set off."""
    row, column = report.unit.row, report.unit.column
    x, y, width, height = _place(size, range(row, row + 1), range(column, column + 1))
    place = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
    return f'<rect {place} fill="none" stroke="#111111" stroke-width="2"/>'


def _place(size: Size, rows: range, columns: range) -> tuple[float, float, float, float]:
    """Return x, y, width and height of a part of a map, large enough to be seen, and within the map."""
    scale = MAP / max(size)
    places = []
    for span, end in zip((columns, rows), _drawn(size), strict=True):
        length = max(len(span) * scale, _LEAST_FRAME)
        middle = (span.start + len(span) / 2) * scale
        places.append((min(max(middle - length / 2, 0), max(end - length, 0)), length))
    (x, width), (y, height) = places
    return x, y, width, height


def _kernel(x: float, kernel: Sequence[Sequence[float]]) -> str:
    """Return the weights of a kernel as colours, with the single weight of a 1×1 as a number."""
    largest = max(abs(weight) for row in kernel for weight in row)
    cell = MAP / len(kernel)
    cells = "".join(
        svg.rect(
            x + column * cell,
            _TOP + row * cell,
            cell - 1,
            cell - 1,
            map_images.signed_colour(weight, largest),
            hint=fmt.number(weight),
        )
        for row, weights in enumerate(kernel)
        for column, weight in enumerate(weights)
    )
    if len(kernel) > 1:
        return cells
    weight = kernel[0][0]
    ink = palette.text_on(map_images.signed_colour(weight, largest))
    return cells + svg.text(x + MAP / 2, _TOP + MAP / 2 + 4, fmt.number(weight), anchor="middle", colour=ink)
