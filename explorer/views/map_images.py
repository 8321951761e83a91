"""Feature maps and heat maps as images: they arrive as grey PNGs and are coloured, cut and arranged here.

In a grey map, black is the smallest value and white the largest. Amounts have the colours of cividis (Nuñez et al.
2018); values with both signs go from vermilion (negative) over near white (0) to teal (positive).
"""

import base64
import io
from collections.abc import Sequence
from functools import lru_cache
from html import escape

import numpy as np
from PIL import Image

from explorer.jobs.inspection import Heat, Strip
from explorer.views import formatting as fmt
from explorer.views import palette, svg
from explorer.views.palette import LIGHT

GAP = 1  # between two tiles of a sprite, in pixels
GAP_COLOUR = "#7f7f7f"  # has a contrast of 3 with the darkest and the lightest tile and with both pages


def png(pixels: np.ndarray) -> bytes:
    """Return H × W (× 3 or 4) uint8 pixels as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def pixels(image_png: bytes) -> np.ndarray:
    """Return the pixels of a PNG made by the app: H × W for a grey one, else H × W × 3."""
    with Image.open(io.BytesIO(image_png), formats=("PNG",)) as file:
        return np.asarray(file if file.mode == "L" else file.convert("RGB"))


def shrink(image_png: bytes, side: int) -> bytes:
    """Return a PNG with no side longer than ``side`` pixels; unchanged if it is small enough."""
    with Image.open(io.BytesIO(image_png), formats=("PNG",)) as file:
        if max(file.size) <= side:
            return image_png
        small = file.convert("RGB")
    small.thumbnail((side, side))
    return png(np.asarray(small))


def data_uri(image_png: bytes) -> str:
    """Return a PNG as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(image_png).decode()}"


def image(x: float, y: float, width: float, height: float, image_png: bytes, *, smooth: bool = False) -> str:
    """Return a PNG as an element of an SVG, its pixels as squares unless ``smooth``."""
    style = "" if smooth else ' style="image-rendering:pixelated"'
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
        f'href="{data_uri(image_png)}"{style}/>'
    )


@lru_cache(maxsize=1)
def _cividis() -> np.ndarray:
    """Return the colour of each shade, 256 × 3."""
    return np.array([_rgb(palette.scale(shade / 255)) for shade in range(256)], np.uint8)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def to_cividis(grey: np.ndarray) -> np.ndarray:
    """Return H × W shades of grey as H × W × 3 pixels in cividis."""
    colours: np.ndarray = _cividis()[grey]
    return colours


def heat_png(heat: Heat) -> bytes:
    """Return a heat map as a coloured PNG: cividis for amounts, two colours around 0 where there are both signs."""
    shades = pixels(heat.png)
    return png(_signed(shades, heat) if heat.low < 0 else to_cividis(shades))


def amount_png(heat: Heat, largest: float) -> bytes:
    """Return a heat map of amounts in cividis, on a scale from 0 to ``largest``."""
    values = _to_values(pixels(heat.png), heat) / max(largest, 1e-12)
    return png(to_cividis(np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)))


def signed_png(heat: Heat, largest: float) -> bytes:
    """Return a heat map in two colours around 0, on a scale from −``largest`` to ``largest``."""
    values = _to_values(pixels(heat.png), heat) / max(largest, 1e-12)
    return png(_signed_colours(np.clip(values, -1, 1)))


def signed_colour(value: float, largest: float) -> str:
    """Return the colour of a number on the scale from −``largest`` to ``largest``."""
    negative, zero, positive = SIGNED
    strength = min(1.0, abs(value) / largest) if largest else 0.0
    return palette.mix(zero, positive if value > 0 else negative, strength)


def overlay_png(heat: Heat) -> bytes:
    """Return a heat map to lay over an image: the smaller a value, the more transparent its pixel.

    A map with both signs has its full colours, and an opacity that grows with the square root up to a value that one
    pixel in fifty exceeds: attributions of single pixels have a few large values, beside which no other would be seen.
    """
    shades = pixels(heat.png)
    values = _to_values(shades, heat)
    strength = np.abs(values) / max(heat.high, -heat.low, 1e-12)
    if heat.low < 0:
        strength = np.sqrt(np.clip(strength / max(np.quantile(strength, 0.98), 1e-12), 0, 1))
        colours = _signed_colours(np.sign(values))
        opacity = 0.9 * strength
    else:
        colours, opacity = to_cividis(shades), 0.15 + 0.75 * strength
    return png(np.dstack([colours, np.rint(255 * np.clip(opacity, 0, 0.9)).astype(np.uint8)]))


