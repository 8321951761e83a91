"""The receptive field of one position, growing on the image block by block."""

from typing import NamedTuple

from explorer.analysis import NetworkSummary
from explorer.views import fonts, palette, svg
from explorer.views import formatting as fmt
from explorer.views.field_charts import scene
from explorer.views.heroes.timeline import NARROW, WIDE, Hero, Picture, between, change, hero, rising


class _Layout(NamedTuple):
    """The size of the picture, and its two parts.

    ``base``, ``bars`` and ``highest`` are of the bars: their foot, the width of all, and the height of the largest.
    ``square``, ``left`` and ``top`` are of the image, in which the largest field fits. With ``staggered`` every second
    name of a bar is one line lower.
    """

    width: float
    height: float
    base: float
    bars: float
    highest: float
    square: float
    left: float
    top: float
    staggered: bool = False


_LAYOUTS = (
    _Layout(WIDE, 330, base=290, bars=730, highest=250, square=310, left=790, top=10),
    _Layout(NARROW, 500, base=210, bars=NARROW, highest=165, square=236, left=82, top=258, staggered=True),
)
_EACH = 0.8  # seconds per block
_NOW = palette.SERIES[0]


def growth(summary: NetworkSummary, *, shows_last: bool) -> Hero:
    """Draw the receptive field after each block as a bar, and as a window on the image, to scale.

    The last module is left open unless ``shows_last``, because it is the answer to the lesson's first question.
    """
    fields = _fields(summary)
    names = list(fields)
    last = summary.config.modules[-1].name
    if not shows_last:
        fields = {name: field for name, field in fields.items() if names.index(name) < names.index(last)}
    side = max(summary.config.input_shape[1:])
    steps = [(number * _EACH, _sentence(name, fields.get(name), side)) for number, name in enumerate(names)]
    sizes = ", ".join(f"{field} pixels after {name}" for name, field in fields.items())
    wide, narrow = (Picture(at.width, at.height, _body(names, fields, side, at)) for at in _LAYOUTS)
    return hero(f"The receptive field grows: {sizes}.", wide, narrow, len(names) * _EACH + 0.4, steps)


def _body(names: list[str], fields: dict[str, int], side: int, at: _Layout) -> list[str]:
    """Draw the bars and the window; names without a field stay open."""
    most = max(*fields.values(), side)
    unit = at.highest / most
    body = [svg.text(0, 18, "receptive field along one side, in pixels", size=14), *_limit(side, unit, at)]
    body += [_bar(number, name, fields.get(name), at.bars / len(names), unit, at) for number, name in enumerate(names)]
    return [*body, *_window(list(fields.values()), side, most, at)]


def _sentence(name: str, field: int | None, side: int) -> str:
    if field is None:
        return f"And after {name}? Predict first."
    size = f"{fmt.exact(field)} × {fmt.exact(field)}"
    return f"After {name}, one position sees {size} pixels{', more than the image has' if field > side else ''}."


def _fields(summary: NetworkSummary) -> dict[str, int]:
    """Return the receptive field after each layer of the stem that enlarges it, and after each module and pool."""
    found = {}
    for row in summary.rows:
        if row.aux is None and row.module != "classifier":
            name = row.path.rpartition(".")[2] if row.module == "stem" else row.module
            found[name] = row.receptive_field
    values = list(found.items())
    return {name: field for (name, field), before in zip(values, [("", 0), *values], strict=False) if field > before[1]}


def _limit(side: int, unit: float, at: _Layout) -> list[str]:
    y = at.base - side * unit
    return [svg.line(0, y, at.bars, y, dash="5 4"), svg.text(4, y - 6, f"the image: {side}", size=14)]


def _bar(number: int, name: str, field: int | None, step: float, unit: float, at: _Layout) -> str:
    x, begin = number * step, number * _EACH
    middle, lower = x + step / 2, 18 if at.staggered and number % 2 else 0
    label = svg.text(
        max(middle, fonts.width(name, 14) / 2),
        at.base + 18 + lower,
        name,
        anchor="middle",
        size=13 if step < 46 else 14,
    )
    if field is None:
        return label + svg.text(middle, at.base - 12, "?", anchor="middle", weight=700, size=26)
    height = field * unit
    gap = min(4, step / 8)
    bar = rising(x + gap, at.base - height, step - 2 * gap, height, _NOW, begin, _EACH * 0.8)
    value = svg.text(middle, at.base - height - 6, fmt.exact(field), anchor="middle", weight=600, size=13)
    return label + bar + between(begin + _EACH * 0.5, begin + 99, value)


def _window(fields: list[int], side: int, most: int, at: _Layout) -> list[str]:
    """Return the image, to scale, and the window of one position in its middle that grows from field to field."""
    scale = at.square / most
    middle_x, middle_y, image = at.left + at.square / 2, at.top + at.square / 2, side * scale
    parts = [scene(middle_x - image / 2, middle_y - image / 2, image, image)]
    moves, before = [], 0
    for number, field in enumerate(fields):
        half_before, half = before * scale / 2, field * scale / 2
        begin = number * _EACH
        moves += [
            change("x", middle_x - half_before, middle_x - half, begin, _EACH * 0.8),
            change("y", middle_y - half_before, middle_y - half, begin, _EACH * 0.8),
            change("width", 2 * half_before, 2 * half, begin, _EACH * 0.8),
            change("height", 2 * half_before, 2 * half, begin, _EACH * 0.8),
        ]
        before = field
    square = f'<rect x="{middle_x:.1f}" y="{middle_y:.1f}" width="0" height="0" fill="none"'
    animated = "".join(moves)
    return [
        *parts,
        f'{square} stroke="#ffffff" stroke-width="6" opacity="0.8">{animated}</rect>',
        f'{square} stroke="{_NOW}" stroke-width="3">{animated}</rect>',
    ]
