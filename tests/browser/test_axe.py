"""axe-core finds no violation on any page, in any view, light or dark, nor in what is folded there."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.app import ADDRESSES, APP, set_theme, wait_for_table, wait_until_idle
from tests.browser.walk import open_folds, walk

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
