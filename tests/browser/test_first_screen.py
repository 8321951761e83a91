"""What the first screen shows without scrolling: the network as a strip, its table, and few controls."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import APP, edit, expect_total, is_too_wide, open_page, wait_for_table, wait_until_idle

pytestmark = pytest.mark.browser

SCREENS = {"1440x900": (1440, 900), "1366x768": (1366, 768)}
ROW = 35  # pixels
MAX_CONTROLS = 7

# Names of what can be operated and is in the first screen. A table or a strip is one: Tab stops there once.
CONTROLS = """
() => {
  const found = []
  const isShown = (element) => {
    const area = element.getBoundingClientRect()
    const isInside = area.width > 1 && area.height > 1 && area.top >= 0 && area.bottom <= innerHeight
    return isInside && element.checkVisibility({opacityProperty: true, visibilityProperty: true})
  }
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) visit(element.shadowRoot)
      const isControl = element.matches("button, input, select, textarea, summary, canvas, [role=listbox]")
      const isInGrid = element.closest("[data-testid=stElementToolbar]")
      if (isControl && !isInGrid && isShown(element)) found.push(element.innerText || element.tagName)
    }
  }
  visit(document.querySelector("[data-testid=stMain]"))
  return found
}
"""


@pytest.fixture
def network(page: Page, serve: Callable[[str], str]) -> Page:
    """The first page, at rest."""
    page.goto(serve(APP))
    wait_for_table(page)
    return page


def box(page: Page, name: str) -> Locator:
    """Return a box of the strip."""
    return page.locator(f".st-key-strip .box#{name}")


def text_size(page: Page) -> str:
    """Return the size of the text, in which everything is measured."""
    return page.evaluate("getComputedStyle(document.documentElement).fontSize")


def lowest(locator: Locator) -> float:
    """Return how far below the top of the window an element ends."""
    area = locator.bounding_box()
    assert area
    return area["y"] + area["height"]


@pytest.mark.parametrize("screen", SCREENS)
def test_the_picture_and_the_table_are_in_the_first_screen_and_follow_an_edit(network: Page, screen: str) -> None:
    """The whole strip with its heads, and the rows of the table down to 4c; an edit of 4a changes both."""
    width, height = SCREENS[screen]
    network.set_viewport_size({"width": width, "height": height})
    wait_until_idle(network)
    for name in ("image", "inception_4a", "aux_4a", "aux_4d", "inception_5b", "classifier"):
        assert lowest(box(network, name)) < height
    grid = network.get_by_test_id("stDataFrame").first.bounding_box()
    assert grid
    assert grid["y"] + 6 * ROW < height
    edit(network, "4a", "#3×3", "300")
    expect_total(network, "parameters", "7,111,252")
    expect(box(network, "inception_4a")).to_contain_text("●")
    expect(box(network, "inception_4a").locator(".layer.lit")).to_have_count(1)
    expect(box(network, "inception_4b")).to_contain_text("≈")
    expect(box(network, "aux_4a")).to_contain_text("≈")
    expect(box(network, "inception_4c")).not_to_contain_text("≈")
    wait_until_idle(network)
    after = network.get_by_test_id("stDataFrame").first.bounding_box()
    assert after
    assert after["y"] == grid["y"]  # the table has not moved


@pytest.mark.parametrize("screen", SCREENS)
def test_few_controls_are_visible_before_one_is_asked_for(network: Page, screen: str) -> None:
    """The bar, the strip, the table and one fold for everything else."""
    width, height = SCREENS[screen]
    network.set_viewport_size({"width": width, "height": height})
    wait_until_idle(network)
    found = network.evaluate(CONTROLS)
    assert len(found) <= MAX_CONTROLS, found


def test_a_box_and_its_row_point_at_each_other(network: Page) -> None:
    """Hovering a box marks the row in the table, hovering a row marks the box; a head has no row."""
    table = network.locator(".st-key-table")
    box(network, "inception_4c").hover()
    expect(network.locator(".st-key-strip .tip")).to_contain_text("Module 4c")
    expect(table).to_have_class(re.compile("has-lit-row"))
    assert table.evaluate("table => table.style.getPropertyValue('--row')") == "5"
    box(network, "aux_4a").hover()
    expect(table).not_to_have_class(re.compile("has-lit-row"))
    network.get_by_test_id("stDataFrame").first.hover(position={"x": 300, "y": 9 * ROW + ROW // 2})
    expect(network.locator(".st-key-strip .box.hot")).to_have_id("inception_5b")
    network.mouse.move(5, 5)
    expect(network.locator(".st-key-strip .box.hot")).to_have_count(0)


def test_the_strip_is_one_stop_for_the_keyboard(network: Page) -> None:
    """Arrow keys go from box to box, with their text, and Enter selects one."""
    strip = network.locator(".st-key-strip").get_by_role("listbox")
    strip.press("ArrowRight")
    expect(strip).to_have_attribute("aria-activedescendant", "aux_4a")
    strip.press("ArrowRight")
    expect(network.locator(".st-key-strip .tip")).to_contain_text("Module 4b")
    strip.press("Enter")
    expect(network.locator(".st-key-formulas")).to_contain_text("inception_4b")


def test_every_total_explains_itself_on_hover_and_focus(network: Page) -> None:
    """The meaning is hidden until then."""
    term, meaning = network.locator(".totals .term").nth(2), network.locator(".totals .meaning").nth(2)
    expect(meaning).to_be_hidden()
    term.hover()
    expect(meaning).to_be_visible()
    expect(meaning).to_contain_text("2 × MACs")
    network.mouse.move(5, 5)
    expect(meaning).to_be_hidden()
    term.focus()
    expect(meaning).to_be_visible()


def test_on_a_phone_the_totals_have_two_columns_and_nothing_is_cut_off(network: Page) -> None:
    """The strip wraps, and the page does not scroll sideways."""
    network.set_viewport_size({"width": 390, "height": 844})
    wait_until_idle(network)
    lefts = {round(item.bounding_box()["x"]) for item in network.locator(".totals > div").all()}
    assert len(lefts) == 2
    assert not is_too_wide(network)


def test_present_enlarges_every_page_until_it_is_turned_off(page: Page, serve: Callable[[str], str]) -> None:
    """On a projector of 1920 × 1080 text is larger, and the picture and the table still fit."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{serve(APP)}/?present=1")
    wait_for_table(page)
    assert text_size(page) == "22px"
    assert lowest(box(page, "aux_4a")) < 0.6 * 1080
    expect(page.get_by_test_id("stDataFrame").first).to_be_in_viewport(ratio=0.7)
    open_page(page, "Module")
    assert "present=1" in page.url
    assert text_size(page) == "22px"
    page.get_by_role("button", name="Share").click()
    page.get_by_text("Present: larger text and charts").click()
    page.wait_for_function("getComputedStyle(document.documentElement).fontSize === '16px'")
    expect(page).not_to_have_url(re.compile("present"))
