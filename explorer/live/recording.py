"""The inputs and outputs of all layers for one image, recorded once, so that questions about them need no other pass.

Recordings are kept up to a quarter of ``EXPLORER_LOOK_MB``, the last one in any case.
"""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from explorer.analysis import summarize
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Scale
from explorer.live.devices import Device, resolve_device
from explorer.live.inference import input_png, load_case, scale_branches
from explorer.live.model import GoogLeNet
from explorer.settings import read_setting
from explorer.unit_graph import NetworkGraph, graph_of
from explorer.units import INPUT


class Recording(NamedTuple):
    """A network in eval mode, and what flowed through it: C × H × W (or one dimension after flattening) by path.

    ``inputs`` has no concatenations; ``outputs`` has the network input too, as ``input``. ``factors`` are those of the
    scaled branches by their last layer: ``inputs`` are scaled, ``outputs`` of a branch are not.
    """

    model: GoogLeNet
    graph: NetworkGraph
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    factors: dict[str, float]
    input_png: bytes


_Key = tuple[Network, str, Preprocessing, tuple[Scale, ...], str]
_recordings: OrderedDict[_Key, tuple[Recording, int]] = OrderedDict()  # with their sizes in bytes


def record(
    network: Network, image: str, preprocessing: Preprocessing, scales: Sequence[Scale], device: str
) -> Recording:
    """Return the recording of one image; the network runs only if it is not known yet.

    Raises InputError or UnbuildableError with the reason.
    """
    resolved_device = resolve_device(device)
    key = (network, image, preprocessing, tuple(scales), str(resolved_device.torch))
    if key not in _recordings:
        size = _bytes(network)
        while _recordings and size + sum(other for _, other in _recordings.values()) > _limit_bytes() / 4:
            _recordings.popitem(last=False)
        _recordings[key] = _run(network, image, preprocessing, scales, resolved_device), size
    _recordings.move_to_end(key)
    return _recordings[key][0]


def _bytes(network: Network) -> int:
    """Return the size of all outputs. Raises InputError if they do not fit into the memory."""
    size, limit = 4 * summarize(network.config).activations(aux=True), _limit_bytes()
    if size > limit / 2:
        raise InputError(
            f"The outputs of all layers need {size / 1e6:,.0f} MB for one image; the limit here is "
            f"{limit / 2e6:,.0f} MB (half of EXPLORER_LOOK_MB). Choose a smaller input or narrower modules."
        )
    return size


def _limit_bytes() -> int:
    return read_setting("EXPLORER_LOOK_MB") * 1_000_000


def _run(
    network: Network, image: str, preprocessing: Preprocessing, scales: Sequence[Scale], device: Device
) -> Recording:
    """Run the network on an image and record the input and the output of each layer."""
    graph = graph_of(network.config)
    model, batch = load_case(network, (image,), preprocessing, device, passes=1)
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {INPUT: batch[0]}

    def store(path: str, _module: nn.Module, args: tuple[Tensor | list[Tensor]], output: Tensor) -> None:
        outputs[path] = output[0]
        if isinstance(args[0], Tensor):
            inputs[path] = args[0][0]

    handles = [
        model.get_submodule(row.path).register_forward_hook(partial(store, row.path)) for row in graph.summary.rows
    ]
    try:
        with torch.inference_mode(), scale_branches(model, scales), exact_convolutions():
            model.forward_with_heads(batch)
    finally:
        for handle in handles:
            handle.remove()
    if not all(bool(output.isfinite().all()) for output in outputs.values()):
        raise InputError("The network's activations overflowed (NaN or infinite). Choose other weights.")
    return Recording(model, graph, inputs, outputs, _factors(graph, scales), input_png(network, image, preprocessing))


def exact_convolutions() -> AbstractContextManager[None]:
    """Convolve without TensorFloat-32, which cuDNN uses by default and which rounds the factors to 11 bits."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=False, allow_tf32=False)


def _factors(graph: NetworkGraph, scales: Sequence[Scale]) -> dict[str, float]:
    """Return the factors of scaled branches by the last layer of each."""
    return {
        block.path: scale.factor
        for scale in scales
        for block in graph.channel_blocks(f"inception_{scale.module}.concat")
        if block.branch == scale.branch
    }
