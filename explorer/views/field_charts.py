"""Charts of the lesson on receptive fields: the distribution over all paths, and the field on an image, to scale."""

from collections.abc import Sequence
from functools import lru_cache

from explorer.lessons.receptive_field import FieldDistribution, window
from explorer.lessons.resolution import MinimumInput, SizeTrace
from explorer.paths import ASSETS
from explorer.views import formatting as fmt
from explorer.views import palette, svg

_EDGE = 10  # pixels beside the widest field, so that its line is whole
_SHORTEST, _TALLEST = 4.0, 20.0  # ticks; every one is seen, in light and in dark
NOW, OTHER = palette.SERIES[:2]
_SCENE = ASSETS / "lessons" / "scene.svg"  # a cat in front of a house, drawn for this app
_COLOURS = dict(zip(("smallest", "most common", "largest"), palette.SERIES, strict=True))


def distribution_rows(
    distributions: Sequence[FieldDistribution], selected: str, side: int, width: float = svg.WIDE
) -> str:
    """Return a line per module: every field that some path has as a tick, the taller the more paths have it.

    A dashed line marks the ``side`` of the image, an arrow the module ``selected``.
    """
    most = max(*(distribution.largest for distribution in distributions), side) * 1.04
    step = 26
    height = 66 + step * len(distributions)
    frame = svg.Frame(44, 52, width - 60, step * len(distributions), most, 1)
    body = []
    for mark in (m for m in svg.ticks(most, 7) if m <= most):
        body.append(svg.line(frame.x(mark), 46, frame.x(mark), height - 12, opacity=0.16))
        body.append(svg.text(frame.x(mark), height + 4, f"{mark:g}", anchor="middle", faint=True))
    body.append(svg.line(frame.x(side), 40, frame.x(side), height - 12, dash="5 4", width=1.5))
    body.append(svg.text(frame.x(side), 36, f"image {side} px", anchor="middle"))
    for place, distribution in enumerate(distributions):
        y = frame.top + place * step
        weight = 700 if distribution.module == selected else 400
        body.append(
            svg.text(0, y + 15, distribution.module + (" ◂" if distribution.module == selected else ""), weight=weight)
        )
        body.append(
            svg.line(frame.x(distribution.smallest), y + 10, frame.x(distribution.largest), y + 10, opacity=0.3)
        )
        body += _ticks(frame, y, distribution)
    last = distributions[-1]
    span = f"{last.smallest} to {last.largest} pixels"
    title = f"After {last.module} the paths see {span}, most often {last.most_common}"
    alt = "; ".join(f"{s.module}: {s.smallest} to {s.largest} pixels" for s in distributions)
    return svg.chart(width, height + 14, title, alt, body)


def _ticks(frame: svg.Frame, y: float, distribution: FieldDistribution) -> list[str]:
    most = max(distribution.path_counts.values())
    width = max(3.0, min(7.0, frame.x(distribution.jump) - frame.left - 1))
    return [
        svg.rect(
            frame.x(field) - width / 2,
            y + 10 - (tall := _SHORTEST + (_TALLEST - _SHORTEST) * count / most) / 2,
            width,
            tall,
            NOW,
            hint=f"{distribution.module}: {fmt.exact(count)} of {fmt.exact(distribution.total)} paths see {field} px",
        )
        for field, count in distribution.path_counts.items()
    ]


def distribution_columns(
    now: FieldDistribution, other: FieldDistribution | None, names: tuple[str, str], width: float = svg.WIDE
) -> str:
    """Return the share of the paths per field of one module, and beside it the shares without a branch."""
    fields = sorted({*now.path_counts, *(other.path_counts if other else ())})
    series = [svg.Series(names[0], _shares(now, fields), NOW)]
    if other:
        series.append(svg.Series(names[1], _shares(other, fields), OTHER))
    labels = [str(field) if len(fields) <= 14 or place % 4 == 0 else "" for place, field in enumerate(fields)]
    title = f"{now.module}: {fmt.exact(now.total)} paths with fields from {now.smallest} to {now.largest} px"
    if other:
        title += f"; {fmt.exact(other.total)} without the branch, from {other.smallest} to {other.largest} px"
    alt = ", ".join(f"{field} px {count} paths" for field, count in now.path_counts.items())
    return svg.columns(title, alt, labels, series, "% of the paths, by field in pixels", width=width)


