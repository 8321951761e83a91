"""Inference time of several whole networks: built once, then run in turn, each on a random image."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.errors import Problem, UnbuildableError
from explorer.jobs.job import Progress
from explorer.jobs.requests import VariantTiming
from explorer.live.devices import resolve_device, size_limit_reason
from explorer.live.model import build_model
from explorer.live.timing import time_in_turn

ROUNDS, SECONDS = 30, 8.0


def time_variants(
    configs: Sequence[GoogLeNetConfig],
    device: str = "auto",
    seed: int = 0,
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
) -> Iterator[Progress | VariantTiming]:
    """Yield progress, then the milliseconds of each round per network.

    There are up to ``rounds`` rounds: those that begin within ``seconds``, but at least three. Each network gets one
    random image of its own input size, and random weights; neither changes the time. Raises UnbuildableError if the
    networks are too large, before anything is allocated.
    """
    _check_size([summarize(config) for config in configs])
    resolved_device = resolve_device(device)
    models = [build_model(config, resolved_device.torch, seed=seed).eval() for config in configs]
    torch.manual_seed(seed)
    images = [torch.randn(1, *config.input_shape).to(resolved_device.torch) for config in configs]
    rounds_ms: list[tuple[float, ...]] = []
    with torch.inference_mode():
        calls = [partial(model, image) for model, image in zip(models, images, strict=True)]
        for one in time_in_turn(calls, resolved_device.torch, rounds=rounds, seconds=seconds):
            rounds_ms.append(tuple(second * 1e3 for second in one.seconds))
            yield Progress(done=one.number + 1, total=rounds, message="All networks run in turn")
    yield VariantTiming(
        configs=tuple(configs),
        ms=tuple(zip(*rounds_ms, strict=True)),
        device=resolved_device.description,
        note=resolved_device.note,
    )


def _check_size(summaries: Sequence[NetworkSummary]) -> None:
    """Raise UnbuildableError if the networks together need too much memory, or one of them too much work."""
    weights = sum(summary.training_totals.parameters for summary in summaries)
    activations = max(summary.inference_totals.activations for summary in summaries)
    reason = size_limit_reason(4 * (weights + activations) / 1e6, max(summary.macs() for summary in summaries))
    if reason:
        raise UnbuildableError((Problem("compare", "networks", f"{reason} Choose fewer or smaller networks."),))
