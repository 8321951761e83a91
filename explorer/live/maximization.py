"""Activation maximization: gradient ascent on an image, so that a channel's mean response becomes large.

Sources: Erhan et al. 2009; Olah et al. 2017, doi:10.23915/distill.00007. The parameters are the image's spectrum with
damped high frequencies, so that large shapes emerge before noise. Each step shifts the image by a few random pixels, so
that the result does not depend on single pixels. The response is measured before the ReLU, which has no gradient where
a channel is silent. (A pool only receives what ReLUs let through: a silent channel of a pool stays silent.)
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from explorer.data.images import png
from explorer.data.preprocessing import Preprocessing, check_preprocessing, to_image
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Maximization
from explorer.jobs.job import Progress
from explorer.live.devices import resolve_device
from explorer.live.feature_maps import channel_ranges, check_channel
from explorer.live.inference import live_network
from explorer.live.model import ConvBlock, GoogLeNet

MAX_STEPS = 256
LEARNING_RATE = 0.05
MAX_SHIFT = 8  # pixels, but at most a sixteenth of the side
INITIAL_DEVIATION = 0.01  # of the random spectrum: the first image is nearly grey

Shape = tuple[int, int, int]


def maximize(
    network: Network,
    path: str,
    channel: int,
    preprocessing: Preprocessing,
    steps: int = 64,
    seed: int = 0,
    device: str = "auto",
) -> Iterator[Progress | Maximization]:
    """Yield progress at every step, then the image. Raises InputError or UnbuildableError with the reason."""
    check_channel(network.config, path, channel)
    if not 1 <= steps <= MAX_STEPS:
        raise InputError(f"Choose 1 to {MAX_STEPS} steps.")
    check_preprocessing(network.config, preprocessing)
    resolved_device = resolve_device(device)
    model = live_network(network, resolved_device)
    generator = torch.Generator().manual_seed(seed)
    shape = network.config.input_shape
    spectrum = INITIAL_DEVIATION * torch.randn(_spectrum_shape(shape), generator=generator)
    spectrum = spectrum.to(resolved_device.torch).requires_grad_()
    optimizer = torch.optim.Adam([spectrum], lr=LEARNING_RATE, maximize=True)
    responses = []
    for number in range(steps):
        image = _to_input(spectrum, shape, preprocessing).roll(_random_shift(shape, generator), (1, 2))
        response = _response(model, image[None], path, channel)
        optimizer.zero_grad()
        torch.autograd.backward(response)
        optimizer.step()
        responses.append(response.item())
        yield Progress(done=number + 1, total=steps, message=f"mean response {responses[-1]:.3g}")
    with torch.no_grad():
        pixels = to_image(_to_input(spectrum, shape, preprocessing).cpu().numpy(), preprocessing)
    yield Maximization(path=path, channel=channel, png=png(pixels), responses=tuple(responses))


def _spectrum_shape(shape: Shape) -> tuple[int, ...]:
    """Return the shape of the spectrum of a real image C × H × W; the last axis is real and imaginary part."""
    channels, height, width = shape
    return channels, height, width // 2 + 1, 2


def _to_input(spectrum: Tensor, shape: Shape, preprocessing: Preprocessing) -> Tensor:
    """Spectrum → the network's input C × H × W. A sigmoid keeps it within the values of an image, 0 to 1."""
    _, height, width = shape
    frequencies = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width))
    damping = 1 / frequencies.clamp(min=1 / max(height, width)).to(spectrum.device)
    waves: Tensor = torch.fft.irfft2(torch.view_as_complex(spectrum) * damping, (height, width), norm="ortho")
    mean, std = (
        torch.tensor(values, device=waves.device)[:, None, None] for values in (preprocessing.mean, preprocessing.std)
    )
    return (waves.sigmoid() - mean) / std


def _random_shift(shape: Shape, generator: torch.Generator) -> tuple[int, int]:
    """Return a random shift in pixels, down and right."""
    limit = min(MAX_SHIFT, min(shape[1:]) // 16)
    down, right = torch.randint(-limit, limit + 1, (2,), generator=generator).tolist()
    return down, right


def _response(model: GoogLeNet, x: Tensor, path: str, channel: int) -> Tensor:
    """Run the network up to a layer and return the channel's mean before the ReLU. ``x`` is 1 × C × H × W."""
    if path.endswith(".concat"):
        path, channel = _in_branch(model, path, channel)
    layer = model.get_submodule(path)
    if isinstance(layer, nn.Sequential):  # a branch: take its last layer
        layer = layer[-1]
    before_relu = layer.bn if isinstance(layer, ConvBlock) else layer
    outputs: list[Tensor] = []
    # The ReLU that follows works in place, so the hook copies the output.
    handle = before_relu.register_forward_hook(lambda _module, _inputs, output: outputs.append(output.clone()))
    try:
        for name in ("stem", *model.body):
            x = model.get_submodule(name)(x)
            if outputs:
                break
    finally:
        handle.remove()
    return outputs[0][0, channel].mean()


def _in_branch(model: GoogLeNet, path: str, channel: int) -> tuple[str, int]:
    """Return the branch that provides a channel of a concatenation, and the channel's number in the branch."""
    block = path.removeprefix("inception_").removesuffix(".concat")
    branch = next(branch for branch in channel_ranges(model.config, block) if channel <= branch.last)
    return branch.path, channel - branch.first
