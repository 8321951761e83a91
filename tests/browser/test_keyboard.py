"""The keyboard alone reaches everything: eight tasks without a mouse, and the focus stays where the work is."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import ADDRESSES, APP, MODULES, expect_cell, expect_total, wait_for_table, wait_until_idle

pytestmark = pytest.mark.browser

MAX_STEPS = 150  # more controls than any page has


@pytest.fixture
def open_title(page: Page, serve: Callable[[str], str]) -> Callable[[str], Page]:
    """Return a function that opens a page by its title and waits until it is at rest. The mouse may not be used."""

    def open_it(title: str) -> Page:
        page.goto(f"{serve(APP)}/{ADDRESSES[title] if title != 'Network' else ''}")
        expect(page.locator(".st-key-bar")).to_be_visible()
        wait_until_idle(page)
        return page

    return open_it


def go_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press a key until the target has the focus."""
    target.wait_for(state="attached")
    for _ in range(MAX_STEPS):
        if target.evaluate("element => element.matches(':focus')"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{target} was not reached")


def press(page: Page, target: Locator, key: str = "Tab") -> None:
    """Go to a control and press Enter."""
    go_to(page, target, key)
    page.keyboard.press("Enter")


def has_focus_in(page: Page, selector: str) -> bool:
    """Whether the focus is on or in an element."""
    return page.evaluate("selector => Boolean(document.activeElement.closest(selector))", selector)


def test_change_a_cell_and_undo(open_title: Callable[[str], Page]) -> None:
    """Arrow keys move in the grid; the change is announced, and the focus stays in the grid, then in the bar."""
    page = open_title("Network")
    wait_for_table(page)
    go_to(page, page.get_by_test_id("data-grid-canvas").first)
    for key in ["ArrowRight"] * 4 + ["ArrowDown"] * MODULES.index("4a"):
        page.keyboard.press(key)
    page.keyboard.type("300")
    page.keyboard.press("Enter")
    expect_cell(page, "4a", "#3×3", "300")
    expect(page.get_by_role("status").filter(has_text="Parameters")).to_contain_text("Parameters: 6,998,552 → ")
    wait_until_idle(page)
    assert has_focus_in(page, "[data-testid=stDataFrame]")
    press(page, page.get_by_role("button", name="Undo"), "Shift+Tab")
    expect_total(page, "parameters", "6,998,552")
    expect_cell(page, "4a", "#3×3", "208")
    wait_until_idle(page)
    assert has_focus_in(page, ".st-key-bar")


def test_open_a_module(open_title: Callable[[str], Page]) -> None:
    """The strip is one stop, arrow keys go through its boxes; what Enter opens follows below."""
    page = open_title("Network")
    wait_for_table(page)
    go_to(page, page.locator(".st-key-strip").get_by_role("listbox"))
    for key in ("ArrowRight", "ArrowRight", "Enter"):  # from 4a to its head, and to 4b
        page.keyboard.press(key)
    expect(page.locator(".st-key-formulas")).to_contain_text("inception_4b")


def test_compare_two(open_title: Callable[[str], Page]) -> None:
    """The menu leads to the page, and a list chooses the networks."""
    page = open_title("Network")
    press(page, page.get_by_test_id("stTopNavSection").filter(has_text="Explore"))
    press(page, page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Compare"), "ArrowDown")
    networks = page.get_by_role("combobox", name=re.compile("Compare"))
    expect(page.locator("table.facts")).to_be_visible()
    wait_until_idle(page)
    go_to(page, networks)
    page.keyboard.type("half")
    page.keyboard.press("Enter")
    expect(page.locator("table.facts")).to_contain_text("half")


def test_answer_a_question(open_title: Callable[[str], Page]) -> None:
    """The answer opens the lesson, and the focus stays at the question."""
    page = open_title("1×1 reduction")
    question = page.locator(".st-key-predict")
    go_to(page, question.get_by_role("radio").first)
    page.keyboard.press("Space")
    reveal = question.get_by_role("button", name="Reveal")
    expect(reveal).to_be_enabled()
    press(page, reveal)
    expect(question.get_by_test_id("stAlert")).to_be_visible()
    wait_until_idle(page)
    assert has_focus_in(page, ".st-key-predict")


def test_start_and_cancel_a_run(open_title: Callable[[str], Page]) -> None:
    """Both with Enter, and neither needs anything between."""
    page = open_title("Train")
    press(page, page.locator(".st-key-train_start button"))
    cancel = page.locator(".st-key-run_header").get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    press(page, cancel)
    expect(page.locator(".st-key-run_header")).to_contain_text("stopped")


def test_look_inside_an_image(open_title: Callable[[str], Page]) -> None:
    """Tab leads to the samples, the arrow keys to one of them, and its prediction follows."""
    page = open_title("Look inside")
    go_to(page, page.locator('[data-choice="0"]'))
    press(page, page.locator('[data-choice="4"]'), "ArrowRight")
    expect(page.locator("svg[aria-label^='Predicted class']").first).to_have_attribute(
        "aria-label", re.compile("Pullover")
    )


def test_export_the_network(open_title: Callable[[str], Page]) -> None:
    """From the bar, on any page."""
    page = open_title("Compare")
    press(page, page.locator(".st-key-export").get_by_role("button", name="Export"))
    code = page.get_by_role("button", name="PyTorch")
    expect(code).to_be_visible()
    with page.expect_download() as download:
        press(page, code)
    assert download.value.suggested_filename.endswith(".py")


def test_the_buttons_above_the_table_show_the_focus(open_title: Callable[[str], Page]) -> None:
    """They appear for the keyboard as they do for the mouse, with an outline."""
    page = open_title("Network")
    wait_for_table(page)
    button = page.get_by_role("button", name=re.compile("^Search"))
    go_to(page, button)
    expect(button).to_have_css("outline-style", "solid")
    expect(page.get_by_test_id("stElementToolbar").first).to_have_css("opacity", "1")


def test_edit_a_row_as_a_form(open_title: Callable[[str], Page]) -> None:
    """The table's numbers in plain fields: a refused one stays at its field, and so does the focus."""
    page = open_title("Network")
    press(page, page.locator(".st-key-row_form summary"))
    field = page.get_by_label("#3×3", exact=True)
    go_to(page, field)
    page.keyboard.press("Control+a")
    page.keyboard.type("12a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="“12a” is not a number")).to_be_visible()
    wait_until_idle(page)
    expect(field).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("1,000")
    page.keyboard.press("Enter")
    expect(field).to_have_value("1000")
    expect_cell(page, "3a", "#3×3", "1000")
    wait_until_idle(page)
    expect(field).to_be_focused()
