"""Where one output value is: the frames in the maps, its place in the concatenation, and the boxes of a walk."""

import re
from xml.etree import ElementTree

import pytest

from explorer.jobs.units import UnitReport
from explorer.units import INPUT, Unit
from explorer.views import unit_maps
from tests.views.unit_reports import ALL, ANSWER, CONV, NAMES, PIXEL


@pytest.mark.parametrize("report", ALL.values(), ids=ALL)
def test_the_maps_are_well_formed(report: UnitReport) -> None:
    """Each with a text alternative."""
    whole = unit_maps.position_maps(report, NAMES)
    ElementTree.fromstring(whole)
    assert whole.count("<svg") == whole.count("<svg viewBox") <= whole.count("aria-label")


def test_the_output_map_can_be_moved() -> None:
    """It carries what the script needs: its size, the position, and the stride of the window."""
    whole = unit_maps.position_maps(CONV, NAMES)
    attributes = dict(re.findall(r'data-(\w+)="([\d.]+)"', whole[whole.index("output-map") :]))
    assert attributes | {"rows": "14", "columns": "14", "row": "0", "column": "13", "stride": "1"} == attributes
    assert "row 0 of 14, column 13 of 14. The arrow keys move it." in whole
    assert "output-map" not in unit_maps.position_maps(ANSWER, NAMES)


def test_a_frame_round_a_whole_map_is_not_cut_off() -> None:
    """As that of an average pool: its line is within the panel on all sides."""
    window = CONV.window
    assert window
    values = ((1.0,) * 14,) * 14
    pool = Unit("classifier.pool", 2)
    report = CONV.replace(unit=pool, kind="avg_pool", window=window._replace(values=values, weights=(), top=0, left=0))
    panels = ElementTree.fromstring(unit_maps.position_maps(report, NAMES))
    for panel in panels:
        _, _, width, height = map(float, panel.get("viewBox", "").split())
        group = next(child for child in panel if child.tag == "g")
        x, y = map(float, re.findall(r"[\d.]+", group.get("transform", "")))
        for line in (box for box in group.iter("rect") if box.get("stroke")):
            half = float(line.get("stroke-width", "1")) / 2
            left, top, across, down = (float(line.get(name, "")) for name in ("x", "y", "width", "height"))
            assert x + left - half >= 0
            assert x + left + across + half <= width
            assert y + top + down + half <= height


def test_the_image_shows_the_receptive_field() -> None:
    """Cut off at the border; the answer sees all of the image; the pixel at the end of the walk is marked."""
    assert "Its receptive field is " in unit_maps.position_maps(CONV, NAMES)
    assert "All of it is in its receptive field." in unit_maps.position_maps(ANSWER, NAMES)
    assert "<circle" in unit_maps.position_maps(CONV, NAMES)
    assert "The pixel is at row 3, column 5." in unit_maps.position_maps(PIXEL, NAMES)


def test_the_place_in_the_concatenation() -> None:
    """After the channels of the branches before it; a value that is not concatenated has none."""
    assert "In the concatenation of 3a: channel 20 of 64, in the 3×3 branch." in unit_maps.concatenation_chart(
        CONV, NAMES
    )
    reduce = CONV.replace(unit=Unit("inception_3a.branch_3x3.reduce", 0, 0, 0))
    assert unit_maps.concatenation_chart(reduce, NAMES) == ""


def test_a_walk_has_a_box_for_each_value() -> None:
    """Each can be selected by its number and has its whole name."""
    walk = (Unit("classifier.fc", 1), Unit("classifier.pool", 7), Unit(INPUT, 0, 3, 5))
    chart = unit_maps.walk_chart(walk, 1, NAMES)
    ElementTree.fromstring(chart)
    assert re.findall('data-choice="(.*?)"', chart) == ["0", "1", "2"]
    assert "class Trouser &amp; &lt;b&gt;" in chart
    assert "The walk from class Trouser" in chart
    assert chart.count("←") == 2
