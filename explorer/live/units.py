"""How one output value of a network is computed, from the recorded inputs of its layer; the network does not run again.

The terms are computed in double precision from the network's own float32 numbers (:mod:`explorer.unit_arithmetic`).
"""

from collections.abc import Sequence
from math import copysign
from typing import NamedTuple

import torch
from torch import Tensor, nn

from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Heat, Scale
from explorer.jobs.units import (
    MAX_CHANNEL_MAPS,
    MAX_CLASSES,
    MAX_TERMS,
    ChannelMaps,
    StrongestMaps,
    Term,
    UnitReport,
    Window,
)
from explorer.live.channel_maps import channel_maps
from explorer.live.model import ConvBlock
from explorer.live.recording import Recording, record
from explorer.live.tensor_images import heat_map
from explorer.unit_arithmetic import (
    BatchNorm,
    Rounded,
    Softmax,
    averaged,
    batch_normalised,
    biased,
    largest,
    normalised_pixel,
    normalised_response,
    rectified,
    scaled,
    softmax,
    summed,
)
from explorer.unit_graph import InputWindow, input_window, lrn_channels
from explorer.units import INPUT, Place, Unit

_POINT = InputWindow(0, 0, 1, 1)


def explain(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    *,
    path: str,
    channel: int | None = None,
    position: tuple[int, int] | None = None,
    source: int | None = None,
) -> UnitReport:
    """Return the arithmetic of one output value for the first image.

    ``channel`` and ``position`` are those of the largest value if they are None; ``source`` is the input channel whose
    window is returned, None for that of the strongest cause. Raises InputError or UnbuildableError with the reason.
    """
    recording = record(network, images[0], preprocessing, scales, device)
    unit = _chosen_unit(recording, path, channel, position)
    if path == INPUT:
        return _explain_pixel(recording, unit, preprocessing)
    found = compute(recording, unit)
    shown = found.read.channels.start + found.cause[0] if source is None else source
    if shown not in found.read.channels:
        raise InputError(
            f"{path} reads the channels {found.read.channels.start:,} to {found.read.channels.stop - 1:,}."
        )
    terms = terms_of(found)
    return UnitReport(
        unit=unit,
        kind=recording.graph.row(path).kind,
        terms=tuple(terms[:MAX_TERMS]),
        rest=sum(term.contribution for term in terms[MAX_TERMS:]),
        rest_count=len(terms[MAX_TERMS:]),
        window=_window(found.read, shown),
        steps=found.rounded.steps,
        value=_value(recording, unit),
        bound=found.rounded.bound,
        causes=_causes(recording, unit),
        cause=found.place,
        output_map=_heat(recording.outputs[path], unit.channel),
        input_map=_heat(recording.inputs[path], shown),
        channel_maps=_channel_maps(recording, unit, terms),
        softmax=_softmax(recording, unit),
        input_png=recording.input_png,
    )


def branch_paths(recording: Recording, block: str) -> list[str]:
    """Return the paths of the layers of a module's branches, in their order. Raises InputError without the module."""
    paths = [row.path for row in recording.graph.summary.rows if row.module == block and row.branch]
    if not paths:
        raise InputError(f"The network has no module {block[:20]}.")
    return paths


def strongest_maps(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    *,
    block: str,
) -> StrongestMaps:
    """Return the feature map with the highest mean response in each layer of a module and in its input.

    Raises InputError or UnbuildableError with the reason.
    """
    recording = record(network, images[0], preprocessing, scales, device)
    paths = branch_paths(recording, block)
    outputs = {path: recording.outputs[path] for path in (recording.graph.source(paths[0]), *paths)}
    return StrongestMaps(
        maps={path: heat_map(output[output.mean((1, 2)).argmax()].float()) for path, output in outputs.items()}
    )


class _Read(NamedTuple):
    """What a unit reads: values n × h × w of the input channels ``channels``, in double precision.

    ``inside`` is False in the padding, where the values are 0. ``weights`` are those of a convolution or a fully
    connected layer.
    """

    channels: range
    window: InputWindow
    values: Tensor
    inside: Tensor
    weights: Tensor | None = None


class Computed(NamedTuple):
    """A computed unit: what it reads, the arithmetic, and the index of its strongest cause in what it reads."""

    read: _Read
    rounded: Rounded
    cause: tuple[int, int, int]

    @property
    def place(self) -> Place:
        """Where the strongest cause is in the input."""
        channel, row, column = self.cause
        window = self.read.window
        return Place(self.read.channels.start + channel, window.top + row, window.left + column)


