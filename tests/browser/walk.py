"""A walk through the whole app by its own menus: every page, and on each every view with its results."""

from collections.abc import Collection, Iterator

from playwright.sync_api import Page, expect

from tests.browser.app import ADDRESSES, SECTIONS, open_page, wait_until_idle

VIEWS = ", ".join(
    f".st-key-{key} [role=radio]" for key in ("view", "compare_view", "train_view", "search_view", "look_inside_view")
)
WAITING = "[class*=st-key-rerun_after_]"  # what a part draws that waits for a result
EXPANDER = "[data-testid=stExpander] summary:visible"
IS_OPEN = "summary => summary.parentElement.open"
POPOVER = "[data-testid=stPopover] button:enabled:visible"
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


def open_folds(page: Page, known: set[str]) -> Iterator[str]:
    """Open what is folded on the page: all expanders at once, then one popover after another, with its expanders.

    Yield what is open each time the page is at rest. A popover with the name of a ``known`` one stays closed, so that
    those in the bar of all pages are opened once; names are added.
    """
    if _open_expanders(page):
        yield "expanders"
    for popover in page.locator(POPOVER).all():
        name = popover.inner_text()
        if name in known:
            continue
        known.add(name)
        popover.click()
        expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
        wait_for_results(page)
        _open_expanders(page)
        yield name
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)


def _open_expanders(page: Page) -> bool:
    """Open the expanders that are closed, and return whether there were any."""
    closed = [summary for summary in page.locator(EXPANDER).all() if not summary.evaluate(IS_OPEN)]
    for summary in closed:
        summary.click()
        wait_for_results(page)
    return bool(closed)
