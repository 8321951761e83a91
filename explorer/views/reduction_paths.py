"""The two paths of the lesson on the 1×1 reduction as a diagram, from top to bottom like those of modules.

Every layer is a box with its kernels, parameters and MACs. Every arrow is as wide as its channels, with their shape
beside it. Colours are those of the branches. Sizes are pixels.
"""

from explorer.reduction import ConvCost, ConvPath, ReductionCase, direct_path, reduction_path
from explorer.views import formatting as fmt
from explorer.views import palette, svg

_HIGH, _GAP, _BAR = 96, 46, 34
_TOP = 52  # of the input bar, below the title
_THICKEST = 9.0


def paths(case: ReductionCase, width: float = svg.WIDE) -> str:
    """Return both paths from the input to the output: the convolution alone, and after a 1×1."""
    is_narrow = width <= svg.NARROW
    columns = {"without": 97, "with": 301} if is_narrow else {"without": 160, "with": 540}  # the centre of each path
    box = 192 if is_narrow else 200
    plain, both = direct_path(case), reduction_path(case)
    most = max(case.inputs, case.filters, case.reduction)
    upper = _TOP + _BAR + _GAP
    lower = upper + _HIGH + _GAP
    end = lower + _HIGH + _GAP
    body = [*_bar(case, case.inputs, _TOP, "in", width), *_bar(case, case.filters, end, "out", width)]
    for (name, x), path in zip(columns.items(), (plain, both), strict=True):
        tops = (upper, lower)[-len(path.layers) :]
        starts = (_TOP + _BAR, *(top + _HIGH for top in tops))
        widths = (case.inputs, *(layer.filters for layer in path.layers))
        for start, stop, channels in zip(starts, (*tops, end), widths, strict=True):
            body += _arrow(x, start, stop, channels, most, _shape(case, channels))
        for layer, top in zip(path.layers, tops, strict=True):
            body += _layer(layer, x, top, case, box)
        lines = [f"{name}: {_cost_text(path, case)}"]
        if is_narrow:
            lines = [f"{name}: {fmt.exact(path.parameters)} {_unit(case)}", f"{fmt.short(path.macs)} MACs"]
        body += [
            svg.text(x, end + _BAR + 22 + 18 * place, line, anchor="middle", weight=600)
            for place, line in enumerate(lines)
        ]
    title = f"The {case.kernel}×{case.kernel} sees all {case.inputs:,} channels, or {case.reduction:,} mixtures of them"
    return svg.chart(width, end + _BAR + (52 if is_narrow else 34), title, _alt(case, plain, both), body)


def path_rows(case: ReductionCase) -> list[dict[str, str | int]]:
    """Return the data of the diagram: a row per convolution of each path."""
    return [
        {
            "path": name,
            "kernel": f"{layer.kernel}×{layer.kernel}",
            "input channels": layer.inputs,
            "output channels": layer.filters,
            _unit(case): layer.parameters,
            "macs": layer.macs,
        }
        for name, path in (("without", direct_path(case)), ("with", reduction_path(case)))
        for layer in path.layers
    ]


def _bar(case: ReductionCase, channels: int, top: float, word: str, width: float) -> list[str]:
    """Return the bar with which both paths begin or end."""
    label = svg.text(width / 2, top + 22, f"{_shape(case, channels)} {word}", anchor="middle", weight=600)
    return [svg.rect(0, top, width, _BAR, "currentColor", opacity=0.1), label]


def _layer(layer: ConvCost, x: float, top: float, case: ReductionCase, box: float) -> list[str]:
    """Return a layer: its window on the colour of the branch that the case is, its numbers below."""
    window = f"{layer.kernel}×{layer.kernel}"
    colour = palette.BRANCH.get(f"{case.kernel}x{case.kernel}", palette.PLAIN)
    left, ink = x - box / 2, palette.text_on(colour)
    numbers = (
        f"{layer.filters:,} kernels of {window}×{layer.inputs:,}",
        f"{fmt.exact(layer.parameters)} {_unit(case)}",
        f"{fmt.short(layer.macs)} MACs",
    )
    return [
        svg.rect(left, top, box, _HIGH, "currentColor", opacity=0.07),
        svg.rect(left, top, box, 26, colour),
        svg.text(x, top + 18, f"{window} convolution", anchor="middle", weight=600, colour=ink),
        *(svg.text(x, top + 46 + 20 * row, line, anchor="middle") for row, line in enumerate(numbers)),
    ]


def _arrow(x: float, start: float, stop: float, channels: int, most: int, text: str) -> list[str]:
    """Return a downward arrow, as wide as its channels, with its text to the right."""
    width = 1.5 + (_THICKEST - 1.5) * channels / most
    half, neck = width / 2 + 4, stop - 9
    head = f'<polygon points="{x - half:.1f},{neck:.1f} {x + half:.1f},{neck:.1f} {x:.1f},{stop:.1f}" opacity="0.6"/>'
    label = svg.text(x + half + 6, stop - 19, text, faint=True)
    return [svg.line(x, start, x, neck, width=width, opacity=0.6), head, label]


def _shape(case: ReductionCase, channels: int) -> str:
    return fmt.shape((channels, case.height, case.width))


def _unit(case: ReductionCase) -> str:
    return "parameters" if case.biases else "weights"


def _cost_text(path: ConvPath, case: ReductionCase) -> str:
    return f"{fmt.exact(path.parameters)} {_unit(case)}, {fmt.short(path.macs)} MACs"


def _alt(case: ReductionCase, plain: ConvPath, both: ConvPath) -> str:
    window = f"{case.kernel}×{case.kernel}"
    return (
        f"Two paths from {_shape(case, case.inputs)} to {_shape(case, case.filters)}. Without: a {window} convolution, "
        f"{_cost_text(plain, case)}. With: a 1×1 convolution to {_shape(case, case.reduction)}, then the {window}, "
        f"{_cost_text(both, case)}."
    )
