"""The preprocessing: its steps on the page, and settings that are rejected, changed and reset."""

from typing import Any

import pytest

from explorer.jobs.queue import Pending
from tests.ui.app import alt_texts, click, forge, run, type_into
from tests.ui.lab.look_inside.conftest import DirectQueue, open_page


def test_the_steps_are_those_of_the_prediction(queue: DirectQueue) -> None:
    """The result of the prediction has them, so there is no other request and no other preprocessing."""
    at = open_page()
    assert "How the image is preprocessed: image, 28 × 28, grey, 0 to 255; " in alt_texts(at)
    first, *_ = queue.of_kind("prediction")
    assert queue.computed[first].steps[0].code == "grey_image"
    assert {len(request.images) for request in queue.of_kind("prediction")} == {1, 20}


def test_the_steps_wait_with_the_prediction_and_stop_with_it(queue: DirectQueue) -> None:
    """Progress and Stop are shown once, and a stopped request is not submitted again."""
    queue.result = Pending(0, 0.3)
    at = open_page()
    assert "How the image is preprocessed" not in alt_texts(at)
    assert [button.key for button in at.button].count("look_inside_prediction_stop") == 1
    click(at, "look_inside_prediction_stop")
    queue.submitted.clear()
    run(at)
    assert {len(request.images) for request in queue.of_kind("prediction")} == {20}
    queue.result = None
    click(at, "look_inside_prediction_continue")
    run(at)
    assert "How the image is preprocessed" in alt_texts(at)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("look_inside_margin", 9, "Margin: enter a number from 1 to 4."),
        ("look_inside_margin", None, "Margin (× the input size): the field is blank. Enter a number."),
        ("look_inside_padding_value", 256, "Padding value: enter a whole number from 0 to 255."),
    ],
)
def test_an_invalid_preprocessing_is_rejected(queue: DirectQueue, key: str, value: Any, message: str) -> None:
    """The message is at the field, and the last valid preprocessing stays in use."""
    at = open_page()
    if key == "look_inside_padding_value":
        at.selectbox(key="look_inside_fit").set_value("pad")
        run(at)
    before = queue.of_kind("prediction")[-1].preprocessing
    type_into(at, key, value)
    assert message in [error.value for error in at.error]
    assert queue.of_kind("prediction")[-1].preprocessing == before


def test_preprocessing_can_be_changed_and_reset(queue: DirectQueue) -> None:
    """Inverting reaches the network and the shown steps; one click returns to what the weights need."""
    at = open_page()
    at.toggle(key="look_inside_invert").set_value(True)
    run(at)
    assert queue.of_kind("prediction")[-1].preprocessing.invert
    assert "255 − value" in alt_texts(at)
    click(at, "look_inside_reset_preprocessing")
    assert not queue.of_kind("prediction")[-1].preprocessing.invert


def test_a_forged_resizing_is_rejected(queue: DirectQueue) -> None:
    """A value that the list does not have changes nothing, and a message says so."""
    at = open_page()
    forge(at.selectbox(key="look_inside_fit"), "melt")
    run(at)
    assert queue.of_kind("prediction")[-1].preprocessing.fit == "crop"
    assert any("Resizing: that method does not exist." in error.value for error in at.error)
