"""Several whole networks by the clock: built once, then run in turn on the same random image at inference."""

from collections.abc import Iterator, Sequence

import torch

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig, Problem, UnbuildableError
from explorer.jobs.requests import Progress, VariantTiming
from explorer.live.check import LIVE_MACS
from explorer.live.devices import resolve_device
from explorer.live.model import build_model
from explorer.live.timing import take_turns
from explorer.settings import setting

ROUNDS, SECONDS = 30, 8.0


def time_variants(
    configs: Sequence[GoogLeNetConfig],
    device: str = "auto",
    seed: int = 0,
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
) -> Iterator[Progress | VariantTiming]:
    """Yield progress, then milliseconds of each lap per network. Raises UnbuildableError for networks too large.

    Each network gets one random image of its own input size, and random weights: neither changes the time.
    """
    if found := _too_large([summarize(config) for config in configs]):
        raise UnbuildableError(found)
    place = resolve_device(device)
    models = [build_model(config, place.torch, seed=seed).eval() for config in configs]
    torch.manual_seed(seed)
    images = [torch.randn(1, *config.input_shape).to(place.torch) for config in configs]
    laps: list[tuple[float, ...]] = []
    with torch.inference_mode():
        calls = [lambda model=model, image=image: model(image) for model, image in zip(models, images, strict=True)]
        for lap in take_turns(calls, place.torch, rounds=rounds, seconds=seconds):
            laps.append(tuple(second * 1e3 for second in lap.seconds))
            yield Progress(done=lap.number + 1, total=rounds, doing="All networks run in turn")
    yield VariantTiming(
        configs=tuple(configs),
        ms=tuple(zip(*laps, strict=True)),
        device=place.description,
        note=place.note,
    )


def _too_large(summaries: Sequence[NetworkSummary]) -> tuple[Problem, ...]:
    """Refuse what would take too much memory or time, before anything is allocated."""
    weights = sum(summary.whole.parameters for summary in summaries)
    working = max(summary.main.activations for summary in summaries)
    megabytes, limit = 4 * (weights + working) / 1e6, setting("EXPLORER_LIVE_MB")
    macs = max(summary.macs() for summary in summaries)
    if megabytes > limit:
        reason = f"Together they need about {megabytes:,.0f} MB; the limit here is {limit:,} MB (EXPLORER_LIVE_MB)."
    elif macs > LIVE_MACS:
        reason = f"One image would take {macs / 1e9:,.1f} · 10⁹ MACs; the limit is {LIVE_MACS / 1e9:,.0f} · 10⁹."
    else:
        return ()
    return (Problem("compare", "networks", f"{reason} Choose fewer or smaller networks."),)
