"""The view *Effective receptive field*: all images of the page, one module, before and after training."""

import pytest

from tests.ui.app import alt_texts, page_text, run
from tests.ui.lab.look_inside.conftest import DirectQueue, choose_view, open_page


@pytest.mark.slow
def test_the_fields_are_those_of_all_images(queue: DirectQueue) -> None:
    """Of each branch of the chosen module."""
    at = choose_view(open_page(), "Effective receptive field")
    at.pills(key="look_inside_field_module").set_value("3a")
    run(at)
    request = queue.of_kind("effective_fields")[-1]
    assert (len(request.images), request.block) == (20, "3a")
    assert "the mean over 20 images" in page_text(at)
    for name in ("These weights: 3a", "Random weights, before training: 3a", "5×5: receptive field "):
        assert name in alt_texts(at)
