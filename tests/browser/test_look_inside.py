"""*Look inside* in a real browser: choose a sample, read the prediction, enlarge a map, remove a branch, draw."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from explorer.data.content_store import ContentStore
from explorer.data.weight_files import read_weights_info
from explorer.live.recording import record
from explorer.paths import ASSETS
from explorer.ui.lab.look_inside.images import samples
from explorer.views import unit_charts
from tests.browser.app import ADDRESSES, APP, is_too_wide, wait_until_idle

MINI = read_weights_info(ASSETS / "weights" / "mini_fashion_mnist.safetensors")
STAGES = ("inception_5", "inception_4", "inception_3", "stem", "input")

pytestmark = pytest.mark.browser


@pytest.fixture
def look_inside(page: Page, serve: Callable[[str], str]) -> Page:
    """The page with its first prediction."""
    page.goto(f"{serve(APP)}/{ADDRESSES['Look inside']}")
    expect(prediction(page)).to_be_visible()
    return page


def prediction(page: Page) -> Locator:
    """The bars of the prediction."""
    return page.locator("svg[aria-label^='Predicted class']").first


def part(page: Page, part_id: str) -> Locator:
    """The selectable part of an image with this id."""
    return page.locator(f'[data-choice="{part_id}"]')


def choose_view(page: Page, name: str) -> None:
    """Choose a view."""
    page.get_by_role("radio", name=name, exact=True).click(force=True)


def test_from_a_sample_to_a_removed_branch(look_inside: Page) -> None:
    """The whole way: sample, prediction, module, one map, a removed branch, another prediction, and back."""
    part(look_inside, "4").click()
    expect(prediction(look_inside)).to_have_attribute("aria-label", re.compile("Pullover"))
    expect(look_inside.get_by_text("the label is Pullover")).to_be_visible()

    look_inside.locator('[id="inception_3b"]').first.click()
    maps = look_inside.locator("svg[aria-label^='Feature maps']")
    expect(maps).to_have_attribute("aria-label", re.compile("14×14 each"))
    tile = look_inside.locator('[data-choice^="inception_3b.branch_5x5:"]').nth(2)
    tile_id = tile.get_attribute("data-choice")
    assert tile_id
    tile.click()
    expect(part(look_inside, tile_id)).to_have_attribute("aria-pressed", "true")
    expect(look_inside.locator("svg[aria-label^='3b, 5×5, channel']")).to_be_visible()

    before = prediction(look_inside).get_attribute("aria-label")
    assert before
    choose_view(look_inside, "Branch ablation")
    part(look_inside, "3b:1x1").click()
    expect(look_inside.get_by_text("3b 1×1 removed")).to_be_visible()
    expect(prediction(look_inside)).not_to_have_attribute("aria-label", before)
    expect(part(look_inside, "3b:1x1")).to_have_attribute("aria-pressed", "true")
    look_inside.get_by_role("button", name="Restore branches").click()
    expect(prediction(look_inside)).to_have_attribute("aria-label", before)


def test_a_map_is_selected_with_the_keyboard(look_inside: Page) -> None:
    """One map is in the Tab order; an arrow key moves to its neighbour, Enter enlarges it."""
    tiles = look_inside.locator('[data-choice^="inception_4a.branch_1x1:"]')
    expect(tiles.first).to_be_visible()
    tiles.first.focus()
    look_inside.keyboard.press("ArrowRight")
    second = tiles.nth(1)
    expect(second).to_be_focused()
    tile_id = second.get_attribute("data-choice")
    assert tile_id
    look_inside.keyboard.press("Enter")
    expect(part(look_inside, tile_id)).to_have_attribute("aria-pressed", "true")
    assert look_inside.locator('[data-choice^="inception_4a"][tabindex="0"]').count() == 1


def test_a_bad_file_is_explained_and_a_drawing_is_classified(look_inside: Page, tmp_path: Path) -> None:
    """The message has the file name; the strokes of the pad reach the network, and can be undone."""
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    look_inside.get_by_role("radio", name="Upload", exact=True).click(force=True)
    look_inside.locator("input[type=file]").first.set_input_files(bad)
    expect(look_inside.get_by_text("bad.png: ")).to_be_visible()
    look_inside.get_by_role("radio", name="Draw", exact=True).click(force=True)
    pad = look_inside.locator(".pad canvas")
    expect(pad).to_be_visible()
    box = pad.bounding_box()
    assert box
    look_inside.mouse.move(box["x"] + 60, box["y"] + 60)
    look_inside.mouse.down()
    look_inside.mouse.move(box["x"] + 220, box["y"] + 200, steps=6)
    look_inside.mouse.up()
    expect(prediction(look_inside)).to_be_visible()
    drawn = prediction(look_inside).get_attribute("aria-label")
    assert drawn
    pad.focus()
    for key in ("ArrowUp", " ", *["ArrowLeft"] * 8, " "):
        look_inside.keyboard.press(key)
    expect(prediction(look_inside)).not_to_have_attribute("aria-label", drawn)
    look_inside.get_by_role("button", name="Undo", exact=True).last.click()
    expect(prediction(look_inside)).to_have_attribute("aria-label", drawn)
    look_inside.get_by_role("button", name="Clear", exact=True).click()
    expect(look_inside.get_by_text("No image yet.")).to_be_visible()


def test_no_view_is_wider_than_the_page(look_inside: Page) -> None:
    """In every view, wide and narrow, no SVG is wider than the page."""
    for name in ("Branch ablation", "Attribution", "Activation maximization", "Side by side", "Feature maps"):
        choose_view(look_inside, name)
        expect(look_inside.get_by_text("Reading this chart").first).to_be_visible()
        for width in (800, 1400):
            look_inside.set_viewport_size({"width": width, "height": 1000})
            wait_until_idle(look_inside)
            edges = "[...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().right)"
            assert max(look_inside.evaluate(edges)) <= width
            assert not is_too_wide(look_inside)


def test_present_enlarges_the_bars_of_the_heads(look_inside: Page) -> None:
    """They grow with the text."""
    bars = look_inside.locator("svg[aria-label^='Auxiliary head']").first
    normal = bars.bounding_box()
    assert normal
    look_inside.locator("html").evaluate("html => { html.style.fontSize = '22px' }")
    wait_until_idle(look_inside)
    enlarged = bars.bounding_box()
    assert enlarged
    assert enlarged["width"] / normal["width"] == pytest.approx(22 / 16, rel=0.01)


def test_a_walk_from_the_answer_to_a_pixel(look_inside: Page, tmp_path: Path) -> None:
    """Five presses; each shows the network's own number, which a pass of the network in this process has too."""
    choose_view(look_inside, "One number")
    recording = record(
        MINI.network,
        str(ContentStore(tmp_path).add(samples("fashion_mnist")[0].png, ".png")),
        MINI.preprocessing,
        (),
        "cpu",
    )
    for press in range(6):
        if press:
            look_inside.get_by_role("button", name="One stage back").click()
            expect(look_inside).to_have_url(re.compile(f"unit=[^&]*{STAGES[press - 1]}[^&~]*(&|$)"))
        link = parse_qs(urlsplit(look_inside.url).query).get("unit", ["classifier.fc:0:0:0"])[0]
        path, *place = link.split("~")[-1].split(":")
        output = recording.outputs[path]
        value = output[tuple(map(int, place[: output.ndim]))].item()
        shown = f"own number is {unit_charts.precise(value)}."
        expect(look_inside.locator(f'svg[aria-label*="{shown}"]')).to_be_visible()
    look_inside.reload()
    expect(look_inside.locator(f'svg[aria-label*="{shown}"]')).to_be_visible()


