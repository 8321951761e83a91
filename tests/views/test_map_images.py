"""Maps as images: colours, signs, tiles, and selectable parts."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from explorer.jobs.inspection import Heat
from explorer.views import map_images, palette


def heat(values: list[list[int]], low: float, high: float) -> Heat:
    """Return a heat map of these shades."""
    return Heat(png=map_images.png(np.array(values, np.uint8)), size=(len(values), len(values[0])), low=low, high=high)


def hexed(pixel: np.ndarray) -> str:
    """Return a pixel in the notation of the palette."""
    return "#" + "".join(f"{part:02x}" for part in pixel[:3])


def test_amounts_have_the_colours_of_cividis() -> None:
    """The smallest value has the darkest colour, the largest the lightest, the middle one between."""
    colours = map_images.pixels(map_images.heat_png(heat([[0, 128, 255]], 0.0, 4.0)))
    assert hexed(colours[0, 0]) == palette.CIVIDIS[0]
    assert hexed(colours[0, 1]) == palette.scale(128 / 255)
    assert hexed(colours[0, 2]) == palette.CIVIDIS[-1]


def test_values_of_both_signs_have_a_scale_symmetric_about_0() -> None:
    """0 is near white wherever it is between the ends; both colours are equally strong at the same distance."""
    colours = map_images.pixels(map_images.heat_png(heat([[0, 51, 255]], -1.0, 4.0)))  # −1, 0 and 4
    against, nothing, towards = map_images.SIGNED
    assert hexed(colours[0, 1]) == nothing
    assert hexed(colours[0, 2]) == towards
    quarter = palette.mix(nothing, against, 0.25)
    assert np.abs(colours[0, 0].astype(int) - [int(quarter[n : n + 2], 16) for n in (1, 3, 5)]).max() <= 1


@pytest.mark.parametrize(("low", "shades"), [(0.0, (0, 255)), (-2.0, (128, 255))])
def test_small_values_of_an_overlay_are_transparent(low: float, shades: tuple[int, int]) -> None:
    """An overlay is nearly transparent where the map is about 0, and nearly opaque at its largest."""
    overlay = rgba(map_images.overlay_png(heat([list(shades)], low, 2.0)))
    assert overlay[0, 0, 3] < 45
    assert overlay[0, 1, 3] > 220


def test_a_map_without_values_divides_by_nothing() -> None:
    """A dead channel is one colour."""
    colours = map_images.pixels(map_images.heat_png(heat([[0, 0]], 0.0, 0.0)))
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 1


def test_tiles_are_cut_and_laid_out_again() -> None:
    """Every tile is in its place, with gaps between."""
    numbers = np.arange(6, dtype=np.uint8).repeat(4).reshape(6, 2, 2)
    sprite = np.concatenate([np.concatenate(list(numbers[:4]), 1), np.concatenate([*numbers[4:], *numbers[:2]], 1)])
    cut = map_images.tiles(map_images.png(sprite), (2, 2), 4, 6)
    assert (cut == numbers).all()
    laid = np.array(map_images.pixels(map_images.lay_out(map_images.to_cividis(cut), 3)))
    assert laid.shape == (5, 8, 3)
    assert hexed(laid[3, 3]) == palette.scale(4 / 255)


def test_gaps_between_tiles_are_seen_in_both_themes() -> None:
    """They have a contrast of 3 with dark and light tiles and pages; a place without a tile is transparent."""
    others = (palette.CIVIDIS[0], palette.CIVIDIS[-1], palette.LIGHT.background, palette.DARK.background)
    assert all(palette.contrast(map_images.GAP_COLOUR, other) >= 3 for other in others)
    laid = rgba(map_images.lay_out(map_images.to_cividis(np.zeros((3, 4, 4), np.uint8)), 2))
    assert (hexed(laid[0, 4, :3]), laid[0, 4, 3]) == (map_images.GAP_COLOUR, 255)
    assert (laid[5:, 4:, 3] == 0).all()


def rgba(image_png: bytes) -> np.ndarray:
    """Return the pixels of a PNG with their opacity."""
    return np.asarray(Image.open(io.BytesIO(image_png)).convert("RGBA"))


def test_an_overlay_with_few_large_values_shows_the_others() -> None:
    """One pixel in a hundred is ten times as large as the rest; the rest is clearly seen."""
    shades = np.full((10, 10), 140)
    shades[0, 0] = 255
    overlay = rgba(map_images.overlay_png(heat(shades.tolist(), -1.0, 1.0)))
    assert overlay[5, 5, 3] > 200


def test_a_large_image_is_shrunk_and_a_small_one_unchanged() -> None:
    """No side is longer than the limit."""
    large, small = (map_images.png(np.zeros((side, 2 * side, 3), np.uint8)) for side in (100, 10))
    assert map_images.pixels(map_images.shrink(large, 50)).shape == (25, 50, 3)
    assert map_images.shrink(small, 50) == small


def test_the_name_of_a_selectable_part_is_escaped() -> None:
    """A name cannot become markup."""
    element = ElementTree.fromstring(map_images.choice('a"<b>', "<script>x</script>", 0, 0, 1, 1))
    assert element.get("data-choice") == 'a"<b>'
    assert element.get("aria-label") == "<script>x</script>"
