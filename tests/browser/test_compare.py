"""Comparing in a real browser: keep two variants, edit one, compare, share, open elsewhere, export, time."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from safetensors.torch import load_file

from explorer import PRESETS
from explorer.diff import with_module
from explorer.share import from_json, to_json
from explorer.views.palette import READABLE, contrast
from tests.browser.app import ADDRESSES, APP, edit, expect_total, open_page, wait_for_table

pytestmark = pytest.mark.browser

PAPER = PRESETS["paper"]


@pytest.fixture
def network(page: Page, serve: Callable[[str], str]) -> Page:
    """The first page, at rest."""
    page.goto(serve(APP))
    wait_for_table(page)
    return page


@pytest.fixture
def compare(page: Page, serve: Callable[[str], str]) -> Callable[[str], Page]:
    """Return a function that opens the page with some networks."""

    def open_compare(networks: str = "") -> Page:
        page.goto(f"{serve(APP)}/{ADDRESSES['Compare']}{networks and f'?compare={networks}'}")
        expect(page.locator("table.facts")).to_be_visible()
        return page

    return open_compare


def keep(page: Page) -> None:
    """Put the network on the shelf, and wait until the button says so."""
    page.get_by_role("button", name="Keep", exact=False).first.click()
    expect(page.locator(".st-key-keep")).to_contain_text("Kept")


def go_to_compare(page: Page) -> None:
    """Choose the page in the menu."""
    open_page(page, "Compare")
    expect(page.locator("table.facts")).to_be_visible()


def choose_view(page: Page, view: str) -> None:
    """Choose a view of the compare page."""
    page.get_by_test_id("stButtonGroup").get_by_text(view, exact=True).click()


def test_two_variants_are_compared_and_shared(network: Page, new_page: Callable[[], Page]) -> None:
    """Keep two, edit one of them further, compare, and open the shared link in a fresh browser: the same is there.

    The table of cells fills the page. A reload loses nothing of it, because the shelf is in the address.
    """
    edit(network, "4a", "#3×3", "210")
    expect_total(network, "parameters", "7,001,002")
    keep(network)
    edit(network, "4a", "#3×3", "100")
    expect(network.locator(".st-key-keep")).to_contain_text("Keep")
    keep(network)
    edit(network, "5b", "#1×1", "256")
    expect(network.locator(".st-key-bar")).to_contain_text("paper + 2 edits")
    go_to_compare(network)
    facts = network.locator("table.facts")
    for part in ("paper_4a", "paper_4a_2", "current: paper + 2 edits", "7,001,002", "▲ +2,450"):
        expect(facts).to_contain_text(part)
    expect(network.locator("td.marked")).to_have_text(["210", "100", "100", "256"])
    widths = network.locator("table.cells").evaluate("table => [table.offsetWidth, table.parentElement.clientWidth]")
    assert widths[0] == widths[1]
    shown = (facts.inner_text(), network.locator("table.cells").inner_text())

    network.locator(".st-key-share button").first.click()
    expect(network.get_by_text("A link to everything")).to_be_visible()
    link = network.get_by_test_id("stCode").nth(1).inner_text().strip()
    assert len(link) < 1_000
    fresh = new_page()
    fresh.goto(link)
    expect(fresh.locator("table.cells")).to_be_visible()
    assert (fresh.locator("table.facts").inner_text(), fresh.locator("table.cells").inner_text()) == shown
    expect(fresh.locator(".st-key-bar")).to_contain_text("paper + 2 edits")
    fresh.reload()
    expect(fresh.locator("table.cells")).to_be_visible()
    assert (fresh.locator("table.facts").inner_text(), fresh.locator("table.cells").inner_text()) == shown
    choose_view(fresh, "Shelf")
    expect(fresh.get_by_text(re.compile("^[12] of 2 "))).to_be_visible()


def test_the_comparison_and_the_current_network_are_exported(compare: Callable[[str], Page], tmp_path: Path) -> None:
    """The page gives the comparison's handout; the bar files of the current network, weights from another process."""
    page = compare("paper.half&net=2.mini")
    expect(page.locator("table.facts")).to_contain_text("2,010,560")

    def download(label: str) -> Path:
        with page.expect_download() as started:
            page.get_by_test_id("stDownloadButton").filter(has_text=label).get_by_role("button").click()
        path = tmp_path / started.value.suggested_filename
        started.value.save_as(path)
        return path

    choose_view(page, "Export")
    assert "B half" in download("Handout").read_text(encoding="utf-8")
    choose_view(page, "Tables")
    page.locator(".st-key-export").get_by_role("button", name="Export").click()
    source = download("PyTorch")
    assert source.name == "mini.py"
    assert "class GoogLeNet" in source.read_text(encoding="utf-8")
    assert from_json(download("JSON").read_bytes()) == PRESETS["mini"]
    assert load_file(download("Weights"))["classifier.fc.bias"].shape == (10,)


def test_a_file_is_opened(network: Page) -> None:
    """A network's document becomes the current network; a broken one is explained and changes nothing."""
    network.locator(".st-key-share button").first.click()
    chooser = network.locator("input[type=file]")
    chooser.set_input_files({"name": "bad.json", "mimeType": "application/json", "buffer": b"{"})
    expect(network.get_by_text("not JSON, or is cut off")).to_be_visible()
    wide = with_module(PAPER, PAPER.module("4a").replace(ch3x3=210))
    expect(chooser).to_have_count(1)
    chooser.set_input_files(
        {"name": "wide.json", "mimeType": "application/json", "buffer": to_json(wide).encode()},
    )
    expect(network.locator(".st-key-bar")).to_contain_text("paper + 1 edit")
    expect_total(network, "parameters", "7,001,002")


def test_networks_are_timed(compare: Callable[[str], Page]) -> None:
    """All chosen networks in turn; the result is a median with its spread for each."""
    page = compare("half.mini")
    expect(page.locator("table.facts")).to_contain_text("378,658")
    choose_view(page, "Speed")
    page.get_by_role("button", name="Measure time").click()
    expect(page.get_by_text("laps on CPU")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()


def test_a_budget_is_solved(compare: Callable[[str], Page]) -> None:
    """The closest network that fits becomes the current one with one click."""
    page = compare()
    choose_view(page, "Budget")
    page.get_by_role("button", name="Solve").click()
    expect(page.get_by_text("1. Narrower")).to_be_visible()
    page.locator(".st-key-budget_open_0 button").click()
    expect(page.locator(".st-key-bar")).to_contain_text("1.266 G MACs")


def test_chips_and_the_main_button_can_be_read(page: Page, compare: Callable[[str], Page]) -> None:
    """What is filled with the primary colour has text of enough contrast, on light and dark pages."""
    compare()
    choose_view(page, "Budget")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        for filled in (page.locator("[data-tag]").first, page.get_by_role("button", name="Solve")):
            expect(filled).to_be_visible()
            text, fill = filled.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
            assert contrast(_hex(text), _hex(fill)) >= READABLE


def _hex(colour: str) -> str:
    return "#" + "".join(f"{int(channel):02x}" for channel in re.findall(r"\d+", colour)[:3])
