"""The live network's own rows: what its layers really received and returned, seen by hooks."""

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
    """One layer as it ran on one image. ``macs`` come from the weight and the output it really made."""

    path: str
    kind: str
    in_shape: Shape
    out_shape: Shape
    weights: int
    biases: int
    norm: int
    macs: int


def trace(model: GoogLeNet, image: Tensor | None = None) -> tuple[LiveRow, ...]:
    """Run one image through the network and its auxiliary heads, and return a row per layer in the order they ran.

    ``image`` is 1 × C × H × W on the model's device; without it, zeros are used (on a ``meta`` model nothing is
    computed at all). Hooks are removed and each part's training mode is restored, also after an error.
    """
    rows: list[LiveRow] = []

    def watch(path: str, layer: nn.Module) -> Any:
        def note(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            rows.append(_row(path, module, inputs[0], output))

        return layer.register_forward_hook(note)

    if image is None:
        device = next(model.parameters()).device
        image = torch.zeros(1, *model.config.input_shape, device=device)
    modes = [(module, module.training) for module in model.modules()]
    handles = [watch(path, layer) for path, layer in layers(model)]
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
    """Yield the path and the module of everything that has a row."""
    return ((path, layer) for path, layer in model.named_modules() if type(layer) in _KINDS)


def _row(path: str, layer: nn.Module, received: Tensor | list[Tensor], output: Tensor) -> LiveRow:
    if isinstance(layer, Concat):
        channels = sum(branch.shape[1] for branch in received)
        in_shape = (channels, *received[0].shape[2:])
    else:
        in_shape = tuple(received.shape[1:])
    weights, biases, norm, macs = 0, 0, 0, 0
    learned = layer.conv if isinstance(layer, ConvBlock) else layer
    if isinstance(learned, nn.Conv2d | nn.Linear):
        weights = learned.weight.numel()
        biases = learned.bias.numel() if learned.bias is not None else 0
        macs = weights * output[0, 0].numel()  # each weight once per output position
    if isinstance(layer, ConvBlock):
        norm = sum(parameter.numel() for parameter in layer.bn.parameters())
    return LiveRow(path, _KINDS[type(layer)], tuple(in_shape), tuple(output.shape[1:]), weights, biases, norm, macs)
