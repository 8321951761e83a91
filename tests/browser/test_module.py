"""The module page in a real browser: measured by one click, laid out wide and narrow, and its charts saved."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import ADDRESSES, APP, is_too_wide, wait_until_idle

pytestmark = pytest.mark.browser


@pytest.fixture
def module(page: Page, serve: Callable[[str], str]) -> Page:
    """The page of a small network, at rest."""
    page.goto(f"{serve(APP)}/{ADDRESSES['Module']}?net=1.mini")
    expect(page.locator(".st-key-beside .selectable").first).to_be_visible()
    expect(page.locator(".st-key-budget .js-plotly-plot .sankey")).to_be_visible()
    wait_until_idle(page)
    return page


def pictures(page: Page) -> list[Locator]:
    """The two diagrams, as it is and naive."""
    found = page.locator(".st-key-beside .pane")
    expect(found).to_have_count(2)
    return found.all()


def test_one_click_measures_and_both_pictures_and_the_budget_show_it(module: Page) -> None:
    """The live networks are timed in the background; legends, times in the boxes, a metric and a width appear."""
    module.get_by_role("button", name="Measure time").click()
    expect(module.get_by_role("button", name="Measure again")).to_be_visible()
    ends = []
    for pane in pictures(module):
        expect(pane).to_contain_text("measured time")
        expect(pane.locator(".layer").first).to_contain_text(re.compile(r"\d (µs|ms)"))
        ends.append(pane.locator(".graph > text").last.text_content())
    assert len(set(ends)) == 1  # one scale
    expect(module.get_by_test_id("stMetric").filter(has_text="measured time")).to_contain_text("naive")
    module.locator(".st-key-budget_width").get_by_text("measured time").click()
    title = module.locator(".st-key-budget strong").filter(has_text="measured time")
    expect(title).to_be_visible()


def test_nothing_is_cut_off_or_overlaps(module: Page) -> None:
    """Pictures stand beside each other or, on a narrow page, below; columns and the page's width are whole."""
    for scheme in ("light", "dark"):
        module.emulate_media(color_scheme=scheme)
        for width in (1400, 800):
            check_layout(module, width)


def check_layout(module: Page, width: int) -> None:
    """Check the places of all parts at a width."""
    module.set_viewport_size({"width": width, "height": 900})
    wait_until_idle(module)
    assert not is_too_wide(module)
    left, right = (pane.bounding_box() for pane in pictures(module))
    assert (left["x"] + left["width"] <= right["x"]) == (width == 1400)
    assert (left["y"] + left["height"] <= right["y"]) == (width == 800)
    chart = module.locator(".st-key-budget .js-plotly-plot").first
    chart.scroll_into_view_if_needed()
    around = chart.bounding_box()
    formulas = module.locator(".st-key-formulas").bounding_box()
    assert formulas["x"] >= around["x"] + around["width"] or formulas["y"] >= around["y"] + around["height"]
    table = module.get_by_test_id("stDataFrame").last.locator(".dvn-scroller")
    assert table.evaluate("table => table.scrollWidth <= table.clientWidth + 1")


def test_the_budget_is_downloaded_as_png_and_html(module: Page) -> None:
    """The camera on the chart gives a picture, the button a page of its own."""
    chart = module.locator(".st-key-budget .js-plotly-plot")
    chart.scroll_into_view_if_needed()
    chart.hover()
    with module.expect_download() as waiting:
        chart.locator(".modebar-btn[data-title*='PNG']").click()
    assert Path(waiting.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with module.expect_download() as waiting:
        module.locator(".st-key-budget").get_by_role("button", name="HTML").click()
    page = Path(waiting.value.path()).read_text("utf-8")
    assert "takes" in page
    assert "<script src=" not in page
