"""GoogLeNet in PyTorch, to be read beside the paper (Szegedy et al. 2014, arXiv:1409.4842).

One class per block: a convolution with its ReLU, the Inception module of Figure 2b, the auxiliary head of section
5, and the network of Table 1. The comments after the lines of ``forward`` are shapes for the paper's network, with
N images in the batch. Written independently of :mod:`explorer.analysis`, which computes the same network in closed
form, so that each can check the other.
"""

from collections import OrderedDict
from functools import partial
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer import problems
from explorer.config import GoogLeNetConfig, InceptionModule
from explorer.errors import UnbuildableError


class GoogLeNetOutput(NamedTuple):
    """The output in training mode: the logits, and each auxiliary head's logits by the name of the module it taps."""

    logits: Tensor
    aux: dict[str, Tensor]


class ConvBlock(nn.Module):
    """A convolution that keeps height and width (at stride 1), BatchNorm if the network uses it, and ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, bias: bool, batch_norm: bool
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=bias)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3) if batch_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """N × inputs × H × W → N × outputs × H/stride × W/stride."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Concat(nn.Module):
    """Concatenate the branches along the channels. It is a module so that it has a path and accepts hooks."""

    def forward(self, branches: list[Tensor]) -> Tensor:
        """Each N × C_i × H × W → N × ΣC_i × H × W."""
        return torch.cat(branches, dim=1)


class Inception(nn.Module):
    """Figure 2b: four branches with the same input; their outputs are concatenated in the order 1×1, 3×3, 5×5, pool.

    A blank reduction omits the 1×1 convolution (Figure 2a). A branch with 0 filters does not exist.
    """

    def __init__(self, inputs: int, row: InceptionModule, kernel_5x5: str, block: partial[ConvBlock]) -> None:
        super().__init__()
        self.outputs = 0
        if row.ch1x1:
            self.branch_1x1 = nn.Sequential(OrderedDict(conv=block(inputs, row.ch1x1, 1)))
            self.outputs += row.ch1x1
        if row.ch3x3:
            layers, width = _reduction(inputs, row.ch3x3_reduce, block)
            layers["conv"] = block(width, row.ch3x3, 3)
            self.branch_3x3 = nn.Sequential(layers)
            self.outputs += row.ch3x3
        if row.ch5x5:
            layers, width = _reduction(inputs, row.ch5x5_reduce, block)
            if kernel_5x5 == "two_3x3":
                layers["conv1"] = block(width, row.ch5x5, 3)
                layers["conv2"] = block(row.ch5x5, row.ch5x5, 3)
            else:
                layers["conv"] = block(width, row.ch5x5, {"5x5": 5, "3x3": 3}[kernel_5x5])
            self.branch_5x5 = nn.Sequential(layers)
            self.outputs += row.ch5x5
        if row.pool_proj is None:
            self.branch_pool = nn.Sequential(OrderedDict(pool=nn.MaxPool2d(3, stride=1, padding=1)))
            self.outputs += inputs
        elif row.pool_proj:
            self.branch_pool = nn.Sequential(
                OrderedDict(pool=nn.MaxPool2d(3, stride=1, padding=1), proj=block(inputs, row.pool_proj, 1))
            )
            self.outputs += row.pool_proj
        self.concat = Concat()

    def forward(self, x: Tensor) -> Tensor:
        """N × inputs × H × W → N × outputs × H × W, e.g. 4a: 480 × 14 × 14 → 512 × 14 × 14."""
        branches = [branch(x) for name, branch in self.named_children() if name.startswith("branch_")]
        output: Tensor = self.concat(branches)  # 4a: 192 + 208 + 48 + 64 = 512 channels
        return output


def _reduction(inputs: int, width: int | None, block: partial[ConvBlock]) -> tuple[OrderedDict[str, nn.Module], int]:
    """Start a branch with a 1×1 convolution to ``width`` channels, or, if that is None, with no layer.

    Returns the layers so far and the number of channels that the next layer receives.
    """
    if width is None:
        return OrderedDict(), inputs
    return OrderedDict(reduce=block(inputs, width, 1)), width


