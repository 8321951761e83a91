"""The app as browser tests drive it: its addresses, its menu, its table, and the moment when nothing moves any more."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, TimeoutError, expect

from explorer.ui.navigation import PAGES
from tests.browser.conftest import PATIENCE_MS

APP = "streamlit_app.py"
ADDRESSES = {entry.title: Path(entry.file).stem for entries in PAGES.values() for entry in entries}
SECTIONS = {entry.title: section for section, entries in PAGES.items() for entry in entries}
MODULES = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
LEFT = {"#1×1": 90 + 31, "#3×3": 90 + 62 + 106 + 31}  # module and mark stand before them
COLUMN = {"mark": 1, "#1×1": 2, "#3×3": 4, "in → out": 8, "parameters": 10}

# Resolves when the server has answered and nothing has changed on the page for a while.
IDLE = """
async ([quietMs, patienceMs]) => {
    const started = performance.now()
    let changed = started
    const observer = new MutationObserver(() => { changed = performance.now() })
    observer.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true})
    const isRunning = () => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'notRunning'
    while (isRunning() || performance.now() - changed < quietMs) {
        if (performance.now() - started > patienceMs) throw new Error('the page does not come to rest')
        await new Promise(resolve => setTimeout(resolve, 50)) // an animation frame would have the page drawn
    }
    observer.disconnect()
}
"""


def wait_until_idle(page: Page, quiet_ms: int = 250) -> None:
    """Wait until no run of the script is under way and the page has not changed for a moment."""
    page.evaluate(IDLE, [quiet_ms, PATIENCE_MS])


def set_theme(page: Page, theme: str) -> None:
    """Let the browser prefer ``light`` or ``dark``, and wait until the page and all that the server colours follow."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function("theme => document.documentElement.dataset.colours === theme", arg=theme)
    wait_until_idle(page, quiet_ms=100)


def wait_for_table(page: Page) -> None:
    """Wait for the page Network: the table can be edited, and the page has come to rest."""
    expect(page.get_by_test_id("stDataFrame").first.get_by_test_id("data-grid-canvas")).to_be_visible()
    expect(page.locator(".totals dd").first).to_have_text(re.compile(r"\d{1,3}(,\d{3})*"))
    expect(page.locator(".st-key-strip .box").first).to_be_visible()
    wait_until_idle(page)


def open_page(page: Page, title: str) -> None:
    """Choose a page in the menu at the top."""
    page.get_by_test_id("stTopNavSection").filter(has_text=SECTIONS[title]).click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title).click()
    page.wait_for_url(f"**/{ADDRESSES[title] if title != 'Network' else ''}*")
    page.keyboard.press("Escape")  # closes the menu


def cell(page: Page, module: str, column: str) -> Locator:
    """Return the cell of the table as the grid describes it to screen readers."""
    return page.get_by_test_id(f"glide-cell-{COLUMN[column]}-{MODULES.index(module)}").first


def cell_position(module: str, heading: str) -> dict[str, float]:
    """Return where a cell is in the table, in pixels."""
    return {"x": LEFT[heading], "y": 35 * (MODULES.index(module) + 1) + 17}


def edit(page: Page, module: str, heading: str, text: str) -> None:
    """Double-click a cell of the table and type over it.

    The table may move between the two clicks while the page above it arrives, so that a second double click is needed.
    """
    grid = page.get_by_test_id("stDataFrame").first
    field = page.get_by_test_id("portal").locator(".gdg-clip-region textarea").first
    for _ in range(10):
        grid.dblclick(position=cell_position(module, heading), force=True)
        try:
            field.wait_for(timeout=3_000)
        except TimeoutError:
            continue
        field.fill(text)
        field.press("Enter")
        expect_cell(page, module, heading, text)
        return
    raise AssertionError(f"the cell {module}, {heading} did not open")


def expect_cell(page: Page, module: str, column: str, text: str) -> None:
    """Wait until a cell of the table has that text."""
    expect(cell(page, module, column)).to_have_text(text)


def expect_total(page: Page, label: str, text: str) -> None:
    """Wait until a total has that value."""
    total = page.locator(".totals > div").filter(has=page.locator(".term", has_text=label)).first
    expect(total.locator("dd").first).to_have_text(text)


def is_too_wide(page: Page) -> bool:
    """Whether the page would scroll sideways."""
    main = "document.querySelector('[data-testid=stMain]')"
    return page.evaluate(f"{main}.scrollWidth > {main}.clientWidth")
