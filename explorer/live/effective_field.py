"""The effective receptive field: which pixels influence one position of a branch, and how much.

Source: Luo, Li, Urtasun & Zemel 2016, "Understanding the effective receptive field in deep convolutional neural
networks", arXiv:1701.04128. The gradient of the sum of a branch's channels at the central position, with respect to the
image; its absolute value is added up over the colours and averaged over the images.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from explorer.analysis import summarize
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Scale
from explorer.jobs.job import Progress
from explorer.jobs.units import EffectiveField, EffectiveFields
from explorer.live.devices import resolve_device
from explorer.live.feature_maps import record_outputs
from explorer.live.inference import live_network, load_case, scale_branches
from explorer.live.model import GoogLeNet
from explorer.live.tensor_images import heat_map
from explorer.settings import read_setting
from explorer.unit_graph import ChannelBlock, NetworkGraph, graph_of
from explorer.units import Unit

MAX_IMAGES = 20  # that are averaged
FRACTION = 0.95  # of the gradient, in the smallest square around the centre that holds so much


def effective_fields(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    *,
    block: str,
) -> Iterator[Progress | EffectiveFields]:
    """Yield progress, then the field of each branch of a module, with these weights and with random ones.

    Raises InputError or UnbuildableError with the reason.
    """
    graph = graph_of(network.config)
    blocks = graph.channel_blocks(f"inception_{block}.concat")
    if not blocks:
        raise InputError(f"The network has no module {block[:20]}.")
    networks = [network, Network(config=network.config)] if network.weights else [network]
    images = images[:MAX_IMAGES]
    _check_memory(network)
    passes, resolved_device = len(networks) * len(images) * (1 + 2 * len(blocks)), resolve_device(device)
    _, inputs = load_case(network, images, preprocessing, resolved_device, passes=passes)
    position = tuple(side // 2 for side in graph.shape(blocks[0].path)[1:])
    fields = []
    for number, one in enumerate(networks):
        sums = {part.path: torch.zeros(graph.summary.config.input_shape[1:]) for part in blocks}
        for done, image in enumerate(torch.split(inputs, 1)):
            yield Progress(
                done=number * len(images) + done, total=len(networks) * len(images), message=f"image {done + 1}"
            )
            model = live_network(one, resolved_device)
            for path, gradient in _gradients(model, image, blocks, position, scales).items():
                sums[path] += gradient / len(images)
        fields += [_field(graph, part, sums[part.path], position, trained=bool(one.weights)) for part in blocks]
    yield EffectiveFields(block=block, image_count=len(images), fields=tuple(fields))


def _check_memory(network: Network) -> None:
    """Raise InputError if the activations of one image, which the gradients need, take too much memory."""
    needed, limit = 8 * summarize(network.config).activations() / 1e6, read_setting("EXPLORER_LOOK_MB")
    if needed > limit / 2:
        raise InputError(
            f"The gradients of one image need {needed:,.0f} MB; the limit here is {limit / 2:,.0f} MB (half of "
            "EXPLORER_LOOK_MB). Choose a smaller input or narrower modules."
        )


def _gradients(
    model: GoogLeNet,
    image: Tensor,
    blocks: Sequence[ChannelBlock],
    position: Sequence[int],
    scales: Sequence[Scale],
) -> dict[str, Tensor]:
    """Return the absolute gradient, H × W on the CPU, of one position of each branch, by the path of its last layer."""
    image = image.clone().requires_grad_()
    row, column = position
    with scale_branches(model, scales), record_outputs(model, [part.path for part in blocks]) as outputs:
        model(image)
    found = {}
    for path, output in outputs.items():
        (gradient,) = torch.autograd.grad(output[0, :, row, column].sum(), image, retain_graph=True)
        found[path] = gradient[0].abs().sum(0).cpu()
    return found


def _field(
    graph: NetworkGraph, part: ChannelBlock, gradient: Tensor, position: Sequence[int], *, trained: bool
) -> EffectiveField:
    """Compare a gradient with the receptive field that follows from the kernels."""
    left, top, side = graph.receptive_field(Unit(part.path, 0, *position)) or (0.0, 0.0, float(max(gradient.shape)))
    total = gradient.sum().item()
    rows = torch.arange(gradient.shape[0])[:, None] - (top + (side - 1) / 2)
    columns = torch.arange(gradient.shape[1])[None] - (left + (side - 1) / 2)
    distance = torch.maximum(rows.abs(), columns.abs())  # from the centre, in pixels
    return EffectiveField(
        branch=part.branch,
        trained=trained,
        heat=heat_map(gradient),
        field=(left, top, side),
        within=gradient[distance <= side / 2].sum().item() / total if total else 0.0,
        effective_side=_side_with(FRACTION, gradient, distance) if total else 0,
    )


def _side_with(fraction: float, gradient: Tensor, distance: Tensor) -> int:
    """Return the side, in pixels, of the smallest square around the centre that holds a fraction of the gradient."""
    order = distance.flatten().argsort()
    shares = gradient.flatten()[order].double().cumsum(0) / gradient.double().sum()
    place = min(int((shares < fraction).sum()), len(shares) - 1)
    return int(2 * distance.flatten()[order][place].item()) + 1
