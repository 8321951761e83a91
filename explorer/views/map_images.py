"""Feature maps and heat maps as pictures: they come as grey PNGs, and are coloured, cut and laid out anew here.

Black of a grey map is the least value and white the largest. Cividis tells amounts (Nuñez et al. 2018); what can speak
for or against is told from vermilion over nothing to teal.
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

GAP = 1  # pixels of a sprite between two tiles


def png(pixels: np.ndarray) -> bytes:
    """Return H × W (× 3 or 4) uint8 pixels as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def pixels(picture: bytes) -> np.ndarray:
    """Return the pixels of a PNG of our own making: H × W for a grey one, else H × W × 3."""
    with Image.open(io.BytesIO(picture), formats=("PNG",)) as file:
        return np.asarray(file if file.mode == "L" else file.convert("RGB"))


def shrunk(picture: bytes, side: int) -> bytes:
    """Return a PNG so reduced that no side is longer than ``side``; the same where it is not."""
    with Image.open(io.BytesIO(picture), formats=("PNG",)) as file:
        if max(file.size) <= side:
            return picture
        small = file.convert("RGB")
    small.thumbnail((side, side))
    return png(np.asarray(small))


def address(picture: bytes) -> str:
    """Return a PNG as an address that holds all of it, so that nothing need be fetched."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def image(x: float, y: float, width: float, height: float, picture: bytes, *, smooth: bool = False) -> str:
    """Return a PNG as a part of an SVG, its pixels as squares unless ``smooth``."""
    style = "" if smooth else ' style="image-rendering:pixelated"'
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
        f'href="{address(picture)}"{style}/>'
    )


@lru_cache(maxsize=1)
def _cividis() -> np.ndarray:
    """256 × 3: the colour of each shade."""
    return np.array([_rgb(palette.scale(shade / 255)) for shade in range(256)], np.uint8)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def coloured(grey: np.ndarray) -> np.ndarray:
    """H × W of shades → H × W × 3 in cividis."""
    return _cividis()[grey]


def heat_png(heat: Heat) -> bytes:
    """Return a heat map as a coloured PNG: cividis for amounts, two colours around 0 where there are both signs."""
    shades = pixels(heat.png)
    return png(_signed(shades, heat) if heat.low < 0 else coloured(shades))


def overlay_png(heat: Heat) -> bytes:
    """Return a heat map to lay over a picture: the less a place has, the more the picture shows through."""
    shades = pixels(heat.png)
    strength = np.abs(_values(shades, heat)) / max(heat.high, -heat.low, 1e-12)
    opacity = np.rint(255 * np.clip(0.15 + 0.75 * strength, 0, 0.9))
    colours = _signed(shades, heat) if heat.low < 0 else coloured(shades)
    return png(np.dstack([colours, opacity.astype(np.uint8)]))


def _values(shades: np.ndarray, heat: Heat) -> np.ndarray:
    return heat.low + shades.astype(float) / 255 * (heat.high - heat.low)


def _signed(shades: np.ndarray, heat: Heat) -> np.ndarray:
    """Colour by sign: vermilion below 0, pale at 0, teal above, both ends at the same distance from 0."""
    values = np.clip(_values(shades, heat) / max(heat.high, -heat.low, 1e-12), -1, 1)[..., None]
    against, nothing, towards = (np.array(_rgb(colour), float) for colour in SIGNED)
    return np.rint(
        np.where(values < 0, nothing + (against - nothing) * -values, nothing + (towards - nothing) * values)
    ).astype(np.uint8)


SIGNED = (LIGHT.worse, "#f5f5f0", LIGHT.better)  # against, nothing, for


def tiles(sprite: bytes, tile: tuple[int, int], columns: int, count: int) -> np.ndarray:
    """Cut a picture of tiles, row by row, into them: count × H × W (× 3)."""
    whole = pixels(sprite)
    height, width = tile
    places = [divmod(number, columns) for number in range(count)]
    return np.stack([whole[row * height : (row + 1) * height, col * width : (col + 1) * width] for row, col in places])


def lay_out(cut: np.ndarray, columns: int) -> bytes:
    """Lay tiles, n × H × W × 3 or 4, in rows of ``columns`` with clear gaps between them, as one PNG."""
    count, height, width = cut.shape[:3]
    rows = -(-count // columns)
    sprite = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), np.uint8)
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
    return lay_out(coloured(tiles(strip.png, strip.tile, strip.columns, count)), columns)


def scale_bar(x: float, y: float, width: float, low: float, high: float, unit: str) -> list[str]:
    """Return the legend of a heat map: its colours with the values at the ends, and what they are."""
    ramp = np.linspace(0, 255, 128).astype(np.uint8)[None]
    if low < 0:
        most = max(high, -low)
        low, high = -most, most
        ends = np.linspace(-1, 1, 128)[None, :, None]
        against, nothing, towards = (np.array(_rgb(colour), float) for colour in SIGNED)
        mixed = np.where(ends < 0, nothing + (against - nothing) * -ends, nothing + (towards - nothing) * ends)
        colours = np.rint(mixed).astype(np.uint8)
    else:
        colours = coloured(ramp)
    return [
        image(x, y, width, 12, png(colours), smooth=True),
        svg.text(x, y + 28, fmt.number(low), faint=True),
        svg.text(x + width, y + 28, fmt.number(high), anchor="end", faint=True),
        svg.text(x + width / 2, y + 28, unit, anchor="middle", faint=True),
    ]


def choice(identity: str, label: str, x: float, y: float, width: float, height: float) -> str:
    """Return a clear box over a part of a picture that can be chosen by it; ``label`` says what it is."""
    return (
        f'<rect data-choice="{escape(identity)}" aria-label="{escape(label)}" x="{x:.1f}" y="{y:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" fill="transparent"><title>{escape(label)}</title></rect>'
    )


def grid_choices(
    prefix: str, labels: Sequence[str], x: float, y: float, size: tuple[float, float], columns: int, gap: float
) -> list[str]:
    """Return a choice per tile of a sprite whose tiles are drawn ``size`` (width, height) large; ids count from 0."""
    found = []
    for place, label in enumerate(labels):
        row, column = divmod(place, columns)
        left, top = x + column * (size[0] + gap), y + row * (size[1] + gap)
        found.append(choice(f"{prefix}{place}", label, left, top, *size))
    return found
