"""The comparison of engines in words and numbers, from measured values."""

import pytest

from explorer.jobs.engines import REFERENCE, EngineTiming, EngineTimings
from explorer.views import engines

ROUNDS = 10
DEFAULT = EngineTiming(
    engine=REFERENCE, ms=(8.0, 10.0) * 5, build_s=0.1, memory_mb=5.0, deviation=0.0, correct=900, gained=0, lost=0
)
EXACT = DEFAULT.replace(engine="openvino", ms=(3.0, 4.0) * 5, deviation=1e-6)
INT8 = DEFAULT.replace(engine="openvino_int8", ms=(1.0,) * 10, deviation=0.02, correct=893, gained=5, lost=12)
MISSING = EngineTiming(engine="onnxruntime", obstacle="package", detail="package")


def timings(*found: EngineTiming, test_images: int = 1_000) -> EngineTimings:
    """Return a comparison of these engines."""
    return EngineTimings(engines=found, batch=8, test_images=test_images, device="CPU (1 thread)")


def test_the_title_names_the_fastest_engine_in_float32() -> None:
    """With the interval of the ratio, round by round. int8 may be faster, but computes something else."""
    assert engines.title(timings(DEFAULT, EXACT, INT8)) == (
        "OpenVINO is the fastest engine in float32 here: 2.58 times as fast as PyTorch's default "
        "(95 % interval 2.50 to 2.67)"
    )
    assert engines.title(timings(DEFAULT, EXACT.replace(ms=(20.0,) * ROUNDS))) == (
        "PyTorch (default memory format) is the fastest engine in float32 here"
    )


def test_engines_that_are_not_clearly_different_are_both_named() -> None:
    """Eight of ten rounds are no difference, nor are five of five; ten of ten are."""
    often = EXACT.replace(engine="channels_last", ms=(*(3.5,) * 8, 3.0, 3.0))
    first, last = EXACT.replace(ms=(3.1,) * ROUNDS), often.replace(ms=(3.5,) * ROUNDS)
    assert [found.engine for found in engines.fastest(timings(DEFAULT, first, often))] == ["openvino", "channels_last"]
    assert engines.title(timings(DEFAULT, first, often)) == (
        "No clear difference between the fastest engines in float32 here: OpenVINO, PyTorch (channels-last)"
    )
    assert len(engines.fastest(timings(DEFAULT, first, last))) == 1
    few = [found.replace(ms=found.ms[:5]) for found in (DEFAULT, first, last)]
    assert len(engines.fastest(timings(*few))) == 3


def test_the_automatic_choice_is_compared_with_the_fastest() -> None:
    """It was measured for another network."""
    faster = EXACT.replace(engine="onnxruntime", ms=(1.5, 2.0) * 5)
    assert engines.choice_text(timings(DEFAULT, EXACT, faster), "openvino") == (
        "The automatic choice of this page is OpenVINO. Here ONNX Runtime is 2.00 times as fast; it can be chosen "
        "above."
    )
    assert "no engine in float32 is clearly faster" in engines.choice_text(timings(DEFAULT, EXACT), "openvino")
    assert engines.choice_text(timings(DEFAULT, MISSING), "onnxruntime") == ""


def test_the_rows_have_the_numbers_with_their_conventions() -> None:
    """Against PyTorch's default, per second, and the accuracy with its interval."""
    default, exact, int8 = engines.rows(timings(DEFAULT, EXACT, INT8, MISSING))
    assert exact["times as fast as the default"] == pytest.approx((8 / 3 + 10 / 4) / 2)
    assert exact["95 % interval"] == "3 to 4"
    assert exact["images per second"] == round(8e3 / 3.5)
    assert [row["largest deviation of a logit"] for row in (default, exact, int8)] == ["0", "1.0 · 10⁻⁶", "2.0 · 10⁻²"]
    assert int8["test images classified correctly"] == "89.3 % (87.2 to 91.1 %)"


def test_without_test_images_nothing_is_said_of_accuracy() -> None:
    """Random images have no labels."""
    unknown = {"correct": None, "gained": None, "lost": None}
    found = timings(DEFAULT.replace(**unknown), INT8.replace(**unknown), test_images=0)
    assert not any("test images classified correctly" in row for row in engines.rows(found))
    assert [] == engines.accuracy_sentences(found)


@pytest.mark.parametrize(
    ("gained", "lost", "sentence"),
    [
        (
            *(5, 12),
            "12 of 1,000 test images are correct only in PyTorch's default, 5 only here: no clear difference "
            "(p = 0.143, McNemar).",
        ),
        (
            *(0, 12),
            "12 of 1,000 test images are correct only in PyTorch's default, 0 only here: less accurate (p < 0.001, "
            "McNemar).",
        ),
        (0, 0, "the same of 1,000 test images are classified correctly as in PyTorch's default."),
    ],
)
def test_the_change_of_accuracy_is_tested_on_the_same_images(gained: int, lost: int, sentence: str) -> None:
    """Of each engine that is not exact."""
    found = engines.accuracy_sentences(timings(DEFAULT, EXACT, INT8.replace(gained=gained, lost=lost)))
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
    assert "8 images: PyTorch, default memory format, float32 9 ms, OpenVINO, float32 3.5 ms" in svg
    assert svg.count("<line") == 9  # the intervals
    few = [found.replace(ms=found.ms[:5]) for found in (DEFAULT, EXACT)]
    assert "<line" not in engines.bars(timings(*few))  # too few rounds for one
    assert "ONNX" not in svg
