"""Speed of the closed form against torchinfo, on the same network."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter

from benchmarks.report import Measurement


def measurements() -> Iterator[Measurement]:
    """Yield, per preset, how many times faster the closed form is than ``torchinfo.summary`` on the meta device."""
    import torchinfo

    from explorer import PRESETS
    from explorer.analysis import compute
    from explorer.live.model import build_model

    for name, config in PRESETS.items():
        model = build_model(config, "meta").eval()
        shape = (1, *config.input_shape)
        run_torchinfo = partial(torchinfo.summary, model, input_size=shape, device="meta", verbose=0)
        ratios = [_seconds(run_torchinfo, 1) / _seconds(partial(compute, config), 50) for _ in range(9)]
        yield Measurement(f"summarize over torchinfo.summary, {name}", median(ratios), minimum=100)


def _seconds(call: Callable[[], object], times: int) -> float:
    """Return the seconds per call."""
    started = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - started) / times
