"""The arithmetic of one output value as SVG and in words: its window and kernel, its terms, and its steps.

Positive numbers are teal, negative ones vermilion, as in the maps of :mod:`explorer.views.map_images`. Each chart says
the same arithmetic in words, as its text alternative.
"""

from collections.abc import Sequence
from itertools import product, zip_longest
from typing import NamedTuple

from explorer.jobs.units import Term, UnitReport, Window
from explorer.unit_arithmetic import Step, recompute
from explorer.units import Place
from explorer.views import fonts, map_images, palette, shown_digits, svg
from explorer.views import formatting as fmt
from explorer.views.shown_digits import SUPERSCRIPTS, digits
from explorer.views.softmax_chart import softmax_chart, softmax_in_words
from explorer.views.unit_maps import WIDTH, concatenation_chart
from explorer.views.unit_names import Names, unit_colour

CELL, SMALL_CELL = 40, 36  # pixels of a number in a window up to 3×3, and in a larger one
MAX_CELLS = 11  # on a side of a window whose numbers are written
SHOWN_TERMS = 12
_FLOAT32 = 7  # significant digits of a float32 number
_GAP = 14  # pixels between an operation and its result
_OPERATION_END = 290  # pixels: where the factors of a term end


def cell_text(value: float) -> str:
    """Return a number for a cell: two significant digits, ``≈ 0`` for what is closer to 0 than 0.0005."""
    if abs(value) < 0.0005:
        return "≈ 0" if value else "0"
    return f"{value:.0f}".replace("-", "−") if abs(value) >= 100 else f"{value:.2g}".replace("-", "−")


# ── the window ─────────────────────────────────────────────────────────────────────────────────────────────────────


def window_charts(report: UnitReport) -> str:
    """Return the window, the kernel and their products side by side; of a pool the window alone, its cause marked."""
    window = report.window
    if window is None or max(len(window.values), len(window.values[0])) == 1:
        return ""
    marked = None
    if report.cause and report.kind != "avg_pool" and report.cause.channel == window.channel:
        marked = (report.cause.row - window.top, report.cause.column - window.left)
    channel, hints = f"channel {window.channel:,}", _hints(window)
    values = _grid(window.values, ("Input", channel), f"The window: {_in_words(window.values)}", hints, marked)
    if not window.weights:
        return f'<div class="row" data-hint="Point at a cell to see its value.">{values}</div>'
    products = tuple(
        tuple(None if value is None else value * weight for value, weight in zip(*rows, strict=True))
        for rows in zip(window.values, window.weights, strict=True)
    )
    total = fmt.number(sum(product for row in products for product in row if product is not None))
    kernel = _grid(
        window.weights, ("Kernel", "weights"), f"The kernel's weights: {_in_words(window.weights)}", hints, marked
    )
    alt = f"The products: {_in_words(products)}. Their sum: {total}."
    shown = _grid(products, ("Products", f"sum {total}"), alt, hints, marked)
    return f'<div class="row">{values}<b>×</b>{kernel}<b>≈</b>{shown}</div>'  # a cell has two digits


def _in_words(rows: Sequence[Sequence[float | None]]) -> str:
    """Return the numbers of a window row by row."""
    if len(rows) > MAX_CELLS:
        return f"{len(rows)} × {len(rows[0])} values"
    return "; ".join(" ".join("padding" if value is None else cell_text(value) for value in row) for row in rows)


def _hints(window: Window) -> tuple[tuple[str, ...], ...]:
    """Return what is written about each cell: its whole product, the same in all three grids."""
    weights = window.weights or tuple(() for _ in window.values)
    padding = "padding: counts as 0" if window.weights else "padding: −∞, never the largest value"
    return tuple(
        tuple(padding if value is None else _hint(value, weight) for value, weight in zip_longest(values, row))
        for values, row in zip(window.values, weights, strict=True)
    )


def _hint(value: float, weight: float | None) -> str:
    if weight is None:
        return fmt.number(value)
    return _product(value, weight)


def _product(value: float, weight: float) -> str:
    """Return a product with its factors: ``1.87 × 0.235 = 0.439``."""
    factors, sign = shown_digits.product(value, weight, fmt.number)
    return f"{factors} {sign} {fmt.number(value * weight)}"


