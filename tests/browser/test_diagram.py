"""The diagram view in Chromium: click, keyboard, zoom, updates, downloads, contrast, and nothing outside its box."""

import re
import struct
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from explorer.views import fonts, layout, palette
from tests.processes import wait_for

pytestmark = pytest.mark.browser
SVG = "{http://www.w3.org/2000/svg}"

# The frame of every node and the boxes of its texts, the labels of arrows, and points along arrows, in page pixels.
MEASURE = """pane => {
    const box = element => {
        const {left, top, right, bottom} = element.getBoundingClientRect()
        return [left, top, right, bottom]
    }
    const all = (root, selector) => [...root.querySelectorAll(selector)]
    const letters = text => {  // without the spaces around them
        const matrix = text.getScreenCTM(), content = text.textContent
        const first = text.getExtentOfChar(content.search(/\\S/))
        const last = text.getExtentOfChar(content.trimEnd().length - 1)
        const start = new DOMPoint(first.x, first.y).matrixTransform(matrix)
        const end = new DOMPoint(last.x + last.width, last.y + last.height).matrixTransform(matrix)
        return [start.x, start.y, end.x, end.y]
    }
    return {
        pane: box(pane),
        nodes: all(pane, '.node').filter(node => node.querySelector('path')).map(node => ({
            id: node.id, box: box(node.querySelector('path')),
            texts: all(node, 'text').map(text => [text.textContent, box(text)]),
        })),
        labels: all(pane, '.edge text').map(text => [text.textContent, letters(text)]),
        points: all(pane, '.edge path').flatMap(path => [...Array(41).keys()].map(step => {
            const {x, y} = path.getPointAtLength(path.getTotalLength() * step / 40)
            const matrix = path.getScreenCTM()
            const point = new DOMPoint(x, y).matrixTransform(matrix)
            const half = matrix.a * getComputedStyle(path).strokeWidth.replace('px', '') / 2
            return [point.x - half, point.y, point.x + half, point.y]
        })),
    }
}"""

# Every text of the boxes: its weight, its font size, its width in points, and the middles of its box and of its node.
WIDTHS = """pane => [...pane.querySelectorAll('.node text')].map(text => {
    const middle = element => {
        const {left, right} = element.getBoundingClientRect()
        return (left + right) / 2
    }
    const style = getComputedStyle(text)
    return {
        text: text.textContent, bold: style.fontWeight === '700', size: parseFloat(style.fontSize),
        width: text.getComputedTextLength(), middle: middle(text), family: style.fontFamily,
        node: text.closest('.node').id, middleOfNode: middle(text.closest('.node').querySelector('path')),
        kind: text.closest('.node').classList[1],
    }
})"""

# Every text with the colour it has and the colour of the topmost shape that lies under its middle.
CONTRASTS = """pane => {
    const plain = colour => {
        const canvas = document.createElement('canvas').getContext('2d')
        canvas.fillStyle = colour
        canvas.fillRect(0, 0, 1, 1)
        return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    const hex = colour => '#' + plain(colour).slice(0, 3).map(part => part.toString(16).padStart(2, '0')).join('')
    const inside = (box, x, y) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom
    const shapes = [...pane.querySelectorAll('.graph > :is(path, polygon), .cluster path, .node :is(path, polygon)')]
    return [...pane.querySelectorAll('text')].map(text => {
        const {left, right, top, bottom} = text.getBoundingClientRect()
        const under = shapes.filter(shape => getComputedStyle(shape).fill !== 'none'
            && inside(shape.getBoundingClientRect(), (left + right) / 2, (top + bottom) / 2)
            && shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)
        const ground = under.length ? getComputedStyle(under.at(-1)).fill : getComputedStyle(pane).backgroundColor
        return [text.textContent, hex(getComputedStyle(text).fill), hex(ground)]
    })
}"""

