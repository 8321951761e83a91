"""Channels that flow into a large kernel, directly and through a 1×1 that leaves few of them."""

from collections.abc import Sequence
from typing import NamedTuple

from explorer.reduction import ReductionCase, direct_path, reduction_path
from explorer.views import fonts, palette, svg
from explorer.views import formatting as fmt
from explorer.views.heroes.timeline import NARROW, WIDE, Hero, Picture, appearing, box, growing, hero

_HEIGHT = 290
_SPREAD = 100  # of the lines of the input, from top to bottom
_MOST_LINES = 50
_ROWS = (76, 218)  # the middle of each row


class _Layout(NamedTuple):
    """Where things are from left to right: a band of channels is from one place to the next.

    ``start`` is where the input flows from, ``reduce`` and ``kernel`` are the convolutions, ``end`` is where the output
    flows to, ``total`` its number of channels.
    """

    width: float
    start: float
    reduce: float
    kernel: float
    box: float
    end: float
    total: float


_LAYOUTS = (_Layout(WIDE, 110, 330, 640, 140, 1010, 1020), _Layout(NARROW, 66, 104, 208, 54, 328, 336))
_COLOUR = palette.BRANCH["5x5"]  # of both convolutions: they are one branch


def flow(case: ReductionCase, place: str, *, shows_weights: bool) -> Hero:
    """Draw the case without and with its 1×1, above each other; ``place`` names the branch that it is.

    One line is several channels. The weights are left out unless ``shows_weights``, because they are the answer to the
    lesson's first question.
    """
    each = max(1, round(case.inputs / _MOST_LINES))
    k = f"{case.kernel}×{case.kernel}"
    steps = [
        (0.0, f"{place}: {fmt.exact(case.inputs)} channels arrive. One line is {each} channels."),
        (2.6, f"The 1×1 mixes them at each position into {fmt.exact(case.reduction)}."),
        (
            4.2,
            f"So each {k} kernel spans {fmt.exact(case.reduction)} channels, not {fmt.exact(case.inputs)}. "
            f"Both ways give {fmt.exact(case.filters)} channels.",
        ),
    ]
    weights: list[int] = []
    if shows_weights:
        weights = [sum(layer.weights for layer in path.layers) for path in (direct_path(case), reduction_path(case))]
        steps.append((5.4, f"{fmt.exact(weights[0])} weights without the 1×1, {fmt.exact(weights[1])} with it."))
    alt = (
        f"{place}. Without a 1×1, the {k} kernels span {case.inputs:,} channels; with one, {case.reduction:,}. "
        f"Both give {case.filters:,} channels."
    )
    wide, narrow = (Picture(layout.width, _HEIGHT, _body(case, each, weights, layout)) for layout in _LAYOUTS)
    return hero(alt, wide, narrow, 6.2, steps)


def _body(case: ReductionCase, each: int, weights: Sequence[int], at: _Layout) -> list[str]:
    """Draw both ways; ``weights`` are theirs, or empty."""
    k = f"{case.kernel}×{case.kernel}"
    wide, narrow, out = (_lines(number, each) for number in (case.inputs, case.reduction, case.filters))
    after_reduce, after_kernel = at.reduce + at.box, at.kernel + at.box
    left = f"{fmt.exact(case.reduction)} channels"
    above = max((after_reduce + at.kernel) / 2, after_reduce + 6 + fonts.width(left, 15, bold=True) / 2)
    return [
        svg.text(0, 20, "without", weight=600),
        svg.text(0, _ROWS[1] - 56, "with a 1×1", weight=600),
        *_band(wide, at.start, at.kernel, _ROWS[0], 0.3, 2.2),
        _operation(at.kernel, at.box, _ROWS[0], max(wide, out), k),
        *_band(out, after_kernel, at.end, _ROWS[0], 2.6, 1.0),
        *_band(wide, at.start, at.reduce, _ROWS[1], 0.3, 1.4),
        _operation(at.reduce, at.box, _ROWS[1], wide, "1×1"),
        *_band(narrow, after_reduce, at.kernel, _ROWS[1], 2.6, 1.0),
        _operation(at.kernel, at.box, _ROWS[1], max(narrow, out), k),
        *_band(out, after_kernel, at.end, _ROWS[1], 4.2, 1.0),
        *(_count(at.total, row, case.filters) for row in _ROWS),
        *(_count(0, row, case.inputs) for row in _ROWS),
        appearing(2.6, _above(above, _ROWS[1] - 26, left)),
        *(
            appearing(5.4, _above(at.kernel + at.box / 2, row + dy, f"{fmt.exact(number)} weights"))
            for row, dy, number in zip(_ROWS, (72, 46), weights, strict=False)
        ),
    ]


def _lines(channels: int, each: int) -> int:
    return max(1, round(channels / each))


def _step(lines: int) -> float:
    """Return the distance of neighbouring lines."""
    return min(_SPREAD / lines, 8.0)


def _band(lines: int, start: float, end: float, middle: float, begin: float, seconds: float) -> list[str]:
    """Return channels that flow from left to right, as lines around a middle."""
    step = _step(lines)
    thickness = min(step * 0.6, 3)
    tops = (middle + step * (number - (lines - 1) / 2) - thickness / 2 for number in range(lines))
    return [
        growing(start, top, end - start, thickness, palette.PLAIN, begin + number % 5 * 0.06, seconds)
        for number, top in enumerate(tops)
    ]


def _operation(x: float, width: float, middle: float, lines: int, name: str) -> str:
    """Return the box of a convolution: as high as its ``lines``, those of the channels that enter or leave it."""
    height = max(_step(lines) * lines + 10, 36)
    return box(x, middle - height / 2, width, height, _COLOUR) + svg.text(
        x + width / 2, middle + 6, name, anchor="middle", weight=700, size=18
    )


def _count(x: float, middle: float, channels: int) -> str:
    return svg.text(x, middle, fmt.exact(channels), weight=600, size=18) + svg.text(x, middle + 18, "channels", size=14)


def _above(x: float, y: float, text: str) -> str:
    return svg.text(x, y, text, anchor="middle", weight=600, size=15)
