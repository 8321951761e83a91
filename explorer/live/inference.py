"""Inference on images: a cache of live networks, and the predictions of a network and its auxiliary heads.

A cached network never changes: a branch is scaled by a hook, which is removed afterwards. Its memory format is
channels-last, which PyTorch's convolutions on CPUs and tensor cores read faster than the default.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from math import isfinite, log
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.data.images import png, thumbnail
from explorer.data.preprocessing import PreprocessedImage, Preprocessing, preprocess
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.engines import AUTO, ENGINES, resolve_engine
from explorer.jobs.inspection import MAX_IMAGES, ClassScores, InputStep, Prediction, Predictions, Scale, scale_problems
from explorer.live.devices import Device, resolve_device
from explorer.live.engine_images import EngineImages
from explorer.live.engines import EngineCache, EngineError, Run, build_engine, prepare_model
from explorer.live.model import GoogLeNet, build_model
from explorer.live.weights import WeightsError, load_weights
from explorer.memory import peak_activations
from explorer.settings import read_setting

MAX_MACS = 600_000_000_000  # of a request that reports no progress: about half a minute on one core
MAX_FACTOR = 100.0
THUMBNAIL_SIDE = 208  # pixels: of an image that is shown at 104


def predict(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    engine: str = AUTO,
    folder: str = "",
    top: int = 5,
) -> Predictions:
    """Return the ``top`` classes of each image, for the network and its auxiliary heads.

    ``engine`` is a key of :data:`~explorer.jobs.engines.ENGINES`, or ``auto``; with ``scales`` the network runs in
    PyTorch. int8 is calibrated on the dataset of the weights, from the data directory ``folder``. Raises InputError or
    UnbuildableError with the reason.
    """
    check_work(network, len(images))
    resolved_device = resolve_device(device)
    inputs = prepare_inputs(network, images, preprocessing, resolved_device)
    chunks = in_chunks(inputs, network)
    choice = _EngineChoice(engine, len(chunks[0]), preprocessing, folder)
    with _forward(network, resolved_device, scales, choice) as (name, forward), torch.inference_mode():
        outputs = [forward(chunk) for chunk in chunks]
        main = _class_scores(torch.cat([output.logits for output in outputs]), top)
        aux = {tap: _class_scores(torch.cat([output.aux[tap] for output in outputs]), top) for tap in outputs[0].aux}
    return Predictions(
        predictions=tuple(
            Prediction(main=scores, aux={tap: aux[tap][number] for tap in aux}) for number, scores in enumerate(main)
        ),
        engine=name,
        device=resolved_device.description,
        note=resolved_device.note,
        steps=_input_steps(network, images[0], preprocessing) if len(images) == 1 else (),
    )


class _EngineChoice(NamedTuple):
    """The engine that the user chose, the usual size of a batch, and what int8 is calibrated with."""

    name: str
    batch: int
    preprocessing: Preprocessing
    folder: str


@contextmanager
def _forward(
    network: Network, device: Device, scales: Sequence[Scale], choice: _EngineChoice
) -> Iterator[tuple[str, Run]]:
    """Yield the name of the engine that answers, and its function; PyTorch's where another cannot run."""
    check_size(network)
    name = "channels_last" if scales else resolve_engine(choice.name, on_cpu=device.torch.type == "cpu")
    if name != "channels_last" and (run := _other_engine(network, name, device, choice)):
        yield name, run
        return
    model = live_network(network, device)
    with scale_branches(model, scales):
        yield "channels_last", model.forward_with_heads


def _other_engine(network: Network, name: str, device: Device, choice: _EngineChoice) -> Run | None:
    """Return an engine with its own copy of the network, from the cache if it is there; None if it cannot run here."""

    def build() -> Run:
        model = build_network(network).eval().requires_grad_(False).to(device.torch)
        calibration = None
        if ENGINES[name].precision == "int8":  # only then is the dataset needed
            images = EngineImages(network, choice.preprocessing, Path(choice.folder), device.torch)
            calibration = images.calibration()
        return build_engine(name, model, choice.batch, calibration)

    try:
        return _engine_cache.get(network, name, choice.batch, build)
    except EngineError:  # such as a processor without bfloat16
        return None


