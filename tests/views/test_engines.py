"""The comparison of engines in words and numbers, from measured values."""

import pytest

from explorer.jobs.engines import REFERENCE, EngineTiming, EngineTimings
from explorer.views import engines

DEFAULT = EngineTiming(engine=REFERENCE, ms=(8.0, 9.0, 10.0), build_s=0.1, memory_mb=5.0, deviation=0.0, correct=900)
EXACT = DEFAULT.replace(engine="openvino", ms=(3.0, 3.0, 4.0), deviation=1e-6)
INT8 = DEFAULT.replace(engine="openvino_int8", ms=(1.0, 1.0, 1.0), deviation=0.02, correct=893)
MISSING = EngineTiming(engine="onnxruntime", obstacle="package", detail="package")


def timings(*found: EngineTiming, test_images: int = 1_000) -> EngineTimings:
    """Return a comparison of these engines."""
    return EngineTimings(engines=found, batch=8, test_images=test_images, device="CPU (1 thread)")


def test_the_title_names_the_fastest_exact_engine() -> None:
    """int8 may be faster, but computes something else."""
    assert engines.title(timings(DEFAULT, EXACT, INT8)) == (
        "OpenVINO, float32 is the fastest exact engine here: 3.00 times PyTorch's default"
    )
    assert "default memory format" in engines.title(timings(DEFAULT, EXACT.replace(ms=(20.0,) * 3)))


def test_the_rows_have_the_numbers_with_their_conventions() -> None:
    """Against PyTorch's default, per second, and the accuracy with its interval."""
    _, exact, int8 = engines.rows(timings(DEFAULT, EXACT, INT8, MISSING))
    assert exact["times as fast as the default"] == pytest.approx(3.0)
    assert exact["images per second"] == pytest.approx(8e3 / 3)
    assert int8["test images classified correctly"] == "89.3 % (87.2 to 91.1 %)"


def test_without_test_images_nothing_is_said_of_accuracy() -> None:
    """Random images have no labels."""
    found = timings(DEFAULT.replace(correct=None), INT8.replace(correct=None), test_images=0)
    assert not any("test images classified correctly" in row for row in engines.rows(found))
    assert [] == engines.accuracy_sentences(found)


@pytest.mark.parametrize(
    ("correct", "sentence"),
    [
        (893, "7 of 1,000 test images fewer classified correctly than in float32."),
        (901, "1 of 1,000 test images more classified correctly than in float32."),
        (900, "as many of 1,000 test images classified correctly as in float32."),
    ],
)
def test_the_loss_of_accuracy_is_counted_on_the_same_images(correct: int, sentence: str) -> None:
    """Of each engine that is not exact."""
    found = engines.accuracy_sentences(timings(DEFAULT, EXACT, INT8.replace(correct=correct)))
    assert found == [f"OpenVINO, int8: {sentence}"]


def test_an_engine_that_cannot_run_says_why_and_what_to_do() -> None:
    """A package is named with the file that lists it; a library's own error is quoted."""
    assert engines.obstacle_text(MISSING) == (
        "ONNX Runtime is not installed. `pip install -r requirements-engines.txt` adds it."
    )
    failed = MISSING.replace(obstacle="failed", detail="no such node")
    assert engines.obstacle_text(failed) == "ONNX Runtime refused the network: no such node"


def test_the_chart_has_a_bar_and_a_text_for_each_engine_that_ran() -> None:
    """And the same in words for a screen reader."""
    svg = engines.bars(timings(DEFAULT, EXACT, INT8, MISSING))
    assert svg.count("<rect") == 3
    assert "8 images: PyTorch, default memory format, float32 9 ms, OpenVINO, float32 3 ms" in svg
    assert "ONNX" not in svg