class AuxiliaryHead(nn.Module):
    """A small classifier on an inner module: average pool, 1×1 convolution, two fully connected layers with dropout."""

    def __init__(self, inputs: int, size: tuple[int, int], config: GoogLeNetConfig, block: partial[ConvBlock]) -> None:
        super().__init__()
        aux = config.aux
        if aux.pool == "adaptive":
            self.pool: nn.Module = nn.AdaptiveAvgPool2d(4)
        else:
            self.pool = nn.AvgPool2d(5, stride=3, ceil_mode=aux.pool == "ceil")
        height, width = _size_after(self.pool, size)
        self.conv = block(inputs, aux.conv, 1)
        self.fc = nn.Linear(aux.conv * height * width, aux.hidden)
        self.dropout = nn.Dropout(aux.dropout)
        self.classifier = nn.Linear(aux.hidden, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        """On 4a: N × 512 × 14 × 14 → N × classes."""
        x = self.pool(x)  # N × 512 × 4 × 4
        x = self.conv(x)  # N × 128 × 4 × 4
        x = torch.flatten(x, 1)  # N × 2048
        x = F.relu(self.fc(x), inplace=True)  # N × 1024
        x = self.dropout(x)
        logits: Tensor = self.classifier(x)  # N × classes
        return logits


def _size_after(pool: nn.Module, size: tuple[int, int]) -> tuple[int, int]:
    """Return height and width after pooling an input of ``size``. The meta device works out shapes without numbers."""
    height, width = pool(torch.empty(1, 1, *size, device="meta")).shape[-2:]
    return height, width


class GoogLeNet(nn.Module):
    """The network of Table 1: stem, Inception modules with a max pool at each change of stage, classifier."""

    def __init__(self, config: GoogLeNetConfig) -> None:
        super().__init__()
        self.config = config
        block = partial(ConvBlock, bias=config.conv_bias, batch_norm=config.normalisation == "batch_norm")
        channels, height, width = config.input_shape
        self.stem, size = _stem(config, channels, (height, width), block)
        channels = config.stem.conv2
        self.body: list[str] = []  # names of the Inception modules and pools in the order of execution
        self.heads: dict[str, str] = {}  # tapped module -> its auxiliary head, by name
        previous = config.modules[0]
        for row in config.modules:
            if row.stage != previous.stage:
                pool = _max_pool(config.pooling, last=row.stage == config.modules[-1].stage)
                self._add_to_body(f"pool{previous.stage}", pool)
                size = _size_after(pool, size)
            inception = Inception(channels, row, config.kernel_5x5, block)
            self._add_to_body(f"inception_{row.name}", inception)
            channels = inception.outputs
            if row.name in config.aux.taps:
                self.heads[f"inception_{row.name}"] = f"aux_{row.name}"
                self.add_module(f"aux_{row.name}", AuxiliaryHead(channels, size, config, block))
            previous = row
        self.classifier = nn.Sequential(
            OrderedDict(
                pool=nn.AdaptiveAvgPool2d(1),  # N × 1024 × 1 × 1
                flatten=nn.Flatten(),  # N × 1024
                dropout=nn.Dropout(config.dropout),
                fc=nn.Linear(channels, config.classes),  # N × classes
            )
        )

    def _add_to_body(self, name: str, layer: nn.Module) -> None:
        self.add_module(name, layer)
        self.body.append(name)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutput:
        """N × C × H × W → logits N × classes; in training mode a GoogLeNetOutput with the heads' logits as well."""
        return self.forward_with_heads(x) if self.training else self.forward_without_heads(x)

    def forward_with_heads(self, x: Tensor) -> GoogLeNetOutput:
        """N × C × H × W → logits of the network and its auxiliary heads, in either mode."""
        return self._run(x, heads=True)

    def forward_without_heads(self, x: Tensor) -> Tensor:
        """N × C × H × W → logits N × classes, in either mode."""
        return self._run(x, heads=False).logits

    def _run(self, x: Tensor, *, heads: bool) -> GoogLeNetOutput:
        x = self.stem(x)  # N × 192 × 28 × 28
        aux: dict[str, Tensor] = {}
        for name in self.body:
            x = self.get_submodule(name)(x)  # 3a: 256 × 28 × 28 … 5b: 1024 × 7 × 7
            if heads and name in self.heads:
                aux[name.removeprefix("inception_")] = self.get_submodule(self.heads[name])(x)
        return GoogLeNetOutput(self.classifier(x), aux)


def _stem(
    config: GoogLeNetConfig, channels: int, size: tuple[int, int], block: partial[ConvBlock]
) -> tuple[nn.Sequential, tuple[int, int]]:
    """Build the layers before 3a. Returns them with the height and width of their output."""
    stem = config.stem
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if stem.kind == "paper":
        layers["conv1"] = block(channels, stem.conv1, 7, stride=2)  # N × 64 × 112 × 112
        layers["pool1"] = _max_pool(config.pooling)  # N × 64 × 56 × 56
        halved = ((size[0] + 1) // 2, (size[1] + 1) // 2)  # 7×7/2 with padding 3 rounds up
        size = _size_after(layers["pool1"], halved)
    else:
        layers["conv1"] = block(channels, stem.conv1, 3)
    if config.normalisation == "lrn":
        layers["norm1"] = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)
    layers["conv2_reduce"] = block(stem.conv1, stem.conv2_reduce, 1)
    layers["conv2"] = block(stem.conv2_reduce, stem.conv2, 3)  # N × 192 × 56 × 56
    if config.normalisation == "lrn":
        layers["norm2"] = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)
    layers["pool2"] = _max_pool(config.pooling)  # N × 192 × 28 × 28
    return nn.Sequential(layers), _size_after(layers["pool2"], size)


