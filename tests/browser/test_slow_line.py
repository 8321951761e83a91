"""Typing on a slow line: every digit that is typed into a cell arrives, the first edit of a fresh page included."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.app import APP, cell_position, expect_cell, expect_total, wait_for_table

pytestmark = pytest.mark.browser

EDITOR = "**/data-grid-overlay-editor.*.js"  # the script that the grid loads with the first key
KEY_DELAYS_MS = {"4a": 30, "4b": 60, "4c": 120, "4d": 200}


def type_into_cells(page: Page, delays_ms: dict[str, int]) -> None:
    """Click the #3×3 of one module after another and type 300, each with its time in ms between two keys."""
    grid = page.get_by_test_id("stDataFrame").first
    for module, delay in delays_ms.items():
        grid.click(position=cell_position(module, "#3×3"))
        page.keyboard.type("300", delay=delay)
        page.keyboard.press("Enter")


@pytest.mark.parametrize("latency_ms", [0, 50, 100, 300])
def test_300_arrives_at_any_latency(new_page: Callable[[], Page], serve: Callable[[str], str], latency_ms: int) -> None:
    """Nothing is cached, and a key comes every 30 to 200 ms."""
    page = new_page()
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1},
    )
    page.goto(serve(APP))
    wait_for_table(page)
    type_into_cells(page, KEY_DELAYS_MS)
    for module in KEY_DELAYS_MS:
        expect_cell(page, module, "#3×3", "300")
        expect_cell(page, module, "mark", "●")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_what_is_typed_before_the_editor_has_loaded_arrives(
    new_page: Callable[[], Page], serve: Callable[[str], str]
) -> None:
    """Three cells are typed before the script is there; then all of it is entered, in its order."""
    page, waiting = new_page(), list[Route]()

    def wait(route: Route) -> None:
        waiting.append(route)

    page.route(EDITOR, wait)
    page.goto(serve(APP))
    wait_for_table(page)
    type_into_cells(page, {"4a": 0, "4b": 0, "4c": 0})
    expect_total(page, "parameters", "6,998,552")
    for route in waiting:
        route.continue_()
    for module in ("4a", "4b", "4c"):
        expect_cell(page, module, "#3×3", "300")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_what_is_typed_in_a_busy_browser_arrives(new_page: Callable[[], Page], serve: Callable[[str], str]) -> None:
    """Its tasks come late, so that Enter is there before the editor has finished the last digit."""
    page = new_page()
    page.goto(serve(APP))
    wait_for_table(page)
    page.evaluate("{ const soon = setTimeout; setTimeout = (task, ms = 0) => soon(task, ms || 100) }")
    type_into_cells(page, {"4a": 60, "4b": 0, "4c": 30})
    for module in ("4a", "4b", "4c"):
        expect_cell(page, module, "#3×3", "300")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_keys_on_a_cell_that_cannot_be_edited_change_nothing(page: Page, serve: Callable[[str], str]) -> None:
    """They are not held for the next cell either."""
    page.goto(serve(APP))
    wait_for_table(page)
    grid = page.get_by_test_id("stDataFrame").first
    grid.click(position={"x": 20, "y": cell_position("4a", "#3×3")["y"]})
    page.keyboard.type("77")
    type_into_cells(page, {"4a": 30})
    expect_cell(page, "4a", "#3×3", "300")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
