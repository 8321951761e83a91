"""Comparing in a real browser: keep two variants, edit one, compare, share, open elsewhere, take away, time."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from safetensors.torch import load_file

from explorer import PRESETS
from explorer.diff import with_module
from explorer.share import from_json, to_json
from explorer.views.palette import READABLE, contrast
from tests.browser.test_network import APP, PATIENCE_MS, at_rest, edit, expect_total, open_page

pytestmark = pytest.mark.browser

PAPER = PRESETS["paper"]


@pytest.fixture
def app(page: Page, serve: Callable[[str], str]) -> Iterator[Page]:
    """The first page in a session of its own; nothing may be asked of another machine or go wrong."""
    complaints: list[str] = []
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.on("request", lambda request: complaints.append(request.url) if _outside(request.url) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(serve(APP))
    at_rest(page)
    yield page
    assert complaints == []


def _outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:"))


def keep(page: Page) -> None:
    """Put the network on the shelf, and wait until the button says so."""
    page.get_by_role("button", name="Keep", exact=False).first.click()
    expect(page.locator(".st-key-keep")).to_contain_text("Kept", timeout=PATIENCE_MS)


def go_to_compare(page: Page) -> None:
    """Choose the page in the menu."""
    open_page(page, "Explore", "Compare")
    expect(page.locator("table.facts")).to_be_visible(timeout=PATIENCE_MS)


def look_at(page: Page, view: str) -> None:
    """Choose a view of the compare page."""
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).click()


def test_two_variants_are_compared_and_shared(app: Page, browser: Browser) -> None:
    """Keep two, edit one of them further, compare, and open the shared link in a fresh browser: the same is there."""
    edit(app, "4a", "#3×3", "210")
    expect_total(app, "parameters", "7,001,002")
    keep(app)
    edit(app, "4a", "#3×3", "100")
    expect(app.locator(".st-key-keep")).to_contain_text("Keep", timeout=PATIENCE_MS)
    keep(app)
    edit(app, "5b", "#1×1", "256")
    expect(app.locator(".st-key-bar")).to_contain_text("paper + 2 edits", timeout=PATIENCE_MS)
    go_to_compare(app)
    facts = app.locator("table.facts")
    for part in ("paper_4a", "paper_4a_2", "bench: paper + 2 edits", "7,001,002", "▲ +2,450"):
        expect(facts).to_contain_text(part)
    expect(app.locator("td.marked")).to_have_text(["210", "100", "100", "256"])
    shown = (facts.inner_text(), app.locator("table.cells").inner_text())

    app.locator(".st-key-share button").first.click()
    expect(app.get_by_text("A link to everything")).to_be_visible(timeout=PATIENCE_MS)
    link = app.get_by_test_id("stCode").nth(1).inner_text().strip()
    assert len(link) < 1_000
    context = browser.new_context()
    fresh = context.new_page()
    fresh.set_viewport_size({"width": 1400, "height": 1000})
    fresh.goto(link)
    expect(fresh.locator("table.cells")).to_be_visible(timeout=PATIENCE_MS)
    assert (fresh.locator("table.facts").inner_text(), fresh.locator("table.cells").inner_text()) == shown
    expect(fresh.locator(".st-key-bar")).to_contain_text("paper + 2 edits")
    context.close()


def test_a_reload_loses_nothing(app: Page) -> None:
    """The shelf travels in the address."""
    edit(app, "4a", "#3×3", "210")
    expect_total(app, "parameters", "7,001,002")
    keep(app)
    go_to_compare(app)
    look_at(app, "Shelf")
    expect(app.get_by_text("1 of 1")).to_be_visible(timeout=PATIENCE_MS)
    app.reload()
    expect(app.locator("table.facts")).to_contain_text("paper_4a", timeout=PATIENCE_MS)
    expect(app.locator(".st-key-keep")).to_contain_text("Kept")


def test_what_is_taken_away(app: Page, tmp_path: Path) -> None:
    """The buttons give files of this network: source, document, handout, and weights made in another process."""
    app.goto(app.url.split("?")[0].rstrip("/") + "/compare?compare=mini.half")
    expect(app.locator("table.facts")).to_contain_text("378,658", timeout=PATIENCE_MS)
    look_at(app, "Take away")

    def taken(label: str, which: int = 0) -> Path:
        with app.expect_download(timeout=PATIENCE_MS) as download:
            app.get_by_test_id("stDownloadButton").filter(has_text=label).nth(which).get_by_role("button").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    source = taken("PyTorch")
    assert source.name == "mini.py"
    assert "class GoogLeNet" in source.read_text(encoding="utf-8")
    assert from_json(taken("JSON").read_bytes()) == PRESETS["mini"]
    assert "<h1>mini</h1>" in taken("Handout").read_text(encoding="utf-8")
    assert "B half" in taken("Handout", 1).read_text(encoding="utf-8")
    assert load_file(taken("Weights"))["classifier.fc.bias"].shape == (10,)


def test_a_file_is_opened(app: Page) -> None:
    """A network's document puts it on the bench; a broken one is explained and changes nothing."""
    app.locator(".st-key-share button").first.click()
    chooser = app.locator("input[type=file]")
    chooser.set_input_files({"name": "bad.json", "mimeType": "application/json", "buffer": b"{"})
    expect(app.get_by_text("no JSON text, or is cut off")).to_be_visible(timeout=PATIENCE_MS)
    wide = with_module(PAPER, PAPER.module("4a").replace(ch3x3=210))
    expect(chooser).to_have_count(1, timeout=PATIENCE_MS)
    chooser.set_input_files(
        {"name": "wide.json", "mimeType": "application/json", "buffer": to_json(wide).encode()},
    )
    expect(app.locator(".st-key-bar")).to_contain_text("paper + 1 edit", timeout=PATIENCE_MS)
    expect_total(app, "parameters", "7,001,002")


def test_networks_are_timed(app: Page) -> None:
    """All chosen networks in turn; the result is a median with its spread for each."""
    app.goto(app.url.split("?")[0].rstrip("/") + "/compare?compare=half.mini")
    expect(app.locator("table.facts")).to_contain_text("378,658", timeout=PATIENCE_MS)
    look_at(app, "Speed")
    app.get_by_role("button", name="Time them").click()
    expect(app.get_by_text("laps on CPU")).to_be_visible(timeout=2 * PATIENCE_MS)
    expect(app.locator(".js-plotly-plot")).to_be_visible()


def test_a_budget_is_solved(app: Page) -> None:
    """The nearest network that fits is opened with one click and is on the bench then."""
    go_to_compare(app)
    look_at(app, "Budget")
    app.get_by_role("button", name="Solve").click()
    expect(app.get_by_text("1. Narrower")).to_be_visible(timeout=PATIENCE_MS)
    app.locator(".st-key-budget_open_0 button").click()
    expect(app.locator(".st-key-bar")).to_contain_text("1.266 G MACs", timeout=PATIENCE_MS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chips_and_the_main_button_can_be_read(app: Page, scheme: str) -> None:
    """What is filled with the primary colour has text of enough contrast, on light and dark pages."""
    app.emulate_media(color_scheme=scheme)
    go_to_compare(app)
    look_at(app, "Budget")
    for filled in (app.locator("[data-tag]").first, app.get_by_role("button", name="Solve")):
        expect(filled).to_be_visible(timeout=PATIENCE_MS)
        text, fill = filled.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
        assert contrast(_hex(text), _hex(fill)) >= READABLE


def _hex(colour: str) -> str:
    return "#" + "".join(f"{int(channel):02x}" for channel in re.findall(r"\d+", colour)[:3])
