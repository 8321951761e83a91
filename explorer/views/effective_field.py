"""The effective receptive fields of a module's branches as SVG, each over the field that its kernels allow."""

from collections.abc import Sequence

from explorer.jobs.units import EffectiveField, EffectiveFields
from explorer.views import formatting as fmt
from explorer.views import map_images, palette, svg
from explorer.views.labels import BRANCH_NAMES, with_network

SIDE = 190  # pixels of a panel


def field_charts(found: EffectiveFields, network: str = "", width: float = svg.WIDE) -> str:
    """Return a row of panels with the inspected weights, and one with random weights."""
    rows = []
    for trained, title in ((True, "These weights"), (False, "Random weights, before training")):
        fields = [field for field in found.fields if field.trained == trained]
        if fields:
            rows.append(_row(with_network(f"{title}: {found.block}", network), fields, width))
    return "".join(rows)


def _row(title: str, fields: Sequence[EffectiveField], width: float) -> str:
    heading = svg.chart(min(width, 600), 24, title, title, [])  # in a box of its own it does not grow with the page
    return f'<div>{heading}</div><div class="row">{"".join(map(_panel, fields))}</div>'


def _panel(field: EffectiveField) -> str:
    """Return the gradient at each pixel, with the receptive field (dashed) and the square that holds 95 % of it."""
    height, width = field.heat.size
    scale = SIDE / max(height, width)
    left, top, side = field.field
    name = BRANCH_NAMES[field.branch]
    text = result_text(field)
    body = [
        svg.rect(0, 4, 12, 12, palette.BRANCH[field.branch]),
        svg.text(18, 15, name, weight=600),
        '<g transform="translate(1 24)">',
        map_images.image(0, 0, width * scale, height * scale, map_images.heat_png(field.heat)),
        _square(left, top, side, field.heat.size, scale, "4 3"),
    ]
    if field.effective_side:
        shift = (side - field.effective_side) / 2
        body.append(_square(left + shift, top + shift, field.effective_side, field.heat.size, scale))
    body.append("</g>")
    foot = 24 + height * scale
    body += [svg.text(0, foot + 18 + 16 * line, part, size=12) for line, part in enumerate(text)]
    return svg.chart(SIDE + 2, foot + 56, "", f"{name}: {'. '.join(text)}", body)


def result_text(field: EffectiveField) -> tuple[str, ...]:
    """Return what a panel shows, in lines."""
    side = round(field.field[2])
    if not field.effective_side:
        return (f"receptive field {side} px", "no gradient: the ReLU is 0 here")
    share = fmt.percent(field.effective_side**2, side**2)
    return (
        f"receptive field {side} px, {fmt.percent(field.within, 1)} within",
        f"95 % within {field.effective_side} px,",
        f"{share} of its area",
    )


def _square(left: float, top: float, side: float, size: tuple[int, int], scale: float, dash: str = "") -> str:
    """Return the part of a square that is on the image, white on black."""
    x, y = max(left, 0) * scale, max(top, 0) * scale
    width = min(left + side, size[1]) * scale - x
    height = min(top + side, size[0]) * scale - y
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="none"'
    lines = (("#000000", 3.5), ("#ffffff", 1.5))
    return "".join(
        f'<rect {place} stroke="{ink}" stroke-width="{thick}"' + (f' stroke-dasharray="{dash}"/>' if dash else "/>")
        for ink, thick in lines
    )