def _class_scores(logits: Tensor, top: int) -> list[ClassScores]:
    """Logits N × classes → the ``top`` classes, their probabilities, and the entropy in bits, of each of N images."""
    log_probabilities = F.log_softmax(logits.cpu().double(), dim=1)  # not every accelerator has double precision
    if not log_probabilities.isfinite().all():
        raise InputError(
            "The network's activations overflowed (NaN or infinite), so there is no prediction. Choose other weights."
        )
    best = log_probabilities.topk(min(top, log_probabilities.shape[1]), dim=1)
    entropies = -(log_probabilities.exp() * log_probabilities).sum(dim=1) / log(2)
    return [
        ClassScores(tuple(classes), tuple(probabilities), max(entropy, 0.0))
        for classes, probabilities, entropy in zip(
            best.indices.tolist(), best.values.exp().tolist(), entropies.tolist(), strict=True
        )
    ]


class _NetworkCache:
    """The networks used last: as many as fit into half of ``EXPLORER_LOOK_MB``, or a single larger one."""

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[Network, str], GoogLeNet] = OrderedDict()

    def get(self, network: Network, device: Device) -> GoogLeNet:
        key = network, str(device.torch)
        if key not in self._models:
            needed = _bytes(network)
            while self._models and needed + sum(_bytes(other) for other, _ in self._models) > _limit_mb() * 5e5:
                self._models.popitem(last=False)
            with torch.inference_mode(False):  # even if the caller is in it: attribution needs gradients
                self._models[key] = prepare_model(build_network(network), device.torch)
        self._models.move_to_end(key)
        return self._models[key]


_network_cache = _NetworkCache()
_engine_cache = EngineCache()


def live_network(network: Network, device: Device) -> GoogLeNet:
    """Return the network, ready for inference on the device, from the cache if it is there. Callers must not change it.

    Raises UnbuildableError for a config with problems; InputError if the weights are missing or do not fit, or if the
    network with one image needs more memory than allowed (``EXPLORER_LOOK_MB``).
    """
    check_size(network)
    return _network_cache.get(network, device)


def check_size(network: Network) -> None:
    """Raise InputError if the network with one image needs more memory than allowed."""
    summary = _summary(network)
    needed = (4 * summary.training_totals.parameters + _bytes_per_image(summary)) / 1e6
    if needed > _limit_mb():
        raise InputError(
            f"The network with one image needs about {needed:,.0f} MB; the limit here is {_limit_mb():,} MB "
            "(EXPLORER_LOOK_MB). Choose a smaller input or narrower modules."
        )


def build_network(network: Network) -> GoogLeNet:
    """Return the network with its weights, in the default memory format. Raises InputError or UnbuildableError."""
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
        raise InputError("The weights belong to another network than the current one.") from error
    return model


