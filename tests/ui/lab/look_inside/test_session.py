"""The inspected network and its token in the URL, and waiting for results with progress, stop and failure."""

import pytest

from explorer import PRESETS
from explorer.history import Version
from explorer.jobs.job import Failure, Progress
from explorer.jobs.queue import Pending
from explorer.share import to_token
from tests.ui.app import alt_texts, click, page_text, run
from tests.ui.lab.look_inside.conftest import DirectQueue, choose_view, open_page


@pytest.mark.slow
def test_the_url_names_the_weights(queue: DirectQueue) -> None:
    """A link with other weights opens with them and with the images they know; the first weights need no name."""
    assert "weights" not in open_page().query_params
    at = open_page(weights="mini_scales")
    assert "trained on Scales" in page_text(at)
    assert at.segmented_control(key="look_inside_source").value == "scales"
    assert at.query_params["weights"] == "mini_scales"


@pytest.mark.parametrize(
    "forged", ["../../etc/passwd", "run:r0123456789ab", "kept_" + "0" * 40, "![x](http://x.y/z)", ""]
)
def test_a_forged_link_changes_nothing(queue: DirectQueue, forged: str) -> None:
    """A message says so, and nothing from the link is read as markup."""
    at = open_page(weights=forged)
    assert "mini, trained on Fashion-MNIST" in page_text(at)
    assert any("The current weights stay in use." in error.value for error in at.error)
    assert "![x](" not in page_text(at)
    assert "weights" not in at.query_params


def test_a_request_shows_its_progress_and_can_be_stopped(queue: DirectQueue) -> None:
    """Stop cancels the request; Continue submits it again."""
    at = choose_view(open_page(), "Attribution")
    queue.result = Pending(0, 0.3, Progress(done=7, total=36, message="rows"))
    at.segmented_control(key="look_inside_method").set_value("occlusion")
    run(at)
    assert "7 of 36" in "\n".join(str(element.proto.text) for element in at.get("progress"))
    click(at, "look_inside_attribution_stop")
    (cancelled,) = queue.cancelled
    assert cancelled.method == "occlusion"
    assert "Stopped." in page_text(at)
    queue.result = None
    click(at, "look_inside_attribution_continue")
    assert "Occlusion for T-shirt/top" in alt_texts(at)


def test_a_failure_is_shown_as_text_and_can_be_tried_again(queue: DirectQueue) -> None:
    """The reason is not read as markup; a new try drops the stored failure."""
    queue.result = Failure(reason="It needs <b>too</b> much.")
    at = open_page()
    assert r"It needs \<b>too\</b> much." in [error.value for error in at.error]
    queue.result = None
    click(at, "look_inside_prediction_retry")
    assert queue.forgotten == queue.of_kind("prediction")[:1]
    assert "Predicted class: T-shirt/top" in alt_texts(at)


@pytest.mark.slow
def test_deleted_weights_are_replaced_by_random_ones(queue: DirectQueue) -> None:
    """The page says so and inspects the current network."""
    at = open_page(net=to_token(Version("mini", PRESETS["mini"])))
    at.session_state["look_inside_weights"] = "kept_" + "0" * 40
    run(at)
    assert any("Random weights are used instead." in error.value for error in at.error)
    assert queue.of_kind("prediction")[-1].network.weights == ""
