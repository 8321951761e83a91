"""The network page in a real browser: type into a cell, undo, reload, change pages, arrive by a deep link."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from explorer.ui.navigation import PAGES
from tests.browser.conftest import _start

pytestmark = pytest.mark.browser

APP = "streamlit_app.py"
PATIENCE_MS = 60_000
GROUPS_OF_THREE = re.compile(r"\d{1,3}(,\d{3})*")
LEFT = {"#1×1": 90 + 40, "#3×3": 90 + 80 + 122 + 40}  # module and mark stand before them
MODULES = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
COLUMN = {"mark": 1, "#3×3": 4, "in → out": 8, "parameters": 10}


@pytest.fixture
def network(page: Page, serve: Callable[[str], str]) -> Iterator[Page]:
    """The first page, at rest, in a session of its own; nothing may be asked of another machine or go wrong."""
    address, complaints = serve(APP), []
    page.set_viewport_size({"width": 1400, "height": 900})
    page.on("request", lambda request: complaints.append(request.url) if _outside(request.url) else None)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    at_rest(page)
    yield page
    assert complaints == []


def _outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))


def at_rest(page: Page) -> None:
    """Wait for the table and for the numbers above it."""
    page.wait_for_selector("[data-testid=stDataFrame] canvas", timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(GROUPS_OF_THREE, timeout=PATIENCE_MS)
    page.wait_for_timeout(800)


def edit(page: Page, module: str, heading: str, text: str) -> None:
    """Double-click a cell and type over it. On a busy machine half a double click is lost now and then: again."""
    y = 35 * (MODULES.index(module) + 1) + 17
    grid = page.get_by_test_id("stDataFrame").first
    field = page.get_by_test_id("portal").locator(".gdg-clip-region input").first
    for _ in range(4):
        grid.click(position={"x": 20, "y": y})
        grid.dblclick(position={"x": LEFT[heading], "y": y})
        try:
            field.fill(text, timeout=4_000)
        except TimeoutError:
            page.keyboard.press("Escape")
        else:
            field.press("Enter")
            return
    raise AssertionError(f"the cell {module}, {heading} did not open")


def expect_cell(page: Page, module: str, column: str, text: str) -> None:
    """Wait until a cell of the table says that."""
    cell = page.get_by_test_id(f"glide-cell-{COLUMN[column]}-{MODULES.index(module)}").first
    expect(cell).to_have_text(text, timeout=PATIENCE_MS)


def expect_total(page: Page, label: str, text: str) -> None:
    """Wait until a total says that."""
    metric = page.get_by_test_id("stMetric").filter(has_text=label).first
    expect(metric.get_by_test_id("stMetricValue")).to_have_text(text, timeout=PATIENCE_MS)


def test_an_edit_goes_through_the_network_and_undo_takes_it_back(network: Page) -> None:
    """4a's #3×3 set to 210: totals, 4a, the row of 4b and the head on 4a change; undo restores all of it."""
    edit(network, "4a", "#3×3", "210")
    expect_total(network, "parameters", "7,001,002")
    expect_cell(network, "4a", "mark", "●")
    expect_cell(network, "4a", "in → out", "480 → 514")
    expect_cell(network, "4b", "mark", "≈")
    expect_cell(network, "4b", "in → out", "514 → 512")
    expect(network.locator(".st-key-surroundings")).to_contain_text("3,189,096 parameters")
    expect(network.locator(".st-key-bar")).to_contain_text("paper + 1 edit")
    network.get_by_role("button", name="Undo").click()
    expect_total(network, "parameters", "6,998,552")
    expect_cell(network, "4a", "#3×3", "208")
    expect_cell(network, "4b", "mark", "")
    expect(network.locator(".st-key-surroundings")).to_contain_text("3,188,840 parameters")


