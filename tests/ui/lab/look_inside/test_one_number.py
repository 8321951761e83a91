"""The view *One number*: its default, the walk to a pixel and back, links to it, and input that it rejects."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from explorer.units import Unit
from tests.ui.app import alt_texts, click, open_app, page_text, run, type_into
from tests.ui.lab.look_inside.conftest import DirectQueue, choose_view, open_page

CONV = "inception_4a.branch_3x3.conv"


def in_view(at: AppTest) -> Unit:
    """The value that the URL names last; the answer if it names none."""
    if "unit" not in at.query_params:
        return Unit("classifier.fc", 0)
    path, *numbers = at.query_params["unit"].split("~")[-1].split(":")
    return Unit(path, *map(int, numbers))


def test_the_first_view_is_the_predicted_class(queue: DirectQueue) -> None:
    """Its terms, its steps, and that they equal the network's number."""
    at = choose_view(open_page(), "One number")
    assert Unit("classifier.fc", 0) == in_view(at)
    assert "class T-shirt/top. The sum of 256 products is" in alt_texts(at)
    assert "Equal to float32 rounding" in alt_texts(at)
    assert "Softmax, the terms of the classes: T-shirt/top e^(" in alt_texts(at)
    assert "Each input channel × its kernel" not in alt_texts(at)
    assert "a fully connected layer multiplies each of its inputs by one weight" in page_text(at)


def test_a_convolution_shows_its_intermediate_maps(queue: DirectQueue) -> None:
    """The strongest input channels, added up, and how to read them; moving the position keeps them."""
    at = open_page(unit=f"{CONV}:5:3:2")
    assert "added up to the output map before BatchNorm. At row 3, column 2: " in alt_texts(at)
    assert "Softmax" not in alt_texts(at)
    assert "The maps below show the 4 input channels" in page_text(at)
    type_into(at, "look_inside_unit_row", 6)
    assert "added up to the output map before BatchNorm. At row 6, column 2: " in alt_texts(at)


@pytest.mark.slow
def test_a_walk_from_the_answer_to_a_pixel_takes_five_presses(queue: DirectQueue) -> None:
    """By stages: 5b or 5a, stage 4, stage 3, the stem, a pixel; and back, one layer at a time."""
    at = choose_view(open_page(), "One number")
    blocks = []
    for _ in range(5):
        click(at, "look_inside_stage")
        blocks.append(re.sub(r"inception_(\d).*|\..*", r"\1", in_view(at).path))
    assert ["5", "4", "3", "stem", "input"] == blocks
    assert "The pixel is " in page_text(at)
    steps = at.query_params["unit"].count("~")
    for _ in range(steps):
        click(at, "look_inside_return")
    assert Unit("classifier.fc", 0) == in_view(at)


def test_a_press_goes_to_the_strongest_cause(queue: DirectQueue) -> None:
    """One layer back, to the first unit that the report names."""
    at = choose_view(open_page(), "One number")
    (report,) = [found for request, found in queue.computed.items() if request.kind == "unit"]
    click(at, "look_inside_cause")
    assert report.causes[0] == in_view(at)
    assert "1.pool" not in at.query_params["unit"]
    assert at.query_params["unit"].count("~") == 1


def test_a_link_opens_the_walk_and_its_image(queue: DirectQueue) -> None:
    """In another session: the same value of the same image."""
    first = choose_view(open_page(image="fashion_mnist-4", unit=CONV), "One number")
    click(first, "look_inside_cause")
    link = {name: first.query_params[name] for name in ("unit", "image")}
    assert link["image"] == "fashion_mnist-4"
    second = open_page(**link)
    assert second.segmented_control(key="look_inside_view").value == "One number"
    assert in_view(first) == in_view(second)
    assert alt_texts(first) == alt_texts(second)


@pytest.mark.parametrize(
    "forged", ["classifier.fc:99:0:0", "<b>x</b>", f"{CONV}:0:0:0~pool3:0:0:9", "classifier.fc:0:0:0~" * 300]
)
def test_a_forged_link_is_explained(queue: DirectQueue, forged: str) -> None:
    """The view shows the answer, and nothing from the link is read as markup."""
    at = open_page(unit=forged)
    assert len(at.error) == 1
    assert "“<b>" not in page_text(at)
    assert Unit("classifier.fc", 0) == in_view(at)
    click(at, "look_inside_cause")
    assert not at.error


@pytest.mark.parametrize("image", ["", "upload-0", "fashion_mnist-99", "fashion_mnist--1", "x"])
def test_a_forged_image_changes_nothing(queue: DirectQueue, image: str) -> None:
    """The selected sample stays."""
    assert open_page(unit=CONV, image=image).query_params["image"] == "fashion_mnist-0"


def test_layer_channel_and_position_can_be_chosen(queue: DirectQueue) -> None:
    """A number outside is rejected with the valid ones; the walk begins again."""
    at = choose_view(open_page(), "One number")
    click(at, "look_inside_cause")
    at.selectbox(key="look_inside_unit_layer").set_value(CONV)
    run(at)
    assert in_view(at).path == CONV
    type_into(at, "look_inside_unit_channel", 5)
    type_into(at, "look_inside_unit_row", 6)
    assert (in_view(at).channel, in_view(at).row) == (5, 6)
    type_into(at, "look_inside_unit_column", 7)
    assert ["Column: enter a whole number from 0 to 6."] == [error.value for error in at.error]
    assert "~" not in at.query_params["unit"]


@pytest.mark.slow
def test_other_weights_without_the_value_show_the_answer(queue: DirectQueue) -> None:
    """The trained network has no LRN; the paper's has."""
    at = open_page(unit="stem.norm1", weights="random")
    assert in_view(at).path == "stem.norm1"
    at.query_params["weights"] = "mini_scales"
    at = open_page(unit="stem.norm1", weights="mini_scales")
    assert in_view(at).path == "classifier.fc"


@pytest.mark.slow
def test_another_view_takes_the_value_out_of_the_link(queue: DirectQueue) -> None:
    """A reload then shows that view."""
    at = choose_view(open_page(unit=CONV), "Layer timing")
    assert "unit" not in at.query_params
    assert "image" not in at.query_params


def test_a_feature_map_leads_to_its_largest_value(queue: DirectQueue) -> None:
    """The button below an enlarged map opens this view at its channel."""
    at = open_page()
    click(at, "look_inside_see_one_number")
    run(at)
    request = queue.of_kind("unit")[-1]
    assert at.segmented_control(key="look_inside_view").value == "One number"
    assert (request.path, request.position) == (in_view(at).path, None)
    assert request.channel == in_view(at).channel


def test_diagrams_and_lessons_link_to_it(queue: DirectQueue) -> None:
    """The selected layer's formulas, and each lesson's end, have the link."""
    at = open_app()
    links = [element.proto for element in at.get("page_link")]
    (link,) = [proto for proto in links if proto.label == "See one number"]
    assert "weights=current" in link.query_string
    assert "unit=inception_" in link.query_string
    at.switch_page("pages/learn/receptive_field.py").run()
    assert "See one number" in [element.proto.label for element in at.get("page_link")]


@pytest.mark.slow
def test_a_link_from_a_diagram_shows_the_current_network(queue: DirectQueue) -> None:
    """With random weights if there are no others, and with the weights in use if they belong to it."""
    at = open_page(unit="inception_4a.branch_5x5.conv", weights="current")
    assert at.query_params["weights"] == "random"
    assert in_view(at).path == "inception_4a.branch_5x5.conv"
    at = open_page(net="mini", unit=CONV, weights="current")
    assert queue.of_kind("unit")[-1].path == CONV