def _grid(
    rows: Sequence[Sequence[float | None]],
    titles: tuple[str, str],
    alt: str,
    hints: Sequence[Sequence[str]],
    marked: tuple[int, int] | None,
) -> str:
    """Return numbers as a grid of coloured cells; padding is dashed; the marked cell has a frame.

    ``linked_cells.js`` reads the place of a cell and its hint.
    """
    largest = max((abs(value) for row in rows for value in row if value is not None), default=0.0)
    is_written = max(len(rows), len(rows[0])) <= MAX_CELLS
    written_cell = CELL if len(rows) <= 3 else SMALL_CELL
    cell = written_cell if is_written else max(4.0, 280 / len(rows))
    top = 40
    body = [svg.text(0, 14, titles[0], weight=600), svg.text(0, 31, titles[1], faint=True)]
    for y, values in enumerate(rows):
        for x, value in enumerate(values):
            drawn = _cell(x * cell, top + y * cell, cell, value, largest, is_written=is_written)
            body.append(f'<g data-cell="{y}:{x}" data-product="Row {y}, column {x}: {hints[y][x]}">{drawn}</g>')
    if marked:
        row, column = marked
        place = f'x="{column * cell + 1.5:.1f}" y="{top + row * cell + 1.5:.1f}"'
        size = f'width="{cell - 4:.1f}" height="{cell - 4:.1f}"'
        body.append(f'<rect {place} {size} fill="none" stroke="#111111" stroke-width="3" pointer-events="none"/>')
    width = max(len(rows[0]) * cell, 7.4 * len(titles[1]))
    return svg.chart(width, top + len(rows) * cell + 2, "", alt, body)


def _cell(x: float, y: float, size: float, value: float | None, largest: float, *, is_written: bool) -> str:
    if value is None:
        frame = f'<rect x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" width="{size - 2:.1f}" height="{size - 2:.1f}"'
        box = f'{frame} fill="none" stroke="currentColor" stroke-dasharray="3 3" opacity="0.5"/>'
        return box + svg.text(x + size / 2 - 1, y + size / 2 + 4, "pad", anchor="middle", size=11, faint=True)
    fill = map_images.signed_colour(value, largest)
    box = svg.rect(x, y, size - 1, size - 1, fill)
    if not is_written:
        return box
    return box + svg.text(
        x + size / 2 - 0.5,
        y + size / 2 + 4,
        cell_text(value),
        anchor="middle",
        size=11 if size == CELL else 10,
        colour=palette.text_on(fill),
    )


# ── the terms ──────────────────────────────────────────────────────────────────────────────────────────────────────


def terms_chart(report: UnitReport, names: Names) -> str:
    """Return what each input channel contributes to the sum, the largest first; those of a convolution are selectable.

    The id of a term is its channel.
    """
    if not report.terms:
        return ""
    shown, others = report.terms[:SHOWN_TERMS], report.terms[SHOWN_TERMS:]
    rest = report.rest + sum(term.contribution for term in others)
    rest_count = report.rest_count + len(others)
    largest = max(abs(rest), *(abs(term.contribution) for term in shown))
    is_lrn = report.kind == "lrn"
    body = []
    for place, term in enumerate(shown):
        body += _term(term, 28 + 24 * place, largest, report, names)
    y = 28 + 24 * len(shown)
    if rest_count:
        body += _bar(rest, y, largest, f"{rest_count:,} others together")
        y += 24
    count = len(shown) + rest_count
    noun = "squares" if is_lrn else "products" if report.terms[0].value is not None else "input channels"
    title = f"The sum of {count:,} {noun}" if count > 1 else "One product"
    alt = f"{title}, the largest first: " + "; ".join(_term_in_words(term, report, names) for term in shown)
    alt += f"; {rest_count:,} others together {fmt.number(rest)}." if rest_count else "."
    chart = svg.chart(WIDTH, y + 6, title, alt, body)
    return chart.replace('role="img"', 'role="group"', 1)


def _term(term: Term, y: float, largest: float, report: UnitReport, names: Names) -> list[str]:
    name = names.source(report.unit.path, term.channel)
    unit = names.graph.input_unit(report.unit.path, Place(term.channel))
    body = [svg.rect(0, y + 4, 10, 10, unit_colour(unit, names.graph))]
    operation = ""
    if term.value is not None and term.weight is not None and report.kind != "lrn":
        factors, sign = shown_digits.product(term.value, term.weight, fmt.number)
        operation = factors if sign == "=" else f"{factors} {sign}"
        body.append(svg.text(_OPERATION_END, y + 14, operation, anchor="end", faint=True))
    room = _OPERATION_END - 24 - fonts.width(operation, svg.FONT)
    body += _bar(term.contribution, y, largest, svg.shortened(name, room))
    words = _term_in_words(term, report, names)
    if report.kind == "conv":
        return [*body, map_images.choice(str(term.channel), words, 0, y - 2, WIDTH, 22)]
    return body


