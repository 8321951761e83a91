"""The network page in a real browser: type into a cell, undo, reload, change pages, arrive by a deep link."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import (
    ADDRESSES,
    APP,
    edit,
    expect_cell,
    expect_total,
    is_too_wide,
    open_page,
    wait_for_table,
    wait_until_idle,
)
from tests.browser.conftest import PATIENCE_S, start_server

pytestmark = pytest.mark.browser


@pytest.fixture
def network(page: Page, serve: Callable[[str], str]) -> Page:
    """The first page, at rest."""
    page.goto(serve(APP))
    wait_for_table(page)
    return page


def test_an_edit_goes_through_the_network_and_undo_takes_it_back(network: Page) -> None:
    """4a's #3×3 set to 210: totals, 4a, the row of 4b and the head on 4a change, in place; undo restores all of it."""
    place = network.get_by_test_id("stDataFrame").first.bounding_box()
    edit(network, "4a", "#3×3", "210")
    expect_total(network, "parameters", "7,001,002")
    expect(network.locator(".totals .delta").first).to_contain_text("2,450")
    assert network.get_by_test_id("stDataFrame").first.bounding_box() == place  # the table does not jump
    expect_cell(network, "4a", "mark", "●")
    expect_cell(network, "4a", "in → out", "480 → 514")
    expect_cell(network, "4b", "mark", "≈")
    expect_cell(network, "4b", "in → out", "514 → 512")
    expect(network.locator(".st-key-other_parts")).to_contain_text("3,189,096 parameters")
    expect(network.locator(".st-key-bar")).to_contain_text("paper + 1 edit")
    network.get_by_role("button", name="Undo").click()
    expect_total(network, "parameters", "6,998,552")
    expect_cell(network, "4a", "#3×3", "208")
    expect_cell(network, "4b", "mark", "")
    expect(network.locator(".st-key-other_parts")).to_contain_text("3,188,840 parameters")


def test_several_edits_in_a_row_all_count(network: Page) -> None:
    """The grid holds its edits; none is lost, and a reload brings them all back."""
    edit(network, "4a", "#3×3", "210")
    expect_total(network, "parameters", "7,001,002")
    edit(network, "4a", "#1×1", "194")
    expect_cell(network, "4a", "in → out", "480 → 516")
    edit(network, "5b", "#3×3", "390")
    expect_cell(network, "5b", "in → out", "832 → 1,030")
    total = network.locator(".totals dd").first.inner_text()
    network.reload()
    wait_for_table(network)
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
    """The rejected number stays where it was typed, also a fraction, with the reason below; no total changes."""
    edit(network, "4a", "#3×3", "-5")
    expect(network.get_by_test_id("stAlert")).to_contain_text("4a, #3×3: -5 is out of range")
    expect_cell(network, "4a", "#3×3", "-5")
    expect_cell(network, "4a", "mark", "✗")
    expect_total(network, "parameters", "6,998,552")
    network.get_by_role("button", name="Discard these edits").click()
    expect_cell(network, "4a", "#3×3", "208")
    expect(network.get_by_test_id("stAlert")).to_have_count(0)
    edit(network, "4a", "#3×3", "3.7")
    expect(network.get_by_test_id("stAlert")).to_contain_text("3.7 is not a whole number")
    expect_cell(network, "4a", "#3×3", "3.7")
    expect_total(network, "parameters", "6,998,552")


@pytest.mark.parametrize(
    ("typed", "message"),
    [("x", "“x” is not a number"), ("12a", "“12a” is not a number"), ("1e9", "“1e9” has an exponent")],
)
def test_letters_in_a_cell_are_refused_as_they_were_typed(network: Page, typed: str, message: str) -> None:
    """None is dropped: the cell shows what was typed, the reason is below, and the totals do not move."""
    edit(network, "4a", "#3×3", typed)
    expect(network.get_by_test_id("stAlert")).to_contain_text(message)
    expect_cell(network, "4a", "#3×3", typed)
    expect_total(network, "parameters", "6,998,552")


def test_full_width_digits_and_groups_count_as_what_they_mean(network: Page) -> None:
    """１，０００ is a thousand."""
    edit(network, "4a", "#3×3", "１，０００")
    expect_cell(network, "4a", "in → out", "480 → 1,304")
    expect(network.get_by_test_id("stAlert")).to_have_count(0)


def test_a_refused_height_moves_nothing_and_marks_what_is_shown(network: Page) -> None:
    """Totals, picture and badge are marked as the last valid network; every other field stays where it is."""
    badge = network.locator(".st-key-badge")
    expect(badge).to_contain_text("closed form = live network = torchinfo")
    network.locator(".st-key-more_settings summary").click()
    expect(network.get_by_label("Pooling").first).to_be_visible()
    wait_until_idle(network)
    fields = [network.get_by_label(label).first for label in ("Height", "Width", "Classes", "Normalisation", "Pooling")]
    network.set_viewport_size({"width": 1400, "height": 1300})  # so that nothing scrolls into view meanwhile
    wait_until_idle(network)
    places = [field.bounding_box() for field in fields]
    fields[0].fill("5e2")
    fields[0].press("Enter")
    expect(network.get_by_role("alert")).to_contain_text("Height: “5e2” has an exponent")
    expect(network.get_by_text("Still in use: 224.")).to_be_visible()
    expect(fields[0]).to_have_value("5e2")
    expect(fields[0]).to_be_focused()
    expect(network.locator(".st-key-bar")).to_contain_text("last valid network")
    expect(badge).to_contain_text("last valid network")
    expect(network.locator(".st-key-strip")).to_have_css("filter", "grayscale(1)")
    expect(network.locator(".totals")).to_have_css("filter", "grayscale(1)")
    assert places == [field.bounding_box() for field in fields]
    fields[0].fill("256")
    fields[0].press("Enter")
    expect(network.get_by_role("alert")).to_have_count(0)
    expect(network.locator(".st-key-strip")).to_have_css("filter", "none")
    expect(network.locator(".st-key-bar")).not_to_contain_text("last valid network")


