"""What is going on inside: the maps of every branch, how much each branch does, and the first layer's filters.

Maps are seen by hooks, as the layers give them, before they are concatenated and after any scaling.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.data.images import png
from explorer.jobs.inspection import (
    MAX_TILES,
    Activity,
    BranchActivity,
    Filters,
    InputError,
    FeatureMap,
    Maps,
    Network,
    Preprocessing,
    Scale,
    Strip,
)
from explorer.live.devices import Device, resolve_device
from explorer.live.inference import check_work, in_chunks, live_network, prepare_inputs, scale_branches
from explorer.live.model import GoogLeNet
from explorer.live.mosaic import COLUMNS, heat, signed, tiled


class Part(NamedTuple):
    """A stretch of channels that is looked at by itself: a branch of a module, or a layer of the stem.

    Its channels are ``first`` to ``last`` of what the block gives; a layer of the stem is a block of its own.
    """

    path: str
    branch: str
    first: int
    last: int


def parts(config: GoogLeNetConfig, block: str) -> tuple[Part, ...]:
    """Return the branches of a module in the order of concatenation, or the stem's convolutions.

    Raises InputError where there is no such block.
    """
    summary = summarize(config)
    if block == "stem":
        rows = [row for row in summary.rows if row.module == block and row.kind == "conv"]
        return tuple(Part(row.path, row.path.rpartition(".")[2], 0, row.out_shape[0] - 1) for row in rows)
    if block not in {module.name for module in config.modules}:
        raise InputError(f"The network has no module {block}.")
    last = {row.branch: row.out_shape[0] for row in summary.rows if row.module == block and row.branch}
    found, first = [], 0
    for branch in config.module(block).branches:
        found.append(Part(f"inception_{block}.branch_{branch}", branch, first, first + last[branch] - 1))
        first += last[branch]
    return tuple(found)


def maps(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    *,
    block: str,
) -> Maps:
    """Show every channel of a block for the first picture. Raises InputError or UnbuildableError."""
    shown = parts(network.config, block)
    outputs = _outputs(network, images[:1], preprocessing, scales, device, [part.path for part in shown])
    return Maps(block=block, strips=tuple(_strip(part, outputs[part.path][0]) for part in shown))


def feature_map(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    *,
    path: str,
    channel: int,
) -> FeatureMap:
    """Show one channel of one layer or branch for the first picture. Raises InputError or UnbuildableError."""
    check_channel(network.config, path, channel)
    output = _outputs(network, images[:1], preprocessing, scales, device, [path])[path][0, channel]
    return FeatureMap(path=path, channel=channel, heat=heat(output), response=output.mean().item())


def activity(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
) -> Activity:
    """Say how much each branch of each module does for these images. Raises InputError or UnbuildableError."""
    check_work(network, len(images))
    place = resolve_device(device)
    model = live_network(network, place)
    inputs = prepare_inputs(network, images, preprocessing, place)
    watched = [(module.name, part) for module in network.config.modules for part in parts(network.config, module.name)]
    sums = {part.path: _Sums() for _, part in watched}
    for batch in in_chunks(inputs, network):
        with torch.inference_mode(), scale_branches(model, scales), record_outputs(model, list(sums)) as outputs:
            model(batch)
        for path, output in outputs.items():
            sums[path].add(output)
    return Activity(
        branches=tuple(
            BranchActivity(name, part.branch, part.first, part.last, *sums[part.path].result) for name, part in watched
        ),
        image_count=len(inputs),
    )


def filters(network: Network, device: str = "auto") -> Filters:
    """Show the kernels of the first convolution. Raises InputError or UnbuildableError."""
    weight = live_network(network, resolve_device(device)).stem.conv1.conv.weight.float()  # n × C × K × K
    tiles = weight.permute(0, 2, 3, 1)
    if tiles.shape[3] != 3:
        tiles = tiles.mean(dim=3, keepdim=True)
    return Filters(
        png=png(signed(tiles)),
        kernel=tuple(weight.shape[2:]),
        columns=min(COLUMNS, len(weight)),
        norms=tuple(weight.flatten(1).norm(dim=1).tolist()),
    )


@contextmanager
def record_outputs(model: GoogLeNet, paths: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Note what layers or branches give while this lasts: N × C × H × W by path. The hooks are gone afterwards."""
    outputs: dict[str, Tensor] = {}

    def note(path: str) -> Any:
        def hook(_module: nn.Module, _received: Any, output: Tensor) -> None:
            outputs[path] = output

        return hook

    handles = [model.get_submodule(path).register_forward_hook(note(path)) for path in paths]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def check_channel(config: GoogLeNetConfig, path: str, channel: int) -> None:
    """Raise InputError where there is no such layer or branch, or it has no such channel."""
    rows = [row for row in summarize(config).rows if row.aux is None and len(row.out_shape) == 3]
    last = {row.path: row.out_shape[0] for row in rows}
    last |= {f"inception_{row.module}.branch_{row.branch}": row.out_shape[0] for row in rows if row.branch}
    if path not in last:
        raise InputError(f"The network has no layer {path} with feature maps.")
    if not 0 <= channel < last[path]:
        raise InputError(f"{path} has the channels 0 to {last[path] - 1:,}.")


def _outputs(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale],
    device: str,
    paths: Sequence[str],
) -> dict[str, Tensor]:
    """Run the images and return what the layers or branches gave."""
    place: Device = resolve_device(device)
    model = live_network(network, place)
    inputs = prepare_inputs(network, images, preprocessing, place)
    with torch.inference_mode(), scale_branches(model, scales), record_outputs(model, paths) as outputs:
        model(inputs)
    return {path: output.float() for path, output in outputs.items()}


def _strip(part: Part, output: Tensor) -> Strip:
    """Make a strip of C × H × W."""
    responses = output.mean((1, 2))
    order = responses.argsort(descending=True, stable=True)[:MAX_TILES]
    picture, tile, columns = tiled(output[order])
    sums = _Sums()
    sums.add(output[None])
    mean, sparsity, dead = sums.result
    return Strip(
        path=part.path,
        branch=part.branch,
        first=part.first,
        last=part.last,
        channels=tuple(order.tolist()),
        responses=tuple(responses[order].tolist()),
        map_size=tuple(output.shape[1:]),
        tile=tile,
        columns=columns,
        png=picture,
        mean=mean,
        sparsity=sparsity,
        dead=dead,
    )


class _Sums:
    """Mean, share of zeros and dead channels of what a branch gives, added up over batches."""

    def __init__(self) -> None:
        self._total, self._zeros, self._count = 0.0, 0, 0
        self._alive: Tensor | None = None

    def add(self, output: Tensor) -> None:
        """Take in N × C × H × W."""
        self._total += output.float().sum().item()
        self._zeros += (output == 0).sum().item()
        self._count += output.numel()
        alive = (output != 0).any(dim=3).any(dim=2).any(dim=0)
        self._alive = alive if self._alive is None else self._alive | alive

    @property
    def result(self) -> tuple[float, float, int]:
        return self._total / self._count, self._zeros / self._count, (~self._alive).sum().item()
