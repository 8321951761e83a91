"""Files made at a click, in Chromium: each click gives a file, or the reason below the buttons why there is none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


def button(page: Page, label: str) -> Locator:
    """Return the button of a file."""
    return page.get_by_test_id("stDownloadButton").filter(has_text=label).get_by_role("button")


def downloaded(page: Page, label: str) -> bytes:
    """Click a button, and return the content of the file."""
    with page.expect_download() as download:
        button(page, label).click()
    return Path(download.value.path()).read_bytes()


def test_a_failure_is_explained_and_the_next_try_works(page: Page, serve: Callable[[str], str]) -> None:
    """No click runs the script; the reason is shown until the next click; a refused file has no active button."""
    page.goto(serve("tests/browser/apps/downloads_app.py"))
    expect(button(page, "Weights")).to_be_disabled()
    expect(page.get_by_text("Weights: They are too large.")).to_be_visible()
    assert downloaded(page, "Table") == b"table"
    button(page, "Graph").click()
    reason = page.get_by_text("Graph: There is no *paper*.")
    expect(reason).to_be_visible()
    box, below = (found.bounding_box() for found in (button(page, "Graph"), reason))
    assert 0 < below["y"] - box["y"] < 200
    assert downloaded(page, "Graph") == b"graph"
    expect(reason).not_to_be_visible()
    assert downloaded(page, "Table") == b"table"
    expect(page.get_by_text("run 1", exact=True)).to_be_visible()