DIAGRAMS = {
    "overview": {},
    "overview that adapts": {"direction": "adapts", "height": "350", "max_height": "760"},
    "overview coloured": {"colour": "macs"},
    "overview expanded": {"expanded": "4a"},
    "40 modules": {"modules": "40", "preset": "mini"},
    "module": {"draw": "4a"},
    "module coloured": {"draw": "4a", "colour": "time"},
    "naive module": {"draw": "4a", "preset": "naive"},
    "two 3x3": {"draw": "4a", "preset": "two_3x3"},
    "auxiliary head": {"draw": "aux_4a"},
    "stem": {"draw": "stem"},
}


@pytest.fixture
def open_diagram(serve: Callable[[str], str], page: Page) -> Callable[..., Locator]:
    """Return a function that opens the demo with a query and gives the pane with the diagram."""

    def open_it(**query: str) -> Locator:
        page.set_viewport_size({"width": 1400, "height": 900})
        page.goto(f"{serve('tests/browser/apps/diagram_app.py')}/?{urlencode(query)}")
        pane = page.locator(".pane")
        expect(pane.locator(".selectable").first).to_be_visible()
        return pane

    return open_it


def scale(pane: Locator) -> float:
    """Return the pixels per point of the diagram."""
    return float(pane.get_attribute("data-scale") or 0)


def node(pane: Locator, identity: str) -> Locator:
    """Return the box of that id."""
    return pane.locator(f'[id="{identity}"]')


def download(page: Page, name: str) -> Download:
    """Press a download button and wait for its file."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=f"Download {name}").click()
    return waiting.value


def text_of(download: Download) -> str:
    """Return the content of a download."""
    return Path(download.path()).read_text("utf-8")


def test_a_click_selects_a_box(open_diagram, page):
    """The id arrives in Python, comes back, and marks the box; the same box can be selected again."""
    pane = open_diagram()
    node(pane, "inception_4a").click()
    expect(page.get_by_text("selected: inception_4a, 1 times")).to_be_visible()
    expect(node(pane, "inception_4a")).to_have_attribute("aria-pressed", "true")
    node(pane, "stem").click()
    expect(page.get_by_text("selected: stem, 2 times")).to_be_visible()
    expect(node(pane, "inception_4a")).to_have_attribute("aria-pressed", "false")
    node(pane, "stem").click()
    expect(page.get_by_text("selected: stem, 3 times")).to_be_visible()


def test_the_keyboard_is_enough(open_diagram, page):
    """Tab reaches the pane and then its boxes, Enter selects, + − 0 zoom, arrows move."""
    pane = open_diagram()
    pane.focus()
    fitted = scale(pane)
    page.keyboard.press("+")
    assert scale(pane) > fitted
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert scale(pane) < fitted
    before = node(pane, "stem").bounding_box()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    after = node(pane, "stem").bounding_box()
    assert after["x"] < before["x"]
    assert after["y"] < before["y"]
    page.keyboard.press("0")
    assert fitted == scale(pane)
    page.keyboard.press("Tab")
    expect(node(pane, "stem")).to_be_focused()
    expect(page.locator(".tip")).to_contain_text("124,416 parameters")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("selected: inception_3a, 1 times")).to_be_visible()
    expect(node(pane, "inception_3a")).to_be_focused()


def test_buttons_and_the_wheel_with_ctrl_zoom(open_diagram, page):
    """Zooming by wheel needs Ctrl, so that a plain wheel scrolls the page; Fit shows all again."""
    pane = open_diagram(height="1400")
    fitted = scale(pane)
    page.get_by_role("button", name="Zoom in").click()
    assert scale(pane) == pytest.approx(fitted * 1.25, rel=1e-3)
    page.get_by_role("button", name="Zoom out").click()
    page.get_by_role("button", name="Zoom out").click()
    assert scale(pane) == pytest.approx(fitted / 1.25, rel=1e-3)
    page.get_by_role("button", name="Fit").click()
    pane.hover(position={"x": 200, "y": 200})
    top = pane.bounding_box()["y"]
    page.mouse.wheel(0, 200)
    wait_for(lambda: pane.bounding_box()["y"] < top)
    assert fitted == scale(pane)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    wait_for(lambda: scale(pane) > fitted)


def test_dragging_moves_the_diagram_and_selects_nothing(open_diagram, page):
    """The box under the pointer follows it, and is not clicked."""
    pane = open_diagram()
    start, box = node(pane, "inception_4c").bounding_box(), node(pane, "stem").bounding_box()
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(start["x"] + 80, start["y"] + 50, steps=5)
    page.mouse.up()
    moved = node(pane, "stem").bounding_box()
    assert (60, 30) == pytest.approx((moved["x"] - box["x"], moved["y"] - box["y"]), abs=1)
    expect(page.get_by_text("selected: None, 0 times")).to_be_visible()


def test_a_tooltip_does_not_cover_its_box(open_diagram, page):
    """Wherever the box is: it stays in the frame of the diagram and beside the box."""
    pane = open_diagram(draw="4a")
    tip, frame = page.locator(".tip"), page.locator(".diagram").bounding_box()
    for box in pane.locator(".node.selectable").all():
        box.hover()
        place, own = tip.bounding_box(), box.bounding_box()
        assert (
            place["x"] >= own["x"] + own["width"]
            or place["x"] + place["width"] <= own["x"]
            or place["y"] >= own["y"] + own["height"]
            or place["y"] + place["height"] <= own["y"]
        ), box.get_attribute("id")
        assert place["x"] >= frame["x"] - 1
        assert place["x"] + place["width"] <= frame["x"] + frame["width"] + 1


def test_layers_and_neighbours_can_be_hovered_and_selected(open_diagram, page):
    """Over a box its numbers appear; a layer's box gives its path, and the box of a neighbour gives that block."""
    pane = open_diagram(draw="4a")
    tip = page.locator(".tip")
    expect(tip).to_be_hidden()
    node(pane, "inception_4a.branch_5x5.reduce").hover()
    for text in ("480 × 14 × 14 → 16 × 14 × 14", "7,696 parameters", "1,505,280 MACs", "1×1/1, pad 0"):
        expect(tip).to_contain_text(text)
    pane.hover(position={"x": 5, "y": 5})
    expect(tip).to_be_hidden()
    node(pane, "inception_4a.branch_3x3.conv").click()
    expect(page.get_by_text("selected: inception_4a.branch_3x3.conv, 1 times")).to_be_visible()
    expect(tip).to_be_hidden()  # it would cover the boxes below the one that was clicked
    node(pane, "inception_4b").click()
    expect(page.get_by_text("selected: inception_4b, 2 times")).to_be_visible()


