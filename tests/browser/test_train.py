"""Training in a real browser: edit the table, watch the curve grow, leave and return, cancel and resume."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from explorer import PRESETS
from explorer.history import Version
from explorer.share import to_token
from explorer.training.races import scale_widths
from tests.browser.app import (
    ADDRESSES,
    APP,
    edit,
    is_too_wide,
    open_page,
    wait_for_table,
    wait_until_idle,
)

pytestmark = pytest.mark.browser

SMALL = to_token(Version("mini", scale_widths(PRESETS["mini"], 0.25)))
CURVE = ".curves figure:first-of-type polyline"  # in a shadow root, which locators can enter


@pytest.fixture
def open_app(page: Page, serve: Callable[[str], str]) -> Callable[[str], Page]:
    """Return a function that opens a page of the app with a small network."""

    def open_it(title: str) -> Page:
        page.goto(f"{serve(APP)}/{ADDRESSES[title]}?net={SMALL}")
        return page

    return open_it


def set_budget(page: Page, amount: str, unit: str) -> None:
    """When the page is complete, choose few images for a step, the small dataset, the unit and the amount of steps.

    Wait for the estimate.
    """
    expect(page.locator(".strips img")).to_have_count(10)
    page.get_by_role("button", name="Settings").click()
    batch_size = page.get_by_label("Batch size")
    batch_size.fill("16")
    batch_size.press("Enter")
    wait_until_idle(page)
    page.keyboard.press("Escape")
    choose(page, "images", "Fashion-MNIST, a balanced sixth")
    choose(page, "kind", unit)
    field = page.get_by_label("Budget", exact=True)
    field.fill(amount)
    field.press("Enter")
    expect(page.get_by_text(" epochs)")).to_be_visible()
    wait_until_idle(page)


def choose(page: Page, name: str, option: str) -> None:
    """Choose an option of a list in the form."""
    field = page.locator(f".st-key-one_{name} input").first
    field.click()
    page.get_by_role("option", name=option, exact=True).click()
    expect(field).to_have_value(option)
    wait_until_idle(page)


def start(page: Page) -> None:
    """Press the start button, and wait until the run is shown."""
    page.locator(".st-key-train_start button").click()
    expect(page.locator(".st-key-run_header")).to_be_visible()


def point_count(page: Page) -> int:
    """Return the number of points in the curve of the training accuracy."""
    curve = page.locator(CURVE)
    return len((curve.first.get_attribute("points") or "").split()) if curve.count() else 0


def wait_for_points(page: Page, more_than: int) -> None:
    """Wait until the curve has grown."""
    expect(page.locator(CURVE).first).to_have_attribute("points", re.compile(rf"^(\S+ ){{{more_than},}}\S+$"))


def expect_state(page: Page, state: str) -> None:
    """Wait until the run is in a state."""
    expect(page.locator(".st-key-run_header")).to_contain_text(state)


def control_run(page: Page, label: str) -> None:
    """Press a button of a run that this browser started: also after a reload it needs no second click."""
    page.get_by_role("button", name=label, exact=False).click()
    expect(page.locator(".st-key-run_others")).to_have_count(0)


def test_a_run_from_the_table_to_the_history(open_app: Callable[[str], Page]) -> None:
    """It continues during another page and a reload, is mine after it, and, once cancelled, resumes where it was."""
    page = open_app("Network")
    wait_for_table(page)
    edit(page, "4a", "#3×3", "30")
    expect(page.locator(".st-key-bar")).to_contain_text("edit")
    open_page(page, "Train")
    set_budget(page, "5000", "steps")
    start(page)
    expect_state(page, "training")
    wait_for_points(page, 2)
    assert "run=r" in page.url

    open_page(page, "Module")
    expect(page.locator(".st-key-budget")).to_be_visible()
    open_page(page, "Train")
    wait_for_points(page, 3)
    page.reload()  # another session, as a second tab is
    expect_state(page, "training")
    wait_for_points(page, 4)

    control_run(page, "Cancel")
    expect_state(page, "stopped")
    expect(page.get_by_text("from step")).to_be_visible()
    before = point_count(page)
    control_run(page, "Resume")
    expect_state(page, "training")
    wait_for_points(page, before)
    control_run(page, "Cancel")
    expect_state(page, "stopped")

    page.locator(".st-key-train_view").get_by_text("History").click()
    grid = page.get_by_test_id("stDataFrame").first
    expect(grid.get_by_test_id("glide-cell-2-0")).to_have_text("stopped")
    grid.click(position={"x": 16, "y": 52})
    expect(page.locator(".st-key-history_one")).to_be_visible()
    page.locator(".st-key-history_open button").click()
    expect_state(page, "stopped")


def test_the_field_for_files_has_its_role_from_the_start(open_app: Callable[[str], Page]) -> None:
    """Streamlit calls it presentation, although it has a name and parts; no frame shows that."""
    page = open_app("Train")
    page.evaluate(
        """() => {
            window.roles = []
            new MutationObserver(() => requestAnimationFrame(() => {
                const field = document.querySelector("[data-testid=stFileUploaderDropzone]")
                if (field) window.roles.push(field.getAttribute("role"))
            })).observe(document.body, {childList: true, subtree: true})
        }"""
    )
    page.get_by_role("button", name="Your own images").click()
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible()
    page.wait_for_function("window.roles.length")
    assert set(page.evaluate("window.roles")) == {"group"}


def test_new_points_keep_the_zoom(open_app: Callable[[str], Page]) -> None:
    """New points keep the chart elements; at the end there are a verdict and misclassified images."""
    page = open_app("Train")
    set_budget(page, "60", "steps")
    start(page)
    wait_for_points(page, 3)
    chart = page.locator(".curves figure:first-of-type > svg")
    chart.evaluate("svg => { svg.dataset.mark = 'unchanged' }")
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    tooltip = page.locator(".tooltip").first
    expect(tooltip).to_contain_text("train: ")
    place = tooltip.bounding_box()
    assert place
    assert box["y"] <= place["y"] <= place["y"] + place["height"] <= box["y"] + box["height"]
    legend = page.locator(".curves figure:first-of-type button", has_text="train")
    legend.focus()
    page.keyboard.press("Enter")
    expect(legend).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Enter")
    expect(legend).to_have_attribute("aria-pressed", "true")
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.get_by_text("Reset zoom")).to_be_visible()
    expect_state(page, "finished")
    assert chart.get_attribute("data-mark") == "unchanged"
    expect(page.get_by_text("Reset zoom")).to_be_visible()
    page.get_by_text("Reset zoom").click()
    expect(page.get_by_text("Reset zoom")).to_be_hidden()
    page.evaluate("document.documentElement.style.fontSize = '22px'")  # as for a projector
    page.set_viewport_size({"width": 1300, "height": 950})
    expect(chart).to_have_attribute("height", str(260 * 22 / 16))
    page.evaluate("document.documentElement.style.fontSize = ''")
    expect(page.get_by_text("of 2,000 test images")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    expect(page.locator(".mistakes figure").first).to_be_visible()


def test_nothing_is_cut_off(open_app: Callable[[str], Page]) -> None:
    """No view scrolls sideways, wide or narrow; on a phone the form is first, and strips fit the page."""
    page = open_app("Train")
    for view in ("History", "Race", "One network"):
        page.locator(".st-key-train_view").get_by_text(view).click()
        for width in (1400, 800, 390):
            page.set_viewport_size({"width": width, "height": 900})
            wait_until_idle(page)
            assert not is_too_wide(page), (view, width)
    start_button, strips = page.locator(".st-key-train_start"), page.locator(".strips")
    assert top(start_button) < top(page.get_by_role("heading", name="Training images")) < top(strips)
    assert strips.evaluate("table => table.scrollWidth <= table.clientWidth")
    page.locator(".st-key-train_view").get_by_text("Race").click()
    wait_until_idle(page)
    assert top(start_button) < top(page.get_by_role("heading", name="Questions to race"))


def top(part: Locator) -> float:
    """Return where a part of the page begins, in pixels from above."""
    box = part.bounding_box()
    assert box
    return box["y"]