def _bar(value: float, y: float, largest: float, label: str) -> list[str]:
    """Return a row: its label, a bar from the middle of its range, and the value."""
    middle, room = 346, 52
    length = room * abs(value) / largest if largest else 0
    fill = map_images.SIGNED[2] if value > 0 else map_images.SIGNED[0]
    return [
        svg.text(16, y + 14, label),
        svg.line(middle, y, middle, y + 20, opacity=0.4),
        svg.rect(middle if value > 0 else middle - length, y + 2, max(length, 0.5), 15, fill),
        svg.text(WIDTH, y + 14, signed(value), anchor="end", weight=600),
    ]


def _term_in_words(term: Term, report: UnitReport, names: Names) -> str:
    name = names.source(report.unit.path, term.channel)
    contribution = fmt.number(term.contribution)
    if report.kind == "lrn" and term.value is not None:
        count = shown_digits.enough((term.value,), lambda one: fmt.number(one[0] ** 2), contribution)
        return (
            f"{name}: {digits(term.value, count or shown_digits.LEAST)} squared {'=' if count else '≈'} {contribution}"
        )
    if term.value is None or term.weight is None:
        return f"{name}: {contribution}"
    return f"{name}: {_product(term.value, term.weight)}"


def signed(value: float) -> str:
    """Return a contribution with its sign: ``+1.8``, ``−0.0827``."""
    text = fmt.number(value)
    return text if value <= 0 else f"+{text}"


# ── the steps ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Line(NamedTuple):
    """A step on screen: its operation and its result; ``words`` are the same for a screen reader."""

    operation: str
    result: str
    words: str


def steps_chart(report: UnitReport, names: Names) -> str:
    """Return the steps from the sum to the value, and how the network's own number compares."""
    lines = _lines(report)
    body = [svg.text(WIDTH, 36, "result so far", anchor="end", faint=True)]
    y = 60.0
    for line in lines:
        room = WIDTH - _GAP - fonts.width(line.result, svg.FONT, bold=True)
        parts = svg.broken(line.operation, room)
        body += [svg.text(0, y + 18 * row, part) for row, part in enumerate(parts)]
        y += 18 * (len(parts) - 1)
        body.append(svg.text(WIDTH, y, line.result, anchor="end", weight=600))
        y += 24
    body.append(svg.line(0, y - 16, WIDTH, y - 16, opacity=0.4))
    body += [svg.text(0, y + 4, "The network's own number (float32)", weight=600)]
    body += [svg.text(WIDTH, y + 4, precise(report.value), anchor="end", weight=600)]
    body.append(svg.text(0, y + 24, rounding_text(report), faint=True))
    title = f"{names.channel(report.unit)} = {fmt.number(report.value)}"
    alt = f"{names.unit(report.unit)}. " + " ".join(line.words for line in lines)
    alt += f" The network's own number is {precise(report.value)}. {rounding_text(report)}"
    return svg.chart(WIDTH, y + 34, title, alt, body)


def words(report: UnitReport, names: Names) -> str:
    """Return the arithmetic of a value in a few sentences."""
    parts = " ".join(line.words for line in _lines(report))
    if report.softmax:
        parts += f" {softmax_in_words(report.softmax)}"
    cause = ""
    if report.causes:
        cause = f" Its strongest cause is {names.unit(report.causes[0])}."
    return f"{names.unit(report.unit)}: {parts}{cause}"


def precise(value: float) -> str:
    """Return a float32 number to the digits that it has."""
    return digits(value, _FLOAT32)


def rounding_text(report: UnitReport) -> str:
    """Return how far the shown arithmetic is from the network's number, and how far rounding can put them apart."""
    if report.bound == 0:
        return "Equal: no arithmetic, so nothing is rounded."
    if report.error == 0:
        return "Equal."
    error, bound = power(report.error), power(report.bound)
    return f"Equal to float32 rounding: they differ by {error}; rounding allows {bound}."


def power(value: float) -> str:
    """Return a small positive number as a power of ten: ``2 · 10⁻⁷``."""
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits} · 10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def plus(number: str) -> str:
    """Return a written number with the sign that adds it: ``+ 0.2``, ``− 0.2``."""
    return f"− {number[1:]}" if number.startswith("−") else f"+ {number}"


def minus(number: str) -> str:
    """Return a written number with the sign that subtracts it."""
    return f"+ {number[1:]}" if number.startswith("−") else f"− {number}"


class _Digits(NamedTuple):
    """How many digits the operands and the result of a step have; whether they give the result as it is shown."""

    operands: int
    result: int
    is_exact: bool = True