def test_an_update_keeps_zoom_position_selection_and_focus(open_diagram, page):
    """An edit of the network changes numbers in the diagram and nothing else."""
    pane = open_diagram(colour="parameters")
    node(pane, "inception_4a").click()
    expect(page.get_by_text("selected: inception_4a, 1 times")).to_be_visible()
    node(pane, "inception_3a").focus()
    for key in ("+", "+", "ArrowLeft"):
        page.keyboard.press(key)
    before, place = scale(pane), node(pane, "stem").bounding_box()
    expect(node(pane, "inception_3a")).to_contain_text("256 × 28 × 28")
    page.get_by_role("button", name="Edit").click()
    expect(node(pane, "inception_3a")).to_contain_text("257 × 28 × 28")
    assert before == scale(pane)
    assert (place["x"], place["y"]) == pytest.approx((node(pane, "stem").bounding_box()["x"], place["y"]), abs=3)
    expect(node(pane, "inception_4a")).to_have_attribute("aria-pressed", "true")


def frame(pane: Locator, name: str) -> Locator:
    """Return the frame of an open module."""
    return pane.locator(f'.cluster[id="inception_{name}"]')


def test_a_double_click_opens_modules_in_place_and_closes_them(open_diagram, page):
    """Several at once; their layers are boxes like any other, and a double click on one closes its module."""
    pane = open_diagram(direction="across", height="760")
    node(pane, "inception_4a").dblclick()
    expect(frame(pane, "4a")).to_be_visible()
    expect(node(pane, "inception_4a.branch_3x3.conv")).to_contain_text("179,920 parameters")
    page.get_by_role("button", name="Fit").click()
    node(pane, "inception_5b").dblclick()
    expect(frame(pane, "5b")).to_be_visible()
    expect(frame(pane, "4a")).to_be_visible()
    page.get_by_role("button", name="Fit").click()
    node(pane, "inception_4a.branch_3x3.conv").dblclick()
    expect(frame(pane, "4a")).to_have_count(0)
    expect(frame(pane, "5b")).to_be_visible()
    expect(node(pane, "inception_4a")).to_be_visible()