def _max_pool(pooling: str, *, last: bool = False) -> nn.MaxPool2d:
    """Return the max pool that halves the size, by the rule of each network family; torchvision's last one is 2×2."""
    match pooling:
        case "padded":
            return nn.MaxPool2d(3, stride=2, padding=1)
        case "floor":
            return nn.MaxPool2d(3, stride=2)
        case "torchvision" if last:
            return nn.MaxPool2d(2, stride=2, ceil_mode=True)
        case _:
            return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def build_model(
    config: GoogLeNetConfig, device: str | torch.device = "cpu", *, seed: int = 0, initialisation: str = "he"
) -> GoogLeNet:
    """Build the network on a device, in training mode, with random weights from ``seed``.

    With ``he``, weights of convolutions and fully connected layers get He's normal initialization (He et al. 2015,
    arXiv:1502.01852), biases 0. With ``caffe`` they get Xavier's uniform one as Caffe computes it, ±√(3 / fan-in),
    and biases are 0.2 before a ReLU (BVLC/caffe models/bvlc_googlenet/train_val.prototxt).

    On the ``meta`` device the network has shapes only. Raises UnbuildableError if the config has problems, before
    anything is allocated.
    """
    if found := problems(config):
        raise UnbuildableError(found)
    with torch.device("meta"):  # no memory until to_empty, and PyTorch's own initialization costs nothing
        model = GoogLeNet(config)
    if torch.device(device).type == "meta":
        return model
    model.to_empty(device=device)
    _initialize_weights(model, seed, initialisation)
    return model


@torch.no_grad()
def _initialize_weights(model: GoogLeNet, seed: int, initialisation: str) -> None:
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            is_before_relu = name != "classifier.fc" and not name.endswith(".classifier")
            if initialisation == "caffe":
                bound = sqrt(3 / layer.weight[0].numel())
                layer.weight.uniform_(-bound, bound, generator=generator)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                layer.bias.fill_(0.2 if initialisation == "caffe" and is_before_relu else 0.0)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
