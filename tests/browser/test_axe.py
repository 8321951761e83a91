"""axe-core finds no violation on any page, in any view, light or dark, nor in what is folded there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from explorer.runs.store import Store
from tests.browser.app import ADDRESSES, APP, set_theme, wait_for_table, wait_until_idle
from tests.browser.conftest import DATA
from tests.browser.walk import open_folds, walk
from tests.stored_runs import make_plan, store_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ALL = {"resultTypes": ["violations"], "preload": False}
CONTRAST = {**ALL, "runOnly": ["color-contrast"]}
OPTIONS = {"light": ALL, "dark": CONTRAST}  # only the contrast can differ between the themes
RUN = """
async (options) => {
    const {violations} = await axe.run(document, options)
    return violations.flatMap(({id, nodes}) => nodes.map((node) => [id, node.target.join(), node.failureSummary]))
}
"""


def find_violations(page: Page, theme: str, options: dict[str, object]) -> Iterator[tuple[str, ...]]:
    """Yield each violation in the theme: the rule, the element, and what is wrong with it."""
    for violation in page.evaluate(RUN, options):
        yield (theme, *violation)


def test_no_page_and_no_view_has_a_violation(page: Page, serve: Callable[[str], str]) -> None:
    """Each is looked at in one theme, then in the other, which the next one keeps: the page follows the browser.

    What is folded is looked at in one theme, once for each name.
    """
    page.goto(serve(APP))
    wait_for_table(page)
    page.evaluate(AXE_SCRIPT)
    themes = ["light", "dark"]
    found, folds = {}, set[str]()
    for name in walk(page):
        violations = [*find_violations(page, themes[0], OPTIONS[themes[0]])]
        themes.reverse()
        set_theme(page, themes[0])
        found[name] = [*violations, *find_violations(page, themes[0], OPTIONS[themes[0]])]
        for fold in open_folds(page, folds):
            found[f"{name}, {fold}"] = [*find_violations(page, themes[0], ALL)]
    assert folds  # popovers were opened, and expanders:
    assert any(name.endswith(", expanders") for name in found)
    assert {name: violations for name, violations in found.items() if violations} == {}


def test_a_page_on_a_phone_has_no_violation(page: Page, serve: Callable[[str], str]) -> None:
    """There the menu is a list in the sidebar, and tables and formulas scroll in their own boxes."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{serve(APP)}/{ADDRESSES['Auxiliary classifiers']}")
    page.get_by_role("button", name="Skip the question").click()
    expect(page.get_by_text("Test yourself")).to_be_visible()
    expect(page.locator(".katex-display[tabindex]").first).to_be_visible()  # what a narrow page lacked has been added
    wait_until_idle(page)
    page.evaluate(AXE_SCRIPT)
    assert [*find_violations(page, "light", ALL)] == []


def test_results_of_runs_have_no_violation(page: Page, serve: Callable[[str], str]) -> None:
    """A finished run with its curves and mistakes, and two runs in the history: the walk above has no runs."""
    address = serve(APP)
    store = Store(Path(DATA.name) / str(urlsplit(address).port))
    stored = [store_run(store, plan, session="me") for plan in (make_plan("mini"), make_plan("mini", "half"))]
    try:
        page.goto(f"{address}/{ADDRESSES['Train']}?run={stored[0].id}")
        expect(page.locator(".mistakes figure").first).to_be_visible()
        wait_until_idle(page)
        page.evaluate(AXE_SCRIPT)
        found = [*find_violations(page, "light", ALL)]
        page.locator(".st-key-train_view").get_by_text("History").click()
        grid = page.get_by_test_id("stDataFrame").first
        expect(grid.get_by_test_id("glide-cell-1-1")).to_have_count(1)
        for row in range(2):
            wait_until_idle(page)
            grid.click(position={"x": 16, "y": 52 + 35 * row})
        expect(page.get_by_text("Delete 2 runs")).to_be_visible()
        set_theme(page, "dark")
        found += find_violations(page, "dark", ALL)
    finally:
        for run in stored:
            store.delete(run.id)
    assert found == []
