"""Charts of the lesson on the 1×1 reduction: its costs, its break-even, its mixing of channels, its times."""

from collections.abc import Sequence

from explorer.lessons.reduction import NaiveStep, break_even
from explorer.lessons.statistics import quartiles
from explorer.reduction import ReductionCase, direct_path, reduction_path
from explorer.views import fonts, palette, svg
from explorer.views import formatting as fmt

WITH, WITHOUT, NEGATIVE = palette.SERIES  # as everywhere in this lesson


def cost_bars(case: ReductionCase, width: float = svg.WIDE) -> str:
    """Return the formulas of the parameters, filled in, and bars of parameters, MACs and activations, without and with.

    The whole answer to a control is this one chart: a browser draws it faster than typeset formulas beside a chart.
    """
    plain, both = direct_path(case), reduction_path(case)
    name = _parameters(case)
    quantities = ((name, "parameters"), ("MACs", "macs"), ("activations", "activations"))
    formulas = cost_formulas(case)
    body, descriptions = _formula_lines(formulas, 15 if width > svg.NARROW else svg.FONT), []
    for row, (name, field) in enumerate(quantities):
        values = (getattr(plain, field), getattr(both, field))
        y = 86 + row * 84
        body.append(svg.text(0, y + 12, name, weight=600))
        body.append(svg.text(width, y + 12, _comparison(*values), anchor="end"))
        for place, (value, colour, label) in enumerate(zip(values, (WITHOUT, WITH), ("without", "with"), strict=True)):
            top = y + 20 + place * 26
            body.append(svg.text(0, top + 15, label, faint=True))
            length = (width - 220) * value / max(values)
            body.append(svg.rect(64, top, max(length, 1), 21, colour, hint=f"{label}: {value:,} {name}"))
            body.append(svg.text(64 + length + 8, top + 15, fmt.exact(value)))
        descriptions.append(f"{name} {values[0]:,} without and {values[1]:,} with the reduction")
    return svg.chart(width, 336, _bars_title(case), "; ".join([*descriptions, *formulas]), body)


def cost_rows(case: ReductionCase) -> list[dict[str, str | int]]:
    """Return the data of the bars: a row per path, without and with the reduction."""
    paths = {"without": direct_path(case), "with": reduction_path(case)}
    return [
        {"path": name, _parameters(case): path.parameters, "macs": path.macs, "activations": path.activations}
        for name, path in paths.items()
    ]


def cost_formulas(case: ReductionCase) -> tuple[str, str]:
    """Return the formulas of the parameters without and with the reduction, filled in."""
    k, plain, both = case.kernel, direct_path(case), reduction_path(case)
    c, n, r = (fmt.exact(value) for value in (case.inputs, case.filters, case.reduction))
    bias, bias_both = (f" + {n}", f" + {r} + {n}") if case.biases else ("", "")
    return (
        f"{c} · {k} · {k} · {n}{bias} = {fmt.exact(plain.parameters)}",
        f"{c} · {r} + {r} · {k} · {k} · {n}{bias_both} = {fmt.exact(both.parameters)}",
    )


def _formula_lines(formulas: Sequence[str], size: int) -> list[str]:
    """Return the two formulas below each other, each with the colour of its bars."""
    parts = []
    for place, (name, colour, formula) in enumerate(zip(("without", "with"), (WITHOUT, WITH), formulas, strict=True)):
        y = 46 + place * 22
        parts += [svg.rect(0, y - 11, 12, 12, colour), svg.text(18, y, name), svg.text(70, y, formula, size=size)]
    return parts


def _parameters(case: ReductionCase) -> str:
    """Return what the parameters of a case are called: weights alone, unless there are biases."""
    return "parameters" if case.biases else "weights"


def _bars_title(case: ReductionCase) -> str:
    plain, both = direct_path(case), reduction_path(case)
    if both.parameters < plain.parameters:
        saved = fmt.percent(plain.parameters - both.parameters, plain.parameters)
        return f"The 1×1 saves {saved} of the {_parameters(case)}"
    return "At this width the 1×1 saves nothing"


def _comparison(without: int, with_: int) -> str:
    if with_ < without:
        return f"{without / with_:,.2f} times fewer · {fmt.percent(without - with_, without)} saved"
    if with_ == without:
        return "the same"
    return f"{fmt.percent(with_ - without, without)} more"


