"""Inference on images: networks made ready once and kept, and what they and their auxiliary heads say.

A network that is kept is never changed: whoever scales a branch does so by a hook that is gone afterwards. It is laid
out channels-last, which PyTorch's convolutions on CPUs and tensor cores read faster than its default.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import isfinite, log, prod
from time import perf_counter
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.analysis import NetworkSummary, summarize
from explorer.data.preprocessing import prepare
from explorer.jobs.inspection import (
    MAX_IMAGES,
    ClassScores,
    InputError,
    Network,
    Prediction,
    Predictions,
    Preprocessing,
    Scale,
    scale_problems,
)
from explorer.live.devices import Device, resolve_device
from explorer.live.model import GoogLeNet, build_model
from explorer.live.timing import wait
from explorer.live.weights import WeightsError, load_weights
from explorer.settings import setting

MAX_MACS = 600_000_000_000  # without a word of progress: about half a minute on one core
MAX_FACTOR = 100.0


def predict(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    top: int = 5,
) -> Predictions:
    """Say what the network sees in each picture. Raises InputError or UnbuildableError with the reason why not."""
    check_work(network, len(images))
    place = resolve_device(device)
    model = live_network(network, place)
    inputs = prepare_inputs(network, images, preprocessing, place)
    started = perf_counter()
    with torch.inference_mode(), scale_branches(model, scales):
        parts = [model.forward_with_heads(part) for part in in_chunks(inputs, network)]
        wait(place.torch)
        forward_ms = (perf_counter() - started) * 1e3
        main = _said(torch.cat([part.logits for part in parts]), top)
        aux = {tap: _said(torch.cat([part.aux[tap] for part in parts]), top) for tap in parts[0].aux}
    return Predictions(
        predictions=tuple(
            Prediction(main=said, aux={tap: aux[tap][number] for tap in aux}) for number, said in enumerate(main)
        ),
        forward_ms=forward_ms,
        device=place.description,
        note=place.note,
    )


def _said(logits: Tensor, top: int) -> list[ClassScores]:
    """N × classes → what is said of each of N images."""
    logs = F.log_softmax(logits.cpu().double(), dim=1)  # not every accelerator has double precision
    if not logs.isfinite().all():
        raise InputError("The network's numbers ran over: it has no answer. Weights that fit give one.")
    likely = logs.topk(min(top, logs.shape[1]), dim=1)
    entropies = -(logs.exp() * logs).sum(dim=1) / log(2)
    return [
        ClassScores(tuple(classes), tuple(probabilities), max(entropy, 0.0))
        for classes, probabilities, entropy in zip(
            likely.indices.tolist(), likely.values.exp().tolist(), entropies.tolist(), strict=True
        )
    ]


class _Kept:
    """The networks used last, as many as fit into half of the memory that there is; a larger one is kept alone."""

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[Network, str], GoogLeNet] = OrderedDict()

    def get(self, network: Network, place: Device) -> GoogLeNet:
        key = network, str(place.torch)
        if key not in self._models:
            needed = _bytes(network)
            while self._models and needed + sum(_bytes(kept) for kept, _ in self._models) > _limit_mb() * 5e5:
                self._models.popitem(last=False)
            self._models[key] = prepare_model(_built(network), place.torch)
        self._models.move_to_end(key)
        return self._models[key]


_kept = _Kept()


def live_network(network: Network, place: Device) -> GoogLeNet:
    """Return the network, ready for inference on its device, built only if it is not kept. It must not be changed.

    Raises UnbuildableError for a config with problems; InputError for weights that are not there or do not fit, and
    where the network with one picture needs more memory than there is (``EXPLORER_LOOK_MB``).
    """
    summary = _summary(network)
    needed = (4 * summary.whole.parameters + _bytes_per_picture(summary)) / 1e6
    if needed > _limit_mb():
        raise InputError(
            f"The network with one picture needs about {needed:,.0f} MB; the limit here is {_limit_mb():,} MB "
            "(EXPLORER_LOOK_MB). Take a smaller picture or narrower modules."
        )
    return _kept.get(network, place)


def _built(network: Network) -> GoogLeNet:
    if not network.weights:
        return build_model(network.config, seed=network.seed)
    try:
        weights = load_weights(network.weights)
    except WeightsError as error:
        raise InputError(f"The weights cannot be read. {error} Choose them again.") from error
    model = build_model(network.config, "meta")
    try:
        model.load_state_dict(weights.state, assign=True)
    except RuntimeError as error:
        raise InputError("The weights are of another network than the one on the page.") from error
    return model


def prepare_model(model: GoogLeNet, device: torch.device) -> GoogLeNet:
    """Make a network ready for inference: eval mode, no gradients, channels-last. Changes and returns it."""
    for layer in list(model.modules()):
        for name, child in layer.named_children():
            if type(child) is nn.LocalResponseNorm and child.beta == 0.75:
                setattr(layer, name, ResponseNorm(child.size, child.alpha, child.beta, child.k))
    return model.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)


class ResponseNorm(nn.LocalResponseNorm):
    """Local response normalisation by adding shifted squares, where PyTorch pools in three dimensions.

    That took a quarter of the time of the paper's network. The exponent is the paper's 0.75: two roots give the power.
    """

    def forward(self, x: Tensor) -> Tensor:
        """N × C × H × W → the same."""
        channels = x.shape[1]
        squares = F.pad(x * x, (0, 0, 0, 0, self.size // 2, (self.size - 1) // 2))
        total = squares[:, :channels].clone()
        for shift in range(1, self.size):
            total += squares[:, shift : shift + channels]
        root = (total * (self.alpha / self.size) + self.k).rsqrt()
        return x * (root * root.sqrt())  # to the power of −3/4


@contextmanager
def scale_branches(model: GoogLeNet, scales: Sequence[Scale]) -> Iterator[None]:
    """Multiply outputs of branches before they are concatenated, for as long as this lasts.

    Raises InputError for a branch that is not there, or a factor that is no number within ±100.
    """
    if found := scale_problems(model.config, tuple(scales)):
        raise InputError(found[0].message)
    if not all(isfinite(scale.factor) and abs(scale.factor) <= MAX_FACTOR for scale in scales):
        raise InputError(f"A branch is scaled by a number from {-MAX_FACTOR:g} to {MAX_FACTOR:g}.")
    factors: dict[str, dict[str, float]] = {}
    for scale in scales:
        factors.setdefault(scale.module, {})[scale.branch] = scale.factor
    handles = [
        model.get_submodule(f"inception_{name}.concat").register_forward_pre_hook(
            _scaling(model.config.module(name).branches, by_branch)
        )
        for name, by_branch in factors.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _scaling(branches: Sequence[str], by_branch: dict[str, float]) -> Callable[..., Any]:
    def scale(_: nn.Module, received: tuple[list[Tensor]]) -> tuple[list[Tensor]]:
        return (
            [
                output * by_branch[branch] if branch in by_branch else output
                for branch, output in zip(branches, received[0], strict=True)
            ],
        )

    return scale


def prepare_inputs(network: Network, images: Sequence[str], preprocessing: Preprocessing, place: Device) -> Tensor:
    """Return the images as the network takes them: N × C × H × W, channels-last. Raises InputError."""
    if not 1 <= len(images) <= MAX_IMAGES:
        raise InputError(f"Between 1 and {MAX_IMAGES} images are looked at together; these are {len(images):,}.")
    values = np.stack([prepare(_pixels(path), network.config, preprocessing).values for path in images])
    return torch.from_numpy(values).to(place.torch, memory_format=torch.channels_last)


@lru_cache(maxsize=16)
def _pixels(path: str) -> np.ndarray:
    """Read a picture of ours; it is never written to."""
    try:
        with Image.open(path, formats=("PNG",)) as file:
            return np.asarray(file.convert("RGB"))
    except OSError as error:
        raise InputError("The picture is no longer there. Choose it again.") from error


def in_chunks(inputs: Tensor, network: Network) -> tuple[Tensor, ...]:
    """Cut a batch into parts whose activations fit into the memory that there is for them."""
    summary = _summary(network)
    room = _limit_mb() * 1e6 - 4 * summary.whole.parameters
    return inputs.split(max(1, int(room / 2 / _bytes_per_picture(summary))))


def check_work(network: Network, passes: int) -> None:
    """Raise InputError where so many passes of one picture would take too long."""
    macs = passes * _summary(network).macs(aux=True)
    if macs > MAX_MACS:
        raise InputError(
            f"That takes {passes:,} passes with {macs / 1e9:,.0f} · 10⁹ MACs in all; the limit here is "
            f"{MAX_MACS / 1e9:,.0f} · 10⁹. Take fewer images, a smaller picture or narrower modules."
        )


def _bytes_per_picture(summary: NetworkSummary) -> int:
    """Estimate what a pass holds at most: one block's input and outputs, and as much again as workspace."""
    first = {}
    for row in summary.rows:
        first.setdefault(row.module, prod(row.in_shape))
    return 8 * max(first[block] + totals.activations for block, totals in summary.by_module.items())


@lru_cache(maxsize=16)
def _summary(network: Network) -> NetworkSummary:
    return summarize(network.config)


def _bytes(network: Network) -> int:
    return 4 * _summary(network).whole.parameters


def _limit_mb() -> int:
    return setting("EXPLORER_LOOK_MB")
