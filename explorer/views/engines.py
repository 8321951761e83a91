"""The comparison of engines as a chart, a table and sentences."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from explorer.jobs.engines import ENGINES, LIBRARIES, REFERENCE, EngineTiming, EngineTimings, Obstacle
from explorer.training.intervals import LEVEL, Interval, median_interval, sign_test, wilson
from explorer.views import formatting as fmt
from explorer.views import palette, svg
from explorer.views.results import interval_text, p_text, percent

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
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


def fastest(timings: EngineTimings) -> tuple[EngineTiming, ...]:
    """Return the engine in float32 with the shortest median, and those that are not clearly slower.

    Two engines are compared round by round (sign test), corrected for the number of engines (Bonferroni).
    """
    ran = [timing for timing in timings.engines if timing.ms and ENGINES[timing.engine].is_exact]
    best, *others = sorted(ran, key=lambda timing: median(timing.ms))
    return best, *(other for other in others if _sign_p(best, other) * len(others) >= LEVEL)


def _sign_p(one: EngineTiming, other: EngineTiming) -> float:
    pairs = list(zip(one.ms, other.ms, strict=True))
    return sign_test(sum(a < b for a, b in pairs), sum(a > b for a, b in pairs))


def title(timings: EngineTimings) -> str:
    """Return what the comparison shows: which engine is fastest, and by how much."""
    best, *equals = fastest(timings)
    name = _name(best.engine)
    if equals:
        names = [_name(other.engine) for other in equals]
        return f"No clear difference between the fastest engines in float32 here: {', '.join([name, *names])}"
    if best.engine == REFERENCE:
        return f"{name} is the fastest engine in float32 here"
    times, interval = _times_as_fast(best, _reference(timings))
    bounds = f" (95 % interval {fmt.ratio(interval.low)} to {fmt.ratio(interval.high)})" if interval else ""
    return (
        f"{name} is the fastest engine in float32 here: {fmt.ratio(times)} times as fast as PyTorch's default{bounds}"
    )


def _name(engine: str) -> str:
    """Return the name of an engine in float32 within a sentence: ``PyTorch (channels-last)``."""
    library, _, variant = ENGINES[engine].title.removesuffix(", float32").partition(", ")
    return f"{library} ({variant})" if variant else library


def _times_as_fast(timing: EngineTiming, reference: EngineTiming) -> tuple[float, Interval | None]:
    """Return the median of the ratios of all rounds, and its interval."""
    ratios = [other / own for own, other in zip(timing.ms, reference.ms, strict=True)]
    return median(ratios), median_interval(ratios)


def choice_text(timings: EngineTimings, used: str) -> str:
    """Return how the engine that the page chose by itself, ``used``, did in this measurement; empty if it was not."""
    chosen = next((timing for timing in timings.engines if timing.engine == used and timing.ms), None)
    if chosen is None:
        return ""
    name, (best, *equals) = _name(used), fastest(timings)
    if chosen in (best, *equals):
        return f"The automatic choice of this page is {name}; no engine in float32 is clearly faster here."
    slower = fmt.ratio(_times_as_fast(best, chosen)[0])
    return (
        f"The automatic choice of this page is {name}. Here {_name(best.engine)} is {slower} times as fast; it can be "
        "chosen above."
    )


def bars(timings: EngineTimings) -> str:
    """Return the median milliseconds of each engine as bars with their intervals, those in float32 darker."""
    ran = [timing for timing in timings.engines if timing.ms]
    high, room = 42, 290.0
    intervals = [median_interval(timing.ms) for timing in ran]
    ends = [interval.high if interval else 0.0 for interval in intervals]
    longest = max(*ends, *(median(timing.ms) for timing in ran))
    best = fastest(timings)
    body = []
    for place, (timing, interval) in enumerate(zip(ran, intervals, strict=True)):
        y, ms, engine = 14 + place * high, median(timing.ms), ENGINES[timing.engine]
        body.append(svg.text(0, y, engine.title, weight=600 if timing in best else 400))
        opacity = 1.0 if engine.is_exact else 0.5
        body.append(svg.rect(0, y + 5, room * ms / longest, 16, palette.PLAIN, hint=engine.title, opacity=opacity))
        end = ms
        if interval:
            low, end = (room * bound / longest for bound in interval)
            body += [svg.line(low, y + 13, end, y + 13, width=1.5)]
            body += [svg.line(x, y + 9, x, y + 17, width=1.5) for x in (low, end)]
        body.append(svg.text(max(end, room * ms / longest) + 8, y + 18, fmt.milliseconds(ms)))
    images = f"{timings.batch} image{'s' * (timings.batch != 1)}"
    text = f"{title(timings)}. {images}: " + ", ".join(
        f"{ENGINES[timing.engine].title} {fmt.milliseconds(median(timing.ms))}" for timing in ran
    )
    return svg.chart(room + 90, len(ran) * high + 4, "", text, body)


def rows(timings: EngineTimings) -> list[dict[str, Any]]:
    """Return a row per engine that ran."""
    reference = _reference(timings)
    return [
        {
            "engine": ENGINES[timing.engine].title,
            "ms, median": median(timing.ms),
            "95 % interval": _interval_text(median_interval(timing.ms)),
            "times as fast as the default": _times_as_fast(timing, reference)[0],
            "images per second": round(1e3 * timings.batch / median(timing.ms)),
            "seconds to build": timing.build_s,
            "memory, MB": timing.memory_mb,
            "largest deviation of a logit": _power_of_ten(timing.deviation or 0.0),
            **_accuracy(timing, timings.test_images),
        }
        for timing in timings.engines
        if timing.ms
    ]


def _interval_text(interval: Interval | None) -> str | None:
    return f"{interval.low:.3g} to {interval.high:.3g}" if interval else None


def _power_of_ten(value: float) -> str:
    """Return ``6.8 · 10⁻³``; 0 as it is."""
    if not value:
        return "0"
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits} · 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def _accuracy(timing: EngineTiming, images: int) -> dict[str, str]:
    if timing.correct is None or not images:
        return {}
    interval = interval_text(wilson(timing.correct, images))
    return {"test images classified correctly": f"{percent(timing.correct / images)} ({interval})"}


def accuracy_sentences(timings: EngineTimings) -> Sequence[str]:
    """Return how each precision below float32 changes the results on the same test images."""
    return [
        _accuracy_sentence(ENGINES[timing.engine].title, timing.gained, timing.lost, timings.test_images)
        for timing in timings.engines
        if timing.gained is not None and timing.lost is not None and not ENGINES[timing.engine].is_exact
    ]


def _accuracy_sentence(name: str, gained: int, lost: int, images: int) -> str:
    if gained == lost == 0:
        return f"{name}: the same of {images:,} test images are classified correctly as in PyTorch's default."
    p = sign_test(gained, lost)
    verdict = "no clear difference" if p >= LEVEL else "less accurate" if lost > gained else "more accurate"
    return (
        f"{name}: {lost:,} of {images:,} test images are correct only in PyTorch's default, {gained:,} only here: "
        f"{verdict} ({p_text(p)}, McNemar)."
    )


def _reference(timings: EngineTimings) -> EngineTiming:
    return next(timing for timing in timings.engines if timing.engine == REFERENCE)