def test_several_edits_in_a_row_all_count(network: Page) -> None:
    """The grid holds its edits; none is lost, and a reload brings them all back."""
    edit(network, "4a", "#3×3", "210")
    expect_total(network, "parameters", "7,001,002")
    edit(network, "4a", "#1×1", "194")
    expect_cell(network, "4a", "in → out", "480 → 516")
    edit(network, "5b", "#3×3", "390")
    expect_cell(network, "5b", "in → out", "832 → 1,030")
    total = network.get_by_test_id("stMetricValue").first.inner_text()
    network.reload()
    at_rest(network)
    expect_total(network, "parameters", total)
    expect_cell(network, "4a", "#3×3", "210")
    expect(network.locator(".st-key-bar")).to_contain_text("paper + 3 edits")


def test_back_and_forward_walk_through_the_edits(network: Page) -> None:
    """The browser's own buttons lead to the network before the last edit, and to it again."""
    edit(network, "4a", "#3×3", "210")
    expect_total(network, "parameters", "7,001,002")
    edit(network, "4a", "#3×3", "212")
    expect_total(network, "parameters", "7,003,452")
    network.go_back()
    expect_total(network, "parameters", "7,001,002")
    expect_cell(network, "4a", "#3×3", "210")
    network.go_forward()
    expect_total(network, "parameters", "7,003,452")


def test_a_bad_cell_stays_visible_with_its_reason(network: Page) -> None:
    """The refused number stands where it was typed, the sentence under the table, the totals do not move."""
    edit(network, "4a", "#3×3", "-5")
    expect(network.get_by_test_id("stAlert")).to_contain_text("4a, #3×3: -5 is out of range", timeout=PATIENCE_MS)
    expect_cell(network, "4a", "#3×3", "-5")
    expect_cell(network, "4a", "mark", "✗")
    expect_total(network, "parameters", "6,998,552")
    network.get_by_role("button", name="Put the cells back").click()
    expect_cell(network, "4a", "#3×3", "208")
    expect(network.get_by_test_id("stAlert")).to_have_count(0)


def test_a_fraction_is_refused_as_it_was_typed(network: Page) -> None:
    """The grid cuts nothing off unseen: 3.7 stays 3.7, with its reason, and the totals do not move."""
    edit(network, "4a", "#3×3", "3.7")
    expect(network.get_by_test_id("stAlert")).to_contain_text("3.7 is no whole number", timeout=PATIENCE_MS)
    expect_cell(network, "4a", "#3×3", "3.7")
    expect_total(network, "parameters", "6,998,552")


def test_a_hostile_link_asks_no_other_machine(network: Page) -> None:
    """A picture in the name of a network stays text; the fixture listens for requests."""
    network.goto(network.url.split("?")[0] + "?net=2.![x](//2130706433/x)")
    at_rest(network)
    expect(network.get_by_test_id("stAlert")).to_contain_text("“![x](//2130706433/x)”", timeout=PATIENCE_MS)
    expect(network.get_by_test_id("stAlert").locator("img")).to_have_count(0)


def test_the_edit_survives_another_page_and_back(network: Page) -> None:
    """The module page speaks of the edited network; its edits reach the table, and the table keeps its own."""
    edit(network, "4a", "#3×3", "210")
    expect_total(network, "parameters", "7,001,002")
    open_page(network, "Explore", "Module")
    expect(network.locator(".st-key-bar")).to_contain_text("paper + 1 edit")
    field = network.get_by_label("#3×3", exact=True)
    expect(field).to_have_value("210", timeout=PATIENCE_MS)
    field.fill("220")
    field.press("Enter")
    expect(network.locator(".st-key-bar")).to_contain_text("7,013,252", timeout=PATIENCE_MS)
    open_page(network, "Explore", "Network")
    at_rest(network)
    expect_cell(network, "4a", "#3×3", "220")
    expect_total(network, "parameters", "7,013,252")
    edit(network, "4a", "#3×3", "208")
    expect_total(network, "parameters", "6,998,552")


def open_page(page: Page, section: str, title: str) -> None:
    """Choose a page in the top navigation."""
    page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title).click()


