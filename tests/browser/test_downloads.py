"""Files made at a click, in Chromium: a file comes each time, and why one did not stands below the buttons."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

PATIENCE_MS = 30_000
pytestmark = pytest.mark.browser


def button(page: Page, label: str) -> Locator:
    """Return the button of a file."""
    return page.get_by_test_id("stDownloadButton").filter(has_text=label).get_by_role("button")


def taken(page: Page, label: str) -> bytes:
    """Click, and return what came."""
    with page.expect_download(timeout=PATIENCE_MS) as download:
        button(page, label).click()
    return Path(download.value.path()).read_bytes()


def test_a_failure_is_explained_and_the_next_try_is_not_in_its_way(page: Page, serve: Callable[[str], str]) -> None:
    """No click runs the script; the reason is shown as text, and goes with the next click; what is refused is off."""
    page.goto(serve("tests/browser/apps/downloads_app.py"))
    expect(button(page, "Weights")).to_be_disabled(timeout=PATIENCE_MS)
    expect(page.get_by_text("Weights: They are too large.")).to_be_visible()
    assert taken(page, "Table") == b"table"
    button(page, "Graph").click()
    told = page.get_by_text("Graph: There is no *paper*.")
    expect(told).to_be_visible(timeout=PATIENCE_MS)
    box, below = (found.bounding_box() for found in (button(page, "Graph"), told))
    assert 0 < below["y"] - box["y"] < 200
    assert taken(page, "Graph") == b"graph"
    expect(told).not_to_be_visible()
    assert taken(page, "Table") == b"table"
    expect(page.get_by_text("run 1", exact=True)).to_be_visible()