def _to_values(shades: np.ndarray, heat: Heat) -> np.ndarray:
    return heat.low + shades.astype(float) / 255 * (heat.high - heat.low)


def _signed(shades: np.ndarray, heat: Heat) -> np.ndarray:
    """Return the colours of a heat map with both signs, on a scale symmetric about 0."""
    return _signed_colours(np.clip(_to_values(shades, heat) / max(heat.high, -heat.low, 1e-12), -1, 1))


def _signed_colours(values: np.ndarray) -> np.ndarray:
    """Return H × W values, −1 to 1, as H × W × 3 pixels: vermilion below 0, near white at 0, teal above."""
    negative, zero, positive = (np.array(_rgb(colour), float) for colour in SIGNED)
    values = values[..., None]
    colours = np.where(values < 0, zero + (negative - zero) * -values, zero + (positive - zero) * values)
    rounded: np.ndarray = np.rint(colours).astype(np.uint8)
    return rounded


SIGNED = (LIGHT.worse, "#f5f5f0", LIGHT.better)  # negative, zero, positive


def tiles(sprite: bytes, tile: tuple[int, int], columns: int, count: int) -> np.ndarray:
    """Cut a sprite, row by row, into its tiles: count × H × W (× 3)."""
    whole = pixels(sprite)
    height, width = tile
    places = [divmod(number, columns) for number in range(count)]
    return np.stack([whole[row * height : (row + 1) * height, col * width : (col + 1) * width] for row, col in places])


def lay_out(cut: np.ndarray, columns: int) -> bytes:
    """Return tiles, n × H × W × 3 or 4, in rows of ``columns`` with grey gaps between them, as one PNG.

    The gaps are seen beside light and dark tiles on a light and a dark page. Places without a tile are transparent.
    """
    count, height, width = cut.shape[:3]
    rows = -(-count // columns)
    sprite = np.full(
        (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), (*_rgb(GAP_COLOUR), 255), np.uint8
    )
    if count < rows * columns:
        filled = count - (rows - 1) * columns
        sprite[(rows - 1) * (height + GAP) :, filled * (width + GAP) - GAP :] = 0
    for number, one in enumerate(cut):
        row, column = divmod(number, columns)
        top, left = row * (height + GAP), column * (width + GAP)
        sprite[top : top + height, left : left + width, : one.shape[2]] = one
        sprite[top : top + height, left : left + width, 3] = one[..., 3] if one.shape[2] == 4 else 255
    return png(sprite)


@lru_cache(maxsize=64)
def strip_png(strip: Strip, columns: int, most: int) -> bytes:
    """Return the first ``most`` maps of a strip in cividis, in rows of ``columns``."""
    count = min(most, len(strip.channels))
    return lay_out(to_cividis(tiles(strip.png, strip.tile, strip.columns, count)), columns)


def scale_bar(x: float, y: float, width: float, low: float, high: float, unit: str) -> list[str]:
    """Return the legend of a heat map: its colours, the values at both ends, and the unit."""
    ramp = np.linspace(0, 255, 128).astype(np.uint8)[None]
    if low < 0:
        most = max(high, -low)
        low, high = -most, most
        colours = _signed_colours(np.linspace(-1, 1, 128)[None])
    else:
        colours = to_cividis(ramp)
    return [
        image(x, y, width, 12, png(colours), smooth=True),
        svg.text(x, y + 28, fmt.number(low), faint=True),
        svg.text(x + width, y + 28, fmt.number(high), anchor="end", faint=True),
        svg.text(x + width / 2, y + 28, unit, anchor="middle", faint=True),
    ]


def choice(identity: str, label: str, x: float, y: float, width: float, height: float, *, tooltip: bool = True) -> str:
    """Return a transparent box that makes a part of an SVG selectable; ``label`` names it, also as its ``tooltip``."""
    title = f"<title>{escape(label)}</title>" if tooltip else ""
    return (
        f'<rect data-choice="{escape(identity)}" aria-label="{escape(label)}" x="{x:.1f}" y="{y:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" fill="transparent">{title}</rect>'
    )


def grid_choices(
    prefix: str, labels: Sequence[str], x: float, y: float, size: tuple[float, float], columns: int, gap: float
) -> list[str]:
    """Return a choice per tile of a sprite whose tiles are drawn ``size`` (width, height) large. Ids count from 0."""
    found = []
    for place, label in enumerate(labels):
        row, column = divmod(place, columns)
        left, top = x + column * (size[0] + gap), y + row * (size[1] + gap)
        found.append(choice(f"{prefix}{place}", label, left, top, *size))
    return found