def test_shift_and_enter_open_a_module_and_keep_the_focus(open_diagram, page):
    """The keyboard does what the double click does; Enter alone still selects. The help mentions it where it works."""
    pane = open_diagram()
    node(pane, "inception_3b").focus()
    page.keyboard.press("Shift+Enter")
    expect(frame(pane, "3b")).to_be_visible()
    expect(frame(pane, "3b")).to_be_focused()
    expect(page.get_by_text("selected: None, 0 times")).to_be_visible()
    page.keyboard.press("Shift+Enter")
    expect(frame(pane, "3b")).to_have_count(0)
    expect(page.locator("#expand-help")).to_be_attached()
    assert page.locator("#expand-help").get_attribute("hidden") is None
    pane = open_diagram(draw="4a")
    assert page.locator("#expand-help").get_attribute("hidden") is not None
    node(pane, "inception_4a.branch_3x3.conv").focus()
    page.keyboard.press("Shift+Enter")
    expect(page.get_by_text("selected: inception_4a.branch_3x3.conv, 1 times")).to_be_visible()


def test_forty_modules_can_be_opened_and_read(open_diagram, page):
    """All of them fit the view with readable text; one that is opened among them is enlarged."""
    pane = open_diagram(preset="mini", modules="40", direction="across", height="350", max_height="760")
    assert all_inside(pane)
    assert 14 * scale(pane) >= 10
    for name in ("3a", "5c"):
        page.get_by_role("button", name="Fit").click()
        node(pane, f"inception_{name}").dblclick()
        expect(frame(pane, name)).to_be_visible()
        wait_for(lambda name=name: within(box_of(frame(pane, name)), box_of(pane), 2))
        assert 14 * scale(pane) >= 10
    assert {"3a", "5c"} == {cluster.get_attribute("id")[-2:] for cluster in pane.locator(".cluster").all()}