@contextmanager
def scale_branches(model: GoogLeNet, scales: Sequence[Scale]) -> Iterator[None]:
    """Multiply outputs of branches by their factors before the concatenation, within the block.

    Raises InputError for an unknown branch, or a factor that is not a number within ±100.
    """
    if problems := scale_problems(model.config, tuple(scales)):
        raise InputError(problems[0].message)
    if not all(isfinite(scale.factor) and abs(scale.factor) <= MAX_FACTOR for scale in scales):
        raise InputError(f"The factor of a branch is a number from {-MAX_FACTOR:g} to {MAX_FACTOR:g}.")
    factors: dict[str, dict[str, float]] = {}
    for scale in scales:
        factors.setdefault(scale.module, {})[scale.branch] = scale.factor
    handles = [
        model.get_submodule(f"inception_{name}.concat").register_forward_pre_hook(
            partial(_scale_outputs, model.config.module(name).branches, by_branch)
        )
        for name, by_branch in factors.items()
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _scale_outputs(
    branches: Sequence[str], factors: dict[str, float], _concat: nn.Module, args: tuple[list[Tensor]]
) -> tuple[list[Tensor]]:
    """Scale the inputs of a Concat. With its first two arguments bound, this is a forward pre-hook."""
    (outputs,) = args
    return (
        [
            output * factors[branch] if branch in factors else output
            for branch, output in zip(branches, outputs, strict=True)
        ],
    )


class LoadedCase(NamedTuple):
    """What a request about images starts with: the network, ready for inference, and its inputs N × C × H × W."""

    model: GoogLeNet
    inputs: Tensor


def load_case(
    network: Network, images: Sequence[str], preprocessing: Preprocessing, device: Device, *, passes: int = 0
) -> LoadedCase:
    """Return the network and its inputs for image files.

    ``passes`` are the passes of one image that the request will take; 0 for one that can be stopped. Raises InputError
    or UnbuildableError with the reason.
    """
    check_work(network, passes)
    return LoadedCase(live_network(network, device), prepare_inputs(network, images, preprocessing, device))


def prepare_inputs(network: Network, images: Sequence[str], preprocessing: Preprocessing, device: Device) -> Tensor:
    """Preprocess image files into the network's input: N × C × H × W, channels-last. Raises InputError."""
    if not 1 <= len(images) <= MAX_IMAGES:
        raise InputError(f"A request has between 1 and {MAX_IMAGES} images; this one has {len(images):,}.")
    values = np.stack([_preprocessed(path, network.config, preprocessing).values for path in images])
    return torch.from_numpy(values).to(device.torch, memory_format=torch.channels_last)


def input_png(network: Network, path: str, preprocessing: Preprocessing) -> bytes:
    """Return the network input for an image file, before normalisation, as PNG. Raises InputError."""
    return png(_preprocessed(path, network.config, preprocessing).input_pixels)


def _input_steps(network: Network, path: str, preprocessing: Preprocessing) -> tuple[InputStep, ...]:
    return tuple(
        InputStep(
            code=step.code,
            size=(step.pixels.shape[0], step.pixels.shape[1]),
            low=step.low,
            high=step.high,
            png=png(thumbnail(step.pixels, THUMBNAIL_SIDE)),
        )
        for step in _preprocessed(path, network.config, preprocessing).steps
    )


@lru_cache(maxsize=4)  # requests about the same image follow each other
def _preprocessed(path: str, config: GoogLeNetConfig, preprocessing: Preprocessing) -> PreprocessedImage:
    return preprocess(_pixels(path), config, preprocessing)


@lru_cache(maxsize=16)
def _pixels(path: str) -> np.ndarray:
    """Return the pixels of one of the app's own PNG files, H × W × 3; the array must not be changed."""
    try:
        with Image.open(path, formats=("PNG",)) as file:
            return np.asarray(file.convert("RGB"))
    except OSError as error:
        raise InputError("The image is no longer there. Choose it again.") from error


def in_chunks(inputs: Tensor, network: Network) -> tuple[Tensor, ...]:
    """Split a batch into chunks whose activations take at most half of the memory that the network leaves free."""
    summary = _summary(network)
    free_bytes = _limit_mb() * 1e6 - 4 * summary.training_totals.parameters
    return torch.split(inputs, max(1, int(free_bytes / 2 / _bytes_per_image(summary))))


def check_work(network: Network, passes: int) -> None:
    """Raise InputError if so many passes of one image would take too long."""
    macs = passes * _summary(network).macs(aux=True)
    if macs > MAX_MACS:
        raise InputError(
            f"That takes {passes:,} passes with {macs / 1e9:,.0f} · 10⁹ MACs in total; the limit here is "
            f"{MAX_MACS / 1e9:,.0f} · 10⁹. Choose fewer images, a smaller input or narrower modules."
        )


def _bytes_per_image(summary: NetworkSummary) -> int:
    """Estimate the peak memory of a pass, in bytes: one block's input and outputs, and as much again as workspace."""
    return 8 * peak_activations(summary)


@lru_cache(maxsize=16)
def _summary(network: Network) -> NetworkSummary:
    return summarize(network.config)


def _bytes(network: Network) -> int:
    return 4 * _summary(network).training_totals.parameters


def _limit_mb() -> int:
    return read_setting("EXPLORER_LOOK_MB")