def test_the_badge_verifies_the_network_after_the_numbers(network: Page) -> None:
    """The live network is built, run, and agrees in all 94 rows."""
    badge = network.locator(".st-key-badge")
    expect(badge).to_contain_text("closed form = live network = torchinfo", timeout=PATIENCE_MS)
    expect(badge).to_contain_text("94 rows")
    expect(badge).to_contain_text("output 1 × 1,000")


def open_view(page: Page, name: str) -> None:
    """Choose what is shown below the first screen."""
    page.locator(".st-key-view").get_by_text(name, exact=True).filter(visible=True).first.click()


def chosen(page: Page, view: str) -> Locator:
    """Return the box that is marked as chosen in one of the pictures."""
    return page.locator(f".st-key-{view} [role=button][aria-pressed=true]")


def test_picture_panel_and_table_follow_one_choice(network: Page) -> None:
    """A box chosen in the overview opens below it; a layer chosen inside fills the formulas and the table."""
    network.locator(".st-key-overview").get_by_role("button", name=re.compile("^inception_4b,")).click()
    expect(network.locator(".st-key-formulas")).to_contain_text("inception_4b", timeout=PATIENCE_MS)
    expect(chosen(network, "overview")).to_have_attribute("aria-label", re.compile("4b"))
    network.locator(".st-key-block").get_by_role("button", name=re.compile("^inception_4b.branch_5x5.reduce,")).click()
    expect(network.locator(".st-key-formulas")).to_contain_text("inception_4b.branch_5x5.reduce", timeout=PATIENCE_MS)
    open_view(network, "Layers")
    layers = network.get_by_test_id("stDataFrame").last
    expect(layers.get_by_test_id("glide-cell-1-0")).to_contain_text("inception_4b", timeout=PATIENCE_MS)
    network.locator(".st-key-overview").get_by_role("button", name=re.compile("^inception_5a,")).click()
    expect(layers.get_by_test_id("glide-cell-1-0")).to_contain_text("inception_5a", timeout=PATIENCE_MS)


def test_a_row_of_the_layer_table_marks_its_box(network: Page) -> None:
    """Choosing a row chooses the node: the overview marks the block, the formulas speak of the layer."""
    open_view(network, "Layers")
    network.get_by_text("Only the chosen block").click()
    layers = network.get_by_test_id("stDataFrame").last
    expect(layers.get_by_test_id("glide-cell-1-1")).to_contain_text("stem.pool1", timeout=PATIENCE_MS)
    network.wait_for_timeout(800)
    layers.click(position={"x": 16, "y": 35 * 2 + 17})
    expect(chosen(network, "overview")).to_have_attribute("aria-label", re.compile("stem"), timeout=PATIENCE_MS)
    open_view(network, "Block")
    expect(network.locator(".st-key-formulas")).to_contain_text("stem.pool1", timeout=PATIENCE_MS)


@pytest.mark.parametrize("width", [1400, 800])
def test_nothing_is_cut_off_or_overlaps(network: Page, width: int) -> None:
    """The page never scrolls sideways, and its parts stand apart from each other."""
    network.set_viewport_size({"width": width, "height": 900})
    network.wait_for_timeout(2_000)  # until a narrow view has its own picture
    assert network.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    keys = (".st-key-settings", ".st-key-overview", ".st-key-badge", ".st-key-inside")
    parts = (".st-key-bar", ".st-key-totals", "[data-testid=stDataFrame]", *keys)
    boxes = [network.locator(part).first.bounding_box() for part in parts]
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"] + 1


ADDRESSES = [entry.file.split("/")[-1].removesuffix(".py") for entries in PAGES.values() for entry in entries]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_cold_deep_link_gets_the_full_frame(browser: Browser, address: str) -> None:
    """The first request to a fresh server may be any page, with a network in the link: frame, network, no notice."""
    process, root = _start(APP)
    try:
        page = browser.new_page()
        page.goto(f"{root}/{address}?net=1.half")
        expect(page.locator(".st-key-bar")).to_contain_text("half width", timeout=PATIENCE_MS)
        expect(page.get_by_test_id("stTopNavSection").first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_text("Page not found")).to_have_count(0)
        page.close()
    finally:
        process.terminate()
        process.wait(30)
