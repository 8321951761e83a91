"""Read charts in SVG, and check what holds for each of them."""

import re
from xml.etree import ElementTree

from explorer.views import fonts


def elements(chart: str, kind: str) -> list[ElementTree.Element]:
    """Return the elements of a kind in a chart."""
    return [element for element in ElementTree.fromstring(chart).iter() if element.tag.endswith(kind)]


def choices(chart: str) -> list[str]:
    """Return the ids of the selectable parts, in order."""
    return [box.get("data-choice") for box in elements(chart, "rect") if box.get("data-choice")]


def assert_readable_on_phone(picture: str) -> None:
    """Assert that it is 400 units wide, on 356 pixels, with no text smaller than 13 units or cut off at a side."""
    root = ElementTree.fromstring(picture)
    assert root.attrib["viewBox"].split()[2] == "400"
    for text in root.iter("text"):
        size = int(text.get("font-size", "13"))
        assert size >= 13
        wide = fonts.width(text.text or "", size, bold=text.get("font-weight") != "400")
        anchors = {"start": 0.0, "middle": 0.5, "end": 1.0}
        left = float(text.attrib["x"]) - anchors[text.get("text-anchor", "start")] * wide
        assert -2 <= left <= left + wide <= 402, text.text


def assert_well_formed(chart: str) -> None:
    """Assert that it is XML with a label for screen readers, loads nothing, and lacks no number."""
    root = ElementTree.fromstring(chart)
    assert len(root.get("aria-label")) > 15
    assert all(image.get("href").startswith("data:image/png;base64,") for image in elements(chart, "image"))
    without = re.sub(r'href="data:[^"]*"', "", chart)
    assert not re.search(r"<script|href|url\(|\son[a-z]+=|nan|inf\b", without)


def assert_inside(chart: str) -> None:
    """Assert that boxes, images and texts are within the frame."""
    _, _, width, height = map(float, ElementTree.fromstring(chart).get("viewBox").split())
    for box in elements(chart, "rect") + elements(chart, "image"):
        x, y, w, h = (float(box.get(field)) for field in ("x", "y", "width", "height"))
        assert min(w, h) >= 0
        assert -1 <= x <= x + w <= width + 1, box.attrib
        assert -1 <= y <= y + h <= height + 1, box.attrib
    for text in elements(chart, "text"):
        wide = fonts.width(text.text or "", float(text.get("font-size")), int(text.get("font-weight")) > 500)
        left = float(text.get("x")) - {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor")]
        assert -1 <= left <= left + wide <= width + 1, text.text
        assert 0 <= float(text.get("y")) <= height, text.text


def assert_parts_are_apart(chart: str) -> None:
    """Assert that there are several selectable parts and that no two overlap, so that a click selects one."""
    boxes = [
        tuple(float(box.get(field)) for field in ("x", "y", "width", "height"))
        for box in elements(chart, "rect")
        if box.get("data-choice")
    ]
    assert len(boxes) > 1
    for number, (x, y, w, h) in enumerate(boxes):
        for left, top, wide, high in boxes[number + 1 :]:
            assert x + w <= left or left + wide <= x or y + h <= top or top + high <= y