def test_a_hostile_link_asks_no_other_machine(page: Page, serve: Callable[[str], str]) -> None:
    """A picture in the name of a network stays text; the fixture listens for requests."""
    page.goto(f"{serve(APP)}?net=2.![x](//2130706433/x)")
    wait_for_table(page)
    expect(page.get_by_test_id("stAlert")).to_contain_text("“![x](//2130706433/x)”")
    expect(page.get_by_test_id("stAlert").locator("img")).to_have_count(0)


def test_the_edit_survives_another_page_and_back(network: Page) -> None:
    """The module page speaks of the edited network; its edits reach the table, and the table keeps its own."""
    edit(network, "4a", "#3×3", "210")
    expect_total(network, "parameters", "7,001,002")
    open_page(network, "Module")
    expect(network.locator(".st-key-bar")).to_contain_text("paper + 1 edit")
    field = network.get_by_label("#3×3", exact=True)
    expect(field).to_have_value("210")
    field.fill("220")
    field.press("Enter")
    expect(network.locator(".st-key-bar")).to_contain_text("7,013,252")
    open_page(network, "Network")
    wait_for_table(network)
    expect_cell(network, "4a", "#3×3", "220")
    expect_total(network, "parameters", "7,013,252")
    edit(network, "4a", "#3×3", "208")
    expect_total(network, "parameters", "6,998,552")


def test_the_badge_verifies_the_network_after_the_numbers(network: Page) -> None:
    """The live network is built, run, and agrees in all 94 rows."""
    badge = network.locator(".st-key-badge")
    expect(badge).to_contain_text("closed form = live network = torchinfo")
    expect(badge).to_contain_text("94 rows")
    expect(badge).to_contain_text("output 1 × 1,000")


def open_view(page: Page, name: str) -> None:
    """Choose what is shown below the first screen."""
    page.locator(".st-key-view").get_by_text(name, exact=True).filter(visible=True).first.click()


def box(page: Page, name: str) -> Locator:
    """Return a box of the strip at the top."""
    return page.locator(f".st-key-strip .box#{name}")


def test_picture_panel_and_table_follow_one_choice(network: Page) -> None:
    """A box chosen in the strip opens below it; a layer chosen inside fills the formulas and the table."""
    box(network, "inception_4b").click()
    expect(network.locator(".st-key-formulas")).to_contain_text("inception_4b")
    expect(box(network, "inception_4b")).to_have_attribute("aria-selected", "true")
    network.locator(".st-key-block").get_by_role("button", name=re.compile("^inception_4b.branch_5x5.reduce,")).click()
    expect(network.locator(".st-key-formulas")).to_contain_text("inception_4b.branch_5x5.reduce")
    open_view(network, "Layers")
    layers = network.get_by_test_id("stDataFrame").last
    expect(layers.get_by_test_id("glide-cell-1-0")).to_contain_text("inception_4b")
    box(network, "inception_5a").click()
    expect(layers.get_by_test_id("glide-cell-1-0")).to_contain_text("inception_5a")


def test_a_row_of_the_layer_table_marks_its_box(network: Page) -> None:
    """Choosing a row chooses the node: the strip marks the block, the formulas speak of the layer."""
    open_view(network, "Layers")
    network.get_by_text("Only the selected block").click()
    layers = network.get_by_test_id("stDataFrame").last
    expect(layers.get_by_test_id("glide-cell-1-1")).to_contain_text("stem.pool1")
    wait_until_idle(network)
    layers.click(position={"x": 16, "y": 35 * 2 + 17})
    expect(box(network, "stem")).to_have_attribute("aria-selected", "true")
    open_view(network, "Block")
    expect(network.locator(".st-key-formulas")).to_contain_text("stem.pool1")


def test_nothing_is_cut_off_or_overlaps(network: Page) -> None:
    """Wide or narrow, the page never scrolls sideways, and its parts stand apart from each other."""
    keys = (".st-key-strip", "[data-testid=stDataFrame]", ".st-key-other_parts", ".st-key-badge", ".st-key-inside")
    parts = (".st-key-bar", ".st-key-heading", ".st-key-totals", *keys)
    for width in (1400, 800, 390):
        network.set_viewport_size({"width": width, "height": 900})
        wait_until_idle(network)  # a narrow view asks for its own picture
        assert not is_too_wide(network)
        boxes = [network.locator(part).first.bounding_box() for part in parts]
        for above, below in pairwise(boxes):
            assert above["y"] + above["height"] <= below["y"] + 1


def test_a_cold_deep_link_gets_the_full_frame(page: Page) -> None:
    """The first request to a new server may be a page with a network in the link: frame, network, no notice.

    ``tests/ui/test_navigation.py`` opens each page so.
    """
    process, root = start_server(APP)
    try:
        page.goto(f"{root}/{ADDRESSES['1×1 reduction']}?net=1.half")
        expect(page.locator(".st-key-bar")).to_contain_text("half width")
        expect(page.get_by_test_id("stTopNavSection").first).to_be_visible()
        wait_until_idle(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_text("Page not found")).to_have_count(0)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
