"""The view *Flow*: the module of the diagrams, its steps, and its files."""

import pytest

from tests.ui.app import page_text, run
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


def test_the_flow_can_be_saved(queue: DirectQueue) -> None:
    """As an animation for a browser, one for slides, and stills."""
    at = choose_view(open_page(), "Flow")
    labels = [element.proto.label for element in at.get("download_button")]
    assert ["Animation (SVG)", "Animation (GIF)", "A still per step (SVG, zip)"] == labels