def _step_digits(steps: Sequence[Step]) -> list[_Digits]:
    """Return as many digits for each step that its result follows from what is shown of the step and the one before.

    The last result has the digits of float32; those before it have more where the next step needs them.
    """
    found, result = [], _FLOAT32
    for before, step in zip(steps[-2::-1], steps[:0:-1], strict=True):
        shown, needed = digits(step.result, result), None
        for more, count in product(range(6), range(shown_digits.LEAST, shown_digits.MOST + 1)):
            operands = [shown_digits.rounded(number, count) for number in step.operands]
            start = shown_digits.rounded(before.result, _FLOAT32 + more)
            if digits(recompute(step.code, start, operands), result) == shown:
                needed = _FLOAT32 + more, count
                break
        found.append(_Digits(needed[1] if needed else shown_digits.LEAST, result, needed is not None))
        result = needed[0] if needed else _FLOAT32
    return [_Digits(shown_digits.LEAST, result), *reversed(found)]


def _lines(report: UnitReport) -> list[_Line]:
    return [_line(step, report, shown) for step, shown in zip(report.steps, _step_digits(report.steps), strict=True)]


def _line(step: Step, report: UnitReport, shown: _Digits) -> _Line:
    """Return one step as a line."""
    result = digits(step.result, shown.result) if shown.is_exact else f"≈ {digits(step.result, shown.result)}"
    numbers = [digits(number, shown.operands) for number in step.operands]
    match step.code:
        case "sum":
            count = f"{step.operands[0]:,.0f}"
            noun = "values" if report.kind == "avg_pool" else "products"
            return _Line(f"Sum of {count} {noun}", result, f"The sum of {count} {noun} is {result}.")
        case "maximum":
            return _Line(f"Maximum of {numbers[0]} values", result, f"The largest of {numbers[0]} values is {result}.")
        case "mean":
            return _Line(f"÷ {numbers[0]} values", result, f"Divided by {numbers[0]}, the mean is {result}.")
        case "squares":
            return _Line("Sum of the squares of the neighbours", result, f"The sum of the squares is {result}.")
        case "respond":
            value, k, alpha, beta = numbers
            operation = f"{value} ÷ ({k} + {alpha} · sum) to the power of {beta}"
            return _Line(operation, result, f"{operation} is {result}.")
        case "bias":
            return _Line(f"Bias: {plus(numbers[0])}", result, f"Plus the bias {numbers[0]}: {result}.")
        case "batch_norm":
            shift, variance, gamma, offset, epsilon = numbers
            operation = f"BatchNorm: (x {minus(shift)}) ÷ √({variance} + {epsilon}) · {gamma} {plus(offset)}"
            return _Line(operation, result, f"{operation} = {result}.")
        case "relu":
            before = report.steps[[one.code for one in report.steps].index("relu") - 1].result
            effect = "keeps it" if before > 0 else "sets it to 0"
            return _Line(f"ReLU {effect}", result, f"The ReLU {effect}: {result}.")
        case "factor":
            return _Line(f"× {numbers[0]}, the branch's factor", result, f"Times the branch's factor: {result}.")
        case "pixel":
            level = 255 * step.result
            return _Line("Pixel, from 0 to 1", result, f"The pixel is {level:.0f} of 255, or {result}.")
        case "normalise":
            operation = f"(pixel {minus(numbers[0])}) ÷ {numbers[1]}"
            return _Line(operation, result, f"Normalised, {operation} = {result}.")


def reading(report: UnitReport) -> str:
    """Return how to read the charts of a value, by the kind of its layer."""
    match report.kind:
        case "conv" if report.window and len(report.window.weights) > 1:
            side = len(report.window.weights)
            return (
                f"the {side}×{side} kernel covers a window of every input channel. Select a channel in the sum to see "
                "its window. Teal is positive, orange-red negative; dashed cells are padding, which counts as 0. "
                "A cell has two digits; point at it for its product."
            )
        case "conv":
            return (
                "a 1×1 convolution sees one position: it multiplies each input channel there by one weight and adds "
                "the products up. Teal is positive, orange-red negative."
            )
        case "max_pool":
            return "a max pool passes on the largest value of its window, which has a frame. Nothing is added up."
        case "avg_pool":
            return "an average pool adds up the values of its window and divides by their number."
        case "linear":
            return "a fully connected layer multiplies each of its inputs by one weight and adds the products up."
        case "lrn":
            return (
                "local response normalisation divides a value by a power of the squares of its neighbours: the same "
                "position in two channels on each side."
            )
        case _:
            return "here the walk ends: this number comes from the image."


def arithmetic(report: UnitReport, names: Names) -> str:
    """Return the steps, the softmax of a class, and the place in the concatenation, below each other."""
    return steps_chart(report, names) + softmax_chart(report, names) + concatenation_chart(report, names)