def test_the_position_of_one_number_is_moved_with_the_keyboard_and_the_pointer(look_inside: Page) -> None:
    """An arrow key selects the neighbour, the pointer moves the window at once, a click selects; it is read aloud.

    On a phone the keyboard scrolls the line of intermediate maps.
    """
    look_inside.goto(f"{look_inside.url.split('?')[0]}?unit=inception_3a.branch_3x3.conv:1:5:5")
    whole = look_inside.locator(".output-map")
    whole.focus()
    look_inside.keyboard.press("ArrowRight")
    status = look_inside.locator("[role=status]", has_text="row 5, column 6")
    expect(status).to_have_text(re.compile("3a 3×3, channel 1, row 5, column 6: The sum of .* products is"))
    expect(whole).to_be_focused()
    box = whole.locator("image").bounding_box()
    assert box
    look_inside.mouse.move(box["x"] + 2, box["y"] + 2)
    expect(look_inside.locator(".input-map .window")).to_have_attribute("transform", re.compile("translate.-"))
    look_inside.mouse.click(box["x"] + 2, box["y"] + 2)
    expect(look_inside.locator("[role=status]", has_text="row 0, column 0")).to_be_attached()
    look_inside.set_viewport_size({"width": 390, "height": 900})
    line = look_inside.locator(".chart div", has=look_inside.locator(".line")).last
    expect(line).to_have_attribute("tabindex", "0")  # the intermediate maps scroll in their own box
    line.press("ArrowRight")
    expect(line).not_to_have_js_property("scrollLeft", 0)
    assert not is_too_wide(look_inside)


