"""The receptive field of one position, growing on the image block by block."""

from explorer.analysis import NetworkSummary
from explorer.views import formatting as fmt
from explorer.views import palette, svg
from explorer.views.field_charts import scene
from explorer.views.heroes.timeline import Hero, between, change, hero

_WIDTH, _HEIGHT = 1100, 330
_SQUARE = 310  # of the picture at the right, in which the largest field fits
_BASE, _BARS, _HIGHEST = 290, 730, 250  # of the bars: their foot, the width of all, and the height of the largest
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
    most = max(*fields.values(), side)
    step, unit = _BARS / len(names), _HIGHEST / most
    body = [svg.text(0, 18, "receptive field along one side, in pixels", size=14), *_limit(side, unit)]
    for number, name in enumerate(names):
        body.append(_bar(name, fields.get(name), number * step, step, unit, number * _EACH))
    body += _window(list(fields.values()), side, most)
    steps = [(number * _EACH, _sentence(name, fields.get(name), side)) for number, name in enumerate(names)]
    sizes = ", ".join(f"{field} pixels after {name}" for name, field in fields.items())
    return hero(_WIDTH, _HEIGHT, f"The receptive field grows: {sizes}.", body, len(names) * _EACH + 0.4, steps)


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


def _limit(side: int, unit: float) -> list[str]:
    y = _BASE - side * unit
    return [svg.line(0, y, _BARS, y, dash="5 4"), svg.text(4, y - 6, f"the image: {side}", size=14)]


def _bar(name: str, field: int | None, x: float, step: float, unit: float, begin: float) -> str:
    label = svg.text(x + step / 2, _BASE + 18, name, anchor="middle", size=12 if step < 46 else 14)
    if field is None:
        return label + svg.text(x + step / 2, _BASE - 12, "?", anchor="middle", weight=700, size=26)
    height = field * unit
    grow = change("height", 0, height, begin, _EACH * 0.8) + change("y", _BASE, _BASE - height, begin, _EACH * 0.8)
    bar = f'<rect x="{x + 4:.1f}" y="{_BASE}" width="{step - 8:.1f}" height="0" fill="{_NOW}">{grow}</rect>'
    number = svg.text(x + step / 2, _BASE - height - 6, fmt.exact(field), anchor="middle", weight=600, size=13)
    return label + bar + between(begin + _EACH * 0.5, begin + 99, number)


def _window(fields: list[int], side: int, most: int) -> list[str]:
    """Return the image, to scale, and the window of one position in its middle that grows from field to field."""
    left, top = _WIDTH - _SQUARE, 10
    scale = _SQUARE / most
    middle_x, middle_y, image = left + _SQUARE / 2, top + _SQUARE / 2, side * scale
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
