"""The live network's own rows: what each layer receives and returns, measured by forward hooks."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from explorer.live.model import Concat, ConvBlock, GoogLeNet

Shape = tuple[int, ...]

_KINDS: dict[type[nn.Module], str] = {
    ConvBlock: "conv",
    nn.MaxPool2d: "max_pool",
    nn.AvgPool2d: "avg_pool",
    nn.AdaptiveAvgPool2d: "avg_pool",
    nn.LocalResponseNorm: "lrn",
    Concat: "concat",
    nn.Dropout: "dropout",
    nn.Linear: "linear",
}


class LiveRow(NamedTuple):
    """One layer, measured on one image. ``macs`` follow from its actual weight and output."""

    path: str
    kind: str
    in_shape: Shape
    out_shape: Shape
    weights: int
    biases: int
    norm: int
    macs: int


def trace(model: GoogLeNet, image: Tensor | None = None) -> tuple[LiveRow, ...]:
    """Run one image through the network and its auxiliary heads, and return a row per layer in order of execution.

    ``image`` is 1 × C × H × W on the model's device; the default is zeros. On a ``meta`` model nothing is computed.
    The hooks are removed and each part's training mode is restored, also after an error.
    """
    rows: list[LiveRow] = []

    def add_hook(path: str, layer: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def add_row(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            rows.append(_row(path, module, inputs[0], output))

        return layer.register_forward_hook(add_row)

    if image is None:
        device = next(model.parameters()).device
        image = torch.zeros(1, *model.config.input_shape, device=device)
    modes = [(module, module.training) for module in model.modules()]
    handles = [add_hook(path, layer) for path, layer in layers(model)]
    try:
        model.eval()
        with torch.inference_mode():
            model.forward_with_heads(image)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    return tuple(rows)


def layers(model: GoogLeNet) -> Iterator[tuple[str, nn.Module]]:
    """Yield path and module of every layer that has a row."""
    return ((path, layer) for path, layer in model.named_modules() if type(layer) in _KINDS)


def _row(path: str, layer: nn.Module, inputs: Tensor | list[Tensor], output: Tensor) -> LiveRow:
    """Measure one layer. ``inputs`` is its input, N × C × H × W or N × C; for a Concat the list of its branches."""
    branches = inputs if isinstance(inputs, list) else [inputs]
    channels, *size = branches[0].shape[1:]
    if isinstance(layer, Concat):
        channels = sum(branch.shape[1] for branch in branches)
    weights, biases, norm, macs = 0, 0, 0, 0
    weighted = layer.conv if isinstance(layer, ConvBlock) else layer
    if isinstance(weighted, nn.Conv2d | nn.Linear):
        weights = weighted.weight.numel()
        biases = weighted.bias.numel() if weighted.bias is not None else 0
        macs = weights * output[0, 0].numel()  # each weight once per output position
    if isinstance(layer, ConvBlock):
        norm = sum(parameter.numel() for parameter in layer.bn.parameters())
    kind, in_shape = _KINDS[type(layer)], (channels, *size)
    return LiveRow(path, kind, in_shape, tuple(output.shape[1:]), weights, biases, norm, macs)
