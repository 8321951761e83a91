"""What a channel wants to see: a picture climbed, step by step, to where the channel's mean response is largest.

Activation maximization (Erhan et al. 2009; Olah et al. 2017, doi:10.23915/distill.00007). The picture is climbed as a
spectrum whose high frequencies are damped, so that large shapes come before noise; at every step it is shifted by a few
pixels at random, so that what it shows does not hang on single pixels. The response is taken before the ReLU: where a
channel says nothing, the ReLU would hide the way up. (A pool has nothing but what ReLUs let through: a channel of it
that is silent at the start stays silent.)
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from explorer.data.images import png
from explorer.data.preprocessing import check_preprocessing, to_image
from explorer.jobs.inspection import InputError, Maximization, Network, Preprocessing
from explorer.jobs.requests import Progress
from explorer.live.devices import resolve_device
from explorer.live.feature_maps import check_channel, parts
from explorer.live.inference import live_network
from explorer.live.model import ConvBlock, GoogLeNet

MAX_STEPS = 256
RATE = 0.05
MAX_SHIFT = 8  # pixels, and a sixteenth of the side at most
FIRST = 0.01  # deviation of the first spectrum: a picture that is nearly grey

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
    """Yield progress at every step, then the picture. Raises InputError or UnbuildableError with the reason."""
    check_channel(network.config, path, channel)
    if not 1 <= steps <= MAX_STEPS:
        raise InputError(f"The climb takes 1 to {MAX_STEPS} steps.")
    check_preprocessing(network.config, preprocessing)
    place = resolve_device(device)
    model = live_network(network, place)
    generator = torch.Generator().manual_seed(seed)
    size = network.config.input_shape
    spectrum = (FIRST * torch.randn(_spectrum_shape(size), generator=generator)).to(place.torch).requires_grad_()
    climber = torch.optim.Adam([spectrum], lr=RATE)
    responses = []
    for number in range(steps):
        image = _painted(spectrum, size, preprocessing).roll(_shift(size, generator), (1, 2))
        response = _response(model, image[None], path, channel)
        climber.zero_grad()
        (-response).backward()
        climber.step()
        responses.append(response.item())
        yield Progress(done=number + 1, total=steps, doing=f"mean response {responses[-1]:.3g}")
    with torch.no_grad():
        picture = to_image(_painted(spectrum, size, preprocessing).cpu().numpy(), preprocessing)
    picture = picture[:, :, 0] if size[0] == 1 else picture
    yield Maximization(path=path, channel=channel, png=png(picture), responses=tuple(responses))


def _spectrum_shape(size: Shape) -> tuple[int, ...]:
    """Real and imaginary part of what makes a real picture C × H × W."""
    channels, height, width = size
    return channels, height, width // 2 + 1, 2


def _painted(spectrum: Tensor, size: Shape, preprocessing: Preprocessing) -> Tensor:
    """Spectrum → the network's input C × H × W, within what pictures can have."""
    _, height, width = size
    frequencies = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width))
    damping = 1 / frequencies.clamp(min=1 / max(height, width)).to(spectrum.device)
    waves = torch.fft.irfft2(torch.view_as_complex(spectrum) * damping, (height, width), norm="ortho")
    mean, std = (
        torch.tensor(values, device=waves.device)[:, None, None] for values in (preprocessing.mean, preprocessing.std)
    )
    return (waves.sigmoid() - mean) / std


def _shift(size: Shape, generator: torch.Generator) -> tuple[int, int]:
    most = min(MAX_SHIFT, min(size[1:]) // 16)
    down, right = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
    return down, right


def _response(model: GoogLeNet, x: Tensor, path: str, channel: int) -> Tensor:
    """Run the network as far as the channel goes, and return its mean before the ReLU."""
    if path.endswith(".concat"):
        path, channel = _in_branch(model, path, channel)
    layer = model.get_submodule(path)
    if isinstance(layer, nn.Sequential):  # a branch: its last layer
        layer = layer[-1]
    found: list[Tensor] = []
    watched = layer.bn if isinstance(layer, ConvBlock) else layer
    # The ReLU that follows writes over what it gets, so a copy is taken.
    handle = watched.register_forward_hook(lambda _module, _received, output: found.append(output.clone()))
    try:
        for name in ("stem", *model.body):
            x = model.get_submodule(name)(x)
            if found:
                break
    finally:
        handle.remove()
    return found[0][0, channel].mean()


def _in_branch(model: GoogLeNet, path: str, channel: int) -> tuple[str, int]:
    """Return the branch that a channel of a concatenation comes from, and its number there."""
    block = path.removeprefix("inception_").removesuffix(".concat")
    part = next(part for part in parts(model.config, block) if channel <= part.last)
    return part.path, channel - part.first
