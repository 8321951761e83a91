"""*Look inside* in a real browser: choose a sample, read the answer, walk, enlarge, take a branch away, bring files."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000


@pytest.fixture
def looking(page: Page, serve: Callable[[str], str]) -> Iterator[Page]:
    """The page with its first answer; nothing may be asked of another machine or go wrong."""
    complaints: list[str] = []
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.on("request", lambda request: complaints.append(request.url) if _outside(request.url) else None)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(serve("streamlit_app.py"))
    page.get_by_test_id("stTopNavSection").filter(has_text="Lab").click(timeout=PATIENCE_MS)
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text="Look inside").click()
    page.keyboard.press("Escape")
    expect(answer(page)).to_have_attribute("aria-label", re.compile("It says: "), timeout=PATIENCE_MS)
    yield page
    assert complaints == []


def _outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))


def answer(page: Page) -> Locator:
    """The bars of the answer."""
    return page.locator("svg[aria-label^='It says']").first


def part(page: Page, identity: str) -> Locator:
    """The part of a picture that is chosen by this id."""
    return page.locator(f'[data-choice="{identity}"]')


def view(page: Page, name: str) -> None:
    """Choose a view."""
    page.get_by_role("radio", name=name, exact=True).click(force=True)


def test_from_a_sample_to_a_branch_that_is_taken_away(looking: Page) -> None:
    """The whole way: sample, answer, module, one map, a branch away, another answer, and back."""
    part(looking, "4").click(timeout=PATIENCE_MS)
    expect(answer(looking)).to_have_attribute("aria-label", re.compile("Pullover"), timeout=PATIENCE_MS)
    expect(looking.get_by_text("True label: Pullover")).to_be_visible(timeout=PATIENCE_MS)

    looking.locator('[id="inception_3b"]').first.click(timeout=PATIENCE_MS)
    maps = looking.locator("svg[aria-label^='Feature maps']")
    expect(maps).to_have_attribute("aria-label", re.compile("14×14 each"), timeout=PATIENCE_MS)
    one = looking.locator('[data-choice^="inception_3b.branch_5x5:"]').nth(2)
    identity = one.get_attribute("data-choice")
    one.click()
    expect(part(looking, identity)).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
    expect(looking.locator("svg[aria-label^='3b, 5×5, channel']")).to_be_visible(timeout=PATIENCE_MS)

    before = answer(looking).get_attribute("aria-label")
    view(looking, "Which branch matters")
    part(looking, "3b:1x1").click(timeout=PATIENCE_MS)
    expect(looking.get_by_text("3b 1×1 taken away")).to_be_visible(timeout=PATIENCE_MS)
    expect(answer(looking)).not_to_have_attribute("aria-label", before, timeout=PATIENCE_MS)
    expect(part(looking, "3b:1x1")).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
    looking.get_by_role("button", name="Put back").click()
    expect(answer(looking)).to_have_attribute("aria-label", before, timeout=PATIENCE_MS)


def test_a_map_is_chosen_with_the_keyboard(looking: Page) -> None:
    """One map takes part in Tab; arrows lead to its neighbour, Enter enlarges it."""
    first = looking.locator('[data-choice^="inception_4a.branch_1x1:"]').first
    expect(first).to_be_visible(timeout=PATIENCE_MS)
    first.focus()
    looking.keyboard.press("ArrowRight")
    second = looking.locator('[data-choice^="inception_4a.branch_1x1:"]').nth(1)
    expect(second).to_be_focused()
    identity = second.get_attribute("data-choice")
    looking.keyboard.press("Enter")
    expect(part(looking, identity)).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
    assert looking.locator('[data-choice^="inception_4a"][tabindex="0"]').count() == 1


def test_a_bad_file_is_explained_and_a_drawing_is_looked_at(looking: Page, tmp_path: Path) -> None:
    """At the uploader, by its name; the pad's strokes reach the network, and can be taken back."""
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    looking.get_by_role("radio", name="Upload", exact=True).click(force=True)
    looking.locator("input[type=file]").first.set_input_files(bad)
    expect(looking.get_by_text("bad.png: ")).to_be_visible(timeout=PATIENCE_MS)
    looking.get_by_role("radio", name="Draw", exact=True).click(force=True)
    pad = looking.locator(".pad canvas")
    expect(pad).to_be_visible(timeout=PATIENCE_MS)
    box = pad.bounding_box()
    looking.mouse.move(box["x"] + 60, box["y"] + 60)
    looking.mouse.down()
    looking.mouse.move(box["x"] + 220, box["y"] + 200, steps=6)
    looking.mouse.up()
    expect(answer(looking)).to_be_visible(timeout=PATIENCE_MS)
    drawn = answer(looking).get_attribute("aria-label")
    pad.focus()
    for key in ("ArrowUp", " ", *["ArrowLeft"] * 8, " "):
        looking.keyboard.press(key)
    expect(answer(looking)).not_to_have_attribute("aria-label", drawn, timeout=PATIENCE_MS)
    looking.get_by_role("button", name="Undo", exact=True).last.click()
    expect(answer(looking)).to_have_attribute("aria-label", drawn, timeout=PATIENCE_MS)
    looking.get_by_role("button", name="Clear", exact=True).click()
    expect(looking.get_by_text("No picture is on the desk yet.")).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize("width", [1400, 800])
def test_nothing_reaches_over_the_page(looking: Page, width: int) -> None:
    """In every view, wide and narrow, no picture is wider than the page."""
    looking.set_viewport_size({"width": width, "height": 1000})
    for name in ("Which branch matters", "Where it looked", "What a channel wants", "Side by side", "Inside"):
        view(looking, name)
        expect(looking.get_by_text("How to read this").first).to_be_visible(timeout=PATIENCE_MS)
        wide = looking.evaluate("[...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().right)")
        assert max(wide) <= width
        main = "document.querySelector('[data-testid=stMain]')"
        assert looking.evaluate(f"{main}.scrollWidth <= {main}.clientWidth")
