"""The choice of the engine for predictions, and the comparison of all engines."""

import pytest

from explorer.jobs.engines import REFERENCE, EngineTiming, EngineTimings
from tests.ui.app import alt_texts, page_text, run
from tests.ui.lab.look_inside.conftest import DirectQueue, choose_view, open_page

TIMINGS = EngineTimings(
    engines=(
        EngineTiming(engine=REFERENCE, ms=(4.0,) * 6, build_s=0.1, memory_mb=2.0, deviation=0.0, correct=1_800),
        EngineTiming(engine="channels_last", ms=(2.0,) * 6, build_s=0.2, memory_mb=3.0, deviation=1e-6, correct=1_800),
        EngineTiming(engine="openvino", obstacle="package"),
    ),
    batch=1,
    test_images=2_000,
    device="CPU (1 thread)",
)


@pytest.mark.slow
def test_the_prediction_names_its_engine_and_follows_the_choice(queue: DirectQueue) -> None:
    """By default the automatic choice; any other that is installed can be chosen."""
    at = open_page()
    assert queue.of_kind("prediction")[0].engine == "auto"
    at.selectbox(key="look_inside_engine").set_value("default")
    run(at)
    assert queue.of_kind("prediction")[-1].engine == "default"
    assert "Computed by PyTorch, default memory format, float32 on CPU" in page_text(at)


@pytest.mark.slow
def test_all_engines_are_compared(queue: DirectQueue) -> None:
    """The fastest is in the title; one that is not installed says so and how to install it."""
    queue.results["engine_timing"] = TIMINGS
    at = choose_view(open_page(), "Engines")
    title = "PyTorch (channels-last) is the fastest engine in float32 here: 2.00 times as fast as PyTorch"
    assert title in alt_texts(at)
    assert title in page_text(at)
    assert "order statistics" in page_text(at)
    assert "OpenVINO is not installed. `pip install -r requirements-engines.txt` adds it." in page_text(at)
    request = queue.of_kind("engine_timing")[0]
    assert (request.batch, bool(request.folder)) == (1, True)
