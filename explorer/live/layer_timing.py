"""Every layer of a network by the clock, while the whole network runs at inference, auxiliary heads included.

Each layer is timed from its input to its output, with what belongs to its row (a convolution with its BatchNorm and
ReLU). On an accelerator each layer is waited for: its time contains its launch, and the layers add up to more than a
pass takes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from time import perf_counter

import torch
from torch import Tensor

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig, Problem, UnbuildableError
from explorer.jobs.requests import LayerTiming, Progress
from explorer.live.check import LIVE_MACS
from explorer.live.devices import resolve_device
from explorer.live.model import GoogLeNet, build_model
from explorer.live.timing import wait
from explorer.live.trace import layers
from explorer.settings import setting

ROUNDS, SECONDS, WARM_UPS = 30, 8.0, 2


def time_layers(
    config: GoogLeNetConfig,
    device: str = "auto",
    batch: int = 1,
    seed: int = 0,
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
) -> Iterator[Progress | LayerTiming]:
    """Yield progress, then the milliseconds of every layer in every round, for ``batch`` random images at once.

    In each round the network runs once as it is and once with its layers watched. There are up to ``rounds`` rounds,
    as many as begin within ``seconds`` and at least three. Weights and images come from ``seed``; neither changes the
    time. Raises UnbuildableError for a network or a batch that is too large, before anything is allocated.
    """
    if found := _too_large(summarize(config), batch):
        raise UnbuildableError(found)
    place = resolve_device(device)
    model = build_model(config, place.torch, seed=seed).eval()
    torch.manual_seed(seed)
    images = torch.randn(batch, *config.input_shape).to(place.torch)  # N × C × H × W
    taken: dict[str, list[float]] = defaultdict(list)
    whole: list[float] = []
    with torch.inference_mode():
        for _ in range(WARM_UPS):
            _pass_ms(model, images)
        started = perf_counter()
        for number in range(rounds):
            if number >= 3 and perf_counter() - started > seconds:
                break
            whole.append(_pass_ms(model, images))
            with _watched(model, place.torch) as by_path:
                model.forward_with_heads(images)
            for path, ms in by_path.items():
                taken[path].append(ms)
            yield Progress(done=number + 1, total=rounds, doing="The network runs, each layer timed")
    yield LayerTiming(
        config=config,
        batch=batch,
        paths=tuple(taken),
        layers_ms=tuple(map(tuple, taken.values())),
        whole_ms=tuple(whole),
        device=place.description,
        note=place.note,
    )


def _pass_ms(model: GoogLeNet, images: Tensor) -> float:
    """One pass at inference, without heads and without anybody watching."""
    wait(images.device)
    started = perf_counter()
    model(images)
    wait(images.device)
    return (perf_counter() - started) * 1e3


@contextmanager
def _watched(model: GoogLeNet, device: torch.device) -> Iterator[dict[str, float]]:
    """Time each layer that runs meanwhile: milliseconds by path. The hooks are removed, also after an error."""
    taken: dict[str, float] = {}

    def begin(path: str) -> Callable[..., None]:
        def note(*_: object) -> None:
            wait(device)
            taken[path] = perf_counter()

        return note

    def end(path: str) -> Callable[..., None]:
        def note(*_: object) -> None:
            wait(device)
            taken[path] = (perf_counter() - taken[path]) * 1e3

        return note

    handles = []
    try:
        for path, layer in layers(model):
            handles += [layer.register_forward_pre_hook(begin(path)), layer.register_forward_hook(end(path))]
        yield taken
    finally:
        for handle in handles:
            handle.remove()


def _too_large(summary: NetworkSummary, batch: int) -> tuple[Problem, ...]:
    """Refuse what would take too much memory or time, before anything is allocated.

    At inference an output is dropped once it has been used: at most one block's outputs with its input are held, and
    about as much again as workspace.
    """
    held = max(prod(_input(summary, block)) + totals.activations for block, totals in summary.by_module.items())
    megabytes = 4 * (summary.whole.parameters + 2 * batch * held) / 1e6
    macs, limit = batch * summary.macs(aux=True), setting("EXPLORER_LIVE_MB")
    if batch < 1:
        reason = "A batch has at least one image."
    elif megabytes > limit:
        reason = f"It would need about {megabytes:,.0f} MB; the limit here is {limit:,} MB (EXPLORER_LIVE_MB)."
    elif macs > LIVE_MACS:
        reason = f"One pass would take {macs / 1e9:,.1f} · 10⁹ MACs; the limit is {LIVE_MACS / 1e9:,.0f} · 10⁹."
    else:
        return ()
    return (Problem("timing", "batch", f"{reason} Take fewer images, a smaller picture or a smaller network."),)


def _input(summary: NetworkSummary, block: str) -> tuple[int, ...]:
    return next(row.in_shape for row in summary.rows if row.module == block)
