"""Every colour of the app, once, and which text is readable on it.

Branches follow Okabe & Ito ("Color universal design", 2008), safe for colour-blind readers; cost is cividis (Nuñez,
Anderton & Renslow 2018). Contrast is WCAG 2.1's ratio of relative luminances. Colours are ``#rrggbb``.
"""

from types import MappingProxyType
from typing import NamedTuple

BRANCH = MappingProxyType({"1x1": "#0072b2", "3x3": "#e69f00", "5x5": "#009e73", "pool": "#cc79a7"})
AUX = "#d55e00"
SERIES = ("#7357d6", "#6b7280", "#b03a5b")  # for data of other kinds: branch colours mean branches only
PLAIN = "#5b6778"  # for parts without a branch: stem, classifier
READABLE = 4.5  # the lowest contrast of text that WCAG accepts (AA)

# Cividis from little to much, evenly spaced.
CIVIDIS = (
    *("#00224e", "#123570", "#3b496c", "#575d6d", "#707173"),
    *("#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"),
)


class Theme(NamedTuple):
    """The colours of a light or a dark page; the same values as in ``.streamlit/config.toml``.

    ``depth`` are the colours of lines from the first to the last block, evenly spaced. ``ink`` and ``muted`` are for
    text, ``line`` for an outline or arrow that must be visible, ``card`` and ``neutral`` the fill of a box with and
    without a branch of its own. ``better``, ``worse`` and ``variants`` (A–D) are for text or lines on ``background``.
    """

    background: str
    card: str
    neutral: str
    ink: str
    muted: str
    line: str
    better: str
    worse: str
    variants: MappingProxyType[str, str]
    depth: tuple[str, ...]


def _lettered(*colours: str) -> MappingProxyType[str, str]:
    return MappingProxyType(dict(zip("ABCD", colours, strict=True)))


LIGHT = Theme(
    background="#ffffff",
    card="#ffffff",
    neutral="#f3f5f8",
    ink="#18212f",
    muted="#4f5b6b",
    line="#64748b",
    better="#00696b",
    worse="#b84a00",
    variants=_lettered("#332288", "#8f1d44", "#776328", "#111111"),
    depth=("#5b2a9d", "#0b5fa5", "#00796b", "#8a6d00", "#b3261e"),
)
DARK = Theme(
    background="#0e1420",
    card="#0e1420",
    neutral="#18202f",
    ink="#e8edf5",
    muted="#a9b4c4",
    line="#8b98ab",
    better="#4dd0c7",
    worse="#ff9a5c",
    variants=_lettered("#a99bff", "#5fd38d", "#f3e46b", "#f1f5f9"),
    depth=("#c9a3ff", "#6db8ff", "#4dd0a8", "#e5c04a", "#ff8a7a"),
)


def scale(position: float, colours: tuple[str, ...] = CIVIDIS) -> str:
    """Return the colour at ``position``, 0 (nothing) to 1 (the most), by default of cost; one outside is clipped."""
    index = min(max(position, 0.0), 1.0) * (len(colours) - 1)
    below = min(int(index), len(colours) - 2)
    return mix(colours[below], colours[below + 1], index - below)


def mix(first: str, second: str, fraction: float) -> str:
    """Return the colour ``fraction`` (0 to 1) of the way from the first to the second."""
    pairs = zip(_channels(first), _channels(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * fraction):02x}" for a, b in pairs)


def text_on(fill: str) -> str:
    """Return black or white, whichever has more contrast on ``fill``. It is at least :data:`READABLE`."""
    return max("#ffffff", "#000000", key=lambda text: contrast(text, fill))


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, 1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 (black) to 1 (white)."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
