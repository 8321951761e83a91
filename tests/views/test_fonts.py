"""The font of the diagrams: it has every character they show, gives their widths, and travels inside an SVG."""

import re
from base64 import b64decode
from html import unescape
from io import BytesIO
from xml.etree import ElementTree

import pytest
from fontTools.ttLib import TTFont

from assets.fonts import make
from explorer import PRESETS, summarize
from explorer.views import diagrams, fonts
from explorer.views.canvas import COLOURINGS

SVG = "{http://www.w3.org/2000/svg}"
FILES = sorted(make.FOLDER.glob("*.woff"))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_font_has_every_character_of_the_diagrams(preset: str) -> None:
    """Otherwise a character comes from a font of the machine, with another width."""
    summary = summarize(PRESETS[preset])
    times = {row.path: (1 + row.macs) * 1e-12 for row in summary.rows}
    drawings = [
        *(diagrams.overview(summary, colour_by=colour, times=times) for colour in COLOURINGS),
        *(diagrams.block(summary, name, colour_by="time", times=times) for name in summary.by_module),
    ]
    texts = [unescape(text) for drawing in drawings for text in re.findall(r"<FONT[^>]*>(?:<B>)?([^<]*)", drawing.dot)]
    assert len(texts) > 100
    assert set("".join(texts)) <= set(make.CHARACTERS)


@pytest.mark.parametrize("bold", [False, True])
def test_a_width_is_the_sum_of_the_advances(bold: bool) -> None:
    """As the file has them, scaled to the font size; figures are equally wide, and so columns of them align."""
    with TTFont(make.FOLDER / f"explorer-sans-{'bold' if bold else 'regular'}.woff") as font:
        glyphs, units = font.getBestCmap(), font["head"].unitsPerEm
        advances = [font["hmtx"][glyphs[ord(character)]][0] for character in "512 × 14"]
    assert fonts.width("512 × 14", 15, bold) == pytest.approx(15 * sum(advances) / units)
    assert len({fonts.width(figure, 14, bold) for figure in "0123456789"}) == 1
    assert fonts.width("", 14, bold) == 0


def test_a_character_outside_the_font_is_taken_as_wide() -> None:
    """A box is rather too wide than too narrow for a text in another font."""
    assert fonts.width("卷积", 14) == 28


def test_capitals_are_as_high_as_the_layout_assumes() -> None:
    """The height by which texts are centred is that of the files."""
    for file in FILES:
        with TTFont(file) as font:
            assert font["OS/2"].sCapHeight / font["head"].unitsPerEm == fonts.CAP_HEIGHT


def test_an_svg_document_contains_both_weights() -> None:
    """The rules hold the very files, and what was drawn is as before."""
    plain = diagrams.overview(summarize(PRESETS["mini"])).svg
    document = ElementTree.fromstring(fonts.embed(plain))
    style = document[0]
    assert style.tag == f"{SVG}style"
    found = {
        weight: b64decode(data)
        for weight, data in re.findall(r"font-weight:(\d+);src:url\(data:font/woff;base64,([^)]*)\)", style.text or "")
    }
    assert {"400": "Regular", "700": "Bold"} == {
        weight: TTFont(BytesIO(data))["name"].getDebugName(2) for weight, data in found.items()
    }
    document.remove(style)
    assert ElementTree.tostring(ElementTree.fromstring(plain)) == ElementTree.tostring(document)


def test_the_fonts_are_free_and_have_a_name_of_their_own() -> None:
    """The licence reserves the name Source and travels with the font."""
    assert len(FILES) == 2
    for file in FILES:
        with TTFont(file) as font:
            names = {record.nameID: str(record) for record in font["name"].names}
        assert names[1] == fonts.FAMILY
        assert not any("Source" in names[number] for number in (1, 3, 4, 6))
        assert "SIL Open Font License" in names[13]
    assert "Reserved Font Name 'Source'" in (make.FOLDER / "OFL.txt").read_text("utf-8")


def test_the_fonts_are_made_from_the_font_of_the_pages(tmp_path) -> None:
    """Made again, the files are the same bytes."""
    pytest.importorskip("brotli", reason="Streamlit's font is WOFF2: pip install brotli")
    make.main(tmp_path)
    for file in FILES:
        assert file.read_bytes() == (tmp_path / file.name).read_bytes()
