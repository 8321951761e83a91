"""The engine that answers against all others: one image of 224 × 224 through the paper's network."""

from collections.abc import Iterator
from statistics import median

import torch

from benchmarks.report import Measurement
from explorer import PRESETS
from explorer.data.weights import Network
from explorer.jobs.engines import ENGINES, REFERENCE, EngineTimings, resolve_engine
from explorer.live.engine_timing import time_engines


def measurements() -> Iterator[Measurement]:
    """Yield each engine's time against PyTorch's default, the chosen one's against the best, and the deviations."""
    torch.set_num_threads(1)  # as in the worker process of a small server
    *_, result = time_engines(Network(config=PRESETS["paper"]), device="cpu", rounds=30, seconds=60)
    assert isinstance(result, EngineTimings)
    ran = {timing.engine: timing for timing in result.engines if timing.ms}
    reference = median(ran[REFERENCE].ms)
    for name, timing in ran.items():
        yield Measurement(
            f"paper, one image: {ENGINES[REFERENCE].title} / {ENGINES[name].title}", reference / median(timing.ms)
        )
    exact = {name: median(timing.ms) for name, timing in ran.items() if ENGINES[name].is_exact}
    chosen = resolve_engine("auto")
    yield Measurement(
        f"the engine that answers ({ENGINES[chosen].title}) / the fastest exact one",
        exact[chosen] / min(exact.values()),
        maximum=1.1,
    )
    deviation = max(ran[name].deviation or 0.0 for name in exact)
    yield Measurement("largest deviation of an exact engine's logit", deviation, "", maximum=1e-4)
