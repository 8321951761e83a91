"""A walk through the whole app by its own menus: every page, and on each every view with its results."""

from collections.abc import Collection, Iterator

from playwright.sync_api import Page, expect

from tests.browser.app import ADDRESSES, SECTIONS, open_page, wait_until_idle

VIEWS = ":is(.st-key-view, .st-key-compare_view, .st-key-train_view, .st-key-look_inside_view) [role=radio]"
WAITING = "[class*=st-key-rerun_after_]"  # what a part draws that waits for a result
ENGINES = "Look inside, Engines"  # measures for minutes


def walk(page: Page, without: Collection[str] = (ENGINES,)) -> Iterator[str]:
    """Go from the first page, which is open, to all pages and views, and yield the name of each when it is at rest.

    A lesson comes twice: with its opening question, and in full.
    """
    for title in ADDRESSES:
        if title != "Network":
            open_page(page, title)
        wait_for_results(page)
        if SECTIONS[title] == "Learn":
            yield f"{title}, question"
            page.get_by_role("button", name="Skip the question").click()
            expect(page.get_by_text("Test yourself")).to_be_visible()
            wait_for_results(page)
        views = page.locator(VIEWS)
        if not views.count():
            yield title
        for name in views.all_inner_texts():
            if f"{title}, {name}" not in without:
                views.get_by_text(name, exact=True).click()
                wait_for_results(page)
                yield f"{title}, {name}"


def wait_for_results(page: Page) -> None:
    """Wait until the page is at rest and no part of it waits for a result."""
    wait_until_idle(page)
    while page.locator(WAITING).count():
        expect(page.locator(WAITING)).to_have_count(0)
        wait_until_idle(page)