def box_of(element: Locator) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom in pixels of the page."""
    box = element.bounding_box()
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def test_a_narrow_view_gets_a_readable_diagram(open_diagram, page):
    """A view that becomes narrow gets shorter lines and the height they need; one that becomes wide gets long lines."""
    pane = open_diagram(direction="adapts", height="350", max_height="760")
    lines = len({round(box["box"][1]) for box in pane.evaluate(MEASURE)["nodes"]})
    height = pane.bounding_box()["height"]
    page.set_viewport_size({"width": 800, "height": 900})
    wait_for(lambda: len({round(box["box"][1]) for box in pane.evaluate(MEASURE)["nodes"]}) > lines)
    wait_for(lambda: all_inside(pane))
    assert 14 * scale(pane) >= 11
    assert pane.bounding_box()["height"] > height
    page.set_viewport_size({"width": 1400, "height": 900})
    wait_for(lambda: len({round(box["box"][1]) for box in pane.evaluate(MEASURE)["nodes"]}) == lines)
    wait_for(lambda: all_inside(pane))


def test_a_diagram_that_was_not_zoomed_fits_after_an_update_and_a_resize(open_diagram, page):
    """If all of it is visible, all of it stays visible."""
    pane = open_diagram()
    page.set_viewport_size({"width": 500, "height": 900})
    wait_for(lambda: all_inside(pane))
    page.get_by_role("button", name="Edit").click()
    expect(node(pane, "inception_3a")).to_contain_text("257 × 28 × 28")
    assert all_inside(pane)


def test_the_svg_needs_nothing_else(open_diagram, page):
    """The downloaded SVG is well-formed, has all boxes, plain colours of the theme, and no class of ours or link."""
    pane = open_diagram()
    node(pane, "inception_4a").click()
    for scheme, theme in (("light", palette.LIGHT), ("dark", palette.DARK)):
        page.emulate_media(color_scheme=scheme)
        expect(pane).to_have_css("background-color", rgb(theme.background))
        check_svg(download(page, "SVG"), theme)


def check_svg(file: Download, theme: palette.Theme) -> None:
    """Check the content of an SVG in a theme."""
    assert "overview.svg" == file.suggested_filename
    root = ElementTree.fromstring(text_of(file))
    assert f"{SVG}svg" == root.tag
    ids = {group.get("id") for group in root.iter(f"{SVG}g")}
    assert {"stem", "inception_5b", "aux_4d", "classifier"} <= ids
    assert rgb(theme.background) == root.find(f"{SVG}rect").get("fill")
    colours = {element.get(name) for element in root.iter() for name in ("fill", "stroke") if element.get(name)}
    assert all(re.fullmatch(r"none|rgb\(\d+, \d+, \d+\)", colour) for colour in colours)
    assert rgb(theme.ink) in colours
    assert not any("href" in name or name == "style" or "aria" in name for e in root.iter() for name in e.attrib)
    width, height = float(root.get("width")), float(root.get("height"))
    assert f"0 0 {width:g} {height:g}" == root.get("viewBox")


def test_the_png_has_the_size_of_the_svg_and_the_dot_can_be_drawn(open_diagram, page):
    """The downloaded PNG has three pixels per point; the DOT is read by Graphviz and has the same boxes."""
    pane = open_diagram(draw="4a")
    file = download(page, "PNG")
    assert "inception_4a.png" == file.suggested_filename
    content = Path(file.path()).read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    svg = ElementTree.fromstring(text_of(download(page, "SVG")))
    assert (3 * float(svg.get("width")), 3 * float(svg.get("height"))) == pytest.approx((width, height), abs=1)
    file = download(page, "DOT")
    assert "inception_4a.gv" == file.suggested_filename
    drawn = ElementTree.fromstring(layout.svg(text_of(file)))
    ids = {group.get("id") for group in drawn.iter(f"{SVG}g") if "node" in group.get("class")}
    assert ids == {node.get_attribute("id") for node in pane.locator(".node").all()}


@pytest.mark.parametrize("query", DIAGRAMS.values(), ids=DIAGRAMS)
def test_nothing_overlaps_and_every_text_can_be_read(open_diagram, page, query):
    """Boxes, texts and arrows are apart and texts are in their boxes, on wide and narrow pages, light and dark."""
    pane = open_diagram(**query)
    check_widths(pane)
    check_places(pane)
    for scheme, theme in (("light", palette.LIGHT), ("dark", palette.DARK)):
        page.emulate_media(color_scheme=scheme)
        expect(pane).to_have_css("background-color", rgb(theme.background))
        check_contrast(pane)
    page.set_viewport_size({"width": 800, "height": 900})
    wait_for(lambda: all_inside(pane))
    check_places(pane)


def check_widths(pane: Locator) -> None:
    """Compare texts with what the layout assumes.

    The browser draws with the font that measured, whatever fonts the machine has; centres differ by 1 px at most.
    """
    texts = pane.evaluate(WIDTHS)
    assert texts
    for text in texts:
        expected = fonts.width(text["text"], text["size"], text["bold"])
        assert text["width"] == pytest.approx(expected, abs=0.5), text
        if text["kind"] in ("layer", "outside", "pool", "aux"):
            assert text["middle"] == pytest.approx(text["middleOfNode"], abs=1), text


def check_contrast(pane: Locator) -> None:
    """Compare every text with what is under it, as the browser paints it: at least 4.5:1."""
    pairs = pane.evaluate(CONTRASTS)
    assert len(pairs) > 10
    for text, colour, ground in pairs:
        assert palette.contrast(colour, ground) >= palette.READABLE, (text, colour, ground)


def test_the_svg_is_drawn_alike_without_the_page(open_diagram, page, new_page):
    """The downloaded SVG contains the font: alone in a tab its texts have the same widths."""
    pane = open_diagram(draw="4a")
    expected = {(text["node"], text["text"]): text["width"] for text in pane.evaluate(WIDTHS)}
    document = text_of(download(page, "SVG"))
    alone = new_page()
    alone.set_content(f"<body>{document}</body>")
    alone.evaluate("() => document.fonts.ready")
    found = {(text["node"], text["text"]): text["width"] for text in alone.locator("body").evaluate(WIDTHS)}
    assert found == pytest.approx(expected, abs=0.01)


def test_text_stays_in_its_box_in_a_wider_font(open_diagram, page):
    """Where the browser could not load the font, text is compressed into its box."""
    pane = open_diagram(draw="3a")
    pane.evaluate("""pane => {
        const style = document.createElement('style')
        style.textContent = 'svg text { font-family: "DejaVu Sans", Verdana; letter-spacing: 0.1em }'
        pane.getRootNode().append(style)
    }""")
    page.get_by_role("button", name="Edit").click()
    expect(node(pane, "inception_3a.branch_1x1.conv")).to_contain_text("12,545 parameters")
    for box in pane.evaluate(MEASURE)["nodes"]:
        for text, place in box["texts"]:
            assert within(place, box["box"], 1), (box["id"], text)


@pytest.mark.parametrize("query", [{"width": "620"}, {}, {"direction": "across", "height": "330"}])
def test_the_overview_fits_one_screen_and_can_be_read(open_diagram, query):
    """At 1400 pixels all of it is visible, with text of at least 11 pixels."""
    pane = open_diagram(**query)
    assert all_inside(pane)
    assert 14 * scale(pane) >= 11


def all_inside(pane: Locator) -> bool:
    """Whether every box is visible."""
    found = pane.evaluate(MEASURE)
    return all(within(box["box"], found["pane"], 0) for box in found["nodes"])


def check_places(pane: Locator) -> None:
    """Compare all boxes and texts of a diagram that is wholly visible."""
    found = pane.evaluate(MEASURE)
    for box in found["nodes"]:
        assert within(box["box"], found["pane"], 0)
        for text, place in box["texts"]:
            assert within(place, box["box"], 1), (box["id"], text, place, box["box"])
    for one, other in combinations(found["nodes"], 2):
        assert not overlap(one["box"], other["box"]), (one["id"], other["id"])
    texts = [text for box in found["nodes"] for text in box["texts"]] + found["labels"]
    for (one, first), (other, second) in combinations(texts, 2):
        assert not overlap(shrunk(first), shrunk(second)), (one, other)
    for box in found["nodes"]:
        for label, place in found["labels"]:
            assert not overlap(shrunk(place), box["box"]), (label, box["id"])
        assert not any(within(point, box["box"], -4) for point in found["points"]), box["id"]
    for label, place in found["labels"]:
        assert not any(overlap(shrunk(place), (left, y, right, y + 1)) for left, y, right, _ in found["points"]), label


def within(inner, outer, slack):
    """Whether a box (left, top, right, bottom) lies in another, with a tolerance of some pixels."""
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def overlap(one, other):
    """Whether two boxes share some area."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def shrunk(box):
    """Return a text's box without a pixel at its sides and the space above and below its letters."""
    left, top, right, bottom = box
    return left + 1, top + 0.2 * (bottom - top), right - 1, bottom - 0.2 * (bottom - top)


def rgb(colour):
    """Return ``#0e1420`` as ``rgb(14, 20, 32)``."""
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"
