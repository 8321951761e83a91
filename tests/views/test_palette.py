"""Colours are distinct and readable: contrast by WCAG 2.1, colour blindness by Machado, Oliveira & Fernandes 2009."""

import math
import re
import tomllib
from itertools import combinations
from pathlib import Path

import pytest

from explorer.views import palette

# Severity 1.0, on linear RGB.
SEEN_BY = {
    "everyone": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopes": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopes": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}
THEMES = {"light": palette.LIGHT, "dark": palette.DARK}
FILLS = [
    *palette.BRANCH.values(),
    palette.AUX,
    palette.PLAIN,
    *palette.CIVIDIS,
    *(palette.scale(i / 100) for i in range(101)),
]


def lab(colour, eyes="everyone"):
    """Return CIE L*a*b* (D65) of a colour as seen with this kind of colour vision."""
    linear = [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    red, green, blue = (min(max(sum(a * b for a, b in zip(row, linear, strict=True)), 0), 1) for row in SEEN_BY[eyes])
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_contrast_is_that_of_wcag():
    """Black on white is 21, a colour on itself 1; #767676 is the classic grey that just passes on white."""
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#123456", "#123456") == pytest.approx(1)
    assert palette.contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("fill", sorted(set(FILLS)))
def test_text_on_a_fill_can_be_read(fill):
    """Every fill of the app carries its text at 4.5:1 or more."""
    assert palette.contrast(palette.text_on(fill), fill) >= palette.READABLE


def test_text_can_be_read_on_any_fill():
    """Black or white is always enough, over the whole cube of colours."""
    steps = range(0, 256, 15)
    fills = (f"#{red:02x}{green:02x}{blue:02x}" for red in steps for green in steps for blue in steps)
    assert min(palette.contrast(palette.text_on(fill), fill) for fill in fills) >= palette.READABLE


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_each_theme_can_be_read(theme):
    """Text has 4.5:1 on every surface of its theme, lines 3:1, in light and in dark."""
    for surface in (theme.background, theme.card, theme.neutral):
        for text in (theme.ink, theme.muted, theme.better, theme.worse):
            assert palette.contrast(text, surface) >= palette.READABLE
        assert palette.contrast(theme.line, surface) >= 3
    for colour in theme.variants.values():
        assert palette.contrast(colour, theme.background) >= palette.READABLE


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_colours_are_distinct_with_colour_blindness(eyes):
    """Branches, aux heads and variants differ from each other by well over a just noticeable difference (2.3)."""
    parts = [*palette.BRANCH.values(), palette.AUX]
    for theme in THEMES.values():
        variants = list(theme.variants.values())
        pairs = [*combinations(parts, 2), *combinations(variants, 2), *((a, b) for a in parts for b in variants)]
        assert min(math.dist(lab(a, eyes), lab(b, eyes)) for a, b in pairs) > 10


def test_other_data_have_other_colours():
    """What is no branch, head or variant: visible on both pages, and mistaken for none of the branches."""
    for colour in palette.SERIES:
        assert all(palette.contrast(colour, theme.background) >= 3 for theme in THEMES.values())
    parts = [*palette.BRANCH.values(), palette.AUX]
    for eyes in SEEN_BY:
        pairs = [*combinations(palette.SERIES, 2), *((a, b) for a in palette.SERIES for b in parts)]
        assert min(math.dist(lab(a, eyes), lab(b, eyes)) for a, b in pairs) > 10


BRANCH_FILES = {  # what shows branches
    *("block_diagrams", "branch_budget", "branch_maps", "diagrams", "effective_field", "figures", "flow"),
    *("look_inside", "module_maps", "network_strip", "reduction", "reduction_paths", "unit_maps", "unit_names"),
}


def test_branch_colours_mean_branches_only():
    """Only what shows branches uses them, and nothing but the logo repeats their values."""
    root = Path(__file__).parents[2]
    users = {path.stem for path in (root / "explorer").rglob("*.py") if "palette.BRANCH" in path.read_text("utf-8")}
    assert users <= BRANCH_FILES
    files = [*(root / "explorer").rglob("*.py"), *(root / "assets").rglob("*.[cj]s*"), root / ".streamlit/config.toml"]
    values = re.compile("|".join(palette.BRANCH.values()), re.IGNORECASE)
    assert ["palette.py"] == [path.name for path in files if values.search(path.read_text("utf-8"))]


def test_the_cost_scale_rises_evenly_in_brightness():
    """More is always brighter, also with colour blindness, and the ends are cividis's own."""
    for eyes in SEEN_BY:
        brightness = [lab(palette.scale(step / 40), eyes)[0] for step in range(41)]
        assert brightness == sorted(brightness)
    assert (palette.scale(-1), palette.scale(2)) == (palette.CIVIDIS[0], palette.CIVIDIS[-1])


def test_the_pages_theme_is_the_palettes():
    """Streamlit's theme file and the palette agree on the surfaces and the text."""
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text("utf-8"))["theme"]
    for name, theme in THEMES.items():
        declared = config[name]
        assert declared["backgroundColor"].lower() == theme.background
        assert declared["secondaryBackgroundColor"].lower() == theme.neutral
        assert declared["textColor"].lower() == theme.ink
