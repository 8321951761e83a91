"""The comparison of engines as a chart, a table and sentences."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from explorer.jobs.engines import ENGINES, LIBRARIES, REFERENCE, EngineTiming, EngineTimings, Obstacle
from explorer.training.intervals import wilson
from explorer.views import formatting as fmt
from explorer.views import palette, svg
from explorer.views.labels import with_network
from explorer.views.results import interval_text, percent

_OBSTACLES: dict[Obstacle, str] = {
    "package": "{library} is not installed. `pip install -r requirements-engines.txt` adds it.",
    "processor": "This processor has no bfloat16 instructions (AVX512-BF16 or AMX).",
    "compiler": "torch.compile needs a C++ compiler, and none is installed.",
    "cpu_only": "{library} runs on the CPU here; the network runs on another device.",
    "calibration": "int8 is calibrated on training images, and the dataset of these weights is unknown or gone.",
    "failed": "{library} refused the network: {detail}",
}


def obstacle_text(timing: EngineTiming) -> str:
    """Return why an engine could not run, in a sentence."""
    library = LIBRARIES[ENGINES[timing.engine].library]
    return _OBSTACLES[timing.obstacle].format(library=library, detail=timing.detail)


def fastest(timings: EngineTimings, *, exact: bool) -> EngineTiming:
    """Return the engine with the shortest median; with ``exact`` only of those that compute in float32."""
    ran = [timing for timing in timings.engines if timing.ms and (ENGINES[timing.engine].is_exact or not exact)]
    return min(ran, key=lambda timing: median(timing.ms))


def title(timings: EngineTimings) -> str:
    """Return what the comparison shows: which engine is fastest, and by how much."""
    best = fastest(timings, exact=True)
    times = median(_reference(timings).ms) / median(best.ms)
    name = ENGINES[best.engine].title
    if best.engine == REFERENCE:
        return f"{name} is the fastest exact engine here"
    return f"{name} is the fastest exact engine here: {fmt.ratio(times)} times PyTorch's default"


def bars(timings: EngineTimings, network: str = "") -> str:
    """Return the median milliseconds of each engine as bars, those in float32 darker than the others."""
    ran = [timing for timing in timings.engines if timing.ms]
    left, high, room = 290.0, 28, 420.0
    longest = max(median(timing.ms) for timing in ran)
    body = []
    for place, timing in enumerate(ran):
        y, ms, engine = 34 + place * high, median(timing.ms), ENGINES[timing.engine]
        is_best = timing is fastest(timings, exact=True)
        body.append(svg.text(left - 8, y + 14, engine.title, anchor="end", weight=600 if is_best else 400))
        opacity = 1.0 if engine.is_exact else 0.5
        body.append(svg.rect(left, y, room * ms / longest, 18, palette.PLAIN, hint=engine.title, opacity=opacity))
        body.append(svg.text(left + room * ms / longest + 8, y + 14, fmt.milliseconds(ms)))
    images = f"{timings.batch} image{'s' * (timings.batch != 1)}"
    text = f"{title(timings)}. {images}: " + ", ".join(
        f"{ENGINES[timing.engine].title} {fmt.milliseconds(median(timing.ms))}" for timing in ran
    )
    return svg.chart(left + room + 90, 34 + len(ran) * high + 6, with_network(title(timings), network), text, body)


def rows(timings: EngineTimings) -> list[dict[str, Any]]:
    """Return a row per engine that ran."""
    reference = median(_reference(timings).ms)
    return [
        {
            "engine": ENGINES[timing.engine].title,
            "ms, median": median(timing.ms),
            "times as fast as the default": reference / median(timing.ms),
            "images per second": 1e3 * timings.batch / median(timing.ms),
            "seconds to build": timing.build_s,
            "memory, MB": timing.memory_mb,
            "largest deviation of a logit": timing.deviation,
            **_accuracy(timing, timings.test_images),
        }
        for timing in timings.engines
        if timing.ms
    ]


def _accuracy(timing: EngineTiming, images: int) -> dict[str, str]:
    if timing.correct is None or not images:
        return {}
    interval = interval_text(wilson(timing.correct, images))
    return {"test images classified correctly": f"{percent(timing.correct / images)} ({interval})"}


def accuracy_sentences(timings: EngineTimings) -> Sequence[str]:
    """Return the change of the accuracy by each precision below float32, on the same test images."""
    reference = _reference(timings)
    return [
        _accuracy_sentence(ENGINES[timing.engine].title, timing.correct - reference.correct, timings.test_images)
        for timing in timings.engines
        if timing.correct is not None and reference.correct is not None and not ENGINES[timing.engine].is_exact
    ]


def _accuracy_sentence(name: str, difference: int, images: int) -> str:
    if difference == 0:
        return f"{name}: as many of {images:,} test images classified correctly as in float32."
    direction = "more" if difference > 0 else "fewer"
    return f"{name}: {abs(difference):,} of {images:,} test images {direction} classified correctly than in float32."


def _reference(timings: EngineTimings) -> EngineTiming:
    return next(timing for timing in timings.engines if timing.engine == REFERENCE)
