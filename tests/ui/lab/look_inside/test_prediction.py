"""The prediction for an image, with and without scaled branches."""

from explorer.jobs.inspection import Scale
from tests.ui.app import alt_texts, click, page_text, run, type_into
from tests.ui.lab.look_inside.conftest import DirectQueue, choose_view, open_page


def test_the_prediction_is_the_result_of_the_network(queue: DirectQueue) -> None:
    """The page shows the queue's result for the first sample, preprocessed as in training."""
    at = open_page()
    request = queue.of_kind("prediction")[0]
    scores = queue.computed[request].predictions[0].main
    assert f"T-shirt/top {100 * scores.probabilities[0]:.1f} %" in alt_texts(at)
    assert request.preprocessing.mean != (0.5,)


def test_a_scaled_branch_changes_the_prediction_and_can_be_restored(queue: DirectQueue) -> None:
    """The page shows both predictions and the scaled branches; one click restores them."""
    at = choose_view(open_page(), "Branch ablation")
    at.selectbox(key="look_inside_branch").set_value("3b:1x1")
    run(at)
    type_into(at, "look_inside_factor", 0)
    assert {request.scales for request in queue.of_kind("prediction")[-3:]} == {(), (Scale("3b", "1x1", 0.0),)}
    assert "3b 1×1 removed" in page_text(at)
    assert "Orange marks show the probabilities without scaling." in page_text(at)
    click(at, "look_inside_restore")
    assert "removed" not in page_text(at)
    assert queue.of_kind("prediction")[-1].scales == ()
