"""The font of the diagrams, for the layout and for the browser: one font measures and draws, so texts fit everywhere.

Explorer Sans is a subset of Source Sans 3 without kerning (``assets/fonts/README.md``), so the width of a text is the
sum of the advances of its characters. All figures are equally wide.
"""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache

from fontTools.ttLib import TTFont
from PIL import ImageFont

from explorer.paths import ASSETS

FAMILY = "Explorer Sans"
FALLBACKS = "'Source Sans 3', 'Source Sans', Helvetica, Arial, sans-serif"  # for characters outside the subset
CAP_HEIGHT = 0.66  # height of capitals and figures, in font sizes
_FILES = {weight: ASSETS / "fonts" / f"explorer-sans-{name}.woff" for weight, name in ((400, "regular"), (700, "bold"))}
_UNKNOWN = 1.0  # the advance assumed for a character outside the subset, in font sizes: that of a Chinese character


def width(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a text, in the unit of ``size``, the font size."""
    advances = _advances(700 if bold else 400)
    return size * sum(advances.get(character, _UNKNOWN) for character in text)


@cache
def face_css() -> str:
    """Return the ``@font-face`` rules of both weights, with the files as data URIs."""
    rules = []
    for weight, file in _FILES.items():
        data = b64encode(file.read_bytes()).decode()
        rules.append(
            f'@font-face{{font-family:"{FAMILY}";font-weight:{weight};'
            f'src:url(data:font/woff;base64,{data}) format("woff")}}'
        )
    return "".join(rules)


def embed(svg: str) -> str:
    """Return an SVG document with the font inside, so that it looks the same in any viewer."""
    head, end, rest = svg.partition(">")  # the first tag is the root: layout.svg writes no XML declaration
    return f"{head}{end}<style>{face_css()}</style>{rest}"


@cache
def picture_font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font for Pillow, ``size`` pixels large."""
    return ImageFont.truetype(_FILES[700 if bold else 400], size)


@cache
def _advances(weight: int) -> Mapping[str, float]:
    """Return the advance of each character of the subset, in font sizes."""
    with TTFont(_FILES[weight], lazy=True) as font:
        units, metrics = font["head"].unitsPerEm, font["hmtx"].metrics
        return {chr(code): metrics[glyph][0] / units for code, glyph in font.getBestCmap().items()}
