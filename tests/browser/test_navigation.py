"""Old addresses of pages, on a server without visitors before, and where a reader sees which page is open."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from explorer.ui.navigation import PAGES
from tests.browser.app import APP, open_page, wait_until_idle
from tests.browser.conftest import PATIENCE_S, start_server

pytestmark = pytest.mark.browser


def test_a_cold_link_to_an_old_address_opens_the_page(page: Page) -> None:
    """The first request to a new server: the page, its parameters, its new address, and no false message."""
    process, root = start_server(APP)
    try:
        page.goto(f"{root}/infer?net=1.half&weights=mini_scales")
        expect(page).to_have_url(re.compile(r"/look_inside\?(?=.*net=2\.half)(?=.*weights=mini_scales)"))
        expect(page.locator(".st-key-bar")).to_contain_text("half width")
        wait_until_idle(page)
        expect(page.get_by_text("Page not found")).to_have_count(0)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        page.get_by_test_id("stTopNavSection").filter(has_text="Lab").click()
        titles = [re.compile(entry.title) for entry in PAGES["Lab"]]
        expect(page.get_by_test_id("stTopNavDropdownLink")).to_have_text(titles)
        expect(page.get_by_test_id("stTopNavSection")).to_have_count(3)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def test_the_tab_and_the_menu_name_the_page(page: Page, serve: Callable[[str], str]) -> None:
    """The tab adds the network; the section of the open page is marked, and names it."""
    page.goto(f"{serve(APP)}/module?net=1.half")
    expect(page).to_have_title("Module · half width · Inception Explorer")
    open_page(page, "Compare")
    expect(page).to_have_title("Compare · half width · Inception Explorer")
    name = "section => getComputedStyle(section.querySelector('p'), '::after').content"
    sections = page.get_by_test_id("stTopNavSection").all()
    assert ['" · Compare"', "none", "none"] == [section.evaluate(name) for section in sections]


def test_back_leaves_a_page_at_the_first_press(page: Page, serve: Callable[[str], str]) -> None:
    """Though each page writes into its address: the network, and the view that Compare shows after a reload."""
    page.goto(f"{serve(APP)}/module?net=2.half")
    wait_until_idle(page)
    open_page(page, "Look inside")
    expect(page).to_have_url(re.compile(r"/look_inside\?net=2\.half$"))
    wait_until_idle(page)
    open_page(page, "Compare")
    page.get_by_text("Charts", exact=True).click()
    expect(page).to_have_url(re.compile(r"/compare\?(?=.*net=2\.half)(?=.*view=Charts)"))
    page.reload()
    expect(page.locator(".st-key-compare_chart")).to_be_visible()
    for address in ("look_inside", "module"):
        wait_until_idle(page)
        page.go_back()
        expect(page).to_have_url(re.compile(rf"/{address}\?net=2\.half$"))


def test_an_unknown_page_is_named(page: Page, serve: Callable[[str], str]) -> None:
    """A warning says so, above the page that is shown instead; on another page it is gone."""
    page.goto(f"{serve(APP)}/nosuchpage?net=2.half")
    warning = page.get_by_text("There is no page “nosuchpage”. This is the page Network.")
    expect(warning).to_be_visible()
    wait_until_idle(page)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    open_page(page, "Module")
    expect(page).to_have_title("Module · half width · Inception Explorer")
    expect(warning).to_have_count(0)
