"""The printed handout: nothing extends beyond a sheet of A4, and each column has one alignment."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from explorer import PRESETS, summarize
from explorer.comparison import Comparison
from explorer.history import Version
from explorer.lessons.worksheet import worksheet
from explorer.views import handout

pytestmark = pytest.mark.browser

A4 = {"width": round(96 * (210 - 2 * 15) / 25.4), "height": 1_000}  # pixels between the margins of 15 mm
SUMMARIES = {name: summarize(PRESETS[name]) for name in ("paper", "torchvision", "naive", "mini")}
HANDOUTS = {
    "network": handout.network_handout(
        Version("naive", PRESETS["naive"]),
        SUMMARIES["naive"],
        modules=["4a"],
        questions=worksheet(SUMMARIES["naive"], "naive", ("reduction",), 1, 3),
    ),
    "comparison": handout.comparison_handout(
        Comparison(tuple(SUMMARIES.values())), ["a variant with a very long name", *list(SUMMARIES)[1:]]
    ),
}
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    || element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible")
  .map((element) => element.outerHTML.slice(0, 80))"""
MIXED = """() => {
  const side = (cell) => getComputedStyle(cell).textAlign.replace("start", "left")
  const sides = (table, column) => new Set([...table.rows].map((row) => side(row.cells[column])))
  return [...document.querySelectorAll("table:not(.compare)")].flatMap((table) =>
    [...table.rows[0].cells].filter((_, column) => sides(table, column).size > 1).map((cell) => cell.textContent))
}"""


@pytest.mark.parametrize("name", HANDOUTS)
def test_a_printed_handout_fits_a4(new_page: Callable[[], Page], name: str) -> None:
    """No table is cut off at the right, however many columns it has, and all cells of a column are aligned alike."""
    page = new_page()
    page.set_viewport_size(A4)
    page.emulate_media(media="print")
    page.set_content(HANDOUTS[name])
    assert [] == page.evaluate(TOO_WIDE)
    assert [] == page.evaluate(MIXED)
    assert page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF")
