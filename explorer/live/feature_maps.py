"""Feature maps of every branch, activation statistics of the branches, and the kernels of the first convolution.

Forward hooks read the maps of a branch before the concatenation and before any scaling.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.data.images import png
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import MAX_TILES, Activity, BranchActivity, FeatureMap, Filters, Maps, Scale, Strip
from explorer.live.devices import resolve_device
from explorer.live.inference import in_chunks, input_png, live_network, load_case, scale_branches
from explorer.live.model import GoogLeNet
from explorer.live.tensor_images import COLUMNS, feature_map_grid, heat_map, kernel_grid


class ChannelRange(NamedTuple):
    """The channels of one branch of a module, or of one convolution of the stem.

    They are ``first`` to ``last`` (inclusive) of the block's concatenation; each convolution of the stem counts from 0.
    """

    path: str
    branch: str
    first: int
    last: int


def channel_ranges(config: GoogLeNetConfig, block: str) -> tuple[ChannelRange, ...]:
    """Return the channels of a module's branches in the order of concatenation, or of the stem's convolutions.

    ``block`` is a module's name or ``stem``. Raises InputError if there is no such block.
    """
    summary = summarize(config)
    if block == "stem":
        rows = [row for row in summary.rows if row.module == block and row.kind == "conv"]
        return tuple(ChannelRange(row.path, row.path.rpartition(".")[2], 0, row.out_shape[0] - 1) for row in rows)
    if block not in {module.name for module in config.modules}:
        raise InputError(f"The network has no module {block}.")
    widths = {row.branch: row.out_shape[0] for row in summary.rows if row.module == block and row.branch}
    ranges, first = [], 0
    for branch in config.module(block).branches:
        last = first + widths[branch] - 1
        ranges.append(ChannelRange(f"inception_{block}.branch_{branch}", branch, first, last))
        first = last + 1
    return tuple(ranges)


def maps(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    *,
    block: str,
) -> Maps:
    """Return every feature map of a block for the first image. Raises InputError or UnbuildableError."""
    ranges = channel_ranges(network.config, block)
    outputs = _outputs(network, images[:1], preprocessing, scales, device, [channels.path for channels in ranges])
    return Maps(block=block, strips=tuple(_strip(channels, outputs[channels.path][0]) for channels in ranges))


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
    """Return one feature map of a layer or branch for the first image. Raises InputError or UnbuildableError."""
    check_channel(network.config, path, channel)
    output = _outputs(network, images[:1], preprocessing, scales, device, [path])[path][0, channel]
    return FeatureMap(
        path=path,
        channel=channel,
        heat=heat_map(output),
        response=output.mean().item(),
        input_png=input_png(network, images[0], preprocessing),
    )


def activity(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
) -> Activity:
    """Return activation statistics of each branch over all images. Raises InputError or UnbuildableError."""
    model, inputs = load_case(network, images, preprocessing, resolve_device(device), passes=len(images))
    modules = [module.name for module in network.config.modules]
    branches = [(name, channels) for name in modules for channels in channel_ranges(network.config, name)]
    statistics = {channels.path: ActivationStatistics(channels.last - channels.first + 1) for _, channels in branches}
    for chunk in in_chunks(inputs, network):
        with torch.inference_mode(), scale_branches(model, scales), record_outputs(model, list(statistics)) as outputs:
            model(chunk)
        for path, output in outputs.items():
            statistics[path].add(output)
    return Activity(
        branches=tuple(
            BranchActivity(
                name,
                channels.branch,
                channels.first,
                channels.last,
                mean=statistics[channels.path].mean,
                sparsity=statistics[channels.path].sparsity,
                dead=statistics[channels.path].dead,
            )
            for name, channels in branches
        ),
        image_count=len(inputs),
    )


def filters(network: Network, device: str = "auto") -> Filters:
    """Return the kernels of the first convolution as an image. Raises InputError or UnbuildableError."""
    model = live_network(network, resolve_device(device))
    first = next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    weight = first.weight.float()  # n × C × K × K
    height, width = weight.shape[2:]
    tiles = weight.permute(0, 2, 3, 1)
    if tiles.shape[3] != 3:
        tiles = tiles.mean(dim=3, keepdim=True)
    return Filters(
        png=png(kernel_grid(tiles)),
        kernel=(height, width),
        columns=min(COLUMNS, len(weight)),
        norms=tuple(weight.flatten(1).norm(dim=1).tolist()),
    )


@contextmanager
def record_outputs(model: GoogLeNet, paths: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Record the outputs of layers or branches that run in the block: N × C × H × W by path. Removes its hooks."""
    outputs: dict[str, Tensor] = {}

    def record(path: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        outputs[path] = output

    handles = [model.get_submodule(path).register_forward_hook(partial(record, path)) for path in paths]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def check_channel(config: GoogLeNetConfig, path: str, channel: int) -> None:
    """Raise InputError if there is no such layer or branch with feature maps, or no such channel in it."""
    rows = [row for row in summarize(config).rows if row.aux is None and len(row.out_shape) == 3]
    widths = {row.path: row.out_shape[0] for row in rows}
    widths |= {f"inception_{row.module}.branch_{row.branch}": row.out_shape[0] for row in rows if row.branch}
    if path not in widths:
        raise InputError(f"The network has no layer {path} with feature maps.")
    if not 0 <= channel < widths[path]:
        raise InputError(f"{path} has the channels 0 to {widths[path] - 1:,}.")


def _outputs(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale],
    device: str,
    paths: Sequence[str],
) -> dict[str, Tensor]:
    """Run the images through the network and return the outputs of layers or branches, N × C × H × W by path."""
    model, inputs = load_case(network, images, preprocessing, resolve_device(device), passes=len(images))
    with torch.inference_mode(), scale_branches(model, scales), record_outputs(model, paths) as outputs:
        model(inputs)
    return {path: output.float() for path, output in outputs.items()}


def _strip(channels: ChannelRange, output: Tensor) -> Strip:
    """Make the strip of a branch from its output C × H × W: the maps with the strongest mean response first."""
    responses = output.mean((1, 2))
    order = responses.argsort(descending=True, stable=True)[:MAX_TILES]
    image, tile, columns = feature_map_grid(output[order])
    statistics = ActivationStatistics(len(output))
    statistics.add(output[None])
    height, width = output.shape[1:]
    return Strip(
        path=channels.path,
        branch=channels.branch,
        first=channels.first,
        last=channels.last,
        channels=tuple(order.tolist()),
        responses=tuple(responses[order].tolist()),
        map_size=(height, width),
        tile=tile,
        columns=columns,
        png=image,
        mean=statistics.mean,
        sparsity=statistics.sparsity,
        dead=statistics.dead,
    )


class ActivationStatistics:
    """Mean, fraction of zeros and number of dead channels of a layer with ``channels`` channels, over all batches."""

    def __init__(self, channels: int) -> None:
        self._sum, self._zeros, self._count = 0.0, 0, 0
        self._alive = torch.zeros(channels, dtype=torch.bool)

    def add(self, output: Tensor) -> None:
        """Add a batch of outputs, N × C × H × W."""
        self._sum += float(output.float().sum())
        self._zeros += int((output == 0).sum())
        self._count += output.numel()
        self._alive |= (output != 0).any(dim=3).any(dim=2).any(dim=0).cpu()

    @property
    def mean(self) -> float:
        """The mean of all elements."""
        return self._sum / self._count

    @property
    def sparsity(self) -> float:
        """The fraction of elements that are 0."""
        return self._zeros / self._count

    @property
    def dead(self) -> int:
        """The number of channels that are 0 everywhere."""
        return int((~self._alive).sum())
