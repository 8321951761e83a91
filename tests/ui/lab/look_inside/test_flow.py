"""The view *Flow*: the module of the diagrams, its steps, and its files."""

from typing import Any

import pytest

from explorer.ui.components import width
from explorer.ui.lab.look_inside import module_maps
from explorer.ui.lab.look_inside.walk import Chosen
from tests.ui.app import click, page_text, run
from tests.ui.lab.look_inside.conftest import DirectQueue, choose_view, open_page


@pytest.mark.slow
def test_the_chosen_module_flows(queue: DirectQueue) -> None:
    """It is the one that the diagrams select, and choosing another selects it there too."""
    at = choose_view(open_page(), "Flow")
    assert queue.of_kind("strongest_maps")[-1].block == "4a"
    at.pills(key="look_inside_flow_module").set_value("5b")
    run(at)
    assert queue.of_kind("strongest_maps")[-1].block == "5b"
    assert at.session_state["selected_node"] == "inception_5b"
    assert "the output of each layer is a stack of sheets" in page_text(at)


def test_the_drawing_is_narrow_only_where_the_wide_one_does_not_fit(
    queue: DirectQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own limit counts: a page too narrow for the diagram of the network may have room for it."""
    options: dict[str, Any] = {}
    monkeypatch.setattr(module_maps, "selectable_svg", lambda svg, **given: options.update(given, svg=svg))
    at = choose_view(open_page(), "Flow")
    at.session_state[width._NARROW[width.PAGE].key] = True
    run(at)
    wide = options["svg"]
    at.session_state[width._NARROW[options["narrow_below"][0]].key] = True
    run(at)
    assert options["narrow_below"][0] < 768  # what a page of 800 pixels leaves
    assert options["svg"] != wide


def test_the_flow_can_be_saved(queue: DirectQueue) -> None:
    """As an animation for a browser, one for slides, and stills."""
    at = choose_view(open_page(), "Flow")
    labels = [element.proto.label for element in at.get("download_button")]
    assert ["Animation (SVG)", "Animation (GIF)", "A still per step (SVG, zip)"] == labels


@pytest.mark.slow
def test_the_selected_map_is_shown_in_detail(queue: DirectQueue) -> None:
    """Its largest value, then a value beside it; in another module it is not shown."""
    at = choose_view(open_page(), "Flow")
    assert not queue.of_kind("unit")
    path = "inception_4a.branch_3x3.conv"
    shown = queue.computed[queue.of_kind("module_maps")[-1]].layers[path]
    selected = module_maps._Selected(f"{path}:{shown[0].unit.channel}", Chosen(path, shown[0].unit.channel))
    at.session_state[module_maps._SELECTED.key] = selected
    run(at)
    report = queue.computed[queue.of_kind("unit")[-1]]
    assert report.unit == shown[0].unit
    assert f"row {report.unit.row}, column {report.unit.column}" in page_text(at)
    click(at, "look_inside_module_unit_walk")
    assert at.session_state["look_inside_view"] == "One number"
    assert (queue.of_kind("unit")[-1].path, queue.of_kind("unit")[-1].channel) == (path, report.unit.channel)


@pytest.mark.slow
def test_a_map_of_another_module_is_not_shown(queue: DirectQueue) -> None:
    """The detail belongs to the drawing above it."""
    at = choose_view(open_page(), "Flow")
    at.session_state[module_maps._SELECTED.key] = module_maps._Selected("inception_5b.branch_1x1.conv:1")
    run(at)
    assert not queue.of_kind("unit")