def _chosen_unit(recording: Recording, path: str, channel: int | None, position: tuple[int, int] | None) -> Unit:
    """Return the unit that a request names, or the one with the largest value. Raises InputError if there is none."""
    chosen = Unit(path, channel or 0, *(position or (0, 0)))
    if path not in recording.outputs or min(chosen[1:]) < 0 or not recording.graph.has(chosen):
        shape = " × ".join(f"{side:,}" for side in recording.graph.shape(path)) if path in recording.outputs else "none"
        raise InputError(f"The network computes no such value at “{path[:60]}” (its output: {shape}).")
    output = recording.outputs[path]
    output = output[:, None, None] if output.ndim == 1 else output
    offsets = [0, 0, 0]
    if channel is not None:
        output, offsets[0] = output[channel : channel + 1], channel
    if position is not None:
        row, column = position
        output, offsets[1:] = output[:, row : row + 1, column : column + 1], [row, column]
    index = largest_index(output)
    return Unit(path, *(offset + at for offset, at in zip(offsets, index, strict=True)))


def largest_index(values: Tensor) -> tuple[int, int, int]:
    """Return the index of the largest of n × h × w values, the first if there are several."""
    _, height, width = values.shape
    channel, position = divmod(int(values.flatten().argmax()), height * width)
    return channel, *divmod(position, width)


def compute(recording: Recording, unit: Unit) -> Computed:
    """Compute a unit that is no pixel."""
    layer, row = recording.model.get_submodule(unit.path), recording.graph.row(unit.path)
    if isinstance(layer, ConvBlock):
        return _convolution(recording, unit, layer)
    if isinstance(layer, nn.Linear):
        return _linear(recording, unit, layer)
    if isinstance(layer, nn.LocalResponseNorm):
        return _response_norm(recording, unit, layer)
    read = _read(recording, unit, range(unit.channel, unit.channel + 1), input_window(row, unit.row, unit.column))
    if isinstance(layer, nn.MaxPool2d):
        cause = largest_index(read.values.masked_fill(~read.inside, -torch.inf))
        rounded = largest(read.values[cause].item(), int(read.inside.sum()))
    else:
        cause = largest_index(read.values.masked_fill(~read.inside, -torch.inf))
        rounded = averaged(read.values.sum().item(), read.values.abs().sum().item(), int(read.inside.sum()))
    return Computed(read, _with_factor(recording, unit, rounded), cause)


def _convolution(recording: Recording, unit: Unit, block: ConvBlock) -> Computed:
    row = recording.graph.row(unit.path)
    read = _read(recording, unit, range(row.in_shape[0]), input_window(row, unit.row, unit.column))
    read = read._replace(weights=_exact(block.conv.weight[unit.channel]))
    rounded, scale = _sum(read), 1.0
    if block.conv.bias is not None:
        rounded = biased(rounded, block.conv.bias[unit.channel].item())
    if isinstance(block.bn, nn.BatchNorm2d):
        norm = _batch_norm(block.bn, unit.channel)
        rounded, scale = batch_normalised(rounded, norm), norm.scale
    cause = _strongest(read, copysign(1, rounded.value) * copysign(1, scale))
    return Computed(read, _with_factor(recording, unit, rectified(rounded)), cause)


def _linear(recording: Recording, unit: Unit, layer: nn.Linear) -> Computed:
    read = _read(recording, unit, range(layer.in_features), _POINT)
    read = read._replace(weights=_exact(layer.weight[unit.channel])[:, None, None])
    rounded = biased(_sum(read), layer.bias[unit.channel].item())
    cause = _strongest(read, copysign(1, rounded.value))
    return Computed(read, rectified(rounded) if _is_hidden(recording, unit.path) else rounded, cause)


def _is_hidden(recording: Recording, path: str) -> bool:
    """Whether a fully connected layer is the first one of an auxiliary head, whose outputs are no classes."""
    return recording.graph.row(path).aux is not None and path.endswith(".fc")


def _response_norm(recording: Recording, unit: Unit, layer: nn.LocalResponseNorm) -> Computed:
    channels = lrn_channels(unit.channel, recording.graph.row(unit.path).in_shape[0])
    read = _read(recording, unit, channels, InputWindow(unit.row, unit.column, 1, 1))
    own = unit.channel - channels.start
    rounded = normalised_response(
        read.values[own, 0, 0].item(),
        read.values.square().sum().item(),
        layer.alpha,
        layer.beta,
        layer.k,
        layer.size,
    )
    return Computed(read, rounded, (own, 0, 0))


def _read(recording: Recording, unit: Unit, channels: range, window: InputWindow) -> _Read:
    """Cut out what a unit reads, with zeros for the padding."""
    whole = recording.inputs[unit.path]
    whole = whole[:, None, None] if whole.ndim == 1 else whole
    _, height, width = whole.shape
    top, left = max(window.top, 0), max(window.left, 0)
    bottom, right = min(window.top + window.height, height), min(window.left + window.width, width)
    values = torch.zeros(len(channels), window.height, window.width, dtype=torch.float64)
    inside = torch.zeros_like(values, dtype=torch.bool)
    rows, columns = slice(top - window.top, bottom - window.top), slice(left - window.left, right - window.left)
    values[:, rows, columns] = _exact(whole[channels.start : channels.stop, top:bottom, left:right])
    inside[:, rows, columns] = True
    return _Read(channels, window, values, inside)


