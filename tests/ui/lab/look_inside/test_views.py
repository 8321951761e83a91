"""The views of the page: ablation, attribution, maximization, timing and side by side, and input they reject."""

from typing import Any

import pytest

from explorer import PRESETS
from tests.ui.app import alt_texts, click, forge, page_text, run, type_into
from tests.ui.lab.look_inside.conftest import WAITING, DirectQueue, choose_view, open_page


@pytest.mark.slow
def test_ablation_uses_the_unscaled_network(queue: DirectQueue) -> None:
    """The ablation chart does not depend on the branches that the user scales."""
    at = choose_view(open_page(), "Branch ablation")
    type_into(at, "look_inside_factor", 0)
    assert {request.scales for request in queue.of_kind("ablation")} == {()}
    at.segmented_control(key="look_inside_ablation_scope").set_value("all")
    run(at)
    assert len(queue.of_kind("ablation")[-1].images) == 20
    assert "over 20 images" in page_text(at)


@pytest.mark.parametrize(
    ("factor", "reason"),
    [
        (99, "enter a number from −10 to 10."),
        (-10.5, "enter a number from −10 to 10."),
        (None, "the field is blank. Enter a number."),
        ("nan", "“nan” is not a number. Write a number, such as 0.5."),
    ],
)
def test_an_invalid_factor_is_rejected(queue: DirectQueue, factor: Any, reason: str) -> None:
    """The message is at the field, and no branch is scaled."""
    at = choose_view(open_page(), "Branch ablation")
    type_into(at, "look_inside_factor", factor)
    assert [f"Output factor: {reason}"] == [error.value for error in at.error]
    assert queue.of_kind("prediction")[-1].scales == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "key"),
    [
        ("Branch ablation", "look_inside_branch"),
        ("Attribution", "look_inside_target"),
        ("Attribution", "look_inside_layer"),
        ("Activation maximization", "look_inside_max_layer"),
        ("Side by side", "look_inside_other"),
        ("Feature maps", "look_inside_engine"),
    ],
)
def test_a_forged_choice_changes_nothing(queue: DirectQueue, view: str, key: str) -> None:
    """A value that the list does not have is ignored."""
    at = choose_view(open_page(), view)
    before = at.selectbox(key=key).value
    forge(at.selectbox(key=key), "<b>x")
    run(at)
    assert at.selectbox(key=key).value == before
    assert "<b>x" not in page_text(at)


def test_the_target_of_an_attribution_can_be_chosen(queue: DirectQueue) -> None:
    """All methods use the chosen class, and each caption describes the colours of its map."""
    at = choose_view(open_page(), "Attribution")
    assert queue.of_kind("attribution")[-1].target is None
    at.selectbox(key="look_inside_target").set_value(9)
    run(at)
    assert queue.of_kind("attribution")[-1].target == 9
    assert "Grad-CAM for Ankle boot" in alt_texts(at)
    assert "Bright parts influence this network" in page_text(at)
    at.segmented_control(key="look_inside_method").set_value("integrated_gradients")
    run(at)
    text = page_text(at)
    assert "By the completeness axiom" in text
    assert "Strongly coloured parts influence this network" in text  # near zero, the map is bright
    assert "Bright parts" not in text


@pytest.mark.slow
def test_an_invalid_channel_is_rejected(queue: DirectQueue) -> None:
    """The message names the valid channels, and the last valid one stays in use."""
    at = choose_view(open_page(), "Activation maximization")
    type_into(at, "look_inside_max_channel", 5)
    type_into(at, "look_inside_max_channel", 4_800)
    assert any("enter a whole number from 0 to" in error.value for error in at.error)
    assert {0, 5} == {request.channel for request in queue.of_kind("maximization")}


def test_a_timing_colours_the_network_page(queue: DirectQueue) -> None:
    """One image and a batch are timed; the page Network then offers the colouring by time."""
    at = open_page()
    click(at, "look_inside_make_current")
    choose_view(at, "Layer timing")
    assert {1, 8} == {request.batch for request in queue.of_kind("layer_timing")}
    assert "Time is not MACs" in alt_texts(at)
    at.switch_page("pages/explore/network.py").run()
    assert "colour: measured time" in at.selectbox(key="colour_by").options


@pytest.mark.slow
def test_two_networks_are_side_by_side(queue: DirectQueue) -> None:
    """The same image is in the same architecture untrained, and in a network with other weights."""
    at = choose_view(open_page(), "Side by side")
    assert [request.network.weights != "" for request in queue.of_kind("attribution")] == [True, False]
    for title in ("Predicted class: ", "Grad-CAM for ", "Strongest channels of "):
        found = alt_texts(at).split(title)[1:]
        assert [" · mini, untrained" in text.partition(":")[0].partition("\n")[0] for text in found[-2:]] == [
            False,
            True,
        ]
    at.selectbox(key="look_inside_other").set_value("mini_scales")
    run(at)
    sides = queue.of_kind("prediction")[-2:]
    assert [side.network.config.input_shape[0] for side in sides] == [1, 3]
    assert sides[0].images == sides[1].images
    at.selectbox(key="look_inside_other").set_value("net:half")
    queue.result = WAITING
    run(at)
    assert queue.submitted[-1].network.config in (PRESETS["half"], PRESETS["mini"])