def _shares(distribution: FieldDistribution, fields: Sequence[int]) -> list[float]:
    return [100 * distribution.path_counts.get(field, 0) / distribution.total for field in fields]


def field_on_image(
    distribution: FieldDistribution, image: tuple[int, int], position: tuple[int, int], width: float = svg.WIDE
) -> str:
    """Return the sample image with the smallest, the most common and the largest field of one position, to scale.

    ``image`` is H × W, ``position`` row and column of the module's output. Outside the image there is only padding.
    """
    rows, columns = image
    fields = {
        "smallest": distribution.smallest,
        "most common": distribution.most_common,
        "largest": distribution.largest,
    }
    windows = {name: window(distribution, field, position) for name, field in fields.items()}
    left = min(0, *(w[0] for w in windows.values()))
    top = min(0, *(w[1] for w in windows.values()))
    right = max(columns, *(w[0] + w[2] for w in windows.values()))
    bottom = max(rows, *(w[1] + w[2] for w in windows.values()))
    scale = min((width - 2 * _EDGE) / (right - left), 520 / (bottom - top))
    names = [(f"{name}: {field} px", _COLOURS[name]) for name, field in fields.items()]
    more = svg.LEGEND_LINE * (svg.legend_lines([name for name, _ in names], 0, width) - 1)
    x0, y0 = _EDGE - left * scale, 76 + more - top * scale
    body = [scene(x0, y0, columns * scale, rows * scale)]
    for name, (x, y, side) in windows.items():
        body.append(_outline(x0 + x * scale, y0 + y * scale, side * scale, _COLOURS[name]))
    title = f"What one position of {distribution.module} sees of a {rows}×{columns} image"
    alt = f"{title}: " + ", ".join(name for name, _ in names)
    body.append(svg.legend(names, 0, 46, width))
    return svg.chart(width, 90 + more + (bottom - top) * scale, title, alt, body)


def scene(x: float, y: float, width: float, height: float) -> str:
    """Return the sample image, stretched to a box of a larger SVG."""
    return f'<svg x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {_scene_content()}'


@lru_cache
def _scene_content() -> str:
    """Return what follows ``<svg xmlns`` in the file: its viewBox, its shapes and its end."""
    return _SCENE.read_text("utf-8").partition('xmlns="http://www.w3.org/2000/svg" ')[2].strip()


def _outline(x: float, y: float, side: float, colour: str) -> str:
    box = f'x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" fill="none"'
    return (
        f'<rect {box} stroke="#ffffff" stroke-width="6" opacity="0.8"/><rect {box} stroke="{colour}" stroke-width="3"/>'
    )


def pooling_table(passages: Sequence[SizeTrace], present: str) -> str:
    """Return the size after each layer under each pooling rule, as a Markdown table; the network's own rule in bold."""
    names = {"ceil": "ceil (Caffe)", "torchvision": "torchvision", "padded": "padding 1 (TF, d2l)", "floor": "floor"}
    longest = max(passages, key=lambda passage: len(passage.sizes))
    heads = [f"**{names[p.pooling]}**" if p.pooling == present else names[p.pooling] for p in passages]
    lines = ["| after | " + " | ".join(heads) + " |", "|:--|" + ":-:|" * len(passages)]
    for place, (layer, _) in enumerate(longest.sizes):
        cells = [fmt.size(p.sizes[place][1]) if place < len(p.sizes) else "does not fit" for p in passages]
        different = len(set(cells)) > 1
        lines.append(f"| {layer} | " + " | ".join(f"**{cell}**" if different else cell for cell in cells) + " |")
    return "\n".join(lines)


def limits_text(limits: Sequence[MinimumInput]) -> str:
    """Return the smallest inputs as a Markdown list."""
    lines = []
    for limit in limits:
        what = "the network without heads" if limit.tap is None else f"with the head at {limit.tap}"
        lines.append(
            f"- {what}: " + ("fits no input" if limit.side is None else f"at least **{limit.side}×{limit.side}**")
        )
    return "\n".join(lines)