def _exact(values: Tensor) -> Tensor:
    """Return the same numbers in double precision; not every accelerator has it."""
    return values.detach().cpu().double()


def _products(read: _Read) -> Tensor:
    return read.values if read.weights is None else read.values * read.weights


def _sum(read: _Read) -> Rounded:
    products = _products(read)
    return summed(products.sum().item(), products.abs().sum().item(), products.numel())


def _strongest(read: _Read, sign: float) -> tuple[int, int, int]:
    """Return the index of the product that adds most in the direction of a sign; it is never in the padding."""
    return largest_index((sign * _products(read)).masked_fill(~read.inside, -torch.inf))


def _batch_norm(layer: nn.BatchNorm2d, channel: int) -> BatchNorm:
    tensors = (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    mean, variance, gamma, beta = (float(tensor[channel]) for tensor in tensors if tensor is not None)
    return BatchNorm(mean, variance, gamma, beta, layer.eps)


def _with_factor(recording: Recording, unit: Unit, rounded: Rounded) -> Rounded:
    factor = recording.factors.get(unit.path)
    return rounded if factor is None else scaled(rounded, factor)


def _value(recording: Recording, unit: Unit) -> float:
    """Return the network's own value, of a scaled branch the one in the concatenation."""
    path, channel = unit.path, unit.channel
    if unit.path in recording.factors and (joined := recording.graph.concatenation(unit.path)):
        path, channel = joined[0], channel + joined[1].first
    output = recording.outputs[path]
    return (output[channel] if output.ndim == 1 else output[channel, unit.row, unit.column]).item()


def terms_of(found: Computed) -> list[Term]:
    """Return what each input channel contributes to the sum, the largest absolute value first; pools have none."""
    read = found.read
    products = read.values.square() if len(read.channels) > 1 and read.weights is None else _products(read)
    if read.weights is None and len(read.channels) == 1:
        return []
    sums = products.sum((1, 2))
    is_single = products.shape[1:] == (1, 1)
    values = read.values[:, 0, 0].tolist() if is_single else [None] * len(sums)
    weights = read.weights[:, 0, 0].tolist() if is_single and read.weights is not None else [None] * len(sums)
    totals = sums.tolist()
    order = sums.abs().argsort(descending=True, stable=True).tolist()
    return [Term(read.channels.start + at, totals[at], values[at], weights[at]) for at in order]


def _window(read: _Read, channel: int) -> Window:
    """Return the window of one input channel."""
    at = channel - read.channels.start
    values, inside = read.values[at].tolist(), read.inside[at].tolist()
    shown = tuple(
        tuple(value if is_inside else None for value, is_inside in zip(*rows, strict=True))
        for rows in zip(values, inside, strict=True)
    )
    weights = () if read.weights is None else tuple(map(tuple, read.weights[at].tolist()))
    return Window(channel, read.window.top, read.window.left, shown, weights)


def _channel_maps(recording: Recording, unit: Unit, terms: Sequence[Term]) -> ChannelMaps | None:
    """Return the intermediate maps of the input channels that contribute most; None if it is no convolution."""
    layer = recording.model.get_submodule(unit.path)
    if not isinstance(layer, ConvBlock):
        return None
    strongest = [term.channel for term in terms[:MAX_CHANNEL_MAPS]]
    return channel_maps(layer.conv, recording.inputs[unit.path], unit.channel, strongest)


def _softmax(recording: Recording, unit: Unit) -> Softmax | None:
    """Return how the probability of a class follows from the network's own logits; None if it is no class."""
    if recording.graph.row(unit.path).kind != "linear" or _is_hidden(recording, unit.path):
        return None
    return softmax(_exact(recording.outputs[unit.path]).tolist(), unit.channel, MAX_CLASSES)


def _causes(recording: Recording, unit: Unit) -> tuple[Unit, ...]:
    """Follow the strongest causes from a unit to a pixel."""
    causes = []
    while unit.path != INPUT:
        unit = recording.graph.input_unit(unit.path, compute(recording, unit).place)
        causes.append(unit)
    return tuple(causes)


def _heat(output: Tensor, channel: int) -> Heat | None:
    """Return one channel of an output as a heat map; None for a vector."""
    return heat_map(output[channel].float()) if output.ndim == 3 else None


def _explain_pixel(recording: Recording, unit: Unit, preprocessing: Preprocessing) -> UnitReport:
    value = recording.outputs[INPUT][tuple(unit[1:])].item()
    mean, std = (numbers[unit.channel % len(numbers)] for numbers in (preprocessing.mean, preprocessing.std))
    rounded = normalised_pixel(value, mean, std)
    return UnitReport(
        unit=unit,
        kind=INPUT,
        steps=rounded.steps,
        value=value,
        bound=rounded.bound,
        output_map=_heat(recording.outputs[INPUT], unit.channel),
        input_png=recording.input_png,
    )