def break_even_curve(case: ReductionCase, width: float = svg.WIDE) -> str:
    """Return parameters over the reduction's width: rising with the 1×1, constant without, and where they cross."""
    level, edge = direct_path(case).parameters, break_even(case)
    span = max(round(1.6 * edge), case.reduction + case.reduction // 5, 8)
    marks = svg.ticks(max(level, reduction_path(case.replace(reduction=span)).parameters))
    frame = svg.Frame(64, 68, width - 80, 200, span, marks[-1])
    start = reduction_path(case.replace(reduction=1)).parameters
    end = reduction_path(case.replace(reduction=span)).parameters
    here = reduction_path(case).parameters
    body = [svg.legend([("without", WITHOUT), ("with a 1×1 of that width", WITH)], frame.left, 40)]
    body += svg.grid(frame, marks, _parameters(case))
    body.append(svg.path([(frame.x(0), frame.y(level)), (frame.x(span), frame.y(level))], WITHOUT))
    body.append(svg.path([(frame.x(1), frame.y(start)), (frame.x(span), frame.y(end))], WITH))
    if edge:
        body.append(svg.line(frame.x(edge), frame.y(0), frame.x(edge), frame.y(level), dash="4 4"))
        body.append(svg.text(frame.x(edge), frame.y(0) + 36, f"saves up to {edge:,}", anchor="middle", weight=600))
    body.append(svg.dot(frame.x(case.reduction), frame.y(here), WITH, 6))
    body.append(_beside_line(frame, case.reduction, here, end / span, f"r = {case.reduction:,}: {here:,}"))
    for mark in (mark for mark in svg.ticks(span, 5) if mark <= span):
        body.append(svg.text(frame.x(mark), frame.y(0) + 18, f"{mark:,g}", anchor="middle", faint=True))
    axis = "r, the width of the 1×1 in channels"
    body.append(svg.text(frame.left + frame.width, frame.y(0) + 54, axis, anchor="end"))
    alt = f"{_parameters(case).capitalize()} over the width of the reduction. Without it {level:,}."
    alt += f" It saves up to a width of {edge:,}."
    return svg.chart(width, 330, f"A 1×1 saves as long as it has at most {edge:,} channels", alt, body)


def _beside_line(frame: svg.Frame, x: float, y: float, slope: float, label: str) -> str:
    """Return the label of a point on a rising line: right below the line, or left above it where there is no room."""
    steepness = slope * frame.height / frame.most_y * frame.most_x / frame.width  # pixels up for a pixel to the right
    left = frame.x(x) + 8 + 12 / max(steepness, 0.2)
    if left + fonts.width(label, svg.FONT) > frame.left + frame.width:
        return svg.text(frame.x(x) - 10, frame.y(y) - 8, label, anchor="end")
    return svg.text(left, frame.y(y) + 4, label)


def curve_rows(case: ReductionCase) -> list[dict[str, int]]:
    """Return the data of the curve: parameters and MACs by width, up to twice the break-even.

    There are about a hundred rows, with the case's own width, the largest that saves parameters and the next one.
    """
    edge = break_even(case)
    last = max(2 * edge, case.reduction)
    special = {case.reduction, edge, edge + 1} & set(range(1, last + 1))
    rows = []
    for width in sorted({*range(1, last + 1, max(1, last // 100)), *special}):
        path = reduction_path(case.replace(reduction=width))
        rows.append({"reduction": width, "parameters": path.parameters, "macs": path.macs})
    return rows


def break_even_formula(case: ReductionCase) -> str:
    """Return the widths that save parameters as TeX, the numbers filled in."""
    k, c, n = case.kernel, _tex(case.inputs), _tex(case.filters)
    denominator = rf"{c} + {k} \cdot {k} \cdot {n}{' + 1' if case.biases else ''}"
    edge = rf"r < \frac{{{c} \cdot {k} \cdot {k} \cdot {n}}}{{{denominator}}}"
    return rf"{edge} \;\Rightarrow\; r \le \mathbf{{{_tex(break_even(case))}}}"


def _tex(number: int) -> str:
    return fmt.exact(number).replace(",", "{,}")


def explosion_charts(steps: Sequence[NaiveStep]) -> tuple[str, str]:
    """Return parameters and MACs as the reductions are removed from one module after the other."""
    good = [step for step in steps if not step.problem]
    labels = ["none", *(step.name for step in good[1:])]
    charts = []
    for name, field in (("parameters", "parameters"), ("MACs", "macs")):
        values = [getattr(step, field) for step in good]
        title = f"{fmt.short(values[0])} → {fmt.short(values[-1])} {name}: {fmt.ratio(values[-1] / values[0])} times"
        alt = f"{name} with the reductions of the first modules removed: " + ", ".join(
            f"{label} {fmt.short(value)}" for label, value in zip(labels, values, strict=True)
        )
        series = [
            svg.Series("this network", [values[0], *(0 for _ in values[1:])], WITH),
            svg.Series("without those reductions", [0, *values[1:]], WITHOUT),
        ]
        charts.append(svg.columns(title, alt, labels, series, name, stacked=True, width=360))
    return charts[0], charts[1]


def width_chart(names: Sequence[str], now: Sequence[int], naive: Sequence[int], width: float = svg.WIDE) -> str:
    """Return the output channels of each module, as the network is and without the selected reductions."""
    alt = "Channels out of each module: " + ", ".join(
        f"{name} {before:,} and {after:,}" for name, before, after in zip(names, now, naive, strict=True)
    )
    series = [svg.Series("this network", now, WITH), svg.Series("without those reductions", naive, WITHOUT)]
    title = f"{now[-1]:,} channels at the end, or {naive[-1]:,}"
    return svg.columns(title, alt, names, series, "channels", width=width)


def mixing(weights: Sequence[Sequence[int]], pixel: Sequence[int], width: float = svg.WIDE) -> str:
    """Return the work of a 1×1 at one position: a matrix (out × in) times the channels of the pixel, in colours.

    Numbers are small integers; violet is positive, red negative, stronger with the distance from 0.
    """
    out = [sum(w * x for w, x in zip(row, pixel, strict=True)) for row in weights]
    cell, top = 34 if width > svg.NARROW else 26, 70
    body = [
        svg.text(cell * 2.5 + 30 + cell * len(pixel) / 2, 46, f"{len(out)} × {len(pixel)} weights", anchor="middle"),
        svg.text(cell / 2, 46, "out", anchor="middle"),
    ]
    for row, (total, line) in enumerate(zip(out, weights, strict=True)):
        y = top + row * cell
        body += _cell(0, y, cell, total, 24)
        body.append(svg.text(cell + 14, y + 22, "=", anchor="middle"))
        for column, weight in enumerate(line):
            body += _cell(cell * 2.5 + 30 + column * cell, y, cell, weight, 3)
    right = cell * 2.5 + 30 + cell * len(pixel)
    body.append(svg.text(right + 22, top + cell * len(out) / 2 + 5, "·", anchor="middle", size=20))
    body.append(svg.text(right + 58, 46, "in", anchor="middle"))
    for row, value in enumerate(pixel):
        body += _cell(right + 42, 52 + row * cell, cell, value, 9)
    height = max(top + len(out) * cell, 52 + len(pixel) * cell) + 10
    alt = f"At one pixel, {len(pixel)} channels {list(pixel)} times a matrix of weights give {len(out)} channels {out}."
    title = f"One pixel: {len(pixel)} channels in, {len(out)} mixtures out"
    return svg.chart(width, height, title, alt, body)


def mixing_rows(weights: Sequence[Sequence[int]], pixel: Sequence[int]) -> list[dict[str, str | int]]:
    """Return the data of the matrix: the pixel's channels, then a row of weights with its sum per output channel."""
    channels = [f"in_{number}" for number in range(len(pixel))]
    rows: list[dict[str, str | int]] = [{"row": "pixel", **dict(zip(channels, pixel, strict=True)), "out": ""}]
    for number, row in enumerate(weights):
        total = sum(weight * value for weight, value in zip(row, pixel, strict=True))
        rows.append({"row": f"weights of out_{number}", **dict(zip(channels, row, strict=True)), "out": total})
    return rows


def _cell(x: float, y: float, size: float, value: int, most: int) -> list[str]:
    strong = min(abs(value) / most, 1)
    colour = palette.mix("#ffffff", WITH if value >= 0 else NEGATIVE, 0.12 + 0.88 * strong)
    ink = palette.text_on(colour)
    number = svg.text(x + size / 2 - 1, y + size / 2 + 4, str(value).replace("-", "−"), anchor="middle", colour=ink)
    return [svg.rect(x, y, size - 2, size - 2, colour), number]


def timing_dots(direct_ms: Sequence[float], reduced_ms: Sequence[float], width: float = svg.WIDE) -> str:
    """Return every measured round as a dot, one version above the other, with median and quartiles.

    Rounds far beyond the slower version's quartiles are only counted at the edge, so that the others stay distinct.
    """
    rows = (("without", direct_ms, WITHOUT), ("with", reduced_ms, WITH))
    marks = svg.ticks(min(max(*direct_ms, *reduced_ms), 2 * max(quartiles(times).upper for _, times, _ in rows)))
    frame = svg.Frame(80, 44, width - 140, 100, marks[-1], 2)
    body = []
    for mark in marks:
        body.append(svg.line(frame.x(mark), 40, frame.x(mark), 150, opacity=0.18))
        body.append(svg.text(frame.x(mark), 168, f"{mark:g} ms", anchor="middle", faint=True))
    for place, (name, times, colour) in enumerate(rows):
        body += [svg.text(0, 72 + place * 54, name), *_dots(frame, 68 + place * 54, times, colour, width)]
    middles = [fmt.milliseconds(quartiles(times).median) for _, times, _ in rows]
    title = f"{middles[0]} without, {middles[1]} with the reduction (medians)"
    return svg.chart(width, 176, title, f"{title}, of {len(direct_ms)} rounds each", body)


def _dots(frame: svg.Frame, y: float, times: Sequence[float], colour: str, width: float) -> list[str]:
    middle = quartiles(times)
    inside = [ms for ms in times if ms <= frame.most_x]
    parts = [svg.dot(frame.x(ms), y, colour, 4, opacity=0.45) for ms in inside]
    parts.append(svg.line(frame.x(middle.lower), y + 14, frame.x(middle.upper), y + 14, width=4))
    parts.append(svg.line(frame.x(middle.median), y - 14, frame.x(middle.median), y + 18, width=2))
    beyond = len(times) - len(inside)
    return [*parts, svg.text(width, y + 4, f"{beyond} slower", anchor="end", faint=True)] if beyond else parts
