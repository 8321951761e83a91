"""Inference time of every layer of a network, measured while the whole network runs, auxiliary heads included.

A layer is timed from its input to its output, with everything in its row (a convolution with its BatchNorm and ReLU).
On an accelerator each layer is synchronized: its time includes its launch, so the layers add up to more than a pass
takes.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

import torch
from torch import Tensor, nn

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.errors import Problem, UnbuildableError
from explorer.jobs.job import Progress
from explorer.jobs.requests import LayerTiming
from explorer.live.devices import resolve_device, size_limit_reason
from explorer.live.model import GoogLeNet, build_model
from explorer.live.timing import synchronize
from explorer.live.trace import layers
from explorer.memory import peak_activations

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
    """Yield progress, then the milliseconds of every layer in every round, for a batch of ``batch`` random images.

    In each round the network runs once without hooks and once with its layers timed. There are up to ``rounds``
    rounds: those that begin within ``seconds``, but at least three. Weights and images come from ``seed``; neither
    changes the time. Raises UnbuildableError for a network or a batch that is too large, before anything is allocated.
    """
    _check_size(summarize(config), batch)
    resolved_device = resolve_device(device)
    model = build_model(config, resolved_device.torch, seed=seed).eval()
    torch.manual_seed(seed)
    images = torch.randn(batch, *config.input_shape).to(resolved_device.torch)  # N × C × H × W
    layers_ms: dict[str, list[float]] = defaultdict(list)
    whole_ms: list[float] = []
    with torch.inference_mode():
        for _ in range(WARM_UPS):
            _pass_ms(model, images)
        started = perf_counter()
        for number in range(rounds):
            if number >= 3 and perf_counter() - started > seconds:
                break
            whole_ms.append(_pass_ms(model, images))
            with _layer_timers(model, resolved_device.torch) as ms_by_path:
                model.forward_with_heads(images)
            for path, ms in ms_by_path.items():
                layers_ms[path].append(ms)
            yield Progress(done=number + 1, total=rounds, message="The network runs, each layer timed")
    yield LayerTiming(
        config=config,
        batch=batch,
        paths=tuple(layers_ms),
        layers_ms=tuple(map(tuple, layers_ms.values())),
        whole_ms=tuple(whole_ms),
        device=resolved_device.description,
        note=resolved_device.note,
    )


def _pass_ms(model: GoogLeNet, images: Tensor) -> float:
    """Return the milliseconds of one inference pass, without heads and hooks."""
    synchronize(images.device)
    started = perf_counter()
    model(images)
    synchronize(images.device)
    return (perf_counter() - started) * 1e3


@contextmanager
def _layer_timers(model: GoogLeNet, device: torch.device) -> Iterator[dict[str, float]]:
    """Time each layer that runs in the block: milliseconds by path. The hooks are removed, also after an error."""
    started: dict[str, float] = {}
    ms_by_path: dict[str, float] = {}

    def start(path: str, _module: nn.Module, _inputs: object) -> None:
        synchronize(device)
        started[path] = perf_counter()

    def stop(path: str, _module: nn.Module, _inputs: object, _output: object) -> None:
        synchronize(device)
        ms_by_path[path] = (perf_counter() - started[path]) * 1e3

    handles = []
    try:
        for path, layer in layers(model):
            handles.append(layer.register_forward_pre_hook(partial(start, path)))
            handles.append(layer.register_forward_hook(partial(stop, path)))
        yield ms_by_path
    finally:
        for handle in handles:
            handle.remove()


def _check_size(summary: NetworkSummary, batch: int) -> None:
    """Raise UnbuildableError if the batch is empty, or needs too much memory or work.

    Memory holds the parameters, the activations at their peak, and about as much again as workspace.
    """
    megabytes = 4 * (summary.training_totals.parameters + 2 * batch * peak_activations(summary)) / 1e6
    if batch < 1:
        reason = "A batch has at least one image."
    else:
        reason = size_limit_reason(megabytes, batch * summary.macs(aux=True))
    if reason:
        advice = "Choose fewer images, a smaller input or a smaller network."
        raise UnbuildableError((Problem("timing", "batch", f"{reason} {advice}"),))