def test_the_window_slides_while_the_output_fills(look_inside: Page) -> None:
    """Where it stops, that position is selected. A cell is marked in all grids. Under reduced motion no button."""
    look_inside.emulate_media(reduced_motion="no-preference")
    look_inside.goto(f"{look_inside.url.split('?')[0]}?unit=inception_3a.branch_3x3.conv:1:0:0")
    look_inside.get_by_role("button", name="Slide", exact=True).click()
    expect(look_inside.locator(".output-map .veil")).to_have_count(2)
    slider = look_inside.get_by_role("slider", name="Position of the window")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("row 1, "))  # after the first row
    look_inside.locator(".output-map").focus()
    look_inside.keyboard.press(" ")
    expect(look_inside.locator(".veil")).to_have_count(0)
    expect(look_inside).to_have_url(re.compile("3x3.conv%3A1%3A[1-9]"))
    wait_until_idle(look_inside)
    slider.focus()
    before = int(slider.input_value())
    look_inside.keyboard.press("ArrowRight")
    row, column = divmod(before + 1, 14)
    expect(look_inside.locator("[role=status]", has_text=f"row {row}, column {column}: The sum")).to_be_attached()
    look_inside.locator('.linked-cells [data-cell="1:1"]').nth(1).hover()
    expect(look_inside.locator(".linked-cells .lit")).to_have_count(3)
    expect(look_inside.locator(".linked-cells p")).to_have_text(re.compile("Row 1, column 1: .* × .* = "))
    look_inside.emulate_media(reduced_motion="reduce")
    slider.press("ArrowRight")
    expect(look_inside.get_by_role("button", name="Slide", exact=True)).to_have_count(0)
    expect(slider).to_be_visible()


def test_the_flow_is_played_paused_and_stepped(look_inside: Page) -> None:
    """It plays at once; the slider's keys go from step to step; under reduced motion nothing moves."""
    look_inside.emulate_media(reduced_motion="no-preference")
    choose_view(look_inside, "Flow")
    flow = look_inside.locator("svg[aria-label^='The flow through 4a']")
    expect(flow).to_be_visible()
    pause = look_inside.get_by_role("button", name="Pause", exact=True)
    pause.click()
    assert flow.evaluate("svg => svg.animationsPaused()")
    slider = look_inside.get_by_role("slider", name="Time in the animation")
    slider.focus()
    for _ in range(4):
        look_inside.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "step 4 of 4")
    expect(look_inside.locator("[role=status]", has_text="Concatenation: 48 + 52")).to_be_attached()
    look_inside.keyboard.press(" ")
    expect(pause).to_be_visible()
    look_inside.emulate_media(reduced_motion="reduce")
    choose_view(look_inside, "Feature maps")
    expect(flow).to_have_count(0)
    choose_view(look_inside, "Flow")
    expect(flow).to_be_visible()
    expect(slider).to_have_attribute("aria-valuetext", "step 4 of 4")
    assert flow.evaluate("svg => svg.animationsPaused()")


def test_a_map_lights_up_what_it_is_made_of_and_opens_below(look_inside: Page) -> None:
    """Under the pointer and the focus, its lines and maps are lit; Enter shows its largest value in sight."""
    choose_view(look_inside, "Flow")
    maps = look_inside.locator(".module-map")
    readout = maps.locator(".readout")
    expect(readout).to_contain_text("Point at a map")
    first, second = (maps.locator('[data-choice^="inception_4a.branch_3x3.conv:"]').nth(place) for place in (0, 1))
    first.hover()
    expect(maps.locator(".edge.lit")).to_have_count(4 + 1 + 1)  # four maps, all others, and the concatenation
    expect(maps.locator("[data-map].lit")).to_have_count(4 + 1)
    expect(maps.locator(".amount.lit").last).to_be_visible()
    name = first.get_attribute("aria-label")
    assert name
    expect(readout).to_have_text(name)
    first.focus()
    look_inside.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    expect(readout).to_have_text(second.get_attribute("aria-label") or "")
    look_inside.keyboard.press("Enter")
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(look_inside.locator(".st-key-look_inside_module_unit_view .output-map")).to_be_in_viewport()
