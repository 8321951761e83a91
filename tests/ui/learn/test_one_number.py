"""One number in the lesson on the 1×1 reduction: the article's case on a photograph, on request."""

import pytest

from explorer.ui import cache
from explorer.ui.lab.look_inside import requests
from tests.ui.app import alt_texts, click, open_lesson, run
from tests.ui.lab.look_inside.conftest import DirectQueue


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> DirectQueue:
    """A queue that computes results in this process."""
    queue = DirectQueue()
    monkeypatch.setattr(cache, "inspection_jobs", lambda: queue)
    monkeypatch.setattr(requests, "WAIT_S", 0.0)
    return queue


def test_one_number_of_the_example_is_computed_on_request(direct: DirectQueue) -> None:
    """The paper's 4b: 512 products for the 1×1, 600 for the 5×5 after it."""
    at = open_lesson("reduction")
    assert [] == direct.of_kind("unit")
    click(at, "reduction_number_show")
    (request,) = direct.of_kind("unit")
    assert request.path == "inception_4b.branch_5x5.reduce"
    assert "The sum of 512 products" in alt_texts(at)
    assert "Equal to float32 rounding" in alt_texts(at)
    at.segmented_control(key="reduction_number_layer").set_value("inception_4b.branch_5x5.conv")
    run(at)
    assert "The sum of 600 products is" in alt_texts(at)
    assert "The sum of 24 input channels" in alt_texts(at)
