"""Make the two fonts of the diagrams from the variable font that Streamlit ships: ``python -m assets.fonts.make``.

Source Sans 3 by Adobe, under the SIL Open Font License. The licence reserves the name *Source*, so the subset is called
Explorer Sans. Each file is one weight with the characters that a diagram can show. Kerning is left out, so that the
width of a text is the sum of its advances. The same Streamlit gives the same bytes. Needs ``pip install brotli``,
because Streamlit's file is WOFF2; ours are WOFF, which fontTools reads without it.
"""

from pathlib import Path

import streamlit
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FOLDER = Path(__file__).parent
MEDIA = Path(streamlit.__file__).parent / "static" / "static" / "media"
FAMILY = "Explorer Sans"
WEIGHTS = {"Regular": 400, "Bold": 700}
CHARACTERS = "".join(map(chr, range(0x20, 0x7F))) + "\N{NO-BREAK SPACE}×÷·–—→←↑↓−±≈≤≥µΔ²³°…●’“”"
NAME_IDS = (0, 13, 14)  # copyright, licence, its address


def main(target: Path = FOLDER) -> None:
    """Write both weights into a folder."""
    (source,) = MEDIA.glob("SourceSansVF-Upright*.woff2")
    for style, weight in WEIGHTS.items():
        font = instantiateVariableFont(TTFont(source, recalcTimestamp=False), {"wght": weight})
        options = Options(layout_features=[], hinting=False, name_IDs=NAME_IDS, name_languages=[0x409])
        options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "STAT"]
        subsetter = Subsetter(options)
        subsetter.populate(text=CHARACTERS)
        subsetter.subset(font)
        _rename(font, style)
        font.flavor = "woff"
        font.save(target / f"explorer-sans-{style.lower()}.woff")


def _rename(font: TTFont, style: str) -> None:
    names = {1: FAMILY, 2: style, 3: f"{FAMILY} {style}", 4: f"{FAMILY} {style}", 6: f"ExplorerSans-{style}"}
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)


if __name__ == "__main__":
    main()
