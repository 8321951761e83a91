"""Training in a real browser: edit the table, watch the curve grow, leave and come back, cancel, resume, look back."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from explorer import PRESETS
from explorer.history import Version
from explorer.share import to_token
from explorer.training.races import scaled
from tests.browser.test_network import APP, PATIENCE_MS, _outside, at_rest, edit, open_page

pytestmark = pytest.mark.browser

SMALL = to_token(Version("mini", scaled(PRESETS["mini"], 0.5)))
TRAINING_MS = 3 * PATIENCE_MS  # for PyTorch to start and train a little, on a machine that may be busy
CURVE = ".curves figure:first-of-type polyline"


@pytest.fixture
def tab(page: Page, serve: Callable[[str], str]) -> Iterator[Page]:
    """A small network on the bench; nothing may be asked of another machine or go wrong."""
    complaints: list[str] = []
    page.set_default_timeout(PATIENCE_MS)
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.on("request", lambda request: complaints.append(request.url) if _outside(request.url) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{serve(APP)}/?net={SMALL}")
    at_rest(page)
    yield page
    assert complaints == []


def set_budget(page: Page, amount: str, unit: str) -> None:
    """When the page is whole, choose the unit, then the amount, and wait until the estimate is there."""
    expect(page.locator(".strips img")).to_have_count(10, timeout=PATIENCE_MS)
    kind, field = page.locator(".st-key-one_kind input").first, page.get_by_label("Budget", exact=True)
    kind.click()
    page.get_by_role("option", name=unit, exact=True).click()
    expect(kind).to_have_value(unit, timeout=PATIENCE_MS)
    field.fill(amount)
    field.press("Enter")
    expect(page.get_by_text(" epochs)")).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(500)


def start(page: Page) -> None:
    """Press the button, and wait until the run is looked at."""
    page.locator(".st-key-train_start button").click()
    expect(page.locator(".st-key-run_head")).to_be_visible(timeout=PATIENCE_MS)


def drawn(page: Page) -> int:
    """Return how many points of the training accuracy are drawn."""
    shown = page.locator(CURVE)
    return len((shown.first.get_attribute("points") or "").split()) if shown.count() else 0


def wait_for_points(page: Page, more_than: int) -> None:
    """Wait until the curve has grown."""
    for _ in range(TRAINING_MS // 500):
        if drawn(page) > more_than:
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"the curve stays at {drawn(page)} points")


def expect_state(page: Page, state: str) -> None:
    """Wait until the run is in a state."""
    expect(page.locator(".st-key-run_head")).to_contain_text(state, timeout=TRAINING_MS)


def steer(page: Page, label: str) -> None:
    """Press a button of a run that another session started: before the reload that was this one."""
    page.wait_for_timeout(1_000)
    button = page.get_by_role("button", name=label, exact=False)
    if not button.is_visible():
        page.locator(".st-key-run_others button").first.click()
    button.click()


def test_a_run_from_the_table_to_the_history(tab: Page, browser: Browser) -> None:
    """It survives another page, a reload and a second tab; cancelled it goes on from where it was, and it is kept."""
    edit(tab, "4a", "#3×3", "30")
    expect(tab.locator(".st-key-bar")).to_contain_text("edit", timeout=PATIENCE_MS)
    open_page(tab, "Lab", "Train")
    set_budget(tab, "5000", "steps")
    start(tab)
    expect_state(tab, "training")
    wait_for_points(tab, 2)
    assert "run=r" in tab.url

    open_page(tab, "Explore", "Module")
    expect(tab.locator(".st-key-budget")).to_be_visible(timeout=PATIENCE_MS)
    open_page(tab, "Lab", "Train")
    wait_for_points(tab, 3)
    tab.reload()
    expect_state(tab, "training")
    wait_for_points(tab, 4)
    other = browser.new_page()
    other.goto(tab.url)
    expect_state(other, "training")
    other.close()

    steer(tab, "Cancel")
    expect_state(tab, "stopped")
    expect(tab.get_by_text("can go on from step")).to_be_visible(timeout=PATIENCE_MS)
    before = drawn(tab)
    steer(tab, "Resume")
    expect_state(tab, "training")
    wait_for_points(tab, before)
    steer(tab, "Cancel")
    expect_state(tab, "stopped")

    tab.locator(".st-key-train_view").get_by_text("History").click()
    grid = tab.get_by_test_id("stDataFrame").first
    expect(grid.get_by_test_id("glide-cell-2-0")).to_have_text("stopped", timeout=PATIENCE_MS)
    grid.click(position={"x": 16, "y": 52})
    expect(tab.locator(".st-key-history_one")).to_be_visible(timeout=PATIENCE_MS)
    tab.locator(".st-key-history_show button").click()
    expect_state(tab, "stopped")


def test_ten_seconds_with_a_zoom_that_stays(tab: Page) -> None:
    """The charts are not made anew while points come in, and at the end there is a verdict and what was mistaken."""
    open_page(tab, "Lab", "Train")
    set_budget(tab, "10", "seconds")
    start(tab)
    wait_for_points(tab, 3)
    chart = tab.locator(".curves figure:first-of-type > svg")
    chart.evaluate("svg => { svg.dataset.mark = 'the same' }")
    box = chart.bounding_box()
    tab.mouse.move(box["x"] + 80, box["y"] + 60)
    told = tab.locator(".told").first
    expect(told).to_contain_text("train: ")
    place = told.bounding_box()
    assert box["y"] <= place["y"] <= place["y"] + place["height"] <= box["y"] + box["height"]
    legend = tab.locator(".curves figure:first-of-type button", has_text="train")
    legend.focus()
    tab.keyboard.press("Enter")
    expect(legend).to_have_attribute("aria-pressed", "false")
    tab.keyboard.press("Enter")
    expect(legend).to_have_attribute("aria-pressed", "true")
    tab.mouse.down()
    tab.mouse.move(box["x"] + 200, box["y"] + 60, steps=4)
    tab.mouse.up()
    expect(tab.get_by_text("Show everything again")).to_be_visible()
    expect_state(tab, "finished")
    assert chart.get_attribute("data-mark") == "the same"
    expect(tab.get_by_text("Show everything again")).to_be_visible()
    tab.get_by_text("Show everything again").click()
    expect(tab.get_by_text("Show everything again")).to_be_hidden()
    expect(tab.get_by_text("of 2,000 test images")).to_be_visible(timeout=PATIENCE_MS)
    expect(tab.locator(".js-plotly-plot")).to_be_visible(timeout=PATIENCE_MS)
    expect(tab.locator(".mistakes figure").first).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize("width", [1400, 800])
@pytest.mark.parametrize("view", ["One network", "Race", "History"])
def test_nothing_is_cut_off(tab: Page, width: int, view: str) -> None:
    """No view scrolls sideways."""
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(tab.url.split("?")[0].rstrip("/") + "/train")
    tab.locator(".st-key-train_view").get_by_text(view).click(timeout=PATIENCE_MS)
    tab.wait_for_timeout(1_500)
    assert tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
